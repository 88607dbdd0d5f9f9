"""The report of a reproduction as one self-contained HTML file, in the way of the report of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qverify_desktop import __version__
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.reproduction import Agreement, Outcome
from qverify_desktop.export import html

#: Title, icon and colour of each outcome.
_SHAPES = {
    Outcome.REPRODUCED: ("Reproduced", "circle-check", "success"),
    Outcome.OTHER_ENVIRONMENT: ("Agrees in another environment", "triangle-alert", "warning"),
    Outcome.DIFFERS: ("Differs", "diamond-alert", "danger"),
    Outcome.PARTLY: ("Executed in part", "triangle-alert", "warning"),
    Outcome.NOTHING: ("Nothing executed", "circle-slash", "muted"),
}


def reproduction_html(document: Mapping[str, Any]) -> bytes:
    """``document`` is that of ``docs/reproduce.schema.json``. All text is escaped; the same document gives the same bytes."""
    root = resources_root() / "resources"
    tests = sorted(
        document["tests"],
        key=lambda test: (
            _ORDER.index(test["state"]),
            not test["steady"],
            test["verdict"] != "suspected",
            test["language"],
            test["id"],
        ),
    )
    title, shape, token = _SHAPES[Outcome(document["outcome"])]
    text = (
        html.environment(root)
        .get_template("reproduction.html.jinja")
        .render(
            document=document,
            original=document["original"],
            record=document["record"],
            version=__version__,
            title=title,
            shape=shape,
            token=token,
            light=html.colours(root, "light"),
            dark=html.colours(root, "dark"),
            differing=[test for test in tests if test["state"] == Agreement.DIFFERS],
            others=[test for test in tests if test["state"] != Agreement.DIFFERS],
            marks=_MARKS,
            most=html.MOST_ROWS,
        )
    )
    return text.encode("utf-8")


#: Differences first: they are what a person looks for.
_ORDER = (Agreement.DIFFERS.value, Agreement.NOT_RUN.value, Agreement.AGREES.value)
_MARKS = {
    Agreement.AGREES.value: ("circle-check", "success", "agrees"),
    Agreement.DIFFERS.value: ("diamond-alert", "danger", "differs"),
    Agreement.NOT_RUN.value: ("circle-slash", "muted", "not run"),
}
