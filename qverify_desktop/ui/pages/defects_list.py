"""The ranked list of suspected defects, with a filter, chips for what was decided, and what the list means."""

from __future__ import annotations

from pathlib import PurePosixPath

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem, QVBoxLayout, QWidget

from qverify_desktop.domain.result_views import DefectView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.assertions import on_one_line
from qverify_desktop.ui.widgets.basics import column, label
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.filtered import Index
from qverify_desktop.ui.widgets.rows import Row, RowDelegate, RowList, RowModel
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.words import DECISION, UNKNOWN

#: Pixels at 100 %: height of a row; side and gap of a square.
HEIGHT, SQUARE, GAP = 84, 8, 3
CHIPS = {"open": later("Open"), "confirmed": later("Confirmed"), "dismissed": later("Dismissed")}


def squares_of(confidence: int) -> int:
    """How many of five squares are filled: 5 from 90 %, then one less for every ten points; never none."""
    return max(1, min(5, confidence // 100 - 4))


def percent_of(confidence: int) -> str:
    return tr("{n} %", n=round(confidence / 10))


def told(one: DefectView) -> str:
    """What happened instead of what: "gives 1, not 2"."""
    return tr("gives {observed}, not {expected}", observed=short(one["observed"]), expected=short(one["expected"]))


def short(value: str) -> str:
    """A value on one line and no longer than a row can show."""
    line = on_one_line(value)
    return line if len(line) <= 160 else f"{line[:160]}…"


def place_of(file: str, line: int) -> str:
    return f"{painting.one_line(file)}:{line}" if file else ""


def row_of(one: DefectView) -> Row:
    """The list's row; the delegate paints it with the squares."""
    look = DECISION.get(one["decision"], UNKNOWN)
    name = PurePosixPath(one["file"]).name
    spoken = ", ".join(
        (
            short(one["call"]),
            told(one),
            place_of(one["file"], one["line"]),
            tr("confidence {share}", share=percent_of(one["confidence"])),
            look.text(),
        )
    )
    return Row(
        look.icon,
        look.token,
        short(one["call"]),
        detail=told(one),
        remark=place_of(name, one["line"]),
        spoken=spoken,
        badge=look.text() if one["decision"] else "",
        badge_tone=look.tone,
        badge_icon=look.icon,
        code=True,
        muted=one["decision"] == "dismissed",
    )


def _searched(one: DefectView) -> str:
    parts = (one["call"], one["symbol"], one["file"], one["expected"], one["observed"], one["words"], one["note"])
    return "\n".join((*parts, one["words_file"], DECISION.get(one["decision"], UNKNOWN).text()))


class DefectDelegate(RowDelegate):
    """Call, what it gives instead of what, confidence with place and decision."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, RowModel):
            return
        one: DefectView = model.value_at(index.row())
        row, theme, px = row_of(one), self._theme, self._theme.px
        rect: QRect = option.rect
        painter.save()
        painting.underline(painter, theme, rect)
        painting.row_background(painter, theme, option)
        left, right = rect.left() + px(16), rect.right() + 1 - px(16)
        painting.icon(
            painter, theme, "diamond-alert", "text-muted" if row.muted else "danger", left, rect.top() + px(12)
        )
        left += px(28)
        muted = "text-muted"
        lines = [QRect(left, rect.top() + px(top), right - left, px(20)) for top in (10, 31, 53)]
        title = ("code", "text-muted") if row.muted else ("code-strong", "text")
        painting.text(painter, theme, lines[0], row.title, *title, elide=painting.MIDDLE)
        painting.text(painter, theme, lines[1], row.detail, "small", muted)
        self._paint_last(painter, lines[2], one, row, muted)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painting.ring(painter, theme, rect)
        painter.restore()

    def _paint_last(self, painter: QPainter, line: QRect, one: DefectView, row: Row, muted: str) -> None:
        theme, px = self._theme, self._theme.px
        paint_squares(painter, theme, line, one["confidence"], muted)
        line.setLeft(line.left() + 5 * px(SQUARE) + 4 * px(GAP) + px(8))
        share = percent_of(one["confidence"])
        line.setLeft(line.left() + painting.text(painter, theme, line, share, "small", muted) + px(12))
        if row.badge:
            width = min(painting.badge_width(theme, row.badge, row.badge_icon), max(0, line.width()))
            middle = line.top() + line.height() // 2
            painting.badge(
                painter, theme, line.right() + 1 - width, middle, row.badge, row.badge_tone, row.badge_icon, width
            )
            line.setRight(line.right() - width - px(8))
        painting.text(painter, theme, line, row.remark, "small", muted, elide=painting.MIDDLE)


def paint_squares(painter: QPainter, theme: Theme, line: QRect, confidence: int, token: str) -> None:
    """Five squares, filled from the left."""
    side, gap = theme.px(SQUARE), theme.px(GAP)
    top = line.top() + (line.height() - side) // 2
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(theme.colour(token))
    for at in range(5):
        square = QRect(line.left() + at * (side + gap), top, side, side)
        if at < squares_of(confidence):
            painter.fillRect(square, theme.colour(token))
        else:
            painter.drawRect(square.adjusted(0, 0, -1, -1))
    painter.restore()


class DefectList(RowList):
    """Rows of ``HEIGHT``."""

    def __init__(self, theme: Theme, model: RowModel[DefectView]) -> None:
        super().__init__(theme, model, tr("Suspected defects"))
        self.setItemDelegate(DefectDelegate(theme, parent=self))
        self._height = HEIGHT
        self._measure()


class DefectListPane(QWidget):
    """``chosen`` gives the defect that became current (``None`` for none), ``opened`` the one that is wanted larger."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        theme = desk.theme
        self.model: RowModel[DefectView] = RowModel(row_of, lambda one: one["id"], _searched, self)
        self.list = DefectList(theme, self.model)
        self.filter = FilterField(theme, tr("Filter defects"))
        self.chips = FilterChips(theme, tr("Decision"))
        self.note = label(
            tr(
                "A suspected defect is a test that fails 5 of 5 times against words found in your repository. It is a claim "
                "to check, not a fact."
            ),
            "small",
            "muted",
            wrap=True,
        )
        self.shown = Shown(theme, self.list)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(column(self.filter, self.chips, gap=8, margins=(12, 12, 12, 10)))
        layout.addWidget(self.shown, 1)
        layout.addLayout(column(self.note, margins=(16, 12, 16, 12)))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.list.setFocus)
        self.chips.changed.connect(self._choose_decisions)
        self.model.arranged.connect(self._arranged)
        self.list.chosen.connect(self.chosen)
        self.list.opened.connect(self.opened)
        self.list.clicked.connect(self._clicked)

    def begin(self) -> None:
        """Another run is shown."""
        self.clear_filter()

    def fill(self, defects: list[DefectView]) -> None:
        counts = {chip: sum((one["decision"] or "open") == chip for one in defects) for chip in CHIPS}
        self.chips.show_choices([Choice(chip, tr(word), count=counts[chip]) for chip, word in CHIPS.items()])
        self.model.fill(defects)

    def choose(self, id_: str) -> bool:
        """Choose a defect; a filter that hides it is cleared. Answers whether the run has it."""
        if self.list.choose(id_):
            return True
        if all(one["id"] != id_ for one in self.model.values):
            return False
        self.clear_filter()
        return self.list.choose(id_)

    def clear_filter(self) -> None:
        self.filter.clear()
        self.filter.apply()
        self.chips.set_on(frozenset())

    def _choose_decisions(self, on: frozenset[str]) -> None:
        self.model.set_accepts((lambda one: (one["decision"] or "open") in on) if on else None)

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        if shown or not total:
            self.shown.show_content()
            self.list.choose_first()
        else:
            typed = self.filter.text().strip()
            heading = tr("No defect matches “{words}”", words=typed) if typed else tr("No defect is of this kind")
            words = tr("The run has {n}. A word after ! is left out.", n=total)
            button = (tr("Clear filter"), self.clear_filter)
            self.shown.show_state().show_state("filter", heading, words, button=button)

    def _clicked(self, index: Index) -> None:
        value = self.model.value_of(index)
        if value is not None:
            self.opened.emit(value)
