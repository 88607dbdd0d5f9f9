"""A layout that goes on in a new line where a line is full, as text does: what stands beside each other may get larger or longer
words without being cut off."""

from __future__ import annotations

from PySide6.QtCore import QMargins, QPoint, QRect, QSize, Qt
from PySide6.QtWidgets import QLabel, QLayout, QLayoutItem, QWidget


class FlowLabel(QLabel):
    """Plain text that wants to stand in one line, and wraps where even a line of its own is too short."""

    def __init__(self, type: str = "body", tone: str = "") -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("type", type)
        self.setProperty("tone", tone)

    def sizeHint(self) -> QSize:
        self.ensurePolished()
        width = self.fontMetrics().horizontalAdvance(self.text()) + 2
        return QSize(width, super().heightForWidth(width))


class FlowLayout(QLayout):
    """Widgets in their preferred widths, from left to right and then below; its height follows from its width."""

    def __init__(self, *widgets: QWidget, gap: int = 8) -> None:
        super().__init__()
        self._items: list[QLayoutItem] = []
        self.setContentsMargins(0, 0, 0, 0)
        self.setSpacing(gap)
        for widget in widgets:
            self.addWidget(widget)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def insert(self, at: int, widget: QWidget) -> None:
        """Add a widget before the one that is ``at`` now."""
        self.addWidget(widget)
        self._items.insert(at, self._items.pop())
        self.invalidate()

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def expandingDirections(self) -> Qt.Orientation:
        return Qt.Orientation(0)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lines(QRect(0, 0, width, 0))[1]

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        for item, place in self._lines(rect)[0]:
            item.setGeometry(place)

    def sizeHint(self) -> QSize:
        """All in one line."""
        hints = [item.sizeHint() for item in self._shown()]
        width = sum(hint.width() for hint in hints) + self.spacing() * max(0, len(hints) - 1)
        return QSize(width, max((hint.height() for hint in hints), default=0)).grownBy(self.contentsMargins())

    def minimumSize(self) -> QSize:
        """The widest alone in its line."""
        least = QSize()
        for item in self._shown():
            least = least.expandedTo(item.minimumSize())
        return least.grownBy(self.contentsMargins())

    def _shown(self) -> list[QLayoutItem]:
        return [item for item in self._items if not item.isEmpty()]

    def _lines(self, rect: QRect) -> tuple[list[tuple[QLayoutItem, QRect]], int]:
        """Where each stands in ``rect``, in the middle of its line, and how high all of it is with the margins."""
        margins: QMargins = self.contentsMargins()
        room = rect.marginsRemoved(margins)
        at, high = QPoint(room.left(), room.top()), 0
        placed: list[tuple[QLayoutItem, QRect]] = []
        line: list[QRect] = []
        for item in self._shown():
            hint = item.sizeHint()
            width = min(hint.width(), max(1, room.width()))
            height = item.heightForWidth(width) if item.hasHeightForWidth() else hint.height()
            if at.x() > room.left() and at.x() + width > room.left() + room.width():
                _centre(line, high)
                at, high, line = QPoint(room.left(), at.y() + high + self.spacing()), 0, []
            line.append(QRect(at, QSize(width, height)))
            placed.append((item, line[-1]))
            at.setX(at.x() + width + self.spacing())
            high = max(high, height)
        _centre(line, high)
        return placed, at.y() + high + margins.bottom() - rect.top()


def _centre(line: list[QRect], high: int) -> None:
    for place in line:
        place.moveTop(place.top() + (high - place.height()) // 2)
