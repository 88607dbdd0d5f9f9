"""What can be done anywhere in the window: places, intake, view, window. Pages add their own acts when they are built."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from qverify_desktop.ui import pages
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.drops import of_mime
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Notice, Place
from qverify_desktop.ui.theme import ZOOMS

if TYPE_CHECKING:
    from qverify_desktop.ui.assembly import Window

START = later("Start")
GO = later("Go to")
VIEW = later("View")
APPLICATION = later("Application")


def register(window: Window) -> None:
    """Put the window's own acts into its registry."""
    _start(window)
    _places(window)
    _view(window)
    _application(window)


def _start(window: Window) -> None:
    front = window.front
    for act in (
        Act("new-analysis", later("New analysis"), START, front.new_analysis, "Ctrl+N", "plus"),
        Act("open-folder", later("Open folder…"), START, front.ask_folder, "Ctrl+O", "folder-open"),
        Act("git-url", later("Analyze a Git URL…"), START, lambda: _git_url(window), "Ctrl+Shift+N", "globe"),
        Act("sample", later("Try the sample repository"), START, front.try_sample, icon="flask"),
        Act(
            "open-bundle",
            later("Verify an evidence bundle…"),
            START,
            front.ask_bundle,
            "Ctrl+Shift+V",
            "shield-check",
        ),
        Act("paste", later("Open what is on the clipboard"), START, lambda: _paste(window), "Ctrl+V", "copy"),
    ):
        window.registry.add(act)


def _git_url(window: Window) -> None:
    from qverify_desktop.ui.sheets.git_url import GitUrlSheet

    window.front.open_sheet(GitUrlSheet(window.desk))


def _paste(window: Window) -> None:
    dropped = of_mime(QGuiApplication.clipboard().mimeData())
    if dropped:
        window.take(dropped)
    else:
        text = tr("The clipboard holds no folder, Git URL or evidence bundle.")
        window.front.tell(Notice(text))


def _places(window: Window) -> None:
    for number, (name, entry) in enumerate(pages.RAIL.items(), 1):
        place = Place(name)
        go = Act(f"go.{name}", entry.title, GO, partial(_go, window, place), f"Ctrl+{number}", entry.icon)
        window.registry.add(go)
    for name, entry in pages.TABS.items():
        window.registry.add(
            Act(
                f"tab.{name}",
                entry.title,
                later("Run"),
                partial(_open_tab, window, name),
                icon=entry.icon,
                reason=lambda: "" if window.place.page in pages.TABS else tr("Open a run first."),
            )
        )
    for id, title, step, keys in (
        ("next-tab", later("Next tab of the run"), 1, "Ctrl+Tab"),
        ("previous-tab", later("Previous tab of the run"), -1, "Ctrl+Shift+Tab"),
    ):
        window.registry.add(Act(id, title, GO, partial(_step_tab, window, step), keys))
    for act in (
        Act("back", later("Back"), GO, window.go_back, "Alt+Left", "chevron-left"),
        Act("forward", later("Forward"), GO, window.go_forward, "Alt+Right", "chevron-right"),
        Act("next-pane", later("Next pane"), GO, lambda: _step_pane(window, 1), "F6"),
        Act("previous-pane", later("Previous pane"), GO, lambda: _step_pane(window, -1), "Shift+F6"),
    ):
        window.registry.add(act)


def _open_tab(window: Window, name: str) -> None:
    _go(window, Place(name, window.place.run))


def _go(window: Window, place: Place) -> None:
    """By key or palette: the keyboard goes on where the page begins."""
    window.go(place)
    window.page.focus_content()


def _step_tab(window: Window, step: int) -> None:
    names = list(pages.TABS)
    if window.place.page in names:
        at = names.index(window.place.page)
        _go(window, Place(names[(at + step) % len(names)], window.place.run))


