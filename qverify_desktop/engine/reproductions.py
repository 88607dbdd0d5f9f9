"""Bundles of somebody else executed again: begun, watched, stopped, and left as a signed record with a file to hand back.

They belong to the process that owns the state folder; others watch through ``watch``. A bundle is copied first, so that what is executed
is what was verified.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from qverify_desktop.analysis.claims import Claims, read_claims
from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.analysis.reproduction import Original, Reproduction, reproduce
from qverify_desktop.analysis.services import Services
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable, MissingPrerequisite, QVerifyError
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.reproduction import (
    MEANINGS,
    Agreement,
    Outcome,
    RecordView,
    ReproductionRequest,
    ReproductionView,
    State,
)
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import crash, naming, wire
from qverify_desktop.engine.delivery import BUNDLE_SUFFIX
from qverify_desktop.engine.reproduction_view import DOCUMENT, document_of, empty_view, left_view
from qverify_desktop.evidence.disclosed import Disclosed, checkpoint_digest
from qverify_desktop.settings.configuration import Configuration

#: Names of records, as ``naming.new_record`` makes them.
RECORDS = "d" + "[0-9a-z]" * 13
_RECORD = re.compile(RECORDS)
_RESUME = re.compile(r"(?:go on with: |run )`?qverify resume \w+`?", re.IGNORECASE)
#: Folder of the state folder that holds what reproductions leave.
FOLDER = "reproductions"
REPORT = "reproduction.html"
#: Bytes of a bundle (``verify`` refuses what would unpack to more).
MOST_BYTES = 5 << 30
#: Reproductions that are remembered in this process, and that may go on at a time.
MOST = 50
WATCH_SECONDS = 20.0
_PIECE = 1 << 20


@dataclass
class _Going:
    """One reproduction and its view, which is replaced whole."""

    view: ReproductionView
    task: asyncio.Task[None] | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Reproductions:
    """Made inside the running loop and used in it only. ``check`` refuses a source that may not be read or fetched (blocking)."""

    def __init__(self, home: Path, services: Services, check: Callable[[AnalysisRequest], None]) -> None:
        self._home = home
        self._services = services
        self._check = check
        self._going: dict[str, _Going] = {}
        self._closing = False
        self._beginning = asyncio.Lock()

    def clear_killed(self) -> None:
        """Close the records of reproductions that were left open (by a dead process, or for want of room), and remove what they worked on.
        Blocking; before any begins. What still can't be closed is left to the next time."""
        workspace, journal = self._services.workspace, self._services.journal
        for folder in workspace.glob(RECORDS) if workspace.is_dir() else ():
            # One that was not opened yet, or is closed, takes no entry.
            with contextlib.suppress(QVerifyError):
                digest = self._services.artefacts.put(b"stopped")
                journal.record(folder.name, "close", digest, [Evidence("run_closed", {"outcome": "stopped"}, {})])
                journal.checkpoint(folder.name)
            self._clear(folder)

    def _clear(self, folder: Path) -> None:
        """Remove what a reproduction worked on. The folder stays, empty, while its record is open: ``clear_killed`` finds it by that."""
        journal = self._services.journal
        shutil.rmtree(folder, ignore_errors=True)
        with contextlib.suppress(QVerifyError, OSError):
            if journal.recorded(folder.name, "open") and not journal.recorded(folder.name, "close"):
                folder.mkdir(mode=0o700, parents=True)

    async def start(self, request: ReproductionRequest) -> ReproductionView:
        """Begin; answers at once. Raises ``BadInput`` for what can't be read as a bundle or a source."""
        if self._closing:
            raise QVerifyError("QVerify is closing.", "Start it again, then try again.")
        async with self._beginning:
            if any(one.task is not None and not one.task.done() for one in self._going.values()):
                raise BadInput(
                    "Another bundle is being executed again just now.", "Wait for its end, or stop it first."
                )
            request = await asyncio.to_thread(self._settled, request)
            await asyncio.to_thread(self.clear_killed)
            name = naming.new_record()
            while len(self._going) >= MOST:
                self._going.pop(next(iter(self._going)))
            going = self._going[name] = _Going(empty_view(name, request))
            going.task = asyncio.create_task(self._work(going, name, request), name=f"reproduction {name}")
            return going.view

    def _settled(self, request: ReproductionRequest) -> ReproductionRequest:
        if not Path(request.bundle).is_absolute() or not Path(request.bundle).is_file():
            raise BadInput(f"There is no bundle {request.bundle}.", "Name a file that ends in .qvevidence.zip.")
        sandbox = request.sandbox or Configuration.load(home=self._home).sandbox.value
        if request.source:
            self._check(
                AnalysisRequest(
                    request.source,
                    sandbox=sandbox,
                    allow_install=request.allow_install,
                    packages=request.packages,
                )
            )
        return replace(request, sandbox=sandbox)

    async def watch(self, name: str, after: int = -1) -> ReproductionView:
        """The reproduction, as soon as its version is another than ``after``; at the latest after some seconds. One of an earlier
        process is answered from what it left. Raises ``BadInput``."""
        if name not in self._going and _RECORD.fullmatch(name):
            left = await asyncio.to_thread(left_view, self._home / FOLDER / name)
            if left is not None:
                return left
        going = self._find(name)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                while going.view["version"] == after and not self._closing:
                    await going.news.wait()
        return going.view

    async def stop(self, name: str) -> ReproductionView:
        """End it and its containers. What was executed stays in its record."""
        going = self._find(name)
        if going.task is not None and not going.task.done():
            going.task.cancel()
            await asyncio.gather(going.task, return_exceptions=True)
        return going.view

    async def close(self) -> None:
        self._closing = True
        for name in tuple(self._going):
            await self.stop(name)

    def _find(self, name: str) -> _Going:
        going = self._going.get(name)
        if going is None:
            raise BadInput(f"There is no reproduction {name!r} in this process.", "Begin it again.")
        return going

    # What goes on

    async def _work(self, going: _Going, name: str, request: ReproductionRequest) -> None:
        folder = self._services.workspace / name
        began = time.monotonic()
        try:
            await self._executed(going, name, request, folder, began)
        except asyncio.CancelledError:
            _tell(going, state=State.STOPPED, sentence="It was stopped. That it was begun stays recorded.")
        except QVerifyError as error:
            document = wire.error_to_json(error) | {"remedy": _anew(error.remedy)}
            _tell(going, state=State.FAILED, sentence=error.sentence, error=document)
        except Exception as error:  # noqa: BLE001 - one that dies silently would stand as running for ever
            told = crash.as_error(error, self._home)
            _tell(going, state=State.FAILED, sentence=told.sentence, error=wire.error_to_json(told))
        finally:
            going.view["duration_ms"] = going.view["duration_ms"] or round((time.monotonic() - began) * 1000)
            await asyncio.shield(asyncio.to_thread(self._clear, folder))

    async def _executed(
        self, going: _Going, name: str, request: ReproductionRequest, folder: Path, began: float
    ) -> None:
        bundle, digest = await asyncio.to_thread(_copied, Path(request.bundle), folder)
        _tell(going, stage="verify")
        answer = await asyncio.to_thread(_verified, bundle, request)
        grade = str(answer["grade"])
        going.view["original"].update({"bundle_sha256": digest, "run": _short(answer.get("run"))})
        _tell(going, grade=grade, grades=[grade], notices=[str(one) for one in answer["notices"]])
        if not answer["valid"]:
            sentence = f"The bundle is {grade}, so nothing of it was executed."
            _tell(going, state=State.REFUSED, problems=[str(one) for one in answer["problems"]], sentence=sentence)
            return
        original, claims = await asyncio.to_thread(_read, bundle, digest, grade)
        going.view["original"].update(
            {
                "run": original.run,
                "origin": original.origin,
                "size": original.size,
                "application": claims.application,
                "checkpoint_sha256": original.checkpoint_sha256,
                "source": claims.origin,
                "commit": claims.commit,
                "tree": claims.tree,
            }
        )
        if not request.source:
            raise _no_source(claims)
        await asyncio.to_thread(_make_room, folder)
        going.view["record"].update({"name": name, "started_at": _now()})
        result = await reproduce(name, request, original, claims, self._services, _Reporter(going))
        _show(going, result)
        going.view["duration_ms"] = round((time.monotonic() - began) * 1000)
        await asyncio.to_thread(self._leave, going, name)
        _tell(going, state=State.FINISHED)

    def _leave(self, going: _Going, name: str) -> None:
        """The record as a bundle to hand back, the document and the report, in the state folder."""
        from qverify_desktop.export.reproduction import reproduction_html

        place = self._home / FOLDER / name
        record: RecordView = going.view["record"]
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            kept = place / f"{name}{BUNDLE_SUFFIX}"
            self._services.journal.bundle(name, kept)
            with Disclosed(kept) as disclosed:
                key = disclosed.events[-1].data.get("key", {})
            record.update(
                {
                    "bundle": str(kept),
                    "report": str(place / REPORT),
                    "verifier_key": str(key.get("verifier", "")),
                    "protection": str(key.get("protection", "")),
                }
            )
            document = document_of(going.view) | {"state": State.FINISHED.value}
            (place / DOCUMENT).write_text(json.dumps(document, indent=2), encoding="utf-8")
            (place / REPORT).write_bytes(reproduction_html(document))
        except OSError as error:
            raise MissingPrerequisite(
                f"The report can't be written to {place} ({error.strerror}). The record is in the log and safe.",
                "Make room, then execute it again.",
            ) from error


