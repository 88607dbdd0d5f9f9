"""One generated test: its code, how it was judged, what each assertion rests on, the mutants it notices."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import AssertionView, MutantView, TestDetail, TestView
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.models.results import is_acceptable, is_refusable
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.assertions import AssertionList
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, column, frame, label, row
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.facts import Fact, Facts
from qverify_desktop.ui.widgets.mutants import MutantGrid
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.whole_list import MOST
from qverify_desktop.ui.widgets.words import look_of_test

#: Lines of code that are shown at once; more scroll.
ROWS = 18
#: Room in pixels at 100 % from which buttons of the head have words.
WORDY = 620
#: Shape, colour and word of a judgement's state.
STATES = {
    "done": ("check", "success", later("{step}: done")),
    "refused": ("circle-slash", "warning", later("{step}: refused here")),
    "open": ("minus", "text-disabled", later("{step}: not judged")),
}
#: The judge's steps in words of the window; others are shown as they come.
STEPS = {
    "parses": later("parses"),
    "asserts": later("asserts"),
    "passes": later("passes"),
    "gains": later("gains"),
}


class TestDetailPane(QWidget):
    """``show_test`` asks for the rest of a test and shows it. Its buttons trigger ``results.accept``, ``results.refuse``, …"""

    __test__ = False

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.run = ""
        self.tests_folder = ""
        self.test: TestView | None = None
        self.detail: TestDetail | None = None
        self._build_head()
        theme = desk.theme
        self.code = CodeView(theme, tr("Code of the test"))
        self.code.setProperty("plain", "true")
        self.code.fit_rows(ROWS)
        self.assertions = AssertionList(theme)
        self.mutants = MutantGrid(theme)
        self.assertions.chosen.connect(self._show_line)
        self.assertions.opened.connect(self._open_words)
        self.mutants.opened.connect(self._open_mutant)
        self._no_assertions = label(tr("It asserts nothing that is known."), "body", "muted", wrap=True)
        self._mutants_title = label("", "heading", wrap=True)
        self._more = label("", "small", "muted", wrap=True)
        self._body = self._build_body()
        self.area = scrolling(self._body)
        self.shown = Shown(theme, self.area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.shown, 1)
        layout.addWidget(self._build_foot())
        desk.actions.changed.connect(self._update)
        self.show_none()

    # Built once

    def _build_head(self) -> None:
        theme = self.desk.theme
        self._icon = IconLabel(theme)
        self.name = ElidedLabel("heading")
        self.name.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts = Facts(theme)
        self.steps = Facts(theme)
        self.sentence = label("", "body", wrap=True, select=True)
        self.reason = label("", "small", "muted", wrap=True, select=True)
        self.source = Button(theme, tr("Show in source"), self._open_source, kind="ghost", icon="code")
        self.editor = Button(theme, tr("Open in editor"), self._open_editor, kind="ghost", icon="external")
        self.source_icon = IconButton(theme, "code", tr("Show in source"), self._open_source, token="text-muted")
        self.editor_icon = IconButton(theme, "external", tr("Open in editor"), self._open_editor, token="text-muted")
        self.copy = IconButton(theme, "copy", tr("Copy the code"), self._copy, token="text-muted")

    def _build_body(self) -> QWidget:
        head = row(
            self._icon,
            self.name,
            None,
            self.source,
            self.editor,
            self.source_icon,
            self.editor_icon,
            self.copy,
            margins=(24, 8, 16, 0),
        )
        told = column(self.facts, self.steps, self.sentence, self.reason, gap=6, margins=(24, 2, 24, 12))
        self._rests = label(tr("What each assertion rests on"), "heading", wrap=True)
        rest = column(
            self._rests,
            self.assertions,
            self._no_assertions,
            8,
            self._mutants_title,
            self.mutants,
            self._more,
            None,
            gap=8,
            margins=(24, 16, 24, 24),
        )
        inside = column(head, told, self.code, gap=0)
        # What is left over goes below, not between the labels.
        inside.addLayout(rest, 1)
        return ScrollBody(inside)

    def _build_foot(self) -> QWidget:
        theme, trigger = self.desk.theme, self.desk.actions.trigger
        self._decided_icon = IconLabel(theme)
        self._told = label("", "small", "muted", wrap=True)
        self.take_back = Button(theme, tr("Take back"), lambda: trigger("results.take_back"), kind="ghost")
        self.refuse = Button(theme, tr("Refuse"), lambda: trigger("results.refuse"), icon="x", keys="R", cap=True)
        self.accept = Button(theme, tr("Accept"), lambda: trigger("results.accept"), icon="check", keys="A", cap=True)
        foot = row(self._decided_icon, self._told, self.take_back, self.refuse, self.accept, margins=(24, 12, 24, 12))
        foot.setStretch(1, 1)
        self.foot = frame("foot")
        self.foot.setLayout(foot)
        return self.foot

    # What the page does

    def show_none(self, filtered: bool = False) -> None:
        """No test is chosen."""
        self.test = self.detail = None
        words = tr("Choose a test in the list to see its code and how it was judged.")
        if filtered:
            words = tr("The test that was shown does not match the filter any more.")
        self.shown.show_state().show_state("flask", tr("No test is chosen"), words)
        self.foot.hide()

    def show_test(self, test: TestView) -> None:
        """Show what is known of it at once, and ask for the rest."""
        known = self.detail is not None and self.detail["test"]["id"] == test["id"]
        self.test = test
        if not known:
            self.detail = None
            self.desk.bridge.ask(
                self, "run_test", self._take, failed=self._fail, key="test", run=self.run, test=test["id"]
            )
        self._show_head(test)
        self.foot.show()
        self._update()
        if not known and self.shown.currentWidget() is not self.area:
            self.shown.show_waiting()

    def _take(self, detail: TestDetail) -> None:
        if self.test is None or detail["test"]["id"] != self.test["id"]:
            return
        self.detail = detail
        self.shown.show_content()
        self._show_head(self.test)
        lines = detail["code"].splitlines()
        first = max(1, detail["first_line"])
        text = "\n".join(lines[first - 1 : max(first, detail["last_line"])])
        self.code.show_code(text, detail["language"], first, PurePath(self.test["path"]).name)
        if detail["assertions"]:
            self.code.go_to_line(detail["assertions"][0]["line"])
        self._show_rest(detail)
        self.area.verticalScrollBar().setValue(0)
        self._update()

    def _fail(self, error: QVerifyError) -> None:
        test = self.test
        self.shown.show_state().show_error(error, (lambda: self.show_test(test)) if test is not None else None)

    # What is shown

    def _show_head(self, test: TestView) -> None:
        look = look_of_test(test["verdict"], test["decided"], test["reason"])
        self._icon.show_icon(look.icon, look.token, look.text())
        self.name.setText(painting.one_line(test["name"]))
        detail = self.detail
        self.facts.show_facts(_facts(test, detail))
        self.sentence.setText(detail["sentence"] if detail else "")
        self.reason.setText(painting.one_line(detail["detail"]) if detail else "")
        self.reason.setVisible(bool(detail and detail["detail"]))
        self.steps.show_facts(_steps(detail["steps"]) if detail else ())

    def _show_rest(self, detail: TestDetail) -> None:
        self.assertions.show_assertions(detail["assertions"])
        self.assertions.setVisible(bool(detail["assertions"]))
        self._no_assertions.setVisible(not detail["assertions"])
        mutants = detail["killed"]
        self.mutants.show_mutants(mutants)
        self.mutants.setVisible(bool(mutants))
        self._mutants_title.setText(tr("Mutants on the lines it covers"))
        self._mutants_title.setVisible(bool(mutants))
        left_out = max(0, len(mutants) - MOST)
        self._more.setText(trn("and {n} more", "and {n} more", left_out) if left_out else "")
        self._more.setVisible(bool(left_out))

    def _update(self) -> None:
        """What is possible with the test, and what was decided."""
        test = self.test
        if test is None:
            return
        decided = test["decided"]
        accepted = decided == "accepted"
        self._decided_icon.setVisible(bool(decided))
        self._decided_icon.show_icon("check" if accepted else "x", "success" if accepted else "warning")
        if decided:
            told = tr("Accepted by you. It is written when you choose how.") if accepted else tr("Refused by you.")
        elif is_acceptable(test):
            told = tr("Nothing is written to your repository before you accept.")
        else:
            told = tr("It did not pass five of five, so it is never written.")
        self._told.setText(told)
        self.take_back.setVisible(bool(decided))
        self.accept.set_possible(self.desk.actions["results.accept"].reason())
        self.refuse.set_possible(self.desk.actions["results.refuse"].reason())
        possible = is_acceptable(test) or is_refusable(test)
        self.accept.setVisible(possible)
        self.refuse.setVisible(possible)
        no_file = "" if self.tests_folder and test["verdict"] == "accepted" else tr("It stands in no file.")
        for button in (self.editor, self.editor_icon):
            button.setEnabled(not no_file)
            button.setToolTip(no_file or tr("Open in editor"))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        # A very low pane leaves its foot to the buttons.
        self._told.setVisible(self.height() >= self.desk.theme.px(260) or not self.accept.isVisibleTo(self))
        wordy = self.width() >= self.desk.theme.px(WORDY) + self.name.sizeHint().width() // 2
        for button in (self.source, self.editor):
            button.setVisible(wordy)
        for icon in (self.source_icon, self.editor_icon):
            icon.setVisible(not wordy)

    # What can be opened

    def _show_line(self, one: AssertionView) -> None:
        self.code.go_to_line(one["line"])

    def _open_words(self, one: AssertionView) -> None:
        if one["file"]:
            self._go(one["file"], one["place_line"])

    def _open_mutant(self, one: MutantView) -> None:
        self._go(one["file"], one["line"])

    def _open_source(self) -> None:
        if self.test is not None:
            lines = self.detail["gained_lines"] if self.detail else []
            self._go(self.test["file"], lines[0] if lines else 0)

    def _go(self, file: str, line: int) -> None:
        self.desk.front.go(Place("source", run=self.run, item=f"{file}:{line}" if line else file))

    def _open_editor(self) -> None:
        if self.test is not None and self.detail is not None and self.tests_folder:
            file = PurePath(self.tests_folder, *self.test["path"].split("/"))
            self.desk.front.open_in_editor(str(file), self.detail["first_line"])

    def _copy(self) -> None:
        if self.detail is not None:
            lines = self.detail["code"].splitlines()
            code = "\n".join(lines[self.detail["first_line"] - 1 : self.detail["last_line"]])
            self.desk.front.copy(code + "\n", tr("The code of the test is copied."))


def _facts(test: TestView, detail: TestDetail | None) -> list[Fact]:
    """Where it stands, what it gains, what became of the mutants on its lines."""
    place = f"{test['path']}:{detail['first_line']}" if detail else test["path"]
    facts = [Fact(place, role="code")]
    for number, words in (
        (test["lines"], trn("+{n} line", "+{n} lines", test["lines"])),
        (test["branches"], trn("+{n} branch", "+{n} branches", test["branches"])),
        (test["mutants"], trn("+{n} mutant", "+{n} mutants", test["mutants"])),
    ):
        if number:
            facts.append(Fact(words))
    if detail is not None and detail["killed"]:
        survived = sum(one["status"] == "survived" for one in detail["killed"])
        killed = sum(one["status"] in ("killed", "timed_out") for one in detail["killed"])
        if killed:
            facts.append(Fact(trn("{n} killed", "{n} killed", killed), "hexagon-x", "killed"))
        if survived:
            facts.append(Fact(trn("{n} survived", "{n} survived", survived), "hexagon-dot", "survived"))
    return facts


def _steps(steps: list[list[str]]) -> list[Fact]:
    facts = []
    for name, state in steps:
        icon, token, spoken = STATES.get(state, STATES["open"])
        word = tr(STEPS[name]) if name in STEPS else name
        words_token = "text" if state == "refused" else "text-muted"
        facts.append(Fact(word, icon, words_token, token, spoken=tr(spoken, step=word)))
    return facts


__all__ = ["TestDetailPane"]
