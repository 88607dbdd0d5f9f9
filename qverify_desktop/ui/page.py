"""What a page is, what it is given, and where in the window one can be."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.ui.actions import ActionRegistry
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.theme import Theme

if TYPE_CHECKING:
    from collections.abc import Callable

    from qverify_desktop.ui.run_context import RunContexts
    from qverify_desktop.ui.widgets.sheet import Sheet


@dataclass(frozen=True)
class Place:
    """Somewhere in the window. ``page`` is a page's name; ``run`` is set on the tabs of a run; ``item`` points at something
    on the page (a test's id, a file, an entry's number)."""

    page: str
    run: str = ""
    item: str = ""


@dataclass(frozen=True)
class Notice:
    """A toast: one sentence, with at most one act. ``kind`` is info, success, warning or danger."""

    text: str
    kind: str = "info"
    act: str = ""
    run: object = field(default=None, compare=False)


class Front(Protocol):
    """What the window does for its pages."""

    def go(self, place: Place) -> None:
        """Show a place; Alt+Left comes back."""

    def tell(self, notice: Notice) -> None:
        """Show a toast; it stays in the list of notices."""

    def tell_error(self, error: QVerifyError) -> None:
        """A toast that says what happened and what to do next."""

    def open_sheet(self, sheet: Sheet) -> None:
        """Slide a sheet in from the right (see ``widgets.sheet.Sheet``); Escape closes it."""

    def close_sheet(self) -> None: ...

    def new_analysis(self, source: str = "") -> None:
        """Open the sheet of a new analysis, for a source that is known already or not."""

    def start(self, request: AnalysisRequest, *, show: bool = True) -> None:
        """Start an analysis and, with ``show``, go to its progress."""

    def try_sample(self) -> None:
        """Analyze the sample repository: no model, no network."""

    def ask_bundle(self) -> None:
        """Choose an evidence bundle, then verify it."""

    def use_zoom(self, zoom: float) -> None:
        """Set the zoom; remembered."""

    def open_path(self, path: str) -> None:
        """Open a file or folder of this machine with the program that the desktop has for it."""

    def open_address(self, address: str) -> None:
        """Open a page of the web with the person's browser; anything that is none is not opened."""

    def open_in_editor(self, file: str, line: int) -> None:
        """Open a source file at a line in the editor of the settings."""

    def copy(self, text: str, said: str) -> None:
        """Put a text on the clipboard and say so."""

    def ask_folder(self) -> None:
        """Choose the folder of a repository, then open the sheet of a new analysis for it."""

    def save_as(self, suggestion: str, pattern: str, then: Callable[[str], object]) -> None:
        """Ask for a file to write (no nested loop); ``then(path)`` is called with it."""

    def check_bundle(self, path: str) -> None:
        """Verify a bundle file and show the answer."""


@dataclass(frozen=True)
class Desk:
    """What every page works with."""

    theme: Theme
    bridge: EngineBridge
    actions: ActionRegistry
    preferences: Preferences
    front: Front
    runs: RunContexts


class Page(QWidget):
    """A page of the window. It is built at its first visit and kept; ``enter`` brings it up to date each time.

    ``name`` is its place's name; ``buttons`` are ids of acts that stand in the page header; with ``leads`` the last of them
    is the primary one (without it the page has its primary button elsewhere).
    ``retitled`` is emitted when ``title`` or ``buttons`` changed.
    """

    name = ""
    leads = True
    retitled = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.desk = desk
        self.place = Place(self.name)

    def title(self) -> str:
        """What the header says."""
        raise NotImplementedError

    def subtitle(self) -> str:
        """A muted remark beside the title."""
        return ""

    @property
    def buttons(self) -> tuple[str, ...]:
        return ()

    def enter(self, place: Place) -> None:
        """It is shown, perhaps for another run or item: ask the engine for what it shows."""
        self.place = place

    def leave(self) -> None:
        """Another page is shown; stop what only costs."""

    def refresh(self, run: str) -> None:
        """A run's listing changed while this page is shown."""

    def again(self) -> None:
        """F5: look again at what this page shows."""
        self.refresh("")

    def focus_filter(self) -> bool:
        """Ctrl+F: put the focus into the page's filter or search; answers whether it has one."""
        return False

    def focus_content(self) -> None:
        """Where the keyboard begins on this page: its main list or control."""
        self.setFocus()
