"""The command palette: actions, places, repositories, runs and files by a few letters. Impossible actions come last, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from qverify_desktop.ui.actions import shown_keys
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import column, label

Index = QModelIndex | QPersistentModelIndex
SHOWN = 60
_ENTRY = Qt.ItemDataRole.UserRole


@dataclass(frozen=True)
class Entry:
    """Something that can be chosen. ``reason`` says why it is not possible now."""

    title: str
    kind: str
    run: Callable[[], object]
    keys: str = ""
    icon: str = "command"
    reason: str = ""
    detail: str = ""


def match(text: str, wanted: str) -> tuple[int, tuple[int, ...]] | None:
    """How well ``wanted`` fits: a score (higher is better) and the matched places, ``None`` when letters are missing.

    Every letter must come in order; whole words and beginnings of words count most.
    """
    lower, score, at = text.casefold(), 0, 0
    places: list[int] = []
    for word in wanted.casefold().split():
        found = lower.find(word, at)
        if found >= 0:
            begins = found == 0 or not lower[found - 1].isalnum()
            score += 8 * len(word) + (24 if begins else 0) - min(found, 20)
            places.extend(range(found, found + len(word)))
            at = found + len(word)
            continue
        for letter in word:
            found = lower.find(letter, at)
            if found < 0:
                return None
            score += 2 if found == at else 0
            places.append(found)
            at = found + 1
    return score - len(text) // 8, tuple(places)


class _Found(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.found: list[tuple[Entry, tuple[int, ...]]] = []

    def show(self, found: list[tuple[Entry, tuple[int, ...]]]) -> None:
        self.beginResetModel()
        self.found = found
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.found)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        entry, places = self.found[index.row()]
        if role == _ENTRY:
            return entry, places
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return ", ".join(part for part in (entry.title, entry.kind, entry.detail, entry.reason) if part)
        return entry.reason or entry.detail or None if role == Qt.ItemDataRole.ToolTipRole else None


class _Delegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(100, self._theme.px(36))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        entry, places = index.data(_ENTRY)
        theme, rect = self._theme, option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.colour("selection"))
        tone = "text-disabled" if entry.reason else "text"
        icon = theme.pixmap(entry.icon, "text-disabled" if entry.reason else "text-muted")
        painter.drawPixmap(rect.left() + theme.px(12), rect.center().y() - theme.px(7), icon)
        right = rect.right() - theme.px(12)
        painter.setFont(theme.font("small"))
        painter.setPen(theme.colour("text-muted"))
        side = entry.reason or entry.detail or (shown_keys(entry.keys) if entry.keys else entry.kind)
        small = theme.metrics("small")
        side = small.elidedText(side, Qt.TextElideMode.ElideMiddle, rect.width() // 2)
        width = small.horizontalAdvance(side)
        painter.drawText(QRect(right - width, rect.top(), width, rect.height()), Qt.AlignmentFlag.AlignVCenter, side)
        left = rect.left() + theme.px(40)
        metrics = theme.metrics("body")
        painter.setFont(theme.font("body"))
        painter.setPen(theme.colour(tone))
        room = right - width - theme.px(16) - left
        title = metrics.elidedText(entry.title, Qt.TextElideMode.ElideMiddle, room)
        painter.drawText(QRect(left, rect.top(), room, rect.height()), Qt.AlignmentFlag.AlignVCenter, title)
        if title == entry.title and not entry.reason:
            under = rect.center().y() + metrics.ascent() // 2 + theme.px(2)
            painter.setPen(theme.colour("accent-text"))
            for place in places:
                begin = left + metrics.horizontalAdvance(title[:place])
                painter.drawLine(begin, under, begin + metrics.horizontalAdvance(title[place]) - 1, under)
        painter.restore()


class Palette(QWidget):
    """Covers the window while it is open; ``gather`` answers the entries each time it opens."""

    def __init__(self, theme: Theme, window: QWidget, gather: Callable[[], Iterable[Entry]]) -> None:
        super().__init__(window)
        self._theme, self._window, self._gather = theme, window, gather
        self._entries: Sequence[Entry] = ()
        self._before: QWidget | None = None
        self.box = QFrame(self)
        self.box.setObjectName("palette")
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Type an action, a page, a repository or a run"))
        self.field.setAccessibleName(tr("Command"))
        self.field.textChanged.connect(self._search)
        self.field.installEventFilter(self)
        self.view = QListView()
        self.view.setProperty("plain", "true")
        self.view.setAccessibleName(tr("What matches"))
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setUniformItemSizes(True)
        self._model = _Found(self)
        self.view.setModel(self._model)
        self.view.setItemDelegate(_Delegate(theme, self.view))
        self.view.clicked.connect(self._choose)
        self.nothing = label(tr("Nothing matches. Try fewer letters."), "body", "muted")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.box.setLayout(column(self.field, self.view, self.nothing, gap=8, margins=(12, 12, 12, 12)))
        window.installEventFilter(self)
        self.hide()

    def open(self) -> None:
        """Show it with all entries."""
        self._before = self._window.focusWidget()
        self._entries = tuple(self._gather())
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        self.field.clear()
        self._search("")
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def close_palette(self) -> None:
        self.hide()
        if self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._before = None

    def _search(self, wanted: str) -> None:
        found = []
        for order, entry in enumerate(self._entries):
            hit = match(entry.title, wanted)
            if hit is None and entry.detail:
                in_detail = match(entry.detail, wanted)
                hit = (in_detail[0] - 30, ()) if in_detail is not None else None
            if hit is not None:
                found.append((bool(entry.reason), -hit[0] if wanted else 0, order, entry, hit[1]))
        found.sort(key=lambda one: one[:3])
        self._model.show([(entry, places) for _, _, _, entry, places in found[:SHOWN]])
        self.view.setVisible(bool(found))
        self.nothing.setVisible(not found)
        if found:
            self.view.setCurrentIndex(self._model.index(0))
        self._place()

    def _place(self) -> None:
        width = min(self._theme.px(tokens()["layout"]["palette-width"]), self.width() - 32)
        rows = min(10, max(1, self._model.rowCount()))
        height = self.field.sizeHint().height() + 34 + rows * self._theme.px(36) + 8
        top = min(self._theme.px(120), max(16, (self.height() - height) // 2))
        self.box.setGeometry((self.width() - width) // 2, top, width, min(height, self.height() - 32))

    def _choose(self, index: Index) -> None:
        if not index.isValid():
            return
        entry, _ = index.data(_ENTRY)
        if entry.reason:
            return
        self.close_palette()
        entry.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() is QEvent.Type.KeyPress:
            return self._key(event)
        if watched is self._window and event.type() is QEvent.Type.Resize and self.isVisible():
            self.setGeometry(self._window.rect())
            self._place()
        return False

    def _key(self, event: QKeyEvent) -> bool:
        step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 8, Qt.Key.Key_PageUp: -8}.get(
            Qt.Key(event.key())
        )
        if event.key() == Qt.Key.Key_Escape:
            self.close_palette()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.view.currentIndex())
        elif event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):
            return True
        elif step is not None and self._model.rowCount():
            last = self._model.rowCount() - 1
            to = max(0, min(last, self.view.currentIndex().row() + step))
            self.view.setCurrentIndex(self._model.index(to))
        else:
            return False
        return True

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.box.geometry().contains(event.position().toPoint()):
            self.close_palette()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.colour("scrim"))
