"""The window: rail, header, tabs, page and status bar; where one is and how one comes back; drops anywhere."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QLineEdit,
    QMainWindow,
    QPlainTextEdit,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.ui import pages
from qverify_desktop.ui.actions import Act, ActionRegistry
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.drops import Dropped, of_mime
from qverify_desktop.ui.front import WindowFront
from qverify_desktop.ui.header import Header, TabStrip
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.rail import Rail
from qverify_desktop.ui.run_context import RunContexts
from qverify_desktop.ui.status_bar import StatusBar
from qverify_desktop.ui.theme import SYSTEM, Theme, system_theme, tokens
from qverify_desktop.ui.widgets.basics import holder, row
from qverify_desktop.ui.widgets.drop_veil import DropVeil
from qverify_desktop.ui.widgets.sheet import SheetHost
from qverify_desktop.ui.widgets.toast import Toasts

HISTORY = 50


class Shell(QMainWindow):
    """The frame around the pages. ``closing`` is emitted when a person closes the window; it doesn't end by itself."""

    closing = Signal()
    went = Signal(object)

    def __init__(self, theme: Theme, bridge: EngineBridge, preferences: Preferences) -> None:
        super().__init__()
        self.setWindowTitle("QVerify")
        self.setAcceptDrops(True)
        layout = tokens()["layout"]
        self.setMinimumSize(*layout["window-min"])
        self.theme, self.bridge, self.preferences = theme, bridge, preferences
        self.registry = ActionRegistry(theme, self)
        self.runs = RunContexts(bridge, self)
        self.front = WindowFront(self)
        self.desk = Desk(theme, bridge, self.registry, preferences, self.front, self.runs)
        self.place = Place("")
        self._back: list[Place] = []
        self._forward: list[Place] = []
        self._pages: dict[str, Page] = {}
        self._bound: set[str] = set()
        self._tab_of_run: dict[str, str] = {}
        self.rail = Rail(theme)
        self.header = Header(theme, self.registry)
        self.tabs = TabStrip(theme)
        self.stack = QStackedWidget()
        self.status = StatusBar(theme, lambda name: self.go(Place(name)), self._go_to_running)
        self._build()
        self.toasts = Toasts(theme, self, layout["status-bar"])
        self.sheets = SheetHost(theme, self)
        self._veil = DropVeil(theme, self)
        self.rail.wanted.connect(lambda name: self.go(Place(name)))
        self.rail.repository_wanted.connect(lambda source: self.go(Place("repository", item=source)))
        self.tabs.wanted.connect(lambda tab: self.go(Place(tab, run=self.place.run)))
        self.header.back_wanted.connect(self.go_back)
        self.running_run = ""
        self.runs.loaded.connect(self._count_tabs)
        theme.changed.connect(self._fit)
        self._restore()

    def _build(self) -> None:
        right = QWidget()
        right.setObjectName("surface")
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for part in (self.header, self.tabs):
            column.addWidget(part)
        column.addWidget(self.stack, 1)
        central = QWidget()
        outer = QVBoxLayout(central)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(holder(row(self.rail, right, gap=0)), 1)
        outer.addWidget(self.status)
        self.tabs.hide()
        self.setCentralWidget(central)

    # -- where one is

    def go(self, place: Place, *, remember: bool = True) -> None:
        """Show a place. A run without a tab opens its last tab, or its progress."""
        if place.page == "run":
            place = Place(self._tab_of_run.get(place.run, "progress"), place.run, place.item)
        if place == self.place:
            self.page.enter(place)
            return
        if remember and self.place.page:
            self._back = [*self._back[-HISTORY + 1 :], self.place]
            self._forward.clear()
        old = self._pages.get(self.place.page)
        if old is not None:
            old.leave()
        self.place = place
        page = self._page(place.page)
        if place.page in pages.TABS:
            self._tab_of_run[place.run] = place.page
            if self.runs.of(place.run).overview:
                self._count_tabs(place.run)
            else:
                for tab in ("results", "defects"):
                    self.tabs.set_count(tab, None)
        self.tabs.setVisible(place.page in pages.TABS)
        self.tabs.show_place(place.page)
        self.rail.show_place(place.page)
        self.stack.setCurrentWidget(page)
        page.enter(place)
        self._retitle()
        self.registry.update()
        self.went.emit(place)

    @property
    def page(self) -> Page:
        """The page that is shown."""
        return self._pages[self.place.page]

    def go_back(self) -> None:
        if self._back:
            self._forward.append(self.place)
            self.go(self._back.pop(), remember=False)

    def go_forward(self) -> None:
        if self._forward:
            self._back.append(self.place)
            self.go(self._forward.pop(), remember=False)

    @property
    def can_go_back(self) -> bool:
        return bool(self._back)

    @property
    def can_go_forward(self) -> bool:
        return bool(self._forward)

    def _page(self, name: str) -> Page:
        found = self._pages.get(name)
        if found is None:
            found = self._pages[name] = pages.build(name, self.desk)
            found.retitled.connect(self._retitle)
            self.stack.addWidget(found)
            # Acts of the page were registered while it was built.
            self.bind_acts()
        return found

    def _retitle(self) -> None:
        self.header.show_page(self.page)
        self.header.show_back(self.can_go_back)
        self.setWindowTitle(f"{self.page.title()} - QVerify")
        self._fit()

    def _count_tabs(self, run: str) -> None:
        """Tabs of a finished run say how much stands behind them; what an unfinished one lacks can't be opened."""
        if run != self.place.run:
            return
        overview = self.runs.of(run).overview
        view = overview["run"]
        finished = view["status"] == "finished"
        self.tabs.set_count("results", view["accepted"] + view["refused"] + view["suspected"] if finished else None)
        self.tabs.set_count("defects", view["suspected"] if finished else None)

    def _go_to_running(self) -> None:
        if self.running_run:
            self.go(Place("progress", run=self.running_run))

    # -- acts

    def bind_acts(self) -> None:
        """Give shortcuts to acts that have none yet (pages register theirs when they are built)."""
        new = [act for act in self.registry if act.id not in self._bound]
        self._bound.update(act.id for act in new)
        self.registry.bind(self, self._allowed, new)

    def _allowed(self, act: Act) -> bool:
        if act.place and act.place != self.place.page:
            return False
        if self.sheets.sheet is not None and act.id not in ("zoom-in", "zoom-out", "zoom-reset"):
            return False
        return not act.single or self._letters_act()

    def _letters_act(self) -> bool:
        """A single letter acts only while a list or its detail has the focus, never in a text field."""
        focus = QApplication.focusWidget()
        typing = isinstance(focus, QLineEdit | QAbstractSpinBox) or (
            isinstance(focus, QPlainTextEdit | QTextEdit) and not focus.isReadOnly()
        )
        inside = focus is not None and self.page.isAncestorOf(focus)
        return self.preferences.flag("single-letters", True) and inside and not typing

    # -- drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if of_mime(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()
            self._veil.show_over(self.rect())

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._veil.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        self._veil.hide()
        event.setDropAction(Qt.DropAction.CopyAction)
        event.accept()
        self.take(of_mime(event.mimeData()))

    def take(self, dropped: Dropped) -> None:
        """Open what was dropped, pasted, handed over or named on the command line."""
        if dropped.refused:
            names = ", ".join(dropped.refused)
            told = tr("Not a folder, Git URL, evidence bundle or model: {names}", names=names)
            self.front.tell(Notice(told, "warning"))
        for bundle in dropped.bundles[:1]:
            self.front.check_bundle(bundle)
        for model in dropped.models[:1]:
            self.front.go(Place("models", item=model))
        if dropped.sources:
            self.front.take_sources(dropped.sources)

    # -- size, theme and zoom

    def use_theme(self, name: str) -> None:
        """``light``, ``dark``, ``high-contrast`` or ``system``; remembered."""
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.preferences.set("theme", name)
        self.theme.apply(app, name=system_theme(app) if name == SYSTEM else name)

    def use_zoom(self, zoom: float) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        self.preferences.set("zoom", zoom)
        self.theme.apply(app, zoom=zoom)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """Narrow windows get a rail of icons."""
        narrow = self.width() < self.theme.px(tokens()["layout"]["collapse-rail-below"])
        self.rail.set_narrow(narrow)
        self.header.set_room(self.width() - self.rail.width())

    def _restore(self) -> None:
        """The size and place of the last time, where it still lies on a screen."""
        x, y, width, height = (*self.preferences.numbers("window"), 0, 0, 0, 0)[:4]
        screens = [screen.availableGeometry() for screen in QApplication.screens()]
        if width and any(screen.intersects(QRect(x, y, width, 40)) for screen in screens):
            self.setGeometry(x, y, width, height)
        else:
            self.resize(self._first_size())
        if self.preferences.flag("maximized"):
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def _first_size(self) -> QSize:
        room = QApplication.primaryScreen().availableGeometry().size()
        return QSize(min(1440, room.width()), min(900, room.height()))

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() is QEvent.Type.WindowStateChange:
            self.preferences.set("maximized", self.isMaximized())

    def closeEvent(self, event: QCloseEvent) -> None:
        event.ignore()
        if not self.isMaximized():
            geometry = self.geometry()
            self.preferences.set("window", [geometry.x(), geometry.y(), geometry.width(), geometry.height()])
        # Out of the event: what follows may open a sheet or end the application.
        QTimer.singleShot(0, self.closing.emit)
