"""Bundles on their way to the hosted service: a queue that outlives restarts and lost networks (``transfers``).

What was queued is remembered with its digest (``hosted-exports.json``) and lies in ``hosted/`` until it is there. What has arrived at the
service is not sent again: the service says which parts are missing, and one run and digest are one import however often it is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, HostedFailure, QVerifyError
from qverify_desktop.domain.hosted_views import ExportsView, ExportView
from qverify_desktop.engine import hosted_bundle, naming
from qverify_desktop.engine.countersigned import Countersigned, check
from qverify_desktop.engine.delivery import run_folder
from qverify_desktop.engine.hosted_bundle import Made, Make
from qverify_desktop.engine.hosted_export import Export, kept, now, read, view
from qverify_desktop.engine.transfers import DONE, FAILED, PAUSED, RUNNING, Said, Transfers
from qverify_desktop.hosted.analyses import address
from qverify_desktop.hosted.imports import Announcement, Happened, Imports, watch
from qverify_desktop.hosted.refusals import refusal, words_of
from qverify_desktop.hosted.service import HostedService

FILE, FOLDER = "hosted-exports.json", "hosted"
COUNTERSIGNED, KNOWN = "countersigned.checkpoint", "known-to-the-service.checkpoint"
#: Seconds between tries while the service can't be reached: the first and the longest.
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 600.0
#: Seconds after the start at which the queue goes on: a command that only lists something opens no connection.
START_S = 2.0
#: Answers after which waiting helps nobody but a person who signs in.
SIGNED_OUT = 401

Record = Callable[[str, str, str, Mapping[str, Any], Mapping[str, bytes]], None]
Allow = Callable[[str], Said | None]


class HostedExports(Transfers[Export]):
    """``make`` writes a bundle, ``allow`` answers why a run may not leave this machine (``None``: it may), ``record`` writes an entry
    of the evidence log about a run, once for a record's name; all three block."""

    ended = ("QVerify ended while it was sent. What arrived is kept there.", "It goes on when QVerify runs again.")
    too_many = ("Too many bundles are in the queue.", "Take some off the list first.")
    unknown = ("This is not in the queue.", "Look at the list again: qverify hosted queue")

    def __init__(self, home: Path, service: HostedService, make: Make, allow: Allow, record: Record) -> None:
        super().__init__(home / FILE, read)
        self._home = home
        self._service = service
        self._imports = Imports(service)
        self._make = make
        self._allow = allow
        self._record = record
        # One after the other: they share a line, and a service that is asked to wait.
        self._line = asyncio.Lock()

    def begin(self) -> None:
        """Go on, a moment later, with what was going on when QVerify ended."""
        if any(one._goes_on for one in self._transfers.values()):
            self._loop.call_later(START_S, self._go_on)

    def _go_on(self) -> None:
        for one in tuple(self._transfers.values()):
            if one._goes_on and one.state == PAUSED and not self._closing:
                self._run(one)

    def view(self) -> ExportsView:
        return {"version": self._version, "exports": [view(one) for one in self._transfers.values()]}

    async def watch(self, after: int) -> ExportsView:
        """The queue, as soon as its version is another than ``after``; at the latest after some seconds."""
        await self.watch_version(after)
        return self.view()

    def waiting(self) -> int:
        """How many are not there yet."""
        return sum(one.state != DONE for one in self._transfers.values())

    async def send(self, run: str, contents: str) -> ExportView:
        """Queue a run's bundle; one that is in the queue already goes on. Raises ``BadInput`` where it may not be sent."""
        await asyncio.to_thread(self._refuse, run)
        path = self._home / FOLDER / f"{run}-{contents}.zip"
        made = await asyncio.to_thread(hosted_bundle.make, run, contents, path, self._make)
        return await self._queue(Export(run, contents, made.sha256), made)

    async def send_file(self, file: Path) -> ExportView:
        """Queue a bundle that somebody brought, for example from a machine with no network. Raises like ``hosted_bundle.take``, and
        ``BadInput`` where it may not be sent."""
        taken = await asyncio.to_thread(hosted_bundle.take, file, self._home / FOLDER)
        one = Export(taken.run, taken.contents, taken.made.sha256, file=str(file))
        try:
            await asyncio.to_thread(self._refuse, one.run)
            return await self._queue(one, taken.made)
        except QVerifyError:
            if one.id not in self._transfers:
                await asyncio.to_thread(taken.made.path.unlink, True)
            raise

    async def _queue(self, one: Export, made: Made) -> ExportView:
        one.total, one.queued_at, one.host = made.size, now(), self._service.host
        one.intended, one.exported = naming.new_record(), naming.new_record()
        standing = self._transfers.get(one.id)
        if standing is not None and standing.state == DONE:
            await asyncio.to_thread(made.path.unlink, True)
            return view(standing)
        return view(await self._begin(one))

    async def pause(self, export: str) -> ExportView:
        one = self._find(export)
        one._goes_on = False
        await self._pause(one)
        return view(one)

    async def resume(self, export: str) -> ExportView:
        """Go on, at once also with one that waits for its next try. Raises ``BadInput`` where it may not be sent."""
        one = self._find(export)
        if one.state == RUNNING:
            one._nudge.set()
        elif one.state != DONE:
            await asyncio.to_thread(self._refuse, one.run)
            self._run(one)
            await self._save()
        return view(one)

    def signed_in(self) -> None:
        """Go on with what only waited for somebody to sign in."""
        for one in tuple(self._transfers.values()):
            if one.state == FAILED and one.status == SIGNED_OUT and not self._closing:
                self._run(one)

    async def drop(self, export: str) -> None:
        """Take it off the list. An upload that the service has not checked yet is given up there, where it can be reached."""
        one = self._find(export)
        await self._stop(one)
        if one.import_id and one.state != DONE:
            with contextlib.suppress(QVerifyError, TimeoutError):
                async with asyncio.timeout(5):
                    await self._imports.cancel(one.import_id)
        await self.forget(export)
        await asyncio.to_thread(self._file_of(one).unlink, True)

    def close_network(self) -> None:
        """Nothing may be sent any more: the air gap or the switch was set."""
        for one in tuple(self._transfers.values()):
            if one.state == RUNNING:
                one._goes_on = False
                self._do_aside(self._stop(one, *_CLOSED))

    async def close(self) -> None:
        for one in self._transfers.values():
            one._goes_on = one._goes_on or one.state == RUNNING
        await super().close()

    # What goes on

    def _refuse(self, run: str) -> None:
        """Blocking. Raises ``BadInput`` where a policy keeps the run here."""
        refused = self._allow(run)
        if refused is not None:
            raise BadInput(*refused)

    def _begun(self, one: Export) -> None:
        one._goes_on, one._stage, one._next = True, "announcing", 0.0
        one._nudge.clear()

    def _paused(self, one: Export) -> Said:
        return "Paused. What arrived at the service is kept there for a while.", "Go on with it whenever you like."

    def _kept(self, one: Export) -> dict[str, Any] | None:
        return kept(one)

    async def _carry(self, one: Export) -> bool:
        wait = FIRST_WAIT_S
        while True:
            one.status = 0
            # Looked at before every try: what was allowed when it was queued may be forbidden now.
            await asyncio.to_thread(self._refuse, one.run)
            try:
                async with self._line:
                    one.sentence = one.remedy = ""
                    await self._sent(one)
                one._goes_on = False
                return True
            except HostedFailure as failure:
                one.status = failure.status
                if not failure.again:
                    one._goes_on = False
                    await self._note_refusal(one, failure)
                    raise
                pause = failure.wait_s or wait * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, no secret
                wait = min(LONGEST_WAIT_S, wait * 2)
                await self._wait(one, failure, pause)

    async def _wait(self, one: Export, failure: HostedFailure, seconds: float) -> None:
        """Until the next try, or until a person wants it at once."""
        one._stage, one.sentence, one.remedy = "waiting", failure.sentence, failure.remedy
        one._next = time.time() + seconds
        one._nudge.clear()
        self._changed()
        await self._save()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await one._nudge.wait()
        one._next = 0.0

    async def _sent(self, one: Export) -> None:
        """One try, from wherever it stands. Raises ``HostedFailure``."""
        made = await self._bundle(one)
        one.host, one.total = self._service.host, made.size
        await asyncio.to_thread(self._record, one.intended, one.run, "export_intended", self._data(one), {})
        self._stage(one, "announcing")
        announced = await self._imports.announce(
            Announcement(one.run, made.size, made.sha256, one.contents, made.note, made.key), one.key
        )
        one.import_id = str(announced["id"])
        await self._save()
        if announced["state"] == "uploading":
            self._stage(one, "sending")
            announced = await self._imports.upload(
                one.import_id,
                made.path,
                made.size,
                int(announced["part_size"]),
                lambda done: self._arrived(one, done),
            )
        one.done = one.total
        if announced["state"] == "checking":
            self._stage(one, "checking")
            await watch(
                self._service,
                f"/v1/imports/{one.import_id}",
                one.event,
                lambda happened: self._happened(one, happened),
                lambda: self._state(one),
            )
            announced = await self._imports.get(one.import_id)
        await self._ended(one, made, announced)

    async def _state(self, one: Export) -> str:
        return str((await self._imports.get(one.import_id))["state"])

    async def _ended(self, one: Export, made: Made, announced: Mapping[str, Any]) -> None:
        """The service's last word. Raises ``HostedFailure`` for anything but an accepted bundle with a sound countersignature."""
        state = announced["state"]
        if state in ("expired", "cancelled"):
            one.attempt, one.import_id, one.event, one.done = one.attempt + 1, "", "", 0
            raise HostedFailure(
                "The service had thrown away what was uploaded. It begins anew.", "Nothing is to be done.", again=True
            )
        if state != "accepted":
            problem = announced.get("problem")
            problem = problem if isinstance(problem, dict) else {}
            status = problem.get("status")
            raise refusal(
                status if type(status) is int and 400 <= status < 500 else 422, json.dumps(problem).encode()
            )
        result = announced.get("result")
        result = result if isinstance(result, dict) else {}
        facts = await self._service.facts()
        found = check(result, made.note, made.key, str(facts["cosigner"]), self._service.place.key)
        one.grade, one.meaning = grade_of(result), words_of(result.get("meaning"))
        one.report, one.cosigned_at, one.checked = address(result.get("report_url")), found.time, found.sentence
        one.ended_at = now()
        await asyncio.to_thread(self._keep, one, found)
        await asyncio.to_thread(
            self._record,
            one.exported,
            one.run,
            "exported",
            self._data(one) | {"import": one.import_id, "grade": one.grade, "cosigned_at": one.cosigned_at},
            {"checkpoint": found.note.encode()},
        )
        self._stage(one, "kept")
        await asyncio.to_thread(made.path.unlink, True)

    def _keep(self, one: Export, found: Countersigned) -> None:
        one.kept_at = self._write_note(one, COUNTERSIGNED, found.note)

    def _write_note(self, one: Export, name: str, note: str) -> str:
        """Where it was written: with the run, or beside the file that was brought, so that it goes back with that. Blocking."""
        if one.file:
            beside = Path(one.file)
            with contextlib.suppress(OSError):
                file = beside.with_name(f"{one.run}.{name}")
                file.write_text(note, "utf-8")
                return str(file)
        # The file may lie on something that can't be written to, or that is gone by now.
        folder = self._home / FOLDER if one.file else run_folder(self._home, one.run)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = folder / (f"{one.run}.{name}" if one.file else name)
        file.write_text(note, "utf-8")
        return str(file)

    async def _note_refusal(self, one: Export, failure: HostedFailure) -> None:
        """What the service refused is an entry of the log; the checkpoint that it knows is kept for comparing."""
        known = failure.problem.get("known_checkpoint")
        note = known.get("checkpoint") if isinstance(known, dict) else None
        # What none of this log's keys signed is nothing to compare with, whatever it is.
        if isinstance(note, str) and await asyncio.to_thread(hosted_bundle.is_signed, self._file_of(one), note):
            file = await asyncio.to_thread(self._write_note, one, KNOWN, note)
            failure.remedy = (
                f"Keep this state folder as it is, and compare: qverify verify BUNDLE --known-checkpoint {file}"
            )
        if failure.status and failure.status != SIGNED_OUT:
            data = self._data(one) | {"status": failure.status, "problem": failure.kind}
            await asyncio.to_thread(self._record, naming.new_record(), one.run, "export_refused", data, {})

    async def _bundle(self, one: Export) -> Made:
        """The bundle as it was queued; made anew where it is gone, because the same run gives the same bytes."""
        path = self._file_of(one)
        made: Made | None = None
        if path.is_file():
            with contextlib.suppress(QVerifyError):
                made = await asyncio.to_thread(hosted_bundle.read, path)
        if one.file and (made is None or made.sha256 != one.sha256):
            raise QVerifyError(
                "The copy of the bundle that was brought is gone or damaged. Nothing of it was sent.",
                f"Take it off the list, and send the file again: qverify hosted send {Path(one.file).name}",
            )
        if made is None or made.sha256 != one.sha256:
            self._stage(one, "making")
            made = await asyncio.to_thread(hosted_bundle.make, one.run, one.contents, path, self._make)
        if made.sha256 != one.sha256:
            raise QVerifyError(
                "The bundle is not the one that was queued: contents of the run were deleted since. Nothing of it was sent.",
                "Look at what would be sent now, and send the run again.",
            )
        return made

    def _file_of(self, one: Export) -> Path:
        name = hosted_bundle.taken_name(one.sha256) if one.file else f"{one.run}-{one.contents}.zip"
        return self._home / FOLDER / name

    def _data(self, one: Export) -> dict[str, Any]:
        facts = {"service": one.host, "contents": one.contents, "bundle_sha256": one.sha256, "bytes": one.total}
        return {**facts, "brought": True} if one.file else facts

    # What is told

    def _stage(self, one: Export, stage: str) -> None:
        one._stage = stage
        self._changed()

    def _arrived(self, one: Export, done: int) -> None:
        one.done = done
        self._tell_soon(one, lambda _: self._changed())

    def _happened(self, one: Export, happened: Happened) -> None:
        one.event, one.sentence = happened.id, happened.sentence
        self._tell_soon(one, lambda _: self._changed())


def grade_of(result: Mapping[str, Any]) -> str:
    """The grade that the service gives; empty for what is none."""
    grade = result.get("grade")
    return grade if isinstance(grade, str) and re.fullmatch("[A-Z]{1,40}", grade) else ""


_CLOSED = ("The connection to the hosted service was closed, so sending stopped.", "Open it again to go on.")
