"""Entries of the evidence log by pages, and the search in their words; blocking, safe from any thread."""

from __future__ import annotations

import json
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from qverify_desktop.domain.log_views import EventLine, EventPage
from qverify_desktop.engine.questions.event_words import words_of
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import EntryRow, LogRow

#: Entries in one page.
MOST_ENTRIES = 1_000
#: A search looks at so many entries, the newest (half a second); what was looked at once is not looked at again.
MOST_SEARCHED = 100_000
#: Characters of a search that count, and searches whose hits stay in memory (8 bytes a hit).
MOST_TEXT = 200
_KEPT = 4
_SLICE = 2_000


@dataclass
class _Hits:
    """Places that match, in order, among those from ``first`` to before ``end``."""

    first: int
    end: int
    places: array[int] = field(default_factory=lambda: array("q"))


class Entries:
    """Places count over the log, or over one run's entries: both are found by an index of the database, not by counting."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._searches: OrderedDict[tuple[str, str], _Hits] = OrderedDict()
        self._searching = threading.Lock()

    def page(self, run: str, start: int, limit: int) -> EventPage:
        with self._database.reading() as session:
            total = _total(session, run)
            first = _first(start, total)
            entries = _between(session, run, first, first + _bounded(limit))
        return {"total": total, "start": first, "entries": entries, "complete": True}

    def search(self, run: str, text: str, start: int, limit: int, stop: threading.Event) -> EventPage:
        """Those of the newest entries that match; ends without an answer that counts when ``stop`` is set."""
        wanted = text.casefold()[:MOST_TEXT]
        with self._searching:
            hits = self._searched(run, wanted, stop)
            total = len(hits.places)
            first = _first(start, total)
            places = hits.places[first : first + _bounded(limit)].tolist()
        return {"total": total, "start": first, "entries": self._at(run, places), "complete": hits.first == 0}

    def _searched(self, run: str, text: str, stop: threading.Event) -> _Hits:
        """What was found before and what the log has grown by since."""
        matches = _matcher(text)
        with self._database.reading() as session:
            total = _total(session, run)
            hits = self._searches.get((run, text))
            if hits is None or hits.end > total:
                begin = max(0, total - MOST_SEARCHED)
                hits = _Hits(begin, begin)
            while hits.end < total and not stop.is_set():
                lines = _between(session, run, hits.end, min(total, hits.end + _SLICE))
                hits.places.extend(hits.end + at for at, line in enumerate(lines) if matches(line))
                hits.end = min(total, hits.end + _SLICE)
        self._searches[run, text] = hits
        self._searches.move_to_end((run, text))
        while len(self._searches) > _KEPT:
            self._searches.popitem(last=False)
        return hits

    def _at(self, run: str, places: list[int]) -> list[EventLine]:
        place = _place(run)
        chosen = select(EntryRow.index, EntryRow.leaf).where(place.in_(places)).order_by(place)
        if run:
            chosen = chosen.where(EntryRow.run == run)
        with self._database.reading() as session:
            return [line_of(index, leaf) for index, leaf in session.execute(chosen)]


def line_of(index: int, leaf: bytes) -> EventLine:
    """An entry in words, also one that was spoilt on the disk."""
    entry = payload_of(leaf)
    type_ = str(entry.get("type", ""))
    return {
        "index": index,
        "run": str(entry.get("run", "")),
        "type": type_,
        "at": str(entry.get("at", "")),
        "words": words_of(type_, entry.get("data", {})),
    }


def payload_of(leaf: bytes) -> dict[str, Any]:
    """What the leaf says; empty where it is no JSON object."""
    try:
        entry = json.loads(leaf)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _matcher(text: str) -> Callable[[EventLine], bool]:
    wanted, unwanted = [], []
    for word in text.split():
        if word.startswith("!") and len(word) > 1:
            unwanted.append(word[1:])
        else:
            wanted.append(word)

    def matches(line: EventLine) -> bool:
        told = f"{line['type']} {line['words']} {line['run']}".casefold()
        return all(word in told for word in wanted) and not any(word in told for word in unwanted)

    return matches


def _place(run: str) -> InstrumentedAttribute[int]:
    return EntryRow.seq if run else EntryRow.index


def _total(session: Session, run: str) -> int:
    if run:
        last = session.scalar(select(func.max(EntryRow.seq)).where(EntryRow.run == run))
        return 0 if last is None else last + 1
    log = session.get(LogRow, 1)
    return log.size if log is not None else 0


def _between(session: Session, run: str, first: int, end: int) -> list[EventLine]:
    place = _place(run)
    chosen = select(EntryRow.index, EntryRow.leaf).where(place >= first, place < end).order_by(place)
    if run:
        chosen = chosen.where(EntryRow.run == run)
    return [line_of(index, leaf) for index, leaf in session.execute(chosen)]


def _first(start: int, total: int) -> int:
    return max(0, total + start) if start < 0 else min(start, total)


def _bounded(limit: int) -> int:
    return max(0, min(limit, MOST_ENTRIES))
