"""The application as a person with assistive tools meets it: everything is found by role and name over AT-SPI.

Run by the system's Python, which has ``gi``; knows nothing of the application but what the desktop says of it.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import time

import gi

gi.require_version("Atspi", "2.0")
from gi.repository import Atspi  # noqa: E402

PATIENCE = 30.0


class Missing(AssertionError):
    """Something that should be on the screen is not."""


def wait(what, seconds: float = PATIENCE, told: str = "it"):
    """The first true answer of ``what``; raises ``Missing`` after ``seconds``."""
    until = time.monotonic() + seconds
    while True:
        try:
            found = what()
        except Exception:
            found = None
        if found:
            return found
        if time.monotonic() > until:
            raise Missing(told)
        time.sleep(0.1)


class Application:
    """The running application and its window. ``arguments`` go to ``main.py``."""

    def __init__(self, python: str, home: str, *arguments: str, extra: dict[str, str] | None = None) -> None:
        environment = {
            **os.environ,
            "QVERIFY_HOME": home,
            "QT_QPA_PLATFORM": "xcb",
            "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1",
            "QVERIFY_THEME": "light",
            "QVERIFY_LANGUAGE": "en",
            "QVERIFY_REDUCED_MOTION": "1",
            "PYTHONFAULTHANDLER": "1",
            **(extra or {}),
        }
        self.log = open(os.path.join(os.path.dirname(home), "application.log"), "ab")  # noqa: SIM115
        self.process = subprocess.Popen(
            [python, "main.py", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
        )
        atexit.register(self._kill)
        self.node = wait(self._find, 60, "the application on the accessibility bus")
        self.window = wait(lambda: self.find("frame", "QVerify", part=True), 30, "the window")
        self.focus()

    def _kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def _find(self):
        if self.process.poll() is not None:
            raise SystemExit(f"the application ended with {self.process.returncode}")
        desktop = Atspi.get_desktop(0)
        for at in range(desktop.get_child_count()):
            child = desktop.get_child_at_index(at)
            if child is not None and child.get_process_id() == self.process.pid and child.get_child_count():
                return child
        return None

    def focus(self) -> None:
        """Give the window the keyboard: no window manager does it here."""
        wait(lambda: self._x_window(), 20, "the window on the display")
        subprocess.run(["xdotool", "windowfocus", "--sync", self._x_window()], check=False, timeout=10)

    def _x_window(self) -> str:
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--pid", str(self.process.pid), "--name", "QVerify"],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        return found.stdout.split()[0] if found.stdout.split() else ""

    def walk(self, node=None, depth: int = 0):
        """Every accessible that is shown, depth first; lists and tables are not entered beyond their first rows."""
        node = node or self.node
        yield node
        if depth > 40:
            return
        many = node.get_role_name() in ("table", "tree table", "list", "tree")
        for at in range(min(node.get_child_count(), 60 if many else 1000)):
            child = node.get_child_at_index(at)
            if child is not None and (
                showing(child) or child.get_role_name() in ("frame", "table cell", "list item")
            ):
                yield from self.walk(child, depth + 1)

    def find(self, role: str, name: str, *, part: bool = False):
        """What has this role (several divided by ``|``) and this name, or a name that holds it."""
        for node in self.walk():
            if role and node.get_role_name() not in role.split("|"):
                continue
            said = node.get_name() or ""
            if said == name or (part and name in said):
                return node
        return None

    def see(self, name: str, role: str = "", seconds: float = PATIENCE):
        """Wait until something whose name holds ``name`` is shown."""
        return wait(lambda: self.find(role, name, part=True), seconds, f"{role or 'anything'} that says {name!r}")

    def press(
        self, name: str, role: str = "push button|button|toggle button|check box|radio button|menu item"
    ) -> None:
        """Do the action of a control, as an assistive tool does."""

        def pressed() -> bool:
            node = self.find(role, name)
            if node is None or not node.get_state_set().contains(Atspi.StateType.ENABLED):
                return False
            return act(node)

        wait(pressed, PATIENCE, f"{role} called {name!r} that can be pressed")

    def fill(self, name: str, text: str) -> None:
        """Put a text into a field, as an assistive tool does."""

        def filled() -> bool:
            node = self.find("text", name)
            return node is not None and bool(node.get_editable_text_iface().set_text_contents(text))

        wait(filled, PATIENCE, f"the field {name!r} that takes a text")

    def open_tab(self, name: str) -> None:
        """Press a tab of the run, whatever count stands behind its words, and wait until it is the one that is shown."""

        def shown() -> bool:
            tabs = [
                node
                for node in self.walk()
                if node.get_role_name() in ("check box", "toggle button", "push button", "button")
                and node.get_state_set().contains(Atspi.StateType.CHECKABLE)
                and (node.get_name() or "").rstrip("0123456789, ") == name
                and node.get_parent().get_name() == "Tabs of the run"
            ]
            if not tabs:
                return False
            if tabs[0].get_state_set().contains(Atspi.StateType.CHECKED):
                return True
            act(tabs[0])
            return False

        wait(shown, PATIENCE, f"the tab {name}")

    def texts(self) -> list[str]:
        """All names and texts that are shown."""
        return [node.get_name() for node in self.walk() if node.get_name()]

    def type(self, *keys: str) -> None:
        """Keys as ``xdotool key`` names them."""
        subprocess.run(["xdotool", "key", "--clearmodifiers", "--delay", "60", *keys], check=True, timeout=30)

    def write(self, text: str) -> None:
        subprocess.run(["xdotool", "type", "--clearmodifiers", "--delay", "12", text], check=True, timeout=60)

    def focused(self):
        return next((n for n in self.walk() if n.get_state_set().contains(Atspi.StateType.FOCUSED)), None)

    def end(self) -> int:
        """Close the window as its frame would and wait for the process."""
        self.focus()
        self.type("ctrl+q")
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            raise Missing("the end of the application") from None


def act(node) -> bool:
    """Press or toggle it; answers whether it took that."""
    action = node.get_action_iface()
    names = [action.get_action_name(at) for at in range(action.get_n_actions())]
    at = next((names.index(one) for one in ("Press", "press", "Toggle", "toggle") if one in names), 0)
    return bool(action.do_action(at))


def showing(node) -> bool:
    return node.get_state_set().contains(Atspi.StateType.SHOWING)


def note(text: str) -> None:
    """Progress for whoever reads the test's output."""
    print(text, file=sys.stderr, flush=True)
