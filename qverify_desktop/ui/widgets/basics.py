"""Small widgets that every page is made of: labels, buttons, cards, separators. Their looks come from properties in the style sheet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.ui.actions import shown_keys
from qverify_desktop.ui.theme import Theme

Spin = TypeVar("Spin", bound=QAbstractSpinBox)

#: Pixels more between an icon and the words of a button.
GAP = 4


def label(text: str = "", type: str = "body", tone: str = "", *, wrap: bool = False, select: bool = False) -> QLabel:
    """Plain text (never rich: it may come from a repository). ``type`` and ``tone`` as in the style sheet."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("type", type)
    if tone:
        made.setProperty("tone", tone)
    if wrap:
        made.setWordWrap(True)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    if select:
        made.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return made


def set_property(widget: QWidget, name: str, value: str) -> None:
    """Set a property that the style sheet looks at, and have it looked at again."""
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class IconLabel(QLabel):
    """An icon of the tokens that follows the theme. ``words`` is what a screen reader says; empty for mere ornament."""

    def __init__(
        self, theme: Theme, name: str = "", token: str = "text-muted", size: int = 16, words: str = ""
    ) -> None:
        super().__init__()
        self._theme, self._name, self._token, self._size = theme, name, token, size
        self.setAccessibleName(words)
        theme.changed.connect(self._draw)
        self._draw()

    def show_icon(self, name: str, token: str, words: str = "") -> None:
        self._name, self._token = name, token
        self.setAccessibleName(words)
        self.setToolTip(words)
        self._draw()

    def _draw(self) -> None:
        self.setFixedSize(self._theme.px(self._size), self._theme.px(self._size))
        if self._name:
            self.setPixmap(self._theme.pixmap(self._name, self._token, self._size))
        else:
            self.clear()


