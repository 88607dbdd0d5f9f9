"""The engine in the process that owns the state folder: the one face that windows and commands talk to."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.disclosure import BUNDLES, Disclosure
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable, QVerifyError
from qverify_desktop.domain.inquiries import Inquiry
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.report import NOTHING_MORE
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine import delivery, history, naming, policy, run_documents, wire
from qverify_desktop.engine.admission import Admission
from qverify_desktop.engine.bus import EventBus
from qverify_desktop.engine.changes import Changes
from qverify_desktop.engine.control import ControlServer
from qverify_desktop.engine.events import EventKind, RunEvent, RunStatus, RunSummary
from qverify_desktop.engine.hosted_exports import HostedExports
from qverify_desktop.engine.hosting import place_of
from qverify_desktop.engine.inquiries import Inquiries
from qverify_desktop.engine.model_transfers import ModelTransfers
from qverify_desktop.engine.parts import Parts
from qverify_desktop.engine.questions.catalogue import Context, questions
from qverify_desktop.engine.questions.hosted import LOCAL
from qverify_desktop.engine.questions.models import refuse_pull, warning
from qverify_desktop.engine.records import record_about, record_saved
from qverify_desktop.engine.reproductions import Reproductions
from qverify_desktop.engine.run_log import RunLogs
from qverify_desktop.engine.runner import Runner, left_behind
from qverify_desktop.engine.sweeping import Sweeping
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.hosted.service import HostedService
from qverify_desktop.repository.look import look
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.storage.decisions import DecisionStore
from qverify_desktop.storage.repositories import RepositoryStore
from qverify_desktop.storage.runs import RunStore


class Engine:
    """``EngineApi`` of the owning process. Made by ``open`` inside the running loop, ended by ``close``."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._home = parts.home
        self._records = parts.records
        self._repositories = RepositoryStore(parts.database)
        self._inquiries = parts.inquiries or Inquiries(parts.services.journal, parts.services.artefacts)
        self._changes = Changes(self._inquiries.look_again)
        self._logs = RunLogs(parts.home / "runs")
        self._bus = EventBus(self._changes, self._heard, self._inquiries.look_again)
        self._inquiries.connect(self._tell_inquiry, self._attended)
        self._supplements = history.Supplements(
            parts.services, RunStore(parts.database), DecisionStore(parts.database)
        )
        self._sweeping = Sweeping(parts.machine.sweep)
        self._runner = Runner(
            parts.home,
            parts.services,
            parts.records,
            self._bus,
            parts.analyze,
            self._sweeping.once,
            self._supplements.of,
        )
        self._control = ControlServer(self, parts.home)
        refuse = functools.partial(refuse_pull, parts.home)
        self._transfers = ModelTransfers(parts.home, parts.models, warning, refuse)
        self._hosted = parts.hosted or HostedService(parts.keys, Gate())
        self._exports = HostedExports(
            parts.home, self._hosted, self._make_bundle, self._may_leave, self._record_export
        )
        self._admission = Admission(
            parts.home, parts.services, parts.records, self._repositories, self._runner.is_live
        )
        self._reproductions = Reproductions(parts.home, parts.services, self._admission.check)
        self._questions = questions(self._context())
        self._take_over: Callable[[Sequence[str]], None] | None = None
        self._closing = False

    @classmethod
    async def open(cls, parts: Parts) -> Engine:
        """Note what a dead owner left behind and listen for other processes. The lock must be held."""
        engine = cls(parts)
        summaries = await asyncio.to_thread(parts.records.list)
        for run in left_behind(summaries):
            sentence = f"The process that worked on it ended. Go on with: qverify resume {run}"
            await asyncio.to_thread(parts.records.set_status, run, RunStatus.INTERRUPTED, "", sentence)
            engine._sweeping.start()
        engine._exports.begin()
        engine._start_anchoring()
        await asyncio.to_thread(engine._reproductions.clear_killed)
        # Without a socket everything works but a second process; that one says that it can't reach this.
        with contextlib.suppress(OSError):
            await engine._control.open()
        return engine

    async def start(self, request: AnalysisRequest) -> str:
        self._refuse_when_closing()
        request = await self._admission.admitted(request)
        going_on = await self._admission.interrupted_twin(request, await self.runs())
        if going_on is not None:
            await self._runner.go_on(going_on, f"Going on with the run {going_on}, which was interrupted.")
            return going_on
        run = naming.new_run()
        await self._runner.start(run, request)
        return run

    async def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        run = await self._find(run)
        if self._bus.knows(run):
            async for event in self._bus.watch(run, attend):
                yield event
            return
        summary = await asyncio.to_thread(self._records.get, run)
        if summary is not None:
            yield RunEvent(run, 1, EventKind.STATUS, text=summary.sentence, status=summary.status)

    async def cancel(self, run: str) -> None:
        run = await self._find(run)
        if self._runner.is_live(run):
            await self._runner.cancel(run)
            return
        summary = await asyncio.to_thread(self._records.get, run)
        if summary is None or summary.status not in (RunStatus.INTERRUPTED, RunStatus.PAUSED):
            state = summary.status.value if summary else "unknown"
            raise BadInput(f"The run {run} is not running (it is {state}), so there is nothing to cancel.")
        sentence = f"The run was cancelled. What it finished is recorded. Go on with: qverify resume {run}"
        await asyncio.to_thread(self._records.set_status, run, RunStatus.CANCELLED, summary.stage, sentence)
        self._changes.tell(run)

    async def resume(self, run: str) -> None:
        self._refuse_when_closing()
        run = await self._find(run)
        if self._runner.is_live(run) and await self._runner.take_back_pause(run):
            return
        summary = await asyncio.to_thread(self._records.get, run)
        status = summary.status if summary else RunStatus.FAILED
        if status is RunStatus.FINISHED:
            raise BadInput(f"The run {run} is finished.", f"See it with: qverify show {run}")
        if status is RunStatus.FAILED:
            why = summary.sentence if summary else ""
            raise BadInput(f"The run {run} can't be gone on with. {why}".strip(), "Start the analysis again.")
        stored = wire.request_from_json(json.loads(await asyncio.to_thread(self._records.request, run)))
        await asyncio.to_thread(policy.check_again, stored, self._repositories, self._home)
        await self._runner.go_on(run, f"Going on with the run {run} from its last finished step.")

    async def runs(self) -> list[RunSummary]:
        return await asyncio.to_thread(self._records.list)

    async def show(self, run: str) -> dict[str, Any]:
        run = await self._find(run)
        summary = await asyncio.to_thread(self._records.get, run)
        if summary is None:
            raise BadInput(f"There is no run {run}.", "See all runs with: qverify runs")
        if summary.status is not RunStatus.FINISHED:
            return run_documents.unfinished(summary, self._runner.failures)
        return await asyncio.to_thread(lambda: run_documents.finished(self._home, run, self._result(run)))

    async def export(self, run: str, format: str, path: Path) -> Path:
        from qverify_desktop.export.formats import FORMATS

        run = await self._find(run)
        if format not in BUNDLES and format not in FORMATS:
            known = ", ".join([*FORMATS, *BUNDLES])
            raise BadInput(f"There is no format {format!r}.", f"Choose one of {known}.")
        await asyncio.to_thread(self._save, run, format, path)
        return path

    def _save(self, run: str, format: str, path: Path) -> None:
        from qverify_desktop.export.formats import FORMATS, SUPPLEMENTED

        if format in BUNDLES:
            delivery.copy_bundle(self._home, self._parts.services.journal, run, path, BUNDLES[format])
        else:
            result = self._result(run)
            supplement = NOTHING_MORE
            if format in SUPPLEMENTED:
                seal = history.checked_seal(delivery.kept_bundle(self._home, self._parts.services.journal, run))
                supplement = self._supplements.of(result, seal)
            delivery.write_for_person(path, FORMATS[format](result, supplement), make_folder=True)
        record_saved(self._parts.services, run, format, path)

    async def verify(
        self,
        bundle: Path,
        *,
        public_key: str = "",
        known_checkpoint: Path | None = None,
        tsa_certificates: Sequence[Path] = (),
        witnesses: Sequence[str] = (),
    ) -> dict[str, Any]:
        from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

        try:
            return await asyncio.to_thread(
                lambda: verify_bundle(
                    bundle,
                    public_key=public_key,
                    known_checkpoint=known_checkpoint,
                    tsa_certificates=tsa_certificates,
                    witnesses=witnesses,
                )
            )
        except BundleUnreadable as error:
            raise EvidenceUnreadable(error.sentence) from error

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        return await self._parts.machine.runtimes(action, names)

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        return await self._parts.machine.doctor(fix)

    async def ask(self, question: str, /, **params: Any) -> Any:
        handler = self._questions.get(question)
        if handler is None:
            raise BadInput(f"There is no question {question!r}.")
        try:
            bound = inspect.signature(handler).bind(**params)
        except TypeError as error:
            raise BadInput(f"The question {question} does not have these parameters ({error}).") from error
        return await handler(*bound.args, **bound.kwargs)

    def changes(self) -> AsyncIterator[str]:
        return self._changes.watch()

    def on_hand_over(self, take: Callable[[Sequence[str]], None]) -> None:
        """This process has a window: ``take`` is called with what another start was asked to open."""
        self._take_over = take

    async def hand_over(self, sources: Sequence[str]) -> bool:
        if self._take_over is None or self._closing:
            return False
        self._take_over(sources)
        return True

    async def pause(self, run: str) -> None:
        """Let the running step end and begin no other; ``resume`` goes on, also before the pause has come. A process that is
        killed meanwhile leaves a paused run paused and one that was about to pause interrupted. Raises ``BadInput`` for a
        run that is not going on."""
        run = await self._find(run)
        if not self._runner.pause(run):
            raise BadInput(f"The run {run} is not running, so there is nothing to pause.")
        self._inquiries.rest(run)

    async def drain(self) -> None:
        """Wait until the runs end that other processes started here."""
        await self._runner.drain()

    async def close(self) -> None:
        if self._closing:
            return
        self._closing = True
        await self._transfers.close()
        await self._exports.close()
        await self._questions["hosted_sign_in_cancel"]()
        await self._hosted.close()
        await self._reproductions.close()
        await self._runner.interrupt()
        await self._control.close()
        await self._runner.close()
        await self._sweeping.close()
        await asyncio.to_thread(self._logs.close)
        if self._parts.anchoring is not None:
            await asyncio.to_thread(self._parts.anchoring.close)
        await self._parts.machine.close()
        await self._parts.dispose()
        self._parts.lock.release()

    def live(self) -> list[str]:
        """Runs that are queued or running in this process."""
        return self._runner.live()

    def _attended(self, run: str) -> bool:
        """Whether somebody could answer: a window is open, or a command on a terminal follows the run."""
        return not self._closing and (self._changes.read or self._bus.attended(run))

    def _tell_inquiry(self, inquiry: Inquiry, is_open: bool) -> None:
        self._bus.publish(inquiry.run, EventKind.INQUIRY, text=inquiry.sentence if is_open else "")

    def _context(self) -> Context:
        return Context(
            home=self._home,
            services=self._parts.services,
            machine=self._parts.machine,
            keys=self._parts.keys,
            database=self._parts.database,
            runs=RunStore(self._parts.database),
            repositories=self._repositories,
            decisions=DecisionStore(self._parts.database),
            find=self._find,
            look=look,
            logs=self._logs,
            result=self._result,
            failure=self._runner.failures.get,
            stage=self._runner.stage,
            pause=self.pause,
            changed=self._changes.tell,
            apply=self._apply,
            analyze=self._parts.analyze,
            in_doubt=self._parts.in_doubt,
            inquiries=self._inquiries,
            check=self._admission.check,
            models=self._parts.models,
            transfers=self._transfers,
            hosted=self._hosted,
            exports=self._exports,
            make_bundle=self._make_bundle,
            may_leave=self._may_leave,
            anchoring=self._parts.anchoring,
            signing_keys=self._parts.signing_keys,
            reproductions=self._reproductions,
        )

    def _start_anchoring(self) -> None:
        anchoring, journal = self._parts.anchoring, self._parts.services.journal
        if anchoring is None or not isinstance(journal, EvidenceJournal):
            return
        loop = asyncio.get_running_loop()

        def changed(size: int) -> None:
            run = journal.run_of(size)
            # A loop that is closing shows nothing any more.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._changes.tell, run)

        anchoring.start(journal, changed)

    def _heard(self, event: RunEvent) -> None:
        """Every event of a run: into its log; and a run that is finished has queued its anchors."""
        self._logs.tell(event)
        if self._parts.anchoring is not None and event.status is RunStatus.FINISHED:
            self._parts.anchoring.wake()

    def _apply(self, changed: Configuration) -> None:
        self._parts.apply(changed)
        self._hosted.move(place_of(changed))
        if changed.policy.refusal(Purpose.MODEL_FETCH) is not None:
            self._transfers.close_network()
        if changed.policy.refusal(Purpose.HOSTED) is not None:
            self._exports.close_network()

    # What is sent to the hosted service

    def _make_bundle(self, run: str, contents: str, path: Path) -> None:
        """Blocking. Raises like ``EvidenceJournal.bundle``."""
        self._parts.services.journal.bundle(run, path, Disclosure(contents))

    def _may_leave(self, run: str) -> tuple[str, str] | None:
        """Why a run's evidence may not be sent; ``None`` where it may. Blocking."""
        refusal = Configuration.load(home=self._home).policy.refusal(Purpose.HOSTED)
        if refusal is not None:
            return refusal.sentence, refusal.remedy
        summary = self._records.get(run)
        if summary is not None and policy.kept(summary.source, self._repositories) is CloudPolicy.LOCAL_ONLY:
            return LOCAL
        return None

    def _record_export(
        self, name: str, run: str, type: str, data: Mapping[str, Any], blobs: Mapping[str, bytes]
    ) -> None:
        record_about(self._parts.services, run, type, data, blobs, name)

    async def _find(self, prefix: str) -> str:
        """The run whose name begins with ``prefix``. Raises ``BadInput`` for none or several."""
        found = await asyncio.to_thread(self._records.find, prefix) if naming.is_prefix(prefix) else []
        if len(found) == 1:
            return found[0]
        if prefix in found:
            return prefix
        if found:
            raise BadInput(f"{len(found)} runs begin with {prefix!r}.", "Type more of the run's name.")
        raise BadInput(f"There is no run {prefix!r}.", "See all runs with: qverify runs")

    def _result(self, run: str) -> RunResult:
        return run_documents.result_of(self._parts.services, run)

    def _refuse_when_closing(self) -> None:
        if self._closing:
            raise QVerifyError("QVerify is closing.", "Start it again, then try again.")