class _Reporter:
    """Takes the stages' words into the view; from any thread, but only texts and numbers."""

    def __init__(self, going: _Going) -> None:
        self._going = going
        self._loop = asyncio.get_running_loop()

    def started(self, stage: Stage) -> None:
        self._say(stage=stage.value)

    def finished(self, stage: Stage, text: str) -> None: ...

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None:
        self._say(stage=stage.value, done=done, total=total)

    def target(self, stage: Stage, target: str, text: str) -> None: ...

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None: ...

    def log(self, stage: Stage, text: str) -> None: ...

    def _say(self, **changes: Any) -> None:
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(lambda: _tell(self._going, **changes))


def _anew(remedy: str) -> str:
    """What to do, where the rooms below speak of a run that is resumed: a reproduction is begun anew."""
    return _RESUME.sub(lambda match: ("E" if match[0][0].isupper() else "e") + "xecute the bundle again", remedy)


def _show(going: _Going, result: Reproduction) -> None:
    view = going.view
    meaning, limit = MEANINGS[result.outcome]
    states = [test.state for test in result.tests]
    earned = ["REPRODUCED"] if result.outcome is Outcome.REPRODUCED else []
    _tell(
        going,
        outcome=result.outcome.value,
        grades=[view["grade"], *earned],
        sentence=result.sentence,
        meaning=meaning,
        limit=limit,
        notices=list(dict.fromkeys([*result.notices, *view["notices"]])),
        images=[asdict(image) for image in result.images],
        packages=[asdict(one) for one in result.packages],
        advice=list(result.advice),
        tests=[{**asdict(test), "state": test.state.value} for test in result.tests],
        agree=states.count(Agreement.AGREES),
        differ=states.count(Agreement.DIFFERS),
        not_run=states.count(Agreement.NOT_RUN),
    )


