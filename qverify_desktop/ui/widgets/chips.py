"""Filter chips and the segmented control: checkable buttons in a free or an exclusive group."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QButtonGroup, QSizePolicy, QToolButton, QWidget

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting

HEIGHT, RADIUS, GAP = 24, 6, 8


@dataclass(frozen=True)
class Choice:
    """One chip or segment. ``count`` stands behind the word; ``None`` for none."""

    key: str
    text: str
    icon: str = ""
    token: str = "text-muted"
    count: int | None = None

    def words(self) -> str:
        return self.text if self.count is None else f"{self.text} {self.count:,}"


class _Painted(QToolButton):
    """A checkable button that paints itself. ``first`` and ``last`` round the corners of a segment."""

    def __init__(self, theme: Theme, choice: Choice, height: int, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme, self._height = theme, height
        self.choice = choice
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.show_choice(choice)

    def show_choice(self, choice: Choice) -> None:
        self.choice = choice
        self.setText(choice.words())
        self.setAccessibleName(choice.words())
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        px = self._theme.px
        width = painting.width_of(self._theme, self.choice.words(), "caption") + px(16)
        return QSize(width + (px(20) if self.choice.icon else 0), px(self._height))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(32), self._theme.px(self._height))

    def _paint_words(self, painter: QPainter, rect: QRect) -> None:
        theme, px = self._theme, self._theme.px
        enabled = self.isEnabled()
        if self.choice.icon:
            token = self.choice.token if enabled else "text-disabled"
            top = rect.top() + (rect.height() - px(12)) / 2
            painting.icon(painter, theme, self.choice.icon, token, rect.left(), top, 12)
            rect = rect.adjusted(px(18), 0, 0, 0)
        token = "text" if self.isChecked() else "text-muted"
        role = "caption"
        painting.text(
            painter, theme, rect, self.choice.words(), role, token if enabled else "text-disabled", painting.CENTRE
        )


class Chip(_Painted):
    """A filter chip with icon, word and count."""

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        rect = QRectF(self.rect())
        back = "selection" if self.isChecked() else "surface-hover" if self.underMouse() else ""
        border = "accent" if self.isChecked() else "border-strong"
        painting.fill(painter, self._theme, rect, back, RADIUS, border)
        if self.hasFocus():
            painting.fill(painter, self._theme, rect.adjusted(1, 1, -1, -1), "", RADIUS - 1, "focus-ring")
            painting.fill(painter, self._theme, rect, "", RADIUS, "focus-ring")
        side = self._theme.px(8)
        self._paint_words(painter, self.rect().adjusted(side, 0, -side, 0))
        painter.end()


class FilterChips(QWidget):
    """Chips that wrap to as many lines as they need. ``changed`` gives the keys that are on, as a frozenset.

    With ``exclusive`` exactly one is on.
    """

    changed = Signal(object)

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None, *, exclusive: bool = False) -> None:
        """``name`` is the group's accessible name."""
        super().__init__(parent)
        self._theme = theme
        self._chips: dict[str, Chip] = {}
        self._group = QButtonGroup(self)
        self._group.setExclusive(exclusive)
        self._group.buttonToggled.connect(self._tell)
        self._silent = False
        self._told: frozenset[str] = frozenset()
        self.setObjectName("clear")
        self.setAccessibleName(name)
        # Fixed would keep it at one line's height, whatever its height for its width is.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self._place)

    def show_choices(self, choices: Sequence[Choice], on: frozenset[str] | None = None) -> None:
        """Show these chips; those that were there keep their state and get their new counts. ``on`` sets the state."""
        self._silent = True
        for key in [key for key in self._chips if key not in {choice.key for choice in choices}]:
            gone = self._chips.pop(key)
            self._group.removeButton(gone)
            gone.hide()
            gone.deleteLater()
        for choice in choices:
            chip = self._chips.get(choice.key)
            if chip is None:
                chip = self._chips[choice.key] = Chip(self._theme, choice, HEIGHT, self)
                self._group.addButton(chip)
                chip.show()
            chip.show_choice(choice)
            if on is not None:
                chip.setChecked(choice.key in on)
        self._chips = {choice.key: self._chips[choice.key] for choice in choices}
        self._silent = False
        self._told = self.on()
        before: QWidget | None = None
        for chip in self._chips.values():
            if before is not None:
                QWidget.setTabOrder(before, chip)
            before = chip
        self._place()

    def on(self) -> frozenset[str]:
        """Keys of the chips that are on."""
        return frozenset(key for key, chip in self._chips.items() if chip.isChecked())

    def set_on(self, on: frozenset[str]) -> None:
        """Switch chips; ``changed`` is emitted once."""
        self._silent = True
        for key, chip in self._chips.items():
            chip.setChecked(key in on)
        self._silent = False
        self._tell()

    def chip(self, key: str) -> Chip:
        return self._chips[key]

    def _tell(self) -> None:
        # An exclusive group tells of the chip that goes off and of the one that comes on.
        if not self._silent and self.on() != self._told:
            self._told = self.on()
            self.changed.emit(self._told)

    def _lines(self, width: int) -> tuple[list[tuple[Chip, QRect]], int]:
        gap, height = self._theme.px(GAP), self._theme.px(HEIGHT)
        at, placed = QPoint(0, 0), []
        for chip in self._chips.values():
            wanted = min(chip.sizeHint().width(), max(width, 1))
            if at.x() and at.x() + wanted > width:
                at = QPoint(0, at.y() + height + gap)
            placed.append((chip, QRect(at.x(), at.y(), wanted, height)))
            at.setX(at.x() + wanted + gap)
        return placed, at.y() + height

    def _place(self) -> None:
        for chip, rect in self._lines(self.width())[0]:
            chip.setGeometry(rect)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lines(width)[1]

    def sizeHint(self) -> QSize:
        gap = self._theme.px(GAP)
        width = sum(chip.sizeHint().width() + gap for chip in self._chips.values()) - gap
        return QSize(max(0, width), self._theme.px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        widest = max((chip.sizeHint().width() for chip in self._chips.values()), default=0)
        return QSize(min(widest, self._theme.px(120)), self._theme.px(HEIGHT))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for chip, rect in self._lines(self.width())[0]:
            chip.setGeometry(rect)


class _Segment(_Painted):
    first = False
    last = False

    def paintEvent(self, event: QPaintEvent) -> None:
        # The control behind paints the frame; a segment paints what is inside it.
        painter = QPainter(self)
        px = self._theme.px
        rect = self.rect().adjusted(1 if self.first else 0, 1, -1 if self.last else 0, -1)
        if self.isChecked() or self.underMouse():
            corner = RADIUS - 1 if self.first or self.last else 0
            back = "selection" if self.isChecked() else "surface-hover"
            painting.fill(painter, self._theme, QRectF(rect), back, corner)
            # Square where it meets its neighbours.
            half = rect.width() // 2
            if not self.last:
                painter.fillRect(rect.adjusted(half, 0, 0, 0), self._theme.colour(back))
            if not self.first:
                painter.fillRect(rect.adjusted(0, 0, -half, 0), self._theme.colour(back))
        if not self.first:
            painter.fillRect(QRect(0, 1, 1, self.height() - 2), self._theme.colour("border-control"))
        if self.hasFocus():
            painting.ring(painter, self._theme, self.rect().adjusted(1, 1, -1, -1))
        self._paint_words(painter, self.rect().adjusted(px(8), 0, -px(8), 0))
        painter.end()


class Segmented(QWidget):
    """One of a few choices. ``changed`` gives the key that was chosen by a person. Left and Right move, as in radio buttons."""

    changed = Signal(str)

    def __init__(
        self, theme: Theme, name: str, choices: Sequence[Choice], parent: QWidget | None = None, *, height: int = 24
    ) -> None:
        super().__init__(parent)
        self._theme, self._height = theme, height
        self.setObjectName("clear")
        self.setAccessibleName(name)
        self._group = QButtonGroup(self)
        self._segments: list[_Segment] = []
        for choice in choices:
            segment = _Segment(theme, choice, height, self)
            segment.setAccessibleDescription(name)
            self._group.addButton(segment)
            self._segments.append(segment)
        self._segments[0].first = self._segments[-1].last = True
        self._segments[0].setChecked(True)
        self._group.buttonClicked.connect(self._tell)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def chosen(self) -> str:
        return next(segment.choice.key for segment in self._segments if segment.isChecked())

    def choose(self, key: str) -> None:
        """Choose without ``changed``."""
        for segment in self._segments:
            if segment.choice.key == key:
                segment.setChecked(True)

    def show_choice(self, choice: Choice) -> None:
        """New words or count for one choice."""
        for segment in self._segments:
            if segment.choice.key == choice.key:
                segment.show_choice(choice)
        self.updateGeometry()
        self._place()

    def _tell(self) -> None:
        self.changed.emit(self.chosen())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()), 0)
        at = next((n for n, segment in enumerate(self._segments) if segment.hasFocus()), -1)
        if step and at >= 0:
            target = self._segments[(at + step) % len(self._segments)]
            target.setFocus(Qt.FocusReason.TabFocusReason)
            target.click()
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(sum(s.sizeHint().width() for s in self._segments), self._theme.px(self._height))

    def _place(self) -> None:
        wanted = [segment.sizeHint().width() for segment in self._segments]
        left = 0
        for segment, width in zip(self._segments, wanted, strict=True):
            width = width * self.width() // max(1, sum(wanted))
            last = segment is self._segments[-1]
            segment.setGeometry(left, 0, self.width() - left if last else width, self.height())
            left += width

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painting.fill(painter, self._theme, QRectF(self.rect()), "surface", RADIUS, "border-control")
        painter.end()
