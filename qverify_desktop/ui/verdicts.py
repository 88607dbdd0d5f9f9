"""How the state of a run is told: shape, colour token and word, the same wherever a run appears."""

from __future__ import annotations

from collections.abc import Mapping

from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.language import later, tr

STATUS: Mapping[str, tuple[str, str, str]] = {
    "queued": ("ring-dashed", "text-muted", later("Queued")),
    "running": ("ring-arc", "accent-text", later("Running")),
    "paused": ("pause", "warning", later("Paused")),
    "interrupted": ("triangle-alert", "warning", later("Interrupted")),
    "cancelled": ("square-stop", "warning", later("Cancelled")),
    "failed": ("square-x", "danger", later("Failed")),
}
VERDICT: Mapping[str, tuple[str, str, str]] = {
    "nothing_suspected": ("circle-check", "success", later("Nothing suspected")),
    "defects_suspected": ("diamond-alert", "danger", later("Defects suspected")),
    "inconclusive": ("triangle-alert", "warning", later("Inconclusive")),
}


def run_shape(run: RunView | None) -> tuple[str, str, str]:
    """Icon, colour token and translated word of a run; of no run at all, that there was none."""
    if run is None:
        return "ring-dashed", "text-muted", tr("Not analyzed yet")
    if run["status"] == "finished":
        icon, token, word = VERDICT.get(run["verdict"], VERDICT["inconclusive"])
    else:
        icon, token, word = STATUS.get(run["status"], STATUS["interrupted"])
    return icon, token, tr(word)
