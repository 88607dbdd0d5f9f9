"""The page header: title, remark, search and the page's acts; below it, for a run, the strip of tabs."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QScrollArea, QSizePolicy, QWidget

from qverify_desktop.ui.actions import ActionRegistry
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Page
from qverify_desktop.ui.pages import TABS
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import Button, IconButton, label
from qverify_desktop.ui.widgets.elided import ElidedLabel

#: Room of the title at 100 %, where the acts beside it would take more.
LEAST_TITLE = 140


class Header(QWidget):
    """56 px: what page this is, and what can be done here (the primary act last)."""

    back_wanted = Signal()

    def __init__(self, theme: Theme, actions: ActionRegistry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("header")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme, self._actions = theme, actions
        self._page: Page | None = None
        self._buttons: list[tuple[str, Button]] = []
        self._room = 0
        self.back = IconButton(theme, "chevron-left", tr("Back"), self.back_wanted.emit, token="text-muted")
        self.heading = ElidedLabel("title")
        self.heading.setMinimumWidth(theme.px(80))
        self.remark = label("", "small", "muted")
        self.remark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.search = Button(
            theme,
            tr("Search or run a command"),
            lambda: actions.trigger("palette"),
            icon="search",
            keys="Ctrl+K",
            cap=True,
        )
        self.search.setObjectName("search")
        self._layout = QHBoxLayout(self)
        self._layout.setSpacing(8)
        self._layout.addWidget(self.back)
        self._layout.addWidget(self.heading)
        self._layout.addWidget(self.remark, 1)
        self._layout.addWidget(self.search)
        theme.changed.connect(self._measure)
        actions.changed.connect(self._update)
        self._measure()

    def show_page(self, page: Page) -> None:
        """Say where the window is."""
        self._page = page
        self.heading.setText(page.title())
        self.remark.setText(page.subtitle())
        wanted = page.buttons
        if tuple(id for id, _ in self._buttons) != wanted:
            for _, button in self._buttons:
                self._layout.removeWidget(button)
                button.hide()
                button.deleteLater()
            self._buttons = [(id, self._make(id, primary=page.leads and id == wanted[-1])) for id in wanted]
        self._update()

    def _make(self, id: str, primary: bool) -> Button:
        act = self._actions[id]
        made = Button(
            self._theme,
            act.words(),
            lambda: self._actions.trigger(id),
            kind="primary" if primary else "",
            icon=act.icon,
            keys=act.keys,
        )
        # Room that is left is the title's.
        made.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        # So that a page can open a menu below it.
        made.setProperty("act", id)
        self._layout.addWidget(made)
        return made

    def _update(self) -> None:
        for id, button in self._buttons:
            act = self._actions[id]
            if button.words != act.words():
                # Pause becomes Resume: another word is another act, with an icon of its own.
                button.say(act.words())
                button.set_icon(act.icon)
            button.set_possible(act.reason())
        self._fit()

    def show_back(self, possible: bool) -> None:
        """The way back stands before the title when there is one."""
        self.back.setVisible(possible)
        left = 12 if possible else 24
        self._layout.setContentsMargins(self._theme.px(left), 0, self._theme.px(24), 0)

    def set_room(self, width: int) -> None:
        """Without room the search is left to Ctrl+K and the remark goes."""
        self._room = width
        self.search.setVisible(width >= self._theme.px(1000) and len(self._buttons) < 3)
        self.remark.setVisible(width >= self._theme.px(720))
        self._fit()

    def _fit(self) -> None:
        """Acts before the primary one become icons, the first of them first, until all of them and some of the title have room."""
        if not self._room:
            return
        buttons = [button for _, button in self._buttons]
        for button in buttons:
            button.set_compact(False)
        margins, gap = self._layout.contentsMargins(), self._layout.spacing()
        taken = margins.left() + margins.right() + self._theme.px(LEAST_TITLE)
        taken += sum(part.sizeHint().width() + gap for part in (self.back, self.search) if part.isVisibleTo(self))
        for button in buttons[:-1]:
            if taken + sum(one.sizeHint().width() + gap for one in buttons) <= self._room:
                break
            button.set_compact(True)

    def _measure(self) -> None:
        layout = tokens()["layout"]
        self.setFixedHeight(self._theme.px(layout["page-header"]))
        self.show_back(self.back.isVisible())


class TabStrip(QWidget):
    """40 px: the tabs of a run, each with a count where one is known. ``wanted`` carries a tab's name."""

    wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tabs")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setAccessibleName(tr("Tabs of the run"))
        self._theme = theme
        self._buttons: dict[str, QPushButton] = {}
        # Longer words or a large zoom scroll sideways instead of making the window wider.
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        inside = QWidget()
        inside.setObjectName("clear")
        inside.setAccessibleName(tr("Tabs of the run"))
        self._area.setWidget(inside)
        outer = QHBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)
        layout = QHBoxLayout(inside)
        layout.setContentsMargins(24, 0, 24, 0)
        layout.setSpacing(20)
        for name, entry in TABS.items():
            button = QPushButton(tr(entry.title))
            button.setObjectName("tab")
            button.setCheckable(True)
            button.setAccessibleName(tr(entry.title))
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            button.clicked.connect(lambda _=False, name=name: self._press(name))
            self._buttons[name] = button
            layout.addWidget(button)
        layout.addStretch(1)
        theme.changed.connect(self._measure)
        self._measure()

    def _press(self, name: str) -> None:
        self._buttons[name].setChecked(True)
        self.wanted.emit(name)

    def show_place(self, tab: str) -> None:
        for name, button in self._buttons.items():
            button.setChecked(name == tab)
            if name == tab:
                self._area.ensureWidgetVisible(button)

    def set_count(self, tab: str, count: int | None) -> None:
        words = tr(TABS[tab].title)
        text = words if count is None else f"{words}  {count:,}"
        if self._buttons[tab].text() != text:
            self._buttons[tab].setText(text)
            self._buttons[tab].setAccessibleName(text)

    def set_possible(self, tab: str, reason: str) -> None:
        self._buttons[tab].setEnabled(not reason)
        self._buttons[tab].setToolTip(reason)

    def _measure(self) -> None:
        self.setFixedHeight(self._theme.px(tokens()["layout"]["tab-strip"]))
