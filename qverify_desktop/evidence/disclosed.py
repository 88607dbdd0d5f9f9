"""Reads what a bundle discloses: the run's events in order, and their contents.

For a bundle that ``verify`` found whole, and only for the bytes that it looked at: nothing is checked here but sizes.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import EvidenceUnreadable

_MIB = 1 << 20
#: Bytes of all entries, and of all salts, that are taken into memory.
MOST_LINES = 128 * _MIB
#: Bytes of one content.
MOST_CONTENT = 64 * _MIB


@dataclass(frozen=True)
class DisclosedEvent:
    """An entry of the run. ``contents`` maps a key of ``data`` to the digest (SHA-256, hex) of a content that is in the bundle."""

    index: int
    type: str
    at: str
    data: Mapping[str, Any]
    contents: Mapping[str, str]


class Disclosed:
    """A verified bundle, open for reading; use it as a context manager. Raises ``EvidenceUnreadable``."""

    def __init__(self, path: Path) -> None:
        try:
            self._zip = zipfile.ZipFile(path)
            self._names = frozenset(self._zip.namelist())
            manifest = json.loads(self._read("bundle.json"))
            self.run, self.origin, self.size = str(manifest["run"]), str(manifest["origin"]), int(manifest["size"])
            self.checkpoint = self._read("checkpoint")
            indexes = (n for first, count in manifest["entries"] for n in range(first, first + count))
            lines = self._lines("entries.jsonl")
            shown = self._shown()
            self.events = tuple(
                DisclosedEvent(index, str(entry["type"]), str(entry["at"]), entry["data"], shown.get(index, {}))
                for index, entry in zip(indexes, map(json.loads, lines), strict=bool(lines))
            )
        except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
            raise EvidenceUnreadable(
                f"The bundle {path.name} can't be read ({type(error).__name__}). Nothing was run."
            ) from error

    def _shown(self) -> dict[int, dict[str, str]]:
        shown: dict[int, dict[str, str]] = {}
        for line in self._lines("salts.jsonl"):
            salt = json.loads(line)
            if f"blobs/{salt['sha256']}" in self._names:
                shown.setdefault(int(salt["index"]), {})[str(salt["key"])] = str(salt["sha256"])
        return shown

    def content(self, event: DisclosedEvent, key: str) -> bytes | None:
        """A content of an event, ``None`` where it was withheld or is too large."""
        digest = event.contents.get(key)
        if digest is None or self._zip.getinfo(f"blobs/{digest}").file_size > MOST_CONTENT:
            return None
        return self._read(f"blobs/{digest}", MOST_CONTENT)

    def _lines(self, name: str) -> list[bytes]:
        """Lines of a file that a bundle of headers only, or a redacted one, may lack. Canonical JSON holds no newline."""
        return self._read(name, MOST_LINES).split(b"\n")[:-1] if name in self._names else []

    def _read(self, name: str, most: int = _MIB * 16) -> bytes:
        with self._zip.open(name) as stream:
            content = stream.read(most + 1)
        if len(content) > most:
            raise ValueError(f"{name} is over {most} bytes")
        return content

    def close(self) -> None:
        self._zip.close()

    def __enter__(self) -> Disclosed:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
