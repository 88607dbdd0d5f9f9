"""How a finished run is told in the history of its repository: when, what it found, and what the tests reach and notice."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.views import MeasureView, RunView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting, words
from qverify_desktop.ui.widgets.tables import Column

#: Measures of a history: field and word.
MEASURES = (("lines", later("Lines")), ("branches", later("Branches")), ("mutants", later("Mutants killed")))
#: Room for a change at 100 %.
CHANGE = 44


def found(run: RunView) -> str:
    """What a finished run found: "4 suspected defects, 41 tests kept"."""
    if run["verdict"] == "inconclusive":
        told = words.look_of_run(run).text()
    else:
        told = words.defects(run["suspected"]) if run["suspected"] else tr("No suspected defects")
    return f"{told}, {words.kept(run['accepted'])}"


def measure_of(entry: HistoryEntry, name: str) -> MeasureView:
    """``lines``, ``branches`` or ``mutants`` of an entry."""
    return entry[name]  # type: ignore[literal-required, no-any-return]


def words_of(entry: HistoryEntry) -> str:
    """What the filter looks into."""
    run = entry["run"]
    return "\n".join((words.when(run["started_at"]), found(run), run["sentence"], entry["commit"], run["run"]))


def history_columns() -> list[Column[HistoryEntry]]:
    """Time, verdict, commit, and each measure with the kept tests and what they added."""

    def look(entry: HistoryEntry) -> tuple[str, str]:
        shown = words.look_of_run(entry["run"])
        return shown.icon, shown.token

    return [
        Column(
            tr("Run"),
            lambda entry: words.when(entry["run"]["started_at"]),
            lambda entry: entry["run"]["started_at"],
            tip=lambda entry: words.moment(entry["run"]["started_at"]),
            width=172,
        ),
        Column(
            tr("Verdict"),
            lambda entry: found(entry["run"]),
            lambda entry: (entry["run"]["suspected"], entry["run"]["accepted"]),
            icon=look,
            tip=lambda entry: entry["run"]["sentence"],
            width=180,
            stretch=1,
        ),
        Column(
            tr("Commit"),
            lambda entry: words.short_hash(entry["commit"]) if entry["commit"] else "",
            font="code",
            token="text-muted",
            width=92,
            from_width=880,
        ),
        *(_measure(name, title) for name, title in MEASURES),
        _amount(tr("Cost"), lambda entry: entry["cost_microusd"], words.money, 84),
        _amount(tr("Time"), lambda entry: entry["duration_ms"], words.duration, 108),
    ]


def _amount(
    title: str, value: Callable[[HistoryEntry], int | None], told: Callable[[int], str], width: int
) -> Column[HistoryEntry]:
    """What a run took; runs of older versions did not keep it."""

    def words_of_it(entry: HistoryEntry) -> str:
        known = value(entry)
        return tr("unknown") if known is None else told(known)

    return Column(title, words_of_it, value, right=True, width=width, from_width=1040, searched=False)


def _measure(name: str, title: str) -> Column[HistoryEntry]:
    def values(entry: HistoryEntry) -> tuple[int | None, int | None]:
        measure = measure_of(entry, name)
        return words.before_of(measure), words.after_of(measure)

    def told(entry: HistoryEntry) -> str:
        before, after = values(entry)
        return f"{words.share(after)} {words.change(before, after)}".strip()

    def tip(entry: HistoryEntry) -> str:
        measure = measure_of(entry, name)
        if not measure["after_whole"]:
            return tr("Not measured.")
        return tr(
            "{part} of {whole} with the kept tests, {before} before",
            part=words.count(measure["after_part"]),
            whole=words.count(measure["after_whole"]),
            before=words.count(measure["before_part"]),
        )

    def paint(painter: QPainter, rect: QRect, entry: HistoryEntry, theme: Theme) -> None:
        before, after = values(entry)
        room = theme.px(CHANGE)
        moved = words.change(before, after)
        painting.text(painter, theme, rect, moved, "small", words.change_token(before, after), painting.RIGHT)
        token = "text" if after is not None else "text-muted"
        painting.text(
            painter, theme, rect.adjusted(0, 0, -room, 0), words.share(after), "body", token, painting.RIGHT
        )

    return Column(
        tr(title),
        told,
        lambda entry: values(entry)[1],
        right=True,
        paint=paint,
        tip=tip,
        width=128,
        from_width=700 if name == "branches" else 0,
        searched=False,
    )
