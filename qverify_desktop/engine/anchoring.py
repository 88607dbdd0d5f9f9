"""Has closing checkpoints confirmed by others, beside the runs and never in their way.

The queue is a table that the closing transaction fills (``storage.anchors``). One thread works it off: what did not come is asked for
again, each time later; what the settings close waits; a restart goes on. Nothing here can fail a run.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.engine import crash
from qverify_desktop.evidence.exchange import Confirmed, NotConfirmed
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.time_stamp import authorities, stamp
from qverify_desktop.evidence.witness import cosign, witness_key
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.storage.anchors import LONGEST_PAUSE, TIME_STAMP, WAITING, WITNESS, AnchorStore, Wanted
from qverify_desktop.storage.schema import AnchorRow

#: Seconds until what nobody may be asked now is looked at again; a change of settings comes sooner.
CLOSED_PAUSE = 3600
#: Seconds that the end of the process waits for answers that were never asked for before.
GRACE = 3.0


class Anchoring:
    """Safe from any thread. Until ``start`` it only says what is wanted."""

    def __init__(self, home: Path, store: AnchorStore, gate: Gate, configuration: Configuration) -> None:
        self._home = home
        self.store = store
        self._gate = gate
        self._configuration = configuration
        self._news = threading.Event()
        self._hurry: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._end: float | None = None
        self._thread: threading.Thread | None = None
        self._journal: EvidenceJournal | None = None
        self._changed: Callable[[int], None] = lambda size: None

    def wanted(self) -> Sequence[Wanted]:
        """Which anchors a closing checkpoint is to have, as the settings are now."""
        stamps = [Wanted(TIME_STAMP)] if self._configuration.time_stamp_authority else []
        return [*stamps, *(Wanted(WITNESS, one.key) for one in self._configuration.asked_witnesses)]

    def start(self, journal: EvidenceJournal, changed: Callable[[int], None]) -> None:
        """Begin to work the queue off; ``changed`` is told the size of each checkpoint that has news, in this one's own thread."""
        self._journal, self._changed = journal, changed
        self._thread = threading.Thread(target=self._work, name="anchoring", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was queued. Never blocks."""
        self._news.set()

    def apply(self, configuration: Configuration) -> None:
        """Other settings: what waits is tried at once. What was refused is asked again where other services are named now."""
        others = _services(self._configuration) != _services(configuration)
        self._configuration = configuration
        self.hurry(refused=others)

    def hurry(self, *, refused: bool) -> None:
        """Try what waits at once, and with ``refused`` also what was refused. Never blocks."""
        self._hurry.put(refused)
        self.wake()

    def ask_again(self) -> None:
        """The same for a person who looks on: what is asked again waits, without the words of the try before, when this returns.
        Blocking."""
        self.store.hurry(refused=True)
        self.wake()

    def close(self) -> None:
        """Let the thread end; what was never tried may take ``GRACE`` seconds. A thread that waits for an answer is left: it writes
        nothing any more."""
        self._end = time.monotonic() + GRACE
        self.wake()
        if self._thread is not None:
            self._thread.join(GRACE + 0.5)
            self._end = 0.0

    def _work(self) -> None:
        with contextlib.suppress(QVerifyError):
            self.store.look_again()
        while True:
            self._news.clear()
            pause = float(CLOSED_PAUSE)
            try:
                pause = self._pass()
            except QVerifyError:
                # A full disk: the table says what waits, whenever there is room again.
                pass
            except Exception as error:  # noqa: BLE001 - a thread that dies would leave everything waiting, unseen
                with contextlib.suppress(Exception):
                    crash.write(error, self._home)
            if self._end is not None:
                return
            self._news.wait(pause)

    def _pass(self) -> float:
        """Try what is due; answers the seconds until something is. Of one service the smallest checkpoint comes first, and while that
        one waits the others do: a witness takes none before its last."""
        soonest = time.time() + CLOSED_PAUSE
        while not self._hurry.empty():
            self.store.hurry(refused=self._hurry.get())
        rows = sorted(self.store.waiting(), key=lambda row: (row.kind, row.name, row.size))
        for _, group in groupby(rows, key=lambda row: (row.kind, row.name)):
            for row in group:
                # What is further away than any pause was written under a clock that was ahead.
                if 0 < row.next_at - time.time() <= LONGEST_PAUSE:
                    soonest = min(soonest, row.next_at)
                    break
                if self._end is not None and (row.tries or time.monotonic() > self._end):
                    break
                again = self._try(row)
                if again is not None:
                    soonest = min(soonest, again)
                    break
        return max(1.0, soonest - time.time())

    def _try(self, row: AnchorRow) -> float | None:
        """Ask once. Answers when to ask again, ``None`` where it is settled."""
        try:
            came = self._ask(row)
        except NotConfirmed as error:
            return None if self._left() else self._not_confirmed(row, error)
        if self._left():
            return None
        self.store.hold(row, came.content, came.by, came.made_at)
        self._changed(row.size)
        return None

    def _not_confirmed(self, row: AnchorRow, error: NotConfirmed) -> float | None:
        if error.final:
            self.store.refuse(row, error.sentence)
            again = None
        elif error.closed:
            again = time.time() + CLOSED_PAUSE
            self.store.say(row, error.sentence, int(again))
        else:
            again = self.store.put_off(row, error.sentence)
        self._changed(row.size)
        return again

    def _left(self) -> bool:
        """Whether the process has gone on without this thread: the database may be another's now."""
        return self._end is not None and time.monotonic() > self._end + 0.5

    def _ask(self, row: AnchorRow) -> Confirmed:
        assert self._journal is not None
        configuration, note = self._configuration, self._journal.note(row.size)
        if row.kind == TIME_STAMP:
            url = configuration.time_stamp_authority
            if not url:
                raise NotConfirmed("No time-stamp authority is set any more.", closed=True)
            return stamp(note.encode(), url, authorities(configuration.time_stamp_certificate), self._gate)
        url = next((one.url for one in configuration.asked_witnesses if one.key == row.name), "")
        if not url:
            raise NotConfirmed("This witness is not set any more.", closed=True)
        old = self.store.newest_held(row.name)
        return cosign(note, witness_key(row.name), url, min(old, row.size), self._journal.growth, self._gate)


def _services(configuration: Configuration) -> tuple[str, ...]:
    return (configuration.time_stamp_authority, configuration.time_stamp_certificate, configuration.witnesses)


def anchored(rows: Sequence[AnchorRow]) -> str:
    """What a checkpoint's anchors come to: ``none``, ``waiting``, ``partly``, ``held`` or ``refused``."""
    states = {row.state for row in rows}
    if not states:
        return "none"
    if len(states) == 1:
        return states.pop()
    return WAITING if WAITING in states else "partly"
