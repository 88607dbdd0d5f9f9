"""How a model of the list is told: where it is, how large, how long its context, and whether it fits."""

from __future__ import annotations

from qverify_desktop.domain.model_views import ModelView, StoredModelView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.rows import Row

_FITS = {
    "gpu": later("fits into the graphics card"),
    "memory": later("fits"),
    "tight": later("fits once memory is free"),
    "too_large": later("won't fit"),
}


def told_of(model: ModelView, stored: StoredModelView | None, *, used: bool) -> Row:
    """A row of the list; ``stored`` is what an Ollama server says of the model."""
    local = model["place"] == "local"
    where = tr("on this machine") if local else tr("elsewhere: prompts leave this machine")
    parts = [f"{model['provider']}, {where}"]
    badge, tone = "", ""
    if stored is not None:
        kind = " ".join(part for part in (stored["parameters"], stored["quantization"]) if part)
        parts += [part for part in (kind, words.decimal_bytes(stored["bytes"]) if stored["bytes"] else "") if part]
        if stored["context_tokens"]:
            parts.append(tr("context {tokens}", tokens=words.count(stored["context_tokens"])))
        if stored["needed_bytes"]:
            parts.append(tr("needs {size} of memory", size=words.decimal_bytes(stored["needed_bytes"])))
        fits = tr(_FITS[stored["fit"]]) if stored["fit"] in _FITS else ""
        badge = fits if stored["warning"] or stored["fit"] == "tight" else ""
        tone = "danger" if stored["warning"] else "warning"
        if fits and not badge:
            parts.append(fits)
    return Row(
        icon="circle-check" if used else "model",
        token="success" if used else "text-muted",
        title=model["name"],
        remark=tr("used for new analyses") if used else "",
        detail=" · ".join(parts),
        place=stored["sentence"] if stored is not None else "",
        badge=badge,
        badge_tone=tone if badge else "",
    )
