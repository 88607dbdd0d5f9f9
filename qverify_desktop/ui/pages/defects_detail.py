"""One suspected defect with its proof: the words it contradicts, the call, both values, and a program that shows it."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import DefectView, SourceView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.pages.defects_list import percent_of, place_of, short
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.assertions import on_one_line
from qverify_desktop.ui.widgets.basics import (
    Button,
    IconLabel,
    badge,
    column,
    frame,
    holder,
    label,
    line,
    row,
    set_property,
)
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.code_ground import Range
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.facts import Fact, Facts
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.value_text import ValueText, difference
from qverify_desktop.ui.widgets.words import DECISION, UNKNOWN

#: Lines of the reproducer and of the source that are shown at once; lines of source before and after the named one.
ROWS, BEFORE, AFTER = 16, 2, 12
#: Width at 100 % from which reproducer and reasons stand side by side.
BESIDE = 640
#: Longest note that the engine keeps.
MOST_NOTE = 2000


class NoteField(QLineEdit):
    """Enter dismisses, Escape gives it up."""

    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


class DefectDetailPane(QWidget):
    """``dismissed`` carries the note with which a defect is dismissed."""

    dismissed = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.run = ""
        self.defect: DefectView | None = None
        self._source: SourceView | None = None
        self._build_head()
        self._build_proof()
        self._build_program()
        self.body = ScrollBody(self._build_body())
        self.area = scrolling(self.body)
        self.shown = Shown(desk.theme, self.area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.shown, 1)
        layout.addWidget(self._build_foot())
        desk.actions.changed.connect(self._update)
        self.show_none()

    # Built once

    def _build_head(self) -> None:
        self.state = badge(tr("Suspected defect"), "danger")
        self.confidence = badge("")
        self.place = ElidedLabel("code", "muted")
        self.place.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.heading = label("", "title", wrap=True, select=True)

    def _build_proof(self) -> None:
        theme = self.desk.theme
        self.words = label("", "body", wrap=True, select=True)
        self.words_place = label("", "small", "muted", wrap=True, select=True)
        self.show_words = Button(theme, tr("Show in source"), self._open_words, kind="ghost", size="small")
        self.quote = frame("tint")
        self.quote.setProperty("tone", "info")
        icon = IconLabel(theme, "quote", "info", words=tr("The repository's own words"))
        inside = row(
            icon, column(self.words, self.words_place, gap=4), self.show_words, gap=12, margins=(16, 12, 12, 12)
        )
        inside.setStretch(1, 1)
        for widget in (icon, self.show_words):
            inside.setAlignment(widget, Qt.AlignmentFlag.AlignTop)
        self.quote.setLayout(inside)
        self.call = ValueText(theme, tr("Call"))
        self.expected = ValueText(theme, tr("Expected"))
        self.observed = ValueText(theme, tr("Observed"))
        self.values = frame("card")
        grid = QGridLayout(self.values)
        grid.setContentsMargins(16, 10, 16, 10)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(2, 1)
        rows = (
            (tr("Call"), "", "", self.call),
            (tr("Expected"), "check", "success", self.expected),
            (tr("Observed"), "x", "danger", self.observed),
        )
        for at, (words, shape, token, value) in enumerate(rows):
            grid.addWidget(label(words, "body", "muted"), 2 * at, 0, Qt.AlignmentFlag.AlignTop)
            if shape:
                grid.addWidget(IconLabel(theme, shape, token), 2 * at, 1, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(value, 2 * at, 2)
            if at < len(rows) - 1:
                grid.addWidget(line(), 2 * at + 1, 0, 1, 3)

    def _build_program(self) -> None:
        theme = self.desk.theme
        self.copy_code = Button(theme, tr("Copy"), self._copy_code, kind="ghost", icon="copy", size="small")
        self.copy_code.setAccessibleName(tr("Copy the reproducer"))
        self.code = CodeView(theme, tr("Reproducer"))
        self.code.fit_rows(ROWS)
        self.command = ElidedLabel("code")
        self.copy_command = Button(theme, tr("Copy"), self._copy_command, kind="ghost", icon="copy", size="small")
        self.copy_command.setAccessibleName(tr("Copy the command"))
        self.command_box = frame("sunken")
        inside = row(IconLabel(theme, "terminal"), self.command, self.copy_command, margins=(12, 4, 4, 4))
        inside.setStretch(1, 1)
        self.command_box.setLayout(inside)
        self.program = column(
            row(label(tr("Reproducer"), "heading"), None, self.copy_code), self.code, self.command_box, gap=8
        )
        self.reasons = [Facts(theme) for _ in range(3)]
        self.remarks = [label("", "small", "muted", wrap=True) for _ in self.reasons]
        why = QVBoxLayout()
        why.setSpacing(2)
        why.addWidget(label(tr("Why it is on this list"), "heading", wrap=True))
        why.addSpacing(6)
        for reason, remark in zip(self.reasons, self.remarks, strict=True):
            why.addWidget(reason)
            told = QVBoxLayout()
            told.setContentsMargins(22, 0, 0, 8)
            told.addWidget(remark)
            why.addLayout(told)
        why.addStretch(1)
        self.why = why
        self.source_title = label(tr("The code that was called"), "heading", wrap=True)
        self.source = CodeView(theme, tr("The code that was called"))
        self.source.fit_rows(ROWS)
        self.show_source = Button(theme, tr("Show in source"), self._open_source, kind="ghost", size="small")

    def _build_body(self) -> QVBoxLayout:
        self._sides = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._sides.setSpacing(24)
        for layout in (self.program, self.why):
            self._sides.addLayout(layout)
        head = row(self.state, self.confidence, self.place, gap=8)
        head.setStretch(2, 1)
        self.source_box = holder(column(row(self.source_title, None, self.show_source), self.source, gap=8))
        body = column(
            head,
            self.heading,
            self.quote,
            self.values,
            4,
            self._sides,
            4,
            self.source_box,
            gap=12,
            margins=(24, 18, 24, 24),
        )
        body.addStretch(1)
        return body

    def _build_foot(self) -> QWidget:
        theme, trigger = self.desk.theme, self.desk.actions.trigger
        self.editor = Button(
            theme, tr("Open in editor"), lambda: trigger("defects.editor"), kind="ghost", icon="external"
        )
        self.issue = Button(theme, tr("Copy as issue"), self._copy_issue, kind="ghost", icon="copy")
        self._decided_icon = IconLabel(theme)
        self._told = ElidedLabel("small", "muted", Qt.TextElideMode.ElideRight)
        self._told.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.take_back = Button(theme, tr("Take back"), lambda: trigger("defects.take_back"), kind="ghost")
        self.dismiss = Button(theme, tr("Dismiss"), lambda: trigger("defects.dismiss"), keys="D", cap=True)
        self.confirm = Button(
            theme, tr("Confirm defect"), lambda: trigger("defects.confirm"), kind="primary", keys="C", cap=True
        )
        foot = row(
            self.editor,
            self.issue,
            self._decided_icon,
            self._told,
            self.take_back,
            self.dismiss,
            self.confirm,
            margins=(16, 12, 24, 12),
        )
        self.choices = holder(foot)
        self.note = NoteField()
        self.note.setMaxLength(MOST_NOTE)
        self.note.setPlaceholderText(tr("Why? A note for later, optional"))
        self.note.setAccessibleName(tr("Why is it no defect? Optional"))
        self.note.returnPressed.connect(self._dismiss)
        self.note.given_up.connect(self.give_up)
        self.give_up_button = Button(theme, tr("Back"), self.give_up, kind="ghost")
        self.dismiss_now = Button(theme, tr("Dismiss"), self._dismiss)
        asked = row(self.note, self.give_up_button, self.dismiss_now, margins=(24, 12, 24, 12))
        asked.setStretch(0, 1)
        self.asking = holder(asked)
        self.asking.hide()
        self.foot = frame("foot")
        self.foot.setLayout(column(self.choices, self.asking, gap=0))
        return self.foot

    # What the page does

    def show_none(self, filtered: bool = False) -> None:
        """No defect is chosen."""
        self.defect = None
        words = tr("Choose a suspected defect in the list to see its proof.")
        if filtered:
            words = tr("The defect that was shown does not match the filter any more.")
        self.shown.show_state().show_state("diamond-alert", tr("No defect is chosen"), words)
        self.foot.hide()

    def show_defect(self, one: DefectView) -> None:
        """Show it, and ask for the code that was called."""
        same = self.defect is not None and self.defect["id"] == one["id"]
        self.defect = one
        self.shown.show_content()
        self.foot.show()
        if not same:
            self.give_up()
            self._show(one)
            self._show_code(one)
            self.area.verticalScrollBar().setValue(0)
        self._update()

    def ask_note(self) -> None:
        """Dismissing begins: the note is asked for in place."""
        self.note.clear()
        self.choices.hide()
        self.asking.show()
        self.note.setFocus()

    def give_up(self) -> None:
        """Back to the choices."""
        asked = self.asking.isVisibleTo(self)
        self.asking.hide()
        self.choices.show()
        if asked and self.isVisible():
            self.dismiss.setFocus()

    def _dismiss(self) -> None:
        note = self.note.text().strip()
        self.give_up()
        self.dismissed.emit(note)

    # What is shown

    def _show(self, one: DefectView) -> None:
        place = place_of(one["file"], one["line"])
        words_place = place_of(one["words_file"], one["words_line"])
        self.confidence.setText(tr("Confidence {share}", share=percent_of(one["confidence"])))
        self.place.setText(place)
        self.heading.setText(tr("{call} contradicts {place}", call=short(one["call"]), place=words_place or place))
        self.words.setText(f"“{on_one_line(one['words'])}”")
        self.words_place.setText(tr("{place}, found word for word", place=words_place) if words_place else "")
        expected, observed = difference(one["expected"], one["observed"])
        self.call.show_value(one["call"])
        self.expected.show_value(one["expected"], expected, "success")
        self.observed.show_value(one["observed"], observed, "danger")
        self.code.show_code(one["reproducer"], one["language"])
        self.command.setText(painting.one_line(one["command"]))
        self.command_box.setVisible(bool(one["command"]))
        times = one["reproductions"]
        reasons = (
            (tr("Fails {n} of {n} in fresh containers", n=times), tr("Order, seed, time zone and locale varied.")),
            (tr("Words found in the repository"), words_place),
            (tr("The failure is in the code"), tr("Not in the example, its imports or its names.")),
        )
        for facts, remark, (words, more) in zip(self.reasons, self.remarks, reasons, strict=True):
            facts.show_facts([Fact(words, "circle-check", "text", "success", role="body")])
            remark.setText(more)

    def _show_code(self, one: DefectView) -> None:
        known = self._source is not None and self._source["path"] == one["file"]
        if known:
            self._take_source(self._source)
            return
        self.source_box.hide()
        self.desk.bridge.ask(
            self,
            "run_source",
            self._take_source,
            failed=self._no_source,
            key="source",
            run=self.run,
            file=one["file"],
        )

    def _take_source(self, source: SourceView | None) -> None:
        one = self.defect
        if one is None or source is None or source["path"] != one["file"]:
            return
        self._source = source
        lines = source["text"].splitlines()
        first, last = max(1, one["line"] - BEFORE), min(len(lines), one["line"] + AFTER)
        if not 1 <= one["line"] <= len(lines):
            self.source_box.hide()
            return
        name = PurePath(one["file"]).name
        self.source.show_code("\n".join(lines[first - 1 : last]), source["language"], first, name)
        self.source.go_to_line(one["line"])
        self.source.show_ranges([Range(one["line"], one["line"], "danger-bg", tr("The suspected function."))])
        self.source_box.show()

    def _no_source(self, _: QVerifyError) -> None:
        """Runs of earlier versions kept no source; all else is shown without it."""
        self.source_box.hide()

    def forget_source(self) -> None:
        """Another run is shown."""
        self._source = None

    def _update(self) -> None:
        """What was decided, and what is possible."""
        one = self.defect
        if one is None:
            return
        look = DECISION.get(one["decision"], UNKNOWN)
        decided = bool(one["decision"])
        self.state.setText(look.text() if decided else tr("Suspected defect"))
        set_property(self.state, "tone", look.tone)
        self._decided_icon.setVisible(decided)
        self._decided_icon.show_icon(look.icon, look.token, look.text())
        self._told.setText(self._words_of(one) if decided else "")
        self.take_back.setVisible(decided)
        self.dismiss.setVisible(one["decision"] != "dismissed")
        self.confirm.setVisible(one["decision"] != "confirmed")
        self.editor.set_possible(self.desk.actions["defects.editor"].reason())
        self._fit()

    @staticmethod
    def _words_of(one: DefectView) -> str:
        if one["decision"] == "confirmed":
            return tr("Confirmed by you.")
        note = on_one_line(one["note"])
        return tr("Dismissed: {note}", note=note) if note else tr("Dismissed by you.")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        px = self.desk.theme.px
        beside = self.width() >= px(BESIDE)
        self._sides.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._sides.setStretch(0, 3 if beside else 0)
        self._sides.setStretch(1, 2 if beside else 0)
        # What a foot has no room for is left to the palette; the decision stays.
        decided = self.defect is not None and bool(self.defect["decision"])
        room = (
            self.width()
            - px(48)
            - sum(
                button.sizeHint().width() + px(8)
                for button in (self.take_back, self.dismiss, self.confirm)
                if not button.isHidden()
            )
        )
        for button in (self.editor, self.issue):
            room -= button.sizeHint().width() + px(8)
            button.setVisible(room >= (px(120) if decided else 0))

    # What can be opened and copied

    def _open_words(self) -> None:
        if self.defect is not None:
            self._go(self.defect["words_file"], self.defect["words_line"])

    def _open_source(self) -> None:
        if self.defect is not None:
            self._go(self.defect["file"], self.defect["line"])

    def _go(self, file: str, at: int) -> None:
        self.desk.front.go(Place("source", run=self.run, item=f"{file}:{at}"))

    def _copy_code(self) -> None:
        if self.defect is not None:
            self.desk.front.copy(self.defect["reproducer"], tr("The reproducer is copied."))

    def _copy_command(self) -> None:
        if self.defect is not None:
            self.desk.front.copy(self.defect["command"], tr("The command is copied."))

    def _copy_issue(self) -> None:
        self.desk.actions.trigger("defects.issue")


def issue_of(one: DefectView) -> str:
    """A defect as the text of an issue, in Markdown. Code stands in fences longer than any in it."""
    return "\n".join(
        [
            f"## {short(one['call'])} contradicts {place_of(one['words_file'], one['words_line'])}",
            "",
            f"> {on_one_line(one['words'])}",
            "",
            _fenced("Call", one["call"]),
            _fenced("Expected", one["expected"]),
            _fenced("Observed", one["observed"]),
            _fenced(
                f"Reproducer, fails {one['reproductions']} of {one['reproductions']}",
                one["reproducer"],
                one["language"],
            ),
            _fenced("Run it with", one["command"]) if one["command"] else "",
            f"Code: {place_of(one['file'], one['line'])}",
            "",
        ]
    )


def _fenced(title: str, text: str, language: str = "") -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{title}:\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


__all__ = ["DefectDetailPane", "issue_of"]
