"""Questions about the evidence: the log in words, the proof of an entry, checkpoints, and the grade of a bundle."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable
from qverify_desktop.domain.views import CheckpointView, EventLine, EventPage, EventView, GradeView, ProofStep
from qverify_desktop.engine import delivery
from qverify_desktop.engine.questions.event_words import words_of
from qverify_desktop.evidence.merkle import Tree, node_hash, verify_inclusion
from qverify_desktop.storage.schema import CheckpointRow, EntryRow, LogRow

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

MOST_ENTRIES = 1_000
#: A text filter looks at so many entries at most, newest first.
MOST_SEARCHED = 100_000
_BATCH = 50_000

MEANINGS = {
    "INVALID": (
        "The bundle is not whole: something in it was changed, left out or is malformed.",
        "Nothing in it can be relied on.",
    ),
    "DIVERGED": (
        "It contradicts a checkpoint that you kept: two histories of one log exist.",
        "At least one of them was made up; this does not say which.",
    ),
    "UNANCHORED": (
        "Every event of the run is in the signed log, in order, none missing and none changed.",
        "It does not show when that was, nor that the holder of the key did not write the whole log anew.",
    ),
    "TIMESTAMPED": (
        "A time-stamp authority confirms that the log was like this at that time at the latest.",
        "It does not show that no other history was shown to somebody else.",
    ),
    "WITNESSED": (
        "Independent witnesses confirm that they saw this log grow without a rewrite.",
        "It does not show that the findings are right, only that they were recorded then.",
    ),
}


class EvidenceQuestions:
    """Blocking work goes to threads. Hashes of the tree stay in memory once a proof was asked for (64 bytes an entry)."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._tree = Tree()
        self._growing = threading.Lock()

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "evidence_log": self.log,
            "evidence_event": self.event,
            "evidence_checkpoint": self.checkpoint,
            "evidence_grade": self.grade,
        }

    async def log(self, run: str = "", text: str = "", start: int = 0, limit: int = 200) -> EventPage:
        """Entries from place ``start``; a negative one counts from the end. With ``text`` the newest that match, oldest first."""
        run = await self._context.find(run) if run else ""
        limit = max(0, min(int(limit), MOST_ENTRIES))
        if text.strip():
            return await asyncio.to_thread(self._search, run, text, int(start), limit)
        return await asyncio.to_thread(self._page, run, int(start), limit)

    def _page(self, run: str, start: int, limit: int) -> EventPage:
        """Places are indices of the log, or of one run's entries: both are found by index, not by counting."""
        place = EntryRow.seq if run else EntryRow.index
        chosen = select(EntryRow.index, EntryRow.leaf)
        with self._context.database.reading() as session:
            if run:
                last = session.scalar(select(func.max(EntryRow.seq)).where(EntryRow.run == run))
                total = 0 if last is None else last + 1
                chosen = chosen.where(EntryRow.run == run)
            else:
                log = session.get(LogRow, 1)
                total = log.size if log is not None else 0
            first = max(0, total + start) if start < 0 else min(start, total)
            rows = session.execute(chosen.where(place >= first, place < first + limit).order_by(place)).all()
        return {"total": total, "start": first, "entries": [_line(index, leaf) for index, leaf in rows]}

    def _search(self, run: str, text: str, start: int, limit: int) -> EventPage:
        wanted = text.casefold().split()
        found: list[EventLine] = []
        for line in self._newest_first(run):
            told = f"{line['type']} {line['words']} {line['run']}".casefold()
            if all(
                (word[1:] not in told) if word.startswith("!") and word != "!" else word in told for word in wanted
            ):
                found.append(line)
        found.reverse()
        first = max(0, len(found) + start) if start < 0 else min(start, len(found))
        return {"total": len(found), "start": first, "entries": found[first : first + limit]}

    def _newest_first(self, run: str) -> Iterator[EventLine]:
        chosen = select(EntryRow.index, EntryRow.leaf).order_by(EntryRow.index.desc()).limit(MOST_SEARCHED)
        if run:
            chosen = chosen.where(EntryRow.run == run)
        with self._context.database.reading() as session:
            for index, leaf in session.execute(chosen.execution_options(yield_per=2_000)):
                yield _line(index, leaf)

    async def event(self, index: int) -> EventView:
        return await asyncio.to_thread(self._event, int(index))

    def _event(self, index: int) -> EventView:
        with self._context.database.reading() as session:
            row = session.get(EntryRow, index)
            if row is None:
                raise BadInput(f"The log has no entry {index}.")
            covering = select(CheckpointRow).where(CheckpointRow.size > index).order_by(CheckpointRow.size.desc())
            signed = session.scalars(covering.limit(1)).first()
            size = signed.size if signed is not None else index + 1
        self._grow(size)
        path = self._tree.inclusion_proof(index, size)
        root = self._tree.root(size)
        return {
            "line": _line(index, row.leaf),
            "payload": json.loads(row.leaf),
            "leaf": row.leaf.decode("utf-8"),
            "leaf_hash": row.leaf_hash.hex(),
            "proof": _steps(row.leaf_hash, index, size, path),
            "size": size,
            "root": root.hex(),
            "holds": signed is not None
            and verify_inclusion(row.leaf_hash, index, size, path, root)
            and _signed(signed, root),
        }

    def _grow(self, size: int) -> None:
        """Read the hashes that are not in memory yet."""
        with self._growing:
            while self._tree.size < size:
                chosen = select(EntryRow.leaf_hash).where(EntryRow.index >= self._tree.size).order_by(EntryRow.index)
                with self._context.database.reading() as session:
                    hashes = session.scalars(chosen.limit(min(_BATCH, size - self._tree.size))).all()
                if not hashes:
                    raise BadInput("The log on the disk is shorter than its checkpoints say.", "Verify a bundle.")
                for one in hashes:
                    self._tree.append(one)

    async def checkpoint(self, run: str = "") -> CheckpointView:
        run = await self._context.find(run) if run else ""
        return await asyncio.to_thread(self._checkpoint, run)

    def _checkpoint(self, run: str) -> CheckpointView:
        """The newest, or the one that closes a run."""
        chosen = select(CheckpointRow).order_by(CheckpointRow.size.desc())
        if run:
            chosen = chosen.where(CheckpointRow.run == run)
        with self._context.database.reading() as session:
            row = session.scalars(chosen.limit(1)).first()
        if row is None:
            raise BadInput(
                "Nothing was signed yet.", "A checkpoint is signed when an analysis begins and when it ends."
            )
        origin, size, root = row.note.split("\n")[:3]
        return {
            "note": row.note,
            "origin": origin,
            "size": int(size),
            "root": root,
            "run": row.run,
            "signed_at": row.signed_at,
            "verifier_key": row.verifier_key,
            "protection": row.protection,
        }

    async def grade(self, run: str = "", bundle: str = "", own_key: bool = True) -> GradeView:
        """Verify a run's bundle with this installation's own key, or a bundle file with nothing but itself."""
        from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

        key = ""
        if run:
            run = await self._context.find(run)
            left = await asyncio.to_thread(delivery.delivered, self._context.home, run)
            if left is None:
                raise BadInput(f"The run {run} has no evidence bundle yet.", f"Finish it first: qverify resume {run}")
            bundle = str(delivery.run_folder(self._context.home, run) / f"{run}{delivery.BUNDLE_SUFFIX}")
            if own_key:
                with contextlib.suppress(BadInput):
                    key = (await asyncio.to_thread(self._checkpoint, run))["verifier_key"]
        try:
            answer = await asyncio.to_thread(lambda: verify_bundle(Path(bundle), public_key=key))
        except BundleUnreadable as error:
            raise EvidenceUnreadable(error.sentence) from error
        return _grade(answer, bundle)


