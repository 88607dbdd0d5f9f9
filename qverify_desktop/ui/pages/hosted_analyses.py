"""Analyses that the hosted service runs, as rows that say so; on the page of the service and beside the runs of this machine."""

from __future__ import annotations

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import HostedAnalysisView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.pages.hosted_plan import amount
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import column, label
from qverify_desktop.ui.widgets.rows import Row, RowList, RowModel

#: Rows that are seen without scrolling, and milliseconds between two looks while something goes on there.
MOST_ROWS, LOOK_MS = 6, 5_000
LIVE = ("queued", "running")
_LOOKS = {
    "queued": ("clock", "text-muted", later("Waiting at the service")),
    "running": ("ring-arc", "accent-text", later("Running at the service")),
    "done": ("circle-check", "success", later("Done")),
    "failed": ("triangle-alert", "danger", later("Failed")),
    "cancelled": ("square-stop", "text-muted", later("Cancelled")),
}


class AnalysesPart(QWidget):
    """The list, asked while it is shown. ``found`` is emitted with how many there are; ``chosen`` when the selection changed."""

    found = Signal(int)
    chosen = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None, *, quiet: bool = False) -> None:
        """``quiet``: where there is none, or the service can't be asked, nothing is shown at all."""
        super().__init__(parent)
        self.setObjectName("clear")
        self._desk, self._quiet, self._shown = desk, quiet, False
        self.none = label("", "body", "muted", wrap=True, select=True)
        self.model: RowModel[HostedAnalysisView] = RowModel(told_of, key=lambda one: one["id"], parent=self)
        self.list = RowList(desk.theme, self.model, tr("Analyses at the hosted service"))
        self.list.opened.connect(self._open)
        self.list.chosen.connect(lambda _: self.chosen.emit())
        self.model.arranged.connect(self._measure)
        desk.theme.changed.connect(self._measure)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.setInterval(LOOK_MS)
        self._again.timeout.connect(self.ask)
        self.setLayout(column(self.none, self.list, gap=0))
        self.list.hide()
        if quiet:
            self.hide()

    def show_part(self) -> None:
        self._shown = True
        self.ask()

    def hide_part(self) -> None:
        self._shown = False
        self._again.stop()

    def ask(self) -> None:
        self._desk.bridge.ask(self, "hosted_analyses", self.show_all, failed=self._failed, key="analyses")

    def show_all(self, analyses: list[HostedAnalysisView]) -> None:
        self.model.fill(analyses)
        self._say(tr("The service runs no analysis for your organization.") if not analyses else "")
        self.found.emit(len(analyses))
        if self._shown and any(one["state"] in LIVE for one in analyses):
            self._again.start()

    def current(self) -> HostedAnalysisView | None:
        chosen: HostedAnalysisView | None = self.list.value()
        return chosen

    def _failed(self, error: QVerifyError) -> None:
        self.model.fill([])
        self._say(f"{error.sentence} {error.remedy}".strip())

    def _say(self, sentence: str) -> None:
        self.none.setText(sentence)
        self.none.setVisible(bool(sentence) and not self._quiet)
        self.list.setVisible(not sentence)
        if self._quiet:
            self.setVisible(not sentence)

    def _measure(self) -> None:
        rows = self.model.rowCount()
        if rows:
            self.list.setFixedHeight(self.list.height_of_all() * min(rows, MOST_ROWS) // rows)

    def _open(self, one: HostedAnalysisView) -> None:
        if one["report_url"]:
            self._desk.front.open_address(one["report_url"])


def told_of(one: HostedAnalysisView) -> Row:
    """A row, labelled as the service's."""
    icon, token, state = _LOOKS.get(one["state"], ("ring-dashed", "text-muted", one["state"]))
    name = one["label"] or one["url"].rpartition("/")[2].removesuffix(".git") or one["url"]
    parts = [one["url"].removeprefix("https://"), words.short_hash(one["commit"], 12)]
    if one["state"] == "done":
        parts += [words.kept(one["tests"]), words.defects(one["suspected_defects"])]
        parts.append(
            tr(
                "lines {before} to {after}",
                before=words.share(one["coverage_before"]),
                after=words.share(one["coverage_after"]),
            )
        )
        parts.append(amount(one["cost_micro"], one["currency"]))
    elif one["state"] == "failed":
        parts.append(one["problem"])
    elif one["state"] == "running":
        step = tr("step {done} of {total}", done=one["done"], total=one["total"]) if one["total"] else ""
        parts.append(" ".join(part for part in (one["stage"].replace("_", " "), step) if part))
    return Row(
        icon=icon,
        token=token,
        title=name,
        remark=f"{tr(state)} · {words.when(one['created_at'])}",
        detail=" · ".join(part for part in parts if part),
        badge=tr("hosted"),
        badge_tone="accent",
    )
