"""A sheet that slides in from the right over a scrim: it replaces modal dialogs, never enters a nested loop."""

from __future__ import annotations

from PySide6.QtCore import QEasingCurve, QEvent, QObject, QPoint, QPropertyAnimation, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.motion import duration
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import IconButton, label, line, row


class Sheet(QFrame):
    """Heading with a close button, a body that scrolls, a foot for buttons. ``closed`` is emitted when it went away.

    Put content into ``body`` (a vertical layout) and buttons into ``foot``. ``confirm`` is called by Ctrl+Enter.
    """

    closed = Signal()
    close_wanted = Signal()
    #: Whether it is laid over the sheet that is open, which stands again as it was when this one closes.
    over = False

    def __init__(self, theme: Theme, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("sheet")
        self.setAccessibleName(title)
        self.theme = theme
        self.heading = label(title, "title")
        self.head = row(self.heading, None, margins=(24, 12, 16, 12))
        self.head.addWidget(IconButton(theme, "x", tr("Close"), self.close_wanted.emit))
        inside = QWidget()
        inside.setObjectName("clear")
        self.body = QVBoxLayout(inside)
        self.body.setContentsMargins(24, 16, 24, 16)
        self.body.setSpacing(16)
        self.area = QScrollArea()
        self.area.setWidgetResizable(True)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.area.setWidget(inside)
        self.foot = row(margins=(24, 12, 24, 12))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(self.head)
        layout.addWidget(line())
        layout.addWidget(self.area, 1)
        layout.addWidget(line())
        layout.addLayout(self.foot)
        for keys in ("Ctrl+Return", "Ctrl+Enter"):
            QShortcut(QKeySequence(keys), self, self.confirm, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)

    def confirm(self) -> None:
        """Ctrl+Enter; sheets with a primary button override it."""

    def first_focus(self) -> QWidget:
        """Where the keyboard begins."""
        return self.area


class SheetHost(QWidget):
    """The scrim over the window with at most one sheet on it. The focus stays inside until the sheet closes."""

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(window)
        self._theme = theme
        self._window = window
        self.sheet: Sheet | None = None
        self._below: list[Sheet] = []
        self._before: QWidget | None = None
        self._slide: QPropertyAnimation | None = None
        window.installEventFilter(self)
        QApplication.instance().focusChanged.connect(self._keep_focus)  # type: ignore[union-attr]
        self.hide()

    def open(self, sheet: Sheet) -> None:
        """Show a sheet; one that is open is closed first, or waits below one that is laid over it."""
        if self.sheet is not None and sheet.over:
            self.sheet.hide()
            self._below.append(self.sheet)
        else:
            while self.sheet is not None:
                self.close_sheet()
            self._before = QApplication.focusWidget()
        self.sheet = sheet
        sheet.setParent(self)
        sheet.close_wanted.connect(self.close_sheet)
        self.setGeometry(self._window.rect())
        self.raise_()
        self.show()
        end = self._place()
        sheet.show()
        milliseconds = duration("sheet")
        if milliseconds:
            self._slide = QPropertyAnimation(sheet, b"pos", self)
            self._slide.setDuration(milliseconds)
            self._slide.setStartValue(QPoint(self.width(), 0))
            self._slide.setEndValue(end)
            self._slide.setEasingCurve(QEasingCurve.Type.OutCubic)
            self._slide.start()
        sheet.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def close_sheet(self) -> None:
        """Close it and give the focus back to where it was, or to the sheet below."""
        sheet, self.sheet = self.sheet, None
        if sheet is None:
            return
        if self._slide is not None:
            self._slide.stop()
            self._slide = None
        below = self._below.pop() if self._below else None
        if below is None:
            self.hide()
        sheet.closed.emit()
        sheet.setParent(None)
        sheet.deleteLater()
        if below is not None:
            self.sheet = below
            self._place()
            below.show()
            below.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)
            return
        if self._before is not None and _is_there(self._before):
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        self._before = None

    def _place(self) -> QPoint:
        """Size the sheet; answers where it ends up."""
        if self.sheet is None:
            return QPoint()
        width = min(self._theme.px(tokens()["layout"]["sheet-width"]), self.width())
        self.sheet.resize(width, self.height())
        end = QPoint(self.width() - width, 0)
        self.sheet.move(end)
        return end

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.sheet is not None:
            self.setGeometry(self._window.rect())
            self._place()
        return False

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close_sheet()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A press beside the sheet closes it."""
        if self.sheet is not None and not self.sheet.geometry().contains(event.position().toPoint()):
            self.close_sheet()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.colour("scrim"))

    def _keep_focus(self, _old: QWidget | None, new: QWidget | None) -> None:
        if self.sheet is None or new is None or new.window() is not self.window():
            return
        if new is not self.sheet and not self.sheet.isAncestorOf(new):
            self.sheet.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)


def _is_there(widget: QWidget) -> bool:
    import shiboken6

    return shiboken6.isValid(widget) and widget.isVisible()