class Button(QPushButton):
    """A push button. ``kind`` is empty, primary, ghost, danger or link; ``keys`` are shown as a key cap and in the tooltip."""

    def __init__(
        self,
        theme: Theme,
        text: str,
        run: Callable[[], object] | None = None,
        *,
        kind: str = "",
        icon: str = "",
        keys: str = "",
        size: str = "",
        cap: bool = False,
    ) -> None:
        super().__init__(text)
        self._theme, self._icon, self._kind, self._keys = theme, icon, kind, keys
        self._words, self._compact, self._reason = text, False, ""
        if kind:
            self.setProperty("kind", kind)
        if size:
            self.setProperty("scale", size)  # ``size`` is a property that every widget has already
        self._cap = label(shown_keys(keys), "caption") if cap and keys else None
        if self._cap is not None:
            self._cap.setObjectName("keycap")
            self._cap.setProperty("on", kind)
            self._cap.setParent(self)
            self._cap.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAccessibleName(text)
        if run is not None:
            self.clicked.connect(lambda: run())
        theme.changed.connect(self._draw)
        self._draw()
        self._tip()

    def set_icon(self, name: str) -> None:
        self._icon = name
        self._draw()

    @property
    def words(self) -> str:
        """What it does, also while only its icon is shown."""
        return self._words

    def say(self, text: str) -> None:
        """Change its words."""
        self._words = text
        self.setAccessibleName(text)
        self._draw()
        self._tip()

    def set_compact(self, compact: bool) -> None:
        """Show its icon alone, where it has one; its words are its tooltip then."""
        compact = compact and bool(self._icon)
        if compact != self._compact:
            self._compact = compact
            self._draw()
            self._tip()

    def set_possible(self, reason: str) -> None:
        """Disable it with a reason in its tooltip, or enable it for an empty one."""
        self.setEnabled(not reason)
        self._reason = reason
        self._tip()
        self.setAccessibleDescription(reason)

    def _tip(self) -> None:
        keys = f" ({shown_keys(self._keys)})" if self._keys else ""
        named = f"{self._words}{keys}" if keys or self._compact else ""
        self.setToolTip(f"{self._words}: {self._reason}" if self._reason and self._compact else self._reason or named)

    def sizeHint(self) -> QSize:
        hint = super().sizeHint()
        if self._cap is not None:
            hint.setWidth(hint.width() + self._cap.sizeHint().width() + self._theme.px(8))
        return hint

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._cap is not None:
            self._cap.adjustSize()
            space = self._theme.px(10)
            self._cap.move(self.width() - self._cap.width() - space, (self.height() - self._cap.height()) // 2)

    def _draw(self) -> None:
        self.setText("" if self._compact else self._words)
        if self._icon:
            token = {"primary": "on-accent", "link": "accent-text", "danger": "danger", "ghost": "text-muted"}.get(
                self._kind, "text"
            )
            # Four pixels more than the icon, at its right: the style leaves too little before the words.
            room = GAP if self.text() else 0
            self.setIcon(self._theme.icon(self._icon, token, room=room))
            self.setIconSize(QSize(self._theme.px(16 + room), self._theme.px(16)))
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._cap is None:
            super().paintEvent(event)
            return
        # The words stand left of the key cap, so the label gets a narrower rectangle than the frame.
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        left = self._theme.px(8) if self.objectName() == "search" else 0
        option.rect = option.rect.adjusted(left, 0, -self._cap.width() - self._theme.px(4), 0)
        painter.drawControl(QStyle.ControlElement.CE_PushButtonLabel, option)


class IconButton(QToolButton):
    """A button that is only an icon; its words are its tooltip and accessible name."""

    def __init__(
        self, theme: Theme, icon: str, words: str, run: Callable[[], object] | None = None, *, token: str = "text"
    ) -> None:
        super().__init__()
        self._theme, self._icon, self._token = theme, icon, token
        self.say(words)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if run is not None:
            self.clicked.connect(lambda: run())
        theme.changed.connect(self._draw)
        self._draw()

    def say(self, words: str) -> None:
        self.setToolTip(words)
        self.setAccessibleName(words)

    def set_icon(self, icon: str, token: str | None = None) -> None:
        self._icon, self._token = icon, token or self._token
        self._draw()

    def _draw(self) -> None:
        self.setIcon(self._theme.icon(self._icon, self._token))
        self.setIconSize(QSize(self._theme.px(16), self._theme.px(16)))
        self.setMinimumSize(self._theme.px(28), self._theme.px(28))


def badge(text: str, tone: str = "") -> QLabel:
    """A small tinted word."""
    made = label(text, "caption", tone)
    made.setObjectName("badge")
    return made


def frame(name: str = "card") -> QFrame:
    """``card``, ``sunken``, ``tint``, ``band``, ``foot``, ``pane`` or ``surface`` of the style sheet."""
    made = QFrame()
    made.setObjectName(name)
    return made


def line() -> QFrame:
    """A horizontal hairline."""
    return frame("line")


Part = QWidget | QLayout | int | None
Margins = tuple[int, int, int, int]


def row(*parts: Part, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QHBoxLayout:
    """Parts from left to right; a number is a gap in pixels, ``None`` stretches."""
    layout = QHBoxLayout()
    _fill(layout, parts, gap, margins)
    return layout


def inset(field: Spin) -> Spin:
    """A spin box with room before its number, which it does not take from the style sheet."""
    field.lineEdit().setTextMargins(6, 0, 0, 0)
    return field


def column(*parts: Part, gap: int = 8, margins: Margins = (0, 0, 0, 0)) -> QVBoxLayout:
    """Parts from top to bottom; a number is a gap in pixels, ``None`` stretches."""
    layout = QVBoxLayout()
    _fill(layout, parts, gap, margins)
    return layout


def _fill(layout: QBoxLayout, parts: tuple[Part, ...], gap: int, margins: Margins) -> None:
    layout.setSpacing(gap)
    layout.setContentsMargins(*margins)
    for part in parts:
        if part is None:
            layout.addStretch(1)
        elif isinstance(part, int):
            layout.addSpacing(part)
        elif isinstance(part, QLayout):
            layout.addLayout(part)
        else:
            layout.addWidget(part)


def empty(layout: QLayout) -> None:
    """Take everything out of a layout and let it go."""
    while (item := layout.takeAt(0)) is not None:
        inner, widget = item.layout(), item.widget()
        if inner is not None:
            empty(inner)
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def holder(layout: QLayout, name: str = "clear") -> QWidget:
    """A widget around a layout."""
    made = QWidget()
    made.setObjectName(name)
    made.setLayout(layout)
    return made
