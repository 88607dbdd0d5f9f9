"""How a run is told in the table of all runs, and in which of its chips it belongs."""

from __future__ import annotations

from qverify_desktop.domain.progress import STAGE_TITLES
from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.tables import Column

LIVE = ("queued", "running")
RESUMABLE = ("paused", "interrupted", "cancelled")
#: Chips: key, word and shape.
GROUPS = (
    ("live", later("Running"), "ring-arc"),
    ("suspected", later("Defects suspected"), "diamond-alert"),
    ("clean", later("Nothing suspected"), "circle-check"),
    ("stopped", later("Stopped"), "square-stop"),
    ("other", later("Inconclusive or failed"), "triangle-alert"),
)
_TITLES = {stage.value: title for stage, title in STAGE_TITLES.items()}
_VERDICTS = {"defects_suspected": "suspected", "nothing_suspected": "clean"}


def group_of(run: RunView) -> str:
    """The chip that a run belongs to."""
    if run["status"] in LIVE:
        return "live"
    if run["status"] in RESUMABLE:
        return "stopped"
    return _VERDICTS.get(run["verdict"], "other") if run["status"] == "finished" else "other"


def sentence_of(run: RunView) -> str:
    """What it found or why it stopped; of one that goes on, its stage."""
    if run["status"] == "running" and run["stage"] in _TITLES:
        return tr(_TITLES[run["stage"]])
    return run["sentence"]


def words_of(run: RunView) -> str:
    """What the filter looks into."""
    return "\n".join(
        (words.look_of_run(run).text(), run["name"], run["source"], sentence_of(run), run["run"], run["started_at"])
    )


def run_columns() -> list[Column[RunView]]:
    """What a table of runs tells."""

    def look(run: RunView) -> tuple[str, str]:
        shown = words.look_of_run(run)
        return shown.icon, shown.token

    def number(name: str, title: str, from_width: int = 760) -> Column[RunView]:
        def value(run: RunView) -> int:
            return int(run[name])  # type: ignore[literal-required]

        return Column(
            title,
            lambda run: words.count(value(run)) if run["status"] == "finished" else "",
            lambda run: value(run) if run["status"] == "finished" else None,
            right=True,
            width=88,
            from_width=from_width,
            searched=False,
        )

    return [
        Column(
            tr("State"),
            lambda run: words.look_of_run(run).text(),
            lambda run: run["status"] + run["verdict"],
            icon=look,
            width=170,
        ),
        Column(
            tr("Repository"),
            lambda run: run["name"],
            lambda run: run["name"].casefold(),
            font="strong",
            tip=lambda run: run["source"],
            width=130,
            stretch=1,
        ),
        Column(
            tr("Started"),
            lambda run: words.day(run["started_at"]),
            lambda run: run["started_at"],
            token="text-muted",
            tip=lambda run: words.moment(run["started_at"]),
            width=116,
        ),
        Column(tr("Verdict"), sentence_of, sentence_of, width=160, stretch=4, from_width=620),
        number("accepted", tr("Kept")),
        number("refused", tr("Refused"), from_width=960),
        number("suspected", tr("Suspected")),
    ]
