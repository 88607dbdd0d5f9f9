"""The sandbox on a Docker Engine: one fresh, locked container for every job, gone when the job ends."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.errors import MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import ImagePin, Job, JobResult, RuntimeImage
from qverify_desktop.sandbox import images, reaper
from qverify_desktop.sandbox.connection import (
    ENGINE_ERRORS,
    PROBE_TIMEOUT_S,
    Connections,
    mending,
    unavailable,
)
from qverify_desktop.sandbox.container import Assignment
from qverify_desktop.sandbox.flight import Flight
from qverify_desktop.sandbox.isolation import PODMAN, Isolation, find_isolation
from qverify_desktop.sandbox.limits import DOCKER, Dialect
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.slots import Slots
from qverify_desktop.sandbox.sources import Sources
from qverify_desktop.sandbox.system_calls import profile_file

T = TypeVar("T")

#: Containers at a time that ``set_parallel`` may ask for.
MOST_PARALLEL = 64
#: Containers that are started and wait for their job's turn while as many as may work do.
AHEAD = 1


class DockerSandbox:
    """Room ``sandbox`` as ``analysis.ports.Sandbox``: at most ``parallel`` containers at a time.

    docker-py blocks, so every call runs in threads of this object's own, each with a connection of its own and a time-out;
    the event loop only waits. ``recipes_root`` is ``images.resources_root()``; ``base_url``
    names an engine other than the one of ``DOCKER_HOST``. Without ``gvisor`` it is not used though the engine has it.
    ``gate`` says whether the engine may be asked, an image be built, and a job have a network.
    """

    def __init__(
        self,
        recipes_root: Path,
        owner: Owner,
        parallel: int = 2,
        *,
        base_url: str | None = None,
        gvisor: bool = True,
        gate: Gate | None = None,
    ) -> None:
        self._gate = gate or Gate()
        self._gvisor = gvisor
        self._recipes_root = recipes_root
        self._owner = owner
        self._base_url = base_url
        self._connections = Connections(base_url, self._gate)
        self._slots = Slots(parallel)
        self._places = Slots(parallel + AHEAD)
        # Each job holds one thread; a kill, a sweep and a probe must never queue behind the jobs. Threads are made when needed.
        self._threads = ThreadPoolExecutor(
            max_workers=2 * max(parallel, MOST_PARALLEL) + 3, thread_name_prefix="sandbox"
        )
        self._flights: dict[Flight, asyncio.Future[None]] = {}
        self._packed: Sources | None = None
        self._building = asyncio.Lock()
        self._looking = asyncio.Lock()
        self._isolation: Isolation | None = None
        self._abandoned: set[str] = set()
        self._closed = False

    def set_parallel(self, parallel: int) -> None:
        """From now on so many containers at a time; those that run go on. At most ``MOST_PARALLEL``. In the loop's thread."""
        parallel = min(parallel, MOST_PARALLEL)
        self._slots.set_most(parallel)
        self._places.set_most(parallel + AHEAD)

    def set_gvisor(self, on: bool) -> None:
        """Whether containers from now on run under gVisor where the engine has it. In the loop's thread."""
        if on != self._gvisor:
            self._gvisor, self._isolation = on, None

    async def image(self, runtime: str, progress: Callable[[str], None] | None = None) -> RuntimeImage:
        """The built image of ``runtime``, building it where it is missing (``progress`` takes lines of text, in the loop).

        Raises ``MissingPrerequisite`` when there is no Docker Engine or the image can't be built.
        """
        reason = await self.available()
        if reason:
            raise MissingPrerequisite(
                f"{reason} Tests run only inside its containers.", f"{mending(self._base_url)} and try again."
            )
        await self.sweep()
        loop = asyncio.get_running_loop()
        stopped = threading.Event()

        def checkpoint() -> None:
            # An error out of here is what ends a build: its script is killed.
            if stopped.is_set() or self._closed:
                raise SandboxFailure("Building the sandbox image was stopped.", "Start it again.")

        def report(line: str) -> None:
            if progress is not None:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(progress, line)

        async with self._building:
            try:
                image = await self._in_thread(lambda: self._find_or_build(runtime, report, checkpoint))
            except asyncio.CancelledError:
                stopped.set()
                raise
        return replace(image, isolation=(await self.isolation(image.digest)).label)

    def _find_or_build(
        self, runtime: str, report: Callable[[str], None], checkpoint: Callable[[], None]
    ) -> RuntimeImage:
        client = self._connections.client()
        recipes = [recipe for recipe in images.load_recipes(self._recipes_root) if recipe.runtime == runtime]
        if not recipes:
            raise MissingPrerequisite(f"There is no recipe for the sandbox runtime {runtime!r}.")
        image = images.find_image(client, recipes[0])
        if image.digest:
            return image
        return images.build_image(
            client, recipes[0], report, checkpoint=checkpoint, engine=self._connections.engine, gate=self._gate
        )

    async def pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        """See the port (``images.find_pinned``). As before ``image``'s, what a dead process left is swept first.

        Raises ``MissingPrerequisite`` when there is no Docker Engine, ``SandboxFailure`` where it goes away.
        """
        reason = await self.available()
        if reason:
            raise MissingPrerequisite(
                f"{reason} Tests run only inside its containers.", f"{mending(self._base_url)} and try again."
            )
        await self.sweep()
        found, own = await self._in_thread(lambda: self._pinned(pin))
        if found is not None:
            found = replace(found, isolation=(await self.isolation(found.digest)).label)
        return found, own

    def _pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        recipes = [recipe for recipe in images.load_recipes(self._recipes_root) if recipe.runtime == pin.runtime]
        try:
            client = self._connections.client()
            own = images.find_image(client, recipes[0]) if recipes else None
            return images.find_pinned(client, pin), own if own is not None and own.digest else None
        except ENGINE_ERRORS as error:
            raise SandboxFailure(unavailable(error), f"{mending(self._base_url)} and try again.") from error

    async def run(
        self, job: Job, image: RuntimeImage, source: Path, *, run: str, dependencies: Path | None = None
    ) -> JobResult:
        """Run ``job`` in a fresh container over a read-only ``source``; the container is gone when this returns.

        ``Execution.duration_ms`` counts from the moment a slot is free. Code that hangs, floods or dies is a
        ``JobResult``. Raises ``SandboxFailure`` or ``MissingPrerequisite`` where the engine fails, ``BadInput`` for an
        overlay path that leaves the work folder. Cancelling the awaiting task kills the container before the
        cancellation goes on.
        """
        if not image.digest:
            raise MissingPrerequisite(
                f"The sandbox image {image.reference or image.runtime} is not built.",
                f"Type `qverify runtimes build {image.runtime}`.",
            )
        self._connections.check()
        refusal = self._gate.refusal(Purpose.INSTALL) if job.network else None
        if refusal is not None:
            raise MissingPrerequisite(refusal.sentence, refusal.remedy)
        async with self._places:
            found = Isolation() if self._closed else await self.isolation(image.digest)
            # After the last wait before the flight is entered: closing waits for those that are.
            if self._closed:
                raise SandboxFailure("The sandbox is closed.", f"Run `qverify resume {run}`.")
            assignment = Assignment(
                self._owner, job, image, source, run, dependencies, found.runtime, self._dialect(found)
            )
            flight = Flight(self._connections, assignment, self._sources())
            over = asyncio.get_running_loop().create_future()
            self._flights[flight] = over
            try:
                await self._steer(flight, flight.prepare)
                async with self._slots:
                    return await self._steer(flight, flight.perform)
            finally:
                try:
                    if flight.in_the_air:
                        await self._to_its_end(self._submit(flight.land))
                finally:
                    if flight.abandoned:
                        self._abandoned.add(flight.job_id)
                    del self._flights[flight]
                    over.set_result(None)

    async def _steer(self, flight: Flight, part: Callable[[], T]) -> T:
        """One part of a flight, in a thread. A cancellation kills the container and waits for the part's end."""
        working = self._submit(part)
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            self._submit(flight.abort)
            await self._to_its_end(working)
            raise

    async def _to_its_end(self, working: asyncio.Future[T]) -> None:
        """Wait whatever comes: a second cancellation must not leave a container behind. Every call has a time-out."""
        cancelled = False
        while not working.done():
            try:
                await asyncio.wait({working})
            except asyncio.CancelledError:
                cancelled = True
        if not working.cancelled():
            working.exception()
        if cancelled:
            raise asyncio.CancelledError

    def _sources(self) -> Sources | None:
        if not self._connections.remote:
            return None
        if self._packed is None:
            self._packed = Sources(self._owner)
        return self._packed

    def _dialect(self, found: Isolation) -> Dialect:
        if found.engine != PODMAN:
            return DOCKER
        # It wants the name of a file on its own machine, and has a profile of its own for where there can be none.
        profile = "" if self._connections.remote else str(profile_file(self._owner.inbox.parent))
        return Dialect(profile, full_tmpfs=False)

    async def isolation(self, image: str = "") -> Isolation:
        """What the engine offers, looked up once; ``image`` is the id of one to try gVisor with.

        An engine that does not answer now is asked again next time; until then nothing stronger is assumed.
        """
        async with self._looking:
            if self._isolation is not None or self._closed:
                return self._isolation or Isolation()
            looking = self._submit(
                lambda: find_isolation(self._connections.client(), image, self._owner, gvisor=self._gvisor)
            )
            # To its end even where it is cancelled: the container that it tries must be gone by then.
            await self._to_its_end(looking)
            try:
                found = looking.result()
            except ENGINE_ERRORS:
                return Isolation()
            if image:
                self._isolation = found
            return found

    async def available(self) -> str:
        """Empty when the Docker Engine answers, otherwise the sentence why it does not.

        Raises ``MissingPrerequisite`` where it may not be asked.
        """
        return await self._in_thread(self._probe)

    def _probe(self) -> str:
        self._connections.check()
        try:
            client = self._connections.fresh(PROBE_TIMEOUT_S)
            try:
                client.ping()
            finally:
                self._connections.discard(client)
        except ENGINE_ERRORS as error:
            return unavailable(error)
        return ""

    async def sweep(self) -> int:
        """Remove containers and inbox folders that dead processes of this state folder left; answers how many containers.

        Raises ``SandboxFailure`` where the engine does not answer.
        """

        def work() -> int:
            self._connections.check()
            try:
                return reaper.sweep(self._connections.client(), self._owner, self._abandoned)
            except ENGINE_ERRORS as error:
                raise SandboxFailure(unavailable(error), f"{mending(self._base_url)} and try again.") from error

        return await self._in_thread(work)

    async def close(self) -> None:
        """Kill what still runs and close every connection. A run that was waiting ends with ``SandboxFailure``."""
        already, self._closed = self._closed, True
        for flight in list(self._flights):
            self._submit(flight.abort)
        if self._flights:
            await asyncio.wait(list(self._flights.values()))
        # In a thread: a connection over ssh may just be coming about, and archives may hold gigabytes.
        if not already:
            await self._in_thread(self._let_go)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _let_go(self) -> None:
        self._connections.close()
        if self._packed is not None:
            self._packed.close()

    def _submit(self, work: Callable[[], T]) -> asyncio.Future[T]:
        return asyncio.wrap_future(self._threads.submit(work))

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await self._submit(work)

    def __repr__(self) -> str:
        return f"DockerSandbox({self._owner.id!r})"
