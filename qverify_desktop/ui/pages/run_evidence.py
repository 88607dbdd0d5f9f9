"""The evidence of one run: its grade with meaning and limit, its entries with their proofs, its closing checkpoint."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import GradeView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.pages.evidence_parts.grade import GradeBand
from qverify_desktop.ui.pages.evidence_parts.log_view import LogView
from qverify_desktop.ui.pages.evidence_parts.verifier import save_verifier
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.sheets.send_run import SendRunSheet
from qverify_desktop.ui.widgets.basics import column
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling

#: Height that the log and its proof have at least, at 100 %.
LEAST_LOG = 220
END = ".qvevidence.zip"


class RunEvidencePage(RunPage):
    """Band at the top, log and proof below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.band = GradeBand(desk.theme)
        self.log = LogView(desk, "run-evidence")
        inside = column(self.band, self.log, gap=0)
        inside.setStretchFactor(self.log, 1)
        self.log.setMinimumHeight(desk.theme.px(LEAST_LOG))
        # A large zoom in a low window: the page scrolls, and no sentence of the grade is cut off.
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(ScrollBody(inside)))
        group = later("Evidence")
        for act in (
            Act(
                "evidence.send",
                later("Send to the hosted service…"),
                group,
                self._send,
                icon="send",
                reason=self._unfinished,
            ),
            Act("evidence.save", later("Save bundle…"), group, self._save, icon="download", reason=self._unfinished),
            Act(
                "evidence.verifier",
                later("Save the verifier…"),
                group,
                partial(save_verifier, desk, self),
                icon="code",
            ),
            Act(
                "evidence.verify",
                later("Verify evidence"),
                group,
                self._verify,
                "Ctrl+Shift+E",
                "shield-check",
                reason=self._unfinished,
            ),
        ):
            act.place = "run-evidence"
            desk.actions.add(act)

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("evidence.send", "evidence.save", "evidence.verify")

    def focus_filter(self) -> bool:
        self.log.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.log.table.setFocus()

    def begin_run(self) -> None:
        self.band.show_none("")

    def show_run(self) -> None:
        self.desk.actions.update()
        self.log.open(self.place.run)
        why = self._unfinished()
        if why:
            self.band.show_none(why)
        else:
            self._grade()

    def _unfinished(self) -> str:
        finished = self.context is not None and self.context.status == "finished"
        return (
            "" if finished else tr("The bundle is sealed when the run is finished. Its entries so far stand below.")
        )

    def _grade(self, then: str = "") -> None:
        def show(grade: GradeView) -> None:
            self.band.show_grade(grade)
            if then:
                self.desk.front.tell(
                    Notice(then.format(grade=grade["grade"].capitalize()), "success" if grade["valid"] else "danger")
                )

        self.desk.bridge.ask(self, "evidence_grade", show, failed=self._no_grade, key="grade", run=self.place.run)

    def _no_grade(self, error: QVerifyError) -> None:
        self.band.show_none(f"{error.sentence} {error.remedy}".strip())

    def _verify(self) -> None:
        self._grade(tr("The bundle was verified again: {grade}."))

    def _send(self) -> None:
        self.desk.front.open_sheet(SendRunSheet(self.desk, self.place.run))

    def _save(self) -> None:
        name = f"{self.title()}-{self.place.run[:12]}{END}"
        self.desk.front.save_as(name, f"*{END}", partial(self._write, self.place.run))

    def _write(self, run: str, path: str) -> None:
        def saved(file: Path) -> None:
            show = partial(self.desk.front.open_path, str(file.parent))
            self.desk.front.tell(Notice(tr("Saved: {path}", path=str(file)), "success", tr("Open folder"), show))

        self.desk.bridge.do(self, lambda engine: engine.export(run, "evidence", Path(path)), saved)