def _grade(answer: Mapping[str, Any], bundle: str) -> GradeView:
    grade = str(answer["grade"])
    meaning, limit = MEANINGS.get(grade, (str(answer.get("meaning", "")), ""))
    return {
        "grade": grade,
        "valid": bool(answer["valid"]),
        "meaning": meaning,
        "limit": limit,
        "problems": [str(one) for one in answer["problems"]],
        "events": int(answer["events"]),
        "checkpoint": str(answer["checkpoint"]),
        "bundle": bundle,
        "run": str(answer.get("run", "")),
    }


def _line(index: int, leaf: bytes) -> EventLine:
    entry = json.loads(leaf)
    type_ = str(entry.get("type", ""))
    return {
        "index": index,
        "run": str(entry.get("run", "")),
        "type": type_,
        "at": str(entry.get("at", "")),
        "words": words_of(type_, entry.get("data", {})),
    }


def _signed(row: CheckpointRow, root: bytes) -> bool:
    """Whether the checkpoint's signed text names this root."""
    lines = row.note.split("\n")
    return len(lines) > 2 and lines[1] == str(row.size) and lines[2] == base64.b64encode(root).decode()


def _steps(leaf: bytes, index: int, size: int, path: list[bytes]) -> list[ProofStep]:
    """The way to the root as RFC 9162, section 2.1.3.2 computes it, with the hash after each step."""
    steps: list[ProofStep] = []
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            side = "left"
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
            side = "right"
        steps.append({"side": side, "hash": sibling.hex(), "computed": node.hex()})
        fn, sn = fn >> 1, sn >> 1
    return steps