def _tell(going: _Going, **changes: Any) -> None:
    """Change the view and wake who watches."""
    view: dict[str, Any] = {**going.view, **changes, "version": going.view["version"] + 1}
    view["state"] = str(view["state"])
    going.view = view  # type: ignore[assignment]
    news, going.news = going.news, asyncio.Event()
    news.set()


def _copied(bundle: Path, folder: Path) -> tuple[Path, str]:
    """A copy of the bundle that nobody changes between its check and its use, and its SHA-256 in hex."""
    target = folder / f"bundle{BUNDLE_SUFFIX}"
    try:
        if bundle.stat().st_size > MOST_BYTES:
            raise BadInput(f"The bundle {bundle.name} is over 5 GiB. Nothing was run.")
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        hashed = hashlib.sha256()
        with bundle.open("rb") as source, target.open("wb") as copy:
            while piece := source.read(_PIECE):
                hashed.update(piece)
                copy.write(piece)
    except OSError as error:
        raise BadInput(f"The bundle {bundle} can't be copied ({error.strerror}). Nothing was run.") from error
    return target, hashed.hexdigest()


def _make_room(folder: Path) -> None:
    """The bundle has been read; its copy is not needed any more."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _verified(bundle: Path, request: ReproductionRequest) -> dict[str, Any]:
    from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

    known = Path(request.known_checkpoint) if request.known_checkpoint else None
    try:
        return verify_bundle(bundle, public_key=request.public_key, known_checkpoint=known)
    except BundleUnreadable as error:
        sentence = error.sentence.replace(str(bundle), request.bundle)
        raise EvidenceUnreadable(f"{sentence} Nothing was run.") from error


def _read(bundle: Path, digest: str, grade: str) -> tuple[Original, Claims]:
    with Disclosed(bundle) as disclosed:
        original = Original(
            _short(disclosed.run),
            disclosed.origin[:200],
            disclosed.size,
            checkpoint_digest(disclosed.checkpoint),
            digest,
            grade,
        )
        return original, read_claims(disclosed)


def _no_source(claims: Claims) -> BadInput:
    where = f" at commit {claims.commit[:12]}" if claims.commit else ""
    changes = " with uncommitted changes" if claims.dirty else ""
    return BadInput(
        f"A bundle holds the tests and not the source. This one was made of {claims.origin}{where}{changes}. Nothing was run.",
        "Get that source yourself, and name its folder or git URL with --source.",
    )


def _short(text: Any) -> str:
    return "".join(char for char in str(text or "") if char.isprintable())[:60]


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
