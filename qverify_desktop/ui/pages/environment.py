"""Environment: what this machine has for QVerify, what is missing and why, and buttons that mend what can be mended.

The first run lands here when something is missing. The order of the checks never changes, so that it can be learnt.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import CheckView, CrashView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, frame, label, line, row
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.state_view import Shown

WIDEST = 900


class CheckRow(QFrame):
    """One check: shape and word, what was found, what mends it, and a button that does."""

    def __init__(self, page: EnvironmentPage, check: CheckView, primary: bool) -> None:
        super().__init__()
        theme = page.desk.theme
        self.setObjectName("clear")
        look = words.CHECK.get(check["state"], words.UNKNOWN)
        self.setAccessibleName(f"{check['title']}: {look.text()}. {check['sentence']}")
        icon = IconLabel(theme, look.icon, look.token, words=look.text())
        told = column(
            label(check["title"], "strong"), label(check["sentence"], "body", "muted", wrap=True, select=True), gap=2
        )
        if check["state"] != "ok" and check["remedy"]:
            told.addWidget(label(check["remedy"], "small", wrap=True, select=True))
        self._command = label(check["command"], "code", "muted", wrap=True, select=True)
        self._command.hide()
        self._bar = ProgressBar(theme, tr("Fixing {check}", check=check["title"]))
        self._bar.hide()
        self._problem = label("", "small", "danger", wrap=True, select=True)
        self._problem.hide()
        for part in (self._command, self._bar, self._problem):
            told.addWidget(part)
        layout = row(icon, told, gap=16, margins=(16, 12, 16, 12))
        layout.setStretch(1, 1)
        layout.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
        self.fix: Button | None = None
        if check["state"] != "ok" and check["fixable"]:
            self.fix = Button(theme, tr("Fix"), partial(page.mend, check["id"]), kind="primary" if primary else "")
            self.fix.setAccessibleName(tr("Fix {check}", check=check["title"]))
            self.fix.setToolTip(check["command"])
            layout.addWidget(self.fix, 0, Qt.AlignmentFlag.AlignTop)
        else:
            state = label(look.text(), "small", "success" if check["state"] == "ok" else "muted")
            layout.addWidget(state, 0, Qt.AlignmentFlag.AlignTop)
        self.setLayout(layout)

    def show_mending(self) -> None:
        """The row opens: the command, and that it goes on."""
        self._command.setVisible(bool(self._command.text()))
        self._bar.show()
        self._bar.show_progress(0, 0)
        self._problem.hide()
        if self.fix is not None:
            self.fix.set_possible(tr("It is being fixed."))

    def show_problem(self, error: QVerifyError) -> None:
        self._bar.hide()
        self._problem.setText(f"{error.sentence} {error.remedy}".strip())
        self._problem.show()
        if self.fix is not None:
            self.fix.set_possible("")


class EnvironmentPage(Page):
    """Verdict over all checks, the checks, the sample one click away, diagnostics and crash reports below."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self.rows: dict[str, CheckRow] = {}
        self._icon = IconLabel(theme, size=24)
        self._verdict = label("", "verdict", wrap=True)
        self._remark = label("", "body", "muted", wrap=True)
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._list.setContentsMargins(0, 0, 0, 0)
        self._crash_list = QGridLayout()
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMaximumWidth(theme.px(WIDEST))
        inside.setLayout(self._build())
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self._area = area
        self._shown = Shown(theme, area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        group = later("Environment")
        desk.actions.add(
            Act("environment.check", later("Check again"), group, self.check, icon="refresh", place="environment")
        )
        desk.actions.add(
            Act("environment.diagnostics", later("Save diagnostics…"), group, self._save_diagnostics, icon="download")
        )

    def _build(self) -> QVBoxLayout:
        theme = self.desk.theme
        card = frame("card")
        card.setLayout(self._list)
        sample = frame("tint")
        sample.setProperty("tone", "accent")
        told = column(
            label(tr("Try the sample repository"), "strong"),
            label(
                tr("It needs no model and no network, and ends with one suspected defect in about a minute."),
                "small",
                "muted",
                wrap=True,
            ),
            gap=2,
        )
        self.sample_button = Button(theme, tr("Try the sample"), self.desk.front.try_sample, icon="flask")
        sample_row = row(told, self.sample_button, gap=16, margins=(16, 12, 16, 12))
        sample_row.setStretch(0, 1)
        sample.setLayout(sample_row)
        head = row(self._icon, column(self._verdict, self._remark, gap=2), gap=12)
        head.setStretch(1, 1)
        head.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        self._crash_heading = label(tr("Crash reports"), "heading")
        self._crash_words = label("", "small", "muted", wrap=True)
        self._crash_card = frame("card")
        self._crash_card.setLayout(self._crash_list)
        self._crash_list.setContentsMargins(16, 12, 16, 12)
        self._crash_list.setColumnStretch(0, 1)
        save = Button(theme, tr("Save diagnostics…"), self._save_diagnostics, icon="download", size="small")
        diagnostics = label(
            tr(
                "Versions, checks, settings and crash reports in one archive for someone who helps. No source, no secrets."
            ),
            "small",
            "muted",
            wrap=True,
        )
        diagnostics_row = row(diagnostics, save, gap=16)
        diagnostics_row.setStretch(0, 1)
        return column(
            head,
            card,
            sample,
            8,
            label(tr("Diagnostics"), "heading"),
            diagnostics_row,
            8,
            self._crash_heading,
            self._crash_words,
            self._crash_card,
            None,
            gap=12,
            margins=(24, 20, 24, 24),
        )

    def title(self) -> str:
        return tr("Environment")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("environment.check",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        if not self.rows:
            self._shown.show_waiting(tr("Docker, images, keyring and disk are being looked at."))
        self.check()
        self.desk.bridge.ask(self, "crash_reports", self._show_crashes, key="crashes")

    def again(self) -> None:
        self.check()

    def focus_content(self) -> None:
        fixes = [row.fix for row in self.rows.values() if row.fix is not None]
        (fixes[0] if fixes else self.sample_button).setFocus()

    # -- checks

    def check(self) -> None:
        """Look again."""
        self.desk.bridge.ask(self, "doctor_checks", self._show, failed=self._failed, key="checks")

    def mend(self, check: str) -> None:
        """Do what the Fix button says; the row shows its command and that it goes on."""
        self.rows[check].show_mending()
        self.desk.bridge.ask(
            self,
            "doctor_fix",
            self._show,
            failed=lambda error: self.rows[check].show_problem(error),
            key="fix",
            check=check,
        )

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self.check)

    def _show(self, checks: list[CheckView]) -> None:
        empty(self._list)
        self.rows = {}
        first_missing = next((c["id"] for c in checks if c["state"] == "blocking" and c["fixable"]), "")
        for number, check in enumerate(checks):
            if number:
                self._list.addWidget(line())
            made = self.rows[check["id"]] = CheckRow(self, check, check["id"] == first_missing)
            self._list.addWidget(made)
        self._say(checks)
        self._shown.show_content()
        if self.place.item == "crashes":
            self._area.ensureWidgetVisible(self._crash_card)

    def _say(self, checks: list[CheckView]) -> None:
        blocking = [check for check in checks if check["state"] == "blocking"]
        limited = [check for check in checks if check["state"] == "warning"]
        if blocking:
            self._icon.show_icon("square-x", "danger", tr("Missing"))
            self._verdict.setText(
                trn(
                    "{n} thing is missing before anything can run.",
                    "{n} things are missing before anything can run.",
                    len(blocking),
                )
            )
            self._remark.setText(tr("Each row says why. A Fix button does what it says and shows its command."))
        elif limited:
            self._icon.show_icon("triangle-alert", "warning", tr("Limited"))
            self._verdict.setText(tr("Analyses can run."))
            remark = trn("{n} remark stands below.", "{n} remarks stand below.", len(limited))
            self._remark.setText(remark)
        else:
            self._icon.show_icon("circle-check", "success", tr("Ready"))
            self._verdict.setText(tr("Everything needed is ready."))
            self._remark.setText(tr("Nothing has to be done here."))

    # -- crash reports and diagnostics

    def _show_crashes(self, crashes: list[CrashView]) -> None:
        empty(self._crash_list)
        theme = self.desk.theme
        for at, crash in enumerate(crashes[:50]):
            name = crash["name"]
            told = f"{words.moment(crash['at'])}  {crash['sentence']}"
            read = Button(theme, tr("Read"), partial(self._read_crash, name), size="small")
            read.setAccessibleName(tr("Read {name}", name=name))
            delete = Button(theme, tr("Delete"), partial(self._delete_crash, name), size="small", kind="ghost")
            delete.setAccessibleName(tr("Delete {name}", name=name))
            for place, widget in enumerate((label(told, wrap=True), read, delete)):
                self._crash_list.addWidget(widget, at, place)
        self._crash_card.setVisible(bool(crashes))
        self._crash_words.setText(
            tr("They stay on this machine; nothing is ever sent.")
            if crashes
            else tr("There are none. They would stay on this machine.")
        )

    def _read_crash(self, name: str) -> None:
        from qverify_desktop.ui.sheets.text import TextSheet

        def show(text: str) -> None:
            self.desk.front.open_sheet(TextSheet(self.desk, name, text))

        self.desk.bridge.ask(self, "crash_report", show, name=name)

    def _delete_crash(self, name: str) -> None:
        def gone(_: object) -> None:
            self.desk.bridge.ask(self, "crash_reports", self._show_crashes, key="crashes")

        self.desk.bridge.ask(self, "crash_delete", gone, name=name)

    def _save_diagnostics(self) -> None:
        self.desk.front.save_as("qverify-diagnostics.zip", "*.zip", self._write_diagnostics)

    def _write_diagnostics(self, path: str) -> None:
        def saved(written: str) -> None:
            show = partial(self.desk.front.open_path, str(Path(written).parent))
            self.desk.front.tell(Notice(tr("Saved: {path}", path=written), "success", tr("Open folder"), show))

        self.desk.bridge.ask(self, "diagnostics_save", saved, path=path)
