"""The sheet that shows what would be written and writes it: as a branch, as a patch, or into the working tree."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import DiffView as Changes
from qverify_desktop.domain.result_views import WrittenView
from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, label, row, set_property
from qverify_desktop.ui.widgets.diff import DiffView
from qverify_desktop.ui.widgets.scroll_body import ScrollBody
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.state_view import Shown

#: Pixels at 100 %: the diff's least height, and what all else of the sheet takes.
LEAST, REST = 160, 470


@dataclass(frozen=True)
class Way:
    """One way to write: what it is called, what it will do, the words of its button."""

    form: str
    title: str
    promise: str
    button: str


WAYS = (
    Way(
        "branch",
        later("A new branch"),
        later(
            "Adds one commit on a new branch on top of the analyzed commit. Your files, index and branch stay as they are."
        ),
        later("Write branch"),
    ),
    Way(
        "patch",
        later("A patch file"),
        later("Writes one file where you choose. Apply it with git apply when you like."),
        later("Save patch…"),
    ),
    Way(
        "worktree",
        later("Into the working tree"),
        later("Adds new files to {folder}. No file that is there is changed, and nothing is committed."),
        later("Write files"),
    ),
)


class WriteTestsSheet(Sheet):
    """``kept`` is how many tests are written. The answer stands in the sheet; errors too, and nothing was written then."""

    def __init__(self, desk: Desk, overview: RunOverview, kept: int) -> None:
        super().__init__(desk.theme, trn("Review {n} test", "Review {n} tests", kept))
        self.desk, self.kept = desk, kept
        self.run = overview["run"]["run"]
        self.source = overview["run"]["source"]
        self.name = PurePath(overview["run"]["name"]).name
        self._writing = False
        self._reveal = QTimer(self, singleShot=True, interval=0)
        self._reveal.timeout.connect(self._show_answer)
        self._build_body()
        self._build_diff()
        self._build_ways()
        self._build_answer()
        self.go_on = Button(desk.theme, "", self.confirm, kind="primary")
        self.foot.addWidget(Button(desk.theme, tr("Close"), self.close_wanted.emit, kind="ghost"))
        self.foot.addStretch(1)
        self.foot.addWidget(self.go_on)
        self._chosen()
        self._ask()

    # Built once

    def _build_body(self) -> None:
        """A body that is as high as its labels wrap, so that it scrolls only where it must."""
        margins = self.body.contentsMargins()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(margins)
        self.body.setSpacing(12)
        self.area.setWidget(ScrollBody(self.body, "clear"))

    def _build_diff(self) -> None:
        theme = self.desk.theme
        self.told = label(tr("What would change is being worked out."), "body", wrap=True)
        self.diff = DiffView(theme, tr("What would be written"))
        self.diff.counted.connect(self._count)
        self.shown = Shown(theme, self.diff)
        self.shown.show_waiting()
        self.body.addWidget(self.told)
        self.body.addWidget(self.shown)

    def _build_ways(self) -> None:
        self.group = QButtonGroup(self)
        self.ways: dict[str, QRadioButton] = {}
        ways = QVBoxLayout()
        ways.setSpacing(4)
        self.branch = QLineEdit(f"qverify/{self.run[:10]}")
        self.branch.setAccessibleName(tr("Name of the branch"))
        self.branch.textChanged.connect(self._chosen)
        for way in WAYS:
            button = QRadioButton(tr(way.title))
            promise = (
                tr(way.promise, folder=painting.one_line(self.source))
                if "{folder}" in way.promise
                else tr(way.promise)
            )
            reason = self._cant(way.form)
            button.setEnabled(not reason)
            button.setAccessibleDescription(reason or promise)
            self.group.addButton(button)
            self.ways[way.form] = button
            ways.addWidget(button)
            inside = column(label(reason or promise, "small", "muted", wrap=True), gap=6, margins=(24, 0, 0, 8))
            if way.form == "branch":
                inside.addWidget(self.branch)
            ways.addLayout(inside)
        self.ways["patch" if self._cant("branch") else "branch"].setChecked(True)
        self.group.buttonToggled.connect(self._chosen)
        self.body.addWidget(label(tr("Write them as"), "heading", wrap=True))
        self.body.addLayout(ways)

    def _build_answer(self) -> None:
        theme = self.desk.theme
        self._icon = IconLabel(theme)
        self.answer = label("", "body", wrap=True, select=True)
        self.open_folder = Button(theme, tr("Open folder"), kind="ghost", icon="folder-open", size="small")
        self.open_folder.clicked.connect(self._open)
        self._folder = ""
        self.tint = frame("tint")
        inside = row(
            self._icon, column(self.answer, row(self.open_folder, None), gap=4), gap=12, margins=(12, 10, 12, 10)
        )
        inside.setStretch(1, 1)
        inside.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        self.tint.setLayout(inside)
        self.tint.hide()
        self.body.addWidget(self.tint)
        self.body.addStretch(1)

    def _cant(self, form: str) -> str:
        """Why a way is not possible, empty when it is."""
        if form == "patch" or PurePath(self.source).is_absolute():
            return ""
        return tr("The run analyzed a URL, so there is no folder on this machine to write into.")

    # The diff

    def _ask(self) -> None:
        self.desk.bridge.ask(self, "run_diff", self._take, failed=self._fail, key="diff", run=self.run)

    def _take(self, changes: Changes) -> None:
        self.shown.show_content()
        self.diff.show_diff(changes["text"])

    def _fail(self, error: QVerifyError) -> None:
        self.told.setText(tr("Nothing is written before you press the button below."))
        self.shown.show_state().show_error(error, self._ask)

    def _count(self, files: int, added: int, removed: int) -> None:
        told = [
            tr(
                "{tests} in {files}, {lines}.",
                tests=trn("{n} test", "{n} tests", self.kept),
                files=trn("{n} file", "{n} files", files),
                lines=trn("{n} new line", "{n} new lines", added),
            )
        ]
        if removed:
            told.append(trn("{n} line is removed.", "{n} lines are removed.", removed))
        told.append(tr("Nothing is written before you press the button below."))
        self.told.setText(" ".join(told))

    # Writing

    def form(self) -> str:
        return next((form for form, button in self.ways.items() if button.isChecked()), "patch")

    def _chosen(self) -> None:
        form = self.form()
        self.branch.setEnabled(form == "branch")
        self.go_on.say(tr(next(way.button for way in WAYS if way.form == form)))
        unnamed = form == "branch" and not self.branch.text().strip()
        reason = tr("It is being written.") if self._writing else tr("Name the branch.") if unnamed else ""
        self.go_on.set_possible(reason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # In a low window the ways to write are seen without scrolling.
        px = self.desk.theme.px
        self.shown.setFixedHeight(max(px(LEAST), self.height() - px(REST)))

    def first_focus(self) -> QWidget:
        return self.ways[self.form()]

    def confirm(self) -> None:
        """Write in the chosen way; Ctrl+Enter does it too."""
        if not self.go_on.isEnabled():
            return
        form = self.form()
        if form == "patch":
            self.desk.front.save_as(f"{self.name}-{self.run[:12]}.patch", "*.patch", partial(self._write, form))
        else:
            self._write(form, self.branch.text().strip() if form == "branch" else "")

    def _write(self, form: str, place: str) -> None:
        self._writing = True
        self._chosen()
        self.tint.hide()
        self.desk.bridge.ask(
            self, "run_write", self._written, failed=self._not_written, run=self.run, form=form, place=place
        )

    def _written(self, written: WrittenView) -> None:
        self._folder = {
            "branch": self.source,
            "patch": str(PurePath(written["place"]).parent),
            "worktree": written["place"],
        }.get(written["form"], "")
        self._answer("circle-check", "success", written["sentence"], folder=bool(self._folder))

    def _not_written(self, error: QVerifyError) -> None:
        self._answer("triangle-alert", "warning", f"{error.sentence} {error.remedy}".strip(), folder=False)

    def _answer(self, icon: str, tone: str, sentence: str, *, folder: bool) -> None:
        self._writing = False
        self._chosen()
        self._icon.show_icon(icon, tone, tr("Written") if tone == "success" else tr("Not written"))
        set_property(self.tint, "tone", tone)
        self.answer.setText(sentence)
        self.tint.setAccessibleName(sentence)
        self.open_folder.setVisible(folder)
        self.tint.show()
        self._reveal.start()
        if folder:
            self.open_folder.setFocus()

    def _show_answer(self) -> None:
        """It stands at the end of a body that scrolls: bring it into view once it has its place."""
        bar = self.area.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _open(self) -> None:
        self.desk.front.open_path(self._folder)