def _step_pane(window: Window, step: int) -> None:
    """From rail to header to the page's own panes to the status bar, and round."""
    splits = [pane for pane in window.page.findChildren(QWidget) if pane.property("pane") and pane.isVisible()]
    panes: list[QWidget] = [window.rail, window.header, *(splits or [window.page]), window.status]
    focus = QApplication.focusWidget()
    at = next((i for i, pane in enumerate(panes) if focus is not None and pane.isAncestorOf(focus)), 0)
    for offset in range(1, len(panes) + 1):
        pane = panes[(at + step * offset) % len(panes)]
        if pane is window.page:
            window.page.focus_content()
            return
        first = _first_focusable(pane)
        if first is not None:
            first.setFocus()
            return


def _first_focusable(pane: QWidget) -> QWidget | None:
    for child in pane.findChildren(QWidget):
        if child.isVisible() and child.isEnabled() and child.focusPolicy() & Qt.FocusPolicy.TabFocus:
            return child
    return None


def _view(window: Window) -> None:
    for act in (
        Act("palette", later("Search or run a command"), VIEW, lambda: window.open_palette(), "Ctrl+K", "search"),
        Act("find", later("Find on this page"), VIEW, lambda: _find(window), "Ctrl+F", "search"),
        Act("filter", later("Filter the list"), VIEW, lambda: _find(window), "/", "filter", single=True),
        Act("again", later("Look again"), VIEW, lambda: window.page.again(), "F5", "refresh"),
        Act("zoom-in", later("Zoom in"), VIEW, lambda: _zoom(window, 1), "Ctrl++", "plus", more_keys=("Ctrl+=",)),
        Act("zoom-out", later("Zoom out"), VIEW, lambda: _zoom(window, -1), "Ctrl+-", "minus"),
        Act("zoom-reset", later("Zoom to 100 %"), VIEW, lambda: _zoom(window, 0), "Ctrl+0"),
        Act("theme.system", later("Theme: as the system"), VIEW, lambda: window.use_theme("system"), icon="sun"),
        Act("theme.light", later("Theme: light"), VIEW, lambda: window.use_theme("light"), icon="sun"),
        Act("theme.dark", later("Theme: dark"), VIEW, lambda: window.use_theme("dark"), icon="sun"),
        Act(
            "theme.contrast",
            later("Theme: high contrast"),
            VIEW,
            lambda: window.use_theme("high-contrast"),
            icon="sun",
        ),
        Act("full-screen", later("Full screen"), VIEW, lambda: _full_screen(window), "F11"),
    ):
        window.registry.add(act)


def _find(window: Window) -> None:
    if isinstance(QApplication.focusWidget(), QLineEdit) or window.page.focus_filter():
        return
    window.open_palette()


def _zoom(window: Window, step: int) -> None:
    nearest = min(range(len(ZOOMS)), key=lambda i: abs(ZOOMS[i] - window.theme.zoom))
    to = ZOOMS.index(1.0) if step == 0 else max(0, min(len(ZOOMS) - 1, nearest + step))
    window.use_zoom(ZOOMS[to])


def _full_screen(window: Window) -> None:
    if window.isFullScreen():
        window.showNormal()
    else:
        window.showFullScreen()


def _application(window: Window) -> None:
    for act in (
        Act(
            "shortcuts",
            later("Keyboard shortcuts"),
            APPLICATION,
            lambda: _shortcuts(window),
            "F1",
            "keyboard",
            more_keys=("?",),
        ),
        Act("notices", later("Notices"), APPLICATION, lambda: _notices(window), icon="circle-info"),
        Act("quit", later("Quit QVerify"), APPLICATION, window.close, "Ctrl+Q", "x"),
    ):
        window.registry.add(act)


def _shortcuts(window: Window) -> None:
    from qverify_desktop.ui.sheets.shortcuts import ShortcutSheet

    window.front.open_sheet(ShortcutSheet(window.theme, window.registry))


def _notices(window: Window) -> None:
    from qverify_desktop.ui.sheets.notices import NoticeSheet

    window.front.open_sheet(NoticeSheet(window.theme, window.toasts))
