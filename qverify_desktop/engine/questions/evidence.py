"""Questions about the evidence: the log in words, the proof of an entry, checkpoints, and the grade of a bundle."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from sqlalchemy import func, select, text

from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable
from qverify_desktop.domain.log_views import CheckpointView, EventPage, EventView, GradeView, VerifierView
from qverify_desktop.domain.reproduction import Outcome
from qverify_desktop.engine import delivery
from qverify_desktop.engine.questions.entries import Entries
from qverify_desktop.engine.questions.proof import prove
from qverify_desktop.evidence.disclosed import checkpoint_digest
from qverify_desktop.evidence.journal import CLOSED, OPENED
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import IS_HEADER, CheckpointRow, EntryRow

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: What each grade shows, and what it does not. ``docs/evidence-format.md`` has the long form.
MEANINGS = {
    "INVALID": (
        "Something in it was changed, left out or added after it was signed, or another key signed it.",
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
        "It does not show that no other history was shown to somebody else, nor that the authority's certificate was not revoked.",
    ),
    "WITNESSED": (
        "Independent witnesses confirm that they saw this log grow without a rewrite.",
        "It does not show that the findings are right, only that they were recorded then.",
    ),
}


class EvidenceQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._entries = Entries(context.database)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "evidence_log": self.log,
            "evidence_event": self.event,
            "evidence_checkpoint": self.checkpoint,
            "evidence_grade": self.grade,
            "evidence_verifier": self.verifier,
        }

    async def log(self, run: str = "", text: str = "", start: int = 0, limit: int = 200) -> EventPage:
        """Entries from place ``start``, oldest first; a negative one counts from the end. ``text`` are words that must stand
        in an entry's type, words or run (``!word``: must not); of a long log only the newest entries are looked at."""
        run = await self._context.find(run) if run else ""
        start, limit = _whole("start", start), _whole("limit", limit)
        if text.strip():
            return await in_stoppable_thread(partial(self._entries.search, run, text, start, limit))
        return await asyncio.to_thread(self._entries.page, run, start, limit)

    async def event(self, index: int) -> EventView:
        return await asyncio.to_thread(prove, self._context.database, _whole("index", index))

    async def checkpoint(self, run: str = "") -> CheckpointView:
        """The newest of the log; with ``run`` the one that closes it, as in its bundle."""
        run = await self._context.find(run) if run else ""
        return await asyncio.to_thread(self._checkpoint, run)

    def _checkpoint(self, run: str) -> CheckpointView:
        size = CheckpointRow.size
        newest = select(CheckpointRow).order_by(size.desc())
        with self._context.database.reading() as session:
            chosen = newest
            if run:
                last = session.scalars(
                    select(EntryRow).where(EntryRow.run == run).order_by(EntryRow.seq.desc()).limit(1)
                ).first()
                closed = last is not None and last.type == CLOSED
                chosen = newest.where(CheckpointRow.run == run)
                if last is not None and closed:
                    chosen = select(CheckpointRow).where(size > last.index).order_by(size)
            row = session.scalars(chosen.limit(1)).first()
        if row is None:
            raise BadInput(
                "Nothing was signed yet.", "A checkpoint is signed when an analysis begins and when it ends."
            )
        origin, number, root = row.note.split("\n")[:3]
        return {
            "note": row.note,
            "origin": origin,
            "size": int(number),
            "root": root,
            "run": row.run,
            "signed_at": row.signed_at,
            # The checkpoint of a change of the key has two signatures; who signs since is the second.
            "verifier_key": row.verifier_key.split()[-1],
            "protection": row.protection,
        }

    def _trusted(self) -> Trusted:
        configuration = Configuration.load(home=self._context.home)
        file = Path(configuration.time_stamp_certificate)
        # A file that is gone is told where stamps are asked for; the bundle is graded without it.
        return {
            "tsa_certificates": [file] if configuration.time_stamp_certificate and file.is_file() else [],
            "witnesses": [one.key for one in configuration.asked_witnesses],
        }

    async def grade(self, run: str = "", bundle: str = "", own_key: bool = True) -> GradeView:
        """Verify a run's bundle with this installation's own key, or a bundle file with nothing but itself."""
        from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

        if not run and not bundle:
            raise BadInput("No run and no bundle was named.")
        key = ""
        trusted: Trusted = {"tsa_certificates": [], "witnesses": []}
        if run:
            run = await self._context.find(run)
            left = await asyncio.to_thread(delivery.delivered, self._context.home, run)
            if left is None:
                raise BadInput(f"The run {run} has no evidence bundle yet.", f"Finish it first: qverify resume {run}")
            home, journal = self._context.home, self._context.services.journal
            bundle = str(await asyncio.to_thread(delivery.kept_bundle, home, journal, run))
            trusted = await asyncio.to_thread(self._trusted)
            if own_key:
                with contextlib.suppress(BadInput):
                    key = (await asyncio.to_thread(self._checkpoint, run))["verifier_key"]
        try:
            answer = await asyncio.to_thread(lambda: verify_bundle(Path(bundle), public_key=key, **trusted))
        except BundleUnreadable as error:
            raise EvidenceUnreadable(error.sentence) from error
        view = _grade(answer, bundle)
        if view["valid"]:
            view["reproduced"] = await asyncio.to_thread(reproduced_at, self._context.database, view["checkpoint"])
            view["record"] = answer["record"]["sentence"] if answer["record"] else ""
        return view

    async def verifier(self, file: str) -> VerifierView:
        """Write the verifier that stands alone into ``file``, an absolute path."""
        path = Path(file)
        if not path.is_absolute():
            raise BadInput("The verifier needs a file with an absolute path.")
        return {"path": file, "sha256": await asyncio.to_thread(delivery.write_verifier, path)}


def reproduced_at(database: Database, checkpoint: str) -> str:
    """When the bundle with this closing checkpoint was last executed again here with all tests agreeing, by this log; empty where it
    was not. Blocking."""
    digest = checkpoint_digest(checkpoint.encode())
    opened = select(EntryRow.run).where(
        text(IS_HEADER), EntryRow.type == OPENED, func.instr(EntryRow.leaf, digest.encode()) > 0
    )
    closed = select(EntryRow.leaf).where(text(IS_HEADER), EntryRow.type == CLOSED, EntryRow.run.in_(opened))
    with database.reading() as session:
        entries = [json.loads(leaf) for leaf in session.scalars(closed)]
    return max((str(one["at"]) for one in entries if one["data"].get("outcome") == Outcome.REPRODUCED), default="")


class Trusted(TypedDict):
    """Whom the settings of this installation name to confirm checkpoints, as the verifier wants it."""

    tsa_certificates: list[Path]
    witnesses: list[str]


def _grade(answer: Mapping[str, Any], bundle: str) -> GradeView:
    from qverify_desktop.evidence.verify import STRANGE

    grade = str(answer["grade"])
    meaning, limit = MEANINGS.get(grade, (str(answer.get("meaning", "")), ""))
    if answer["meaning"] == STRANGE or (answer["valid"] and answer["disclosure"] == Disclosure.HEADERS):
        meaning, limit = str(answer["meaning"]), ""
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
        "notices": [str(one) for one in answer.get("notices", [])],
        "anchors": [dict(one) for one in answer.get("anchors", [])],
        "confirmed": [str(one) for one in answer["confirmed"]],
        "said": answer["said"],
    }


def _whole(name: str, value: int) -> int:
    """A number as it may come over the socket. Raises ``BadInput``."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 53:
        raise BadInput(f"The parameter {name} must be a whole number.")
    return value
