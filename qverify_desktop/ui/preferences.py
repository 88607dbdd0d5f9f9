"""What the window remembers of a person's way of working: size, splitters, zoom, theme, language. One small JSON file."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer

#: A change is written this much later, so that dragging a splitter writes once.
DELAY_MS = 400


class Preferences(QObject):
    """Values by name. A file that can't be read or written is no reason to trouble anyone: defaults serve."""

    def __init__(self, file: Path | None, parent: QObject | None = None) -> None:
        """``file`` is ``None`` to keep everything in memory (tests, screenshots)."""
        super().__init__(parent)
        self._file = file
        self._values: dict[str, Any] = {}
        if file is not None:
            try:
                read = json.loads(file.read_text("utf-8"))
                self._values = read if isinstance(read, dict) else {}
            except (OSError, ValueError):
                self._values = {}
        self._later = QTimer(self, interval=DELAY_MS, singleShot=True)
        self._later.timeout.connect(self.write)

    def text(self, name: str, default: str = "") -> str:
        value = self._values.get(name, default)
        return value if isinstance(value, str) else default

    def number(self, name: str, default: float) -> float:
        value = self._values.get(name, default)
        return value if isinstance(value, int | float) and not isinstance(value, bool) else default

    def flag(self, name: str, default: bool = False) -> bool:
        value = self._values.get(name, default)
        return value if isinstance(value, bool) else default

    def numbers(self, name: str) -> list[int]:
        """A list of whole numbers, empty when there is none."""
        value = self._values.get(name)
        whole = isinstance(value, list) and all(isinstance(one, int) for one in value)
        return list(value) if whole and value is not None else []

    def set(self, name: str, value: str | float | bool | list[int]) -> None:
        if self._values.get(name) != value:
            self._values[name] = value
            self._later.start()

    def write(self) -> None:
        """Write now; another process sees the old file or the new one, never half of one."""
        self._later.stop()
        if self._file is None:
            return
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(
                "w", encoding="utf-8", dir=self._file.parent, prefix=".window-", delete=False
            ) as file:
                json.dump(self._values, file, indent=1)
            Path(file.name).replace(self._file)
        except OSError:
            return


def window_file() -> Path:
    """Where the window's preferences lie: in the state folder."""
    from platformdirs import user_data_path

    named = os.environ.get("QVERIFY_HOME", "").strip()
    home = Path(named).expanduser() if named else user_data_path("qverify", appauthor=False)
    return home / "window.json"
