"""The log of each run on the disk: one JSON line per entry, appended as it is told, read by pages without reading it whole."""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from pathlib import Path

from qverify_desktop.domain.log_views import LogHits, LogLine, LogPage
from qverify_desktop.domain.progress import EventKind, RunEvent

NAME = "log.jsonl"
#: Lines that are kept of one run; then nothing more is written.
MOST_LINES = 1_000_000
#: Hits of a search that are answered.
MOST_HITS = 20_000
_YIELD = 2_000
#: Every so many lines their place in the file is remembered.
STRIDE = 256


class _Index:
    """Places of every ``STRIDE``-th line in one file, extended as the file grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._places = [0]
        self.lines = 0
        self._end = 0

    def extend(self) -> None:
        """Read what was appended since the last time."""
        with contextlib.suppress(FileNotFoundError), self._path.open("rb") as file:
            file.seek(self._end)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._end += len(line)
                self.lines += 1
                if self.lines % STRIDE == 0:
                    self._places.append(self._end)

    def place(self, line: int) -> tuple[int, int]:
        """Where to begin reading for a line, and how many lines to pass over there."""
        at = min(line // STRIDE, len(self._places) - 1)
        return self._places[at], line - at * STRIDE


class RunLogs:
    """Logs of all runs below a folder. ``tell`` is called in the loop and only queues; a thread of its own writes."""

    def __init__(self, runs_folder: Path) -> None:
        self._folder = runs_folder
        self._indices: dict[str, _Index] = {}
        self._lines: dict[str, int] = {}
        self._reading = threading.Lock()
        self._waiting: queue.SimpleQueue[tuple[str, bytes] | threading.Event | None] = queue.SimpleQueue()
        self._writer: threading.Thread | None = None

    def tell(self, event: RunEvent) -> None:
        """Keep an event that a person would read. Never blocks and never raises."""
        text = _text(event)
        if not text:
            return
        stage = event.stage.value if event.stage else ""
        line = {"at_ms": event.at_ms, "stage": stage, "text": text, "kind": event.kind.value, "target": event.target}
        if self._writer is None:
            self._writer = threading.Thread(target=self._write, name="qverify log", daemon=True)
            self._writer.start()
        self._waiting.put((event.run, json.dumps(line, separators=(",", ":")).encode() + b"\n"))

    def page(self, run: str, start: int, limit: int) -> LogPage:
        """Lines from ``start``; a negative one counts from the end. Blocking."""
        self._flush()
        with self._reading:
            index = self._indices.setdefault(run, _Index(self._path(run)))
            index.extend()
            first = max(0, index.lines + start) if start < 0 else min(start, index.lines)
            lines = self._read(run, index, first, min(limit, index.lines - first))
        return {"total": index.lines, "start": first, "lines": lines}

    def search(self, run: str, words: str) -> LogHits:
        """Numbers of the lines in which all of ``words`` stand as they are, in any case. Blocking."""
        self._flush()
        wanted, rows = words.casefold(), []
        try:
            with self._path(run).open("rb") as file:
                for number, line in enumerate(file):
                    if number % _YIELD == 0:
                        # A million lines keep the interpreter for a second; the window wants its turns.
                        time.sleep(0.001)
                    if wanted in _searched(line):
                        rows.append(number)
                        if len(rows) >= MOST_HITS:
                            return {"words": words, "rows": rows, "complete": False}
        except FileNotFoundError:
            pass
        return {"words": words, "rows": rows, "complete": True}

    def close(self) -> None:
        """Write what waits. Blocking."""
        if self._writer is not None:
            self._waiting.put(None)
            self._writer.join(timeout=10)
            self._writer = None

    def _path(self, run: str) -> Path:
        return self._folder / run / NAME

    def _read(self, run: str, index: _Index, first: int, count: int) -> list[LogLine]:
        lines: list[LogLine] = []
        if count <= 0:
            return lines
        place, passed = index.place(first)
        with self._path(run).open("rb") as file:
            file.seek(place)
            for number, line in enumerate(file, first - passed):
                if number < first:
                    continue
                lines.append(_line(number, line))
                if len(lines) >= count:
                    break
        return lines

    def _flush(self) -> None:
        if self._writer is not None:
            done = threading.Event()
            self._waiting.put(done)
            done.wait(timeout=10)

    def _write(self) -> None:
        """The thread: whatever waits goes out together; a full disk loses log lines and nothing else."""
        while True:
            batch = [self._waiting.get()]
            while not self._waiting.empty():
                batch.append(self._waiting.get())
            by_run: dict[str, list[bytes]] = {}
            for one in batch:
                if isinstance(one, tuple):
                    by_run.setdefault(one[0], []).append(one[1])
            for run, lines in by_run.items():
                self._append(run, lines)
            for one in batch:
                if isinstance(one, threading.Event):
                    one.set()
                elif one is None:
                    return

    def _append(self, run: str, lines: list[bytes]) -> None:
        path = self._path(run)
        with contextlib.suppress(OSError):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if run not in self._lines:
                self._lines[run] = _count(path)
            room = MOST_LINES - self._lines[run]
            with path.open("ab") as file:
                file.write(b"".join(lines[: max(0, room)]))
            self._lines[run] += len(lines)


def _searched(raw: bytes) -> str:
    line = _line(0, raw)
    return f"{line['stage']} {line['text']}".casefold()


def _count(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
    except FileNotFoundError:
        return 0


def _text(event: RunEvent) -> str:
    if event.kind is EventKind.STATUS and event.status is not None:
        return f"{event.status.value}. {event.text}".strip() if event.text else event.status.value
    if event.kind is EventKind.STAGE_STARTED:
        return "started"
    if event.kind is EventKind.WRITING:
        # What a model wrote is evidence, once it is whole; steps on the way are for who looks on.
        return ""
    if event.kind is EventKind.TARGET:
        return f"{event.target.rpartition('::')[2]}: {event.text}"
    return event.text


def _line(number: int, raw: bytes) -> LogLine:
    try:
        read = json.loads(raw)
        return {
            "number": number,
            "at_ms": int(read["at_ms"]),
            "stage": str(read["stage"]),
            "text": str(read["text"]),
            "kind": str(read.get("kind", "log")),
            "target": str(read.get("target", "")),
        }
    except (ValueError, KeyError, TypeError):
        text = raw[:1000].decode("utf-8", "replace").strip()
        return {"number": number, "at_ms": 0, "stage": "", "text": text, "kind": "log", "target": ""}
