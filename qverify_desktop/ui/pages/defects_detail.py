"""One suspected defect with its proof: the words it contradicts, the call, both values, and a program that shows it."""

from __future__ import annotations

from pathlib import PurePath, PurePosixPath

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import DefectView, SourceView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.pages.defects_foot import DefectFoot
from qverify_desktop.ui.pages.defects_list import percent_of, place_of, short
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.assertions import is_code, quoted
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
from qverify_desktop.ui.widgets.code_text import to_lines
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


class DefectDetailPane(QWidget):
    """``show_defect`` shows one; what can be done with it stands in its ``foot``."""

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
        self.foot = DefectFoot(desk)
        layout.addWidget(self.foot)
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
            row(label(tr("Reproducer"), "heading"), None, self.copy_code), self.code, self.command_box, None, gap=8
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
        self.trust = label("", "small", "muted", wrap=True, select=True)
        why.addWidget(self.trust)
        self.past_title = label(tr("Its history"), "heading", wrap=True)
        self.past = label("", "body", wrap=True, select=True)
        self.past_box = holder(column(self.past_title, self.past, gap=6, margins=(0, 14, 0, 0)))
        why.addWidget(self.past_box)
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
        titled = row(self.source_title, self.show_source)
        titled.setStretch(0, 1)
        self.source_box = holder(column(titled, self.source, gap=8))
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
            self.foot.give_up()
            self._show(one)
            self._show_code(one)
            self.area.verticalScrollBar().setValue(0)
        self._update()

    # What is shown

    def _show(self, one: DefectView) -> None:
        place = place_of(one["file"], one["line"])
        words_place = place_of(one["words_file"], one["words_line"])
        self.confidence.setText(tr("Confidence {share}", share=percent_of(one["confidence"])))
        self.place.setText(place)
        self.heading.setText(tr("{call} contradicts {place}", call=short(one["call"]), place=words_place or place))
        self.words.setText(quoted(one["words"]))
        set_property(self.words, "type", "code" if is_code(one["words"]) else "body")
        self.words_place.setText(tr("{place}, found word for word", place=words_place) if words_place else "")
        self.show_words.say(tr("Show in source") if _in_source(one) else tr("Open in editor"))
        self.show_words.setVisible(_in_source(one) or bool(_document(one)))
        expected, observed = difference(one["expected"], one["observed"])
        self.call.show_value(one["call"])
        self.expected.show_value(one["expected"], expected, "success")
        self.observed.show_value(one["observed"], observed, "danger")
        self.code.show_code(one["reproducer"], one["language"])
        self.command.setText(painting.one_line(one["command"]))
        self.command_box.setVisible(bool(one["command"]))
        self.trust.setText(one["calibration"])
        self.trust.setVisible(bool(one["calibration"]))
        self.past.setText(one["history"])
        self.past_box.setVisible(bool(one["history"]))
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
        lines = to_lines(source["text"])
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
        self.foot.show_defect(one)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        px = self.desk.theme.px
        beside = self.width() >= px(BESIDE)
        self._sides.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._sides.setStretch(0, 3 if beside else 0)
        self._sides.setStretch(1, 2 if beside else 0)
        self.foot.fit(self.width())

    # What can be opened and copied

    def _open_words(self) -> None:
        """In the source tab where they stand in source, otherwise in the editor."""
        one = self.defect
        if one is None:
            return
        if _in_source(one):
            self._go(one["words_file"], one["words_line"])
        else:
            self.desk.front.open_in_editor(_document(one), one["words_line"])

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


def _in_source(one: DefectView) -> bool:
    """Whether the quoted words stand in a file of the same kind as the code: such files are kept, documents are not."""
    return PurePosixPath(one["words_file"]).suffix == PurePosixPath(one["file"]).suffix


def _document(one: DefectView) -> str:
    """The document with the words in the person's folder, empty when the folder is not there."""
    code, words = PurePosixPath(one["file"]).parts, PurePosixPath(one["words_file"]).parts
    if not one["file_on_disk"] or not words or ".." in words or PurePosixPath(one["words_file"]).is_absolute():
        return ""
    folder = PurePath(one["file_on_disk"]).parents[len(code) - 1]
    return str(folder.joinpath(*words))
