"""The sandbox without a container engine: one fresh set of name spaces for every job, made by ``bwrap``. Reduced isolation.

A person chooses it; nothing falls back to it. What it lacks against a container engine is said in ``RuntimeImage.differences``
of every run: which limits held depends on the machine (``bubblewrap_command.Held``).
"""

from __future__ import annotations

import asyncio
import contextlib
import platform
import subprocess
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.errors import MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import ImagePin, Job, JobResult, RuntimeImage
from qverify_desktop.sandbox import cgroups, reaper
from qverify_desktop.sandbox.bubblewrap_command import (
    HOST_PATH,
    Held,
    is_root,
    kernel_version,
    known_architecture,
    missing_program,
    probe,
)
from qverify_desktop.sandbox.bubblewrap_flight import BubblewrapFlight
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, PROBE_TIMEOUT_S, Connections
from qverify_desktop.sandbox.owner import BOOT, BORN, PID, Owner, Process
from qverify_desktop.sandbox.recipes import Recipe, load_recipes
from qverify_desktop.sandbox.roots import Root, find_roots, import_root, sweep_roots
from qverify_desktop.sandbox.slots import Slots

T = TypeVar("T")

#: Sandboxes at a time that ``set_parallel`` may ask for.
MOST_PARALLEL = 64

#: What stands in the evidence where a container engine writes how it shuts in.
LABEL = "reduced, bubblewrap"
INSTALL = "apt-get install -y bubblewrap"


class BubblewrapSandbox:
    """Room ``sandbox`` as ``analysis.ports.Sandbox``, on Linux, with at most ``parallel`` sandboxes at a time.

    Everything blocking runs in threads of this object's own: a sandbox dies with the thread that made it, and such a thread
    lives as long as its job. ``recipes_root`` is ``images.resources_root()``; ``base_url`` names an engine from which a root
    file system may be taken, other than the one of ``DOCKER_HOST``. ``held`` says which limits this machine has;
    ``None`` looks.
    """

    def __init__(
        self,
        recipes_root: Path,
        owner: Owner,
        parallel: int = 2,
        *,
        base_url: str | None = None,
        gate: Gate | None = None,
        held: Held | None = None,
    ) -> None:
        self._recipes_root = recipes_root
        self._owner = owner
        self._base_url = base_url
        self._gate = gate or Gate()
        self._held = held
        self._slots = Slots(parallel)
        self._threads = ThreadPoolExecutor(max_workers=2 * MOST_PARALLEL + 3, thread_name_prefix="bubblewrap")
        self._flights: set[BubblewrapFlight] = set()
        self._flying: set[asyncio.Future[JobResult]] = set()
        self._importing = asyncio.Lock()
        self._closed = False

    @property
    def roots(self) -> Path:
        """The folder of the root file systems."""
        return self._owner.inbox.parent / "roots"

    def set_parallel(self, parallel: int) -> None:
        """From now on so many sandboxes at a time; those that run go on. In the loop's thread."""
        self._slots.set_most(min(parallel, MOST_PARALLEL))

    async def image(self, runtime: str, progress: Callable[[str], None] | None = None) -> RuntimeImage:
        """The runtime whose root file system is on this machine, taken from a Docker Engine where one has it.

        Its ``differences`` say that the isolation is reduced and which limits hold. Raises ``MissingPrerequisite`` where
        bubblewrap can't be used, or no root file system is to be had.
        """
        reason = await self.available()
        if reason:
            raise MissingPrerequisite(f"{reason} Nothing of the repository ran.", await self.remedy())
        await self.sweep()
        loop = asyncio.get_running_loop()

        def report(line: str) -> None:
            if progress is not None:
                with contextlib.suppress(RuntimeError):
                    loop.call_soon_threadsafe(progress, line)

        return await self._taken(lambda checkpoint: self._find_or_import(runtime, report, checkpoint))

    async def pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        """See the port: root file systems that are on this machine; nothing is taken over from an engine.

        Raises ``MissingPrerequisite`` where bubblewrap can't be used.
        """
        reason = await self.available()
        if reason:
            raise MissingPrerequisite(f"{reason} Nothing of the repository ran.", await self.remedy())
        await self.sweep()
        return await self._in_thread(lambda: self._pinned(pin))

    def _pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        exact = [root for root in find_roots(self.roots) if root.image.digest == pin.digest]
        known = any(recipe.runtime == pin.runtime for recipe in load_recipes(self._recipes_root))
        mine = [root for root in exact if root.image.runtime == pin.runtime]
        return (self._labelled(mine[0]) if mine else None), (self.find(pin.runtime) if known else None)

    async def _taken(self, take: Callable[[Callable[[], None]], Root]) -> RuntimeImage:
        """The root file system that ``take`` finds or makes in a thread; what it is handed ends it where nobody waits any more."""
        stopped = threading.Event()

        def checkpoint() -> None:
            if stopped.is_set() or self._closed:
                raise SandboxFailure("Taking over the root file system was stopped.", "Start it again.")

        async with self._importing:
            try:
                root = await self._in_thread(lambda: take(checkpoint))
            except asyncio.CancelledError:
                stopped.set()
                raise
        return self._labelled(root)

    def _find_or_import(self, runtime: str, report: Callable[[str], None], checkpoint: Callable[[], None]) -> Root:
        recipe = self._recipe(runtime)
        mine = [root for root in find_roots(self.roots) if root.image.runtime == runtime]
        exact = [root for root in mine if root.recipe == recipe.digest]
        if exact:
            return exact[0]
        taken = self._take_from_engine(recipe, report, checkpoint)
        if taken is not None:
            return taken
        if mine:
            return mine[0]
        raise MissingPrerequisite(
            f"There is no root file system for the sandbox runtime {runtime!r} on this machine, and bubblewrap has no images of its own.",
            f"Where Docker is, type `qverify runtimes save {runtime}.qvr {runtime}`; then here `qverify runtimes import {runtime}.qvr {runtime}`.",
        )

    def _take_from_engine(
        self, recipe: Recipe, report: Callable[[str], None], checkpoint: Callable[[], None]
    ) -> Root | None:
        """From an engine that has the recipe's image; ``None`` where none answers or it is not built there."""
        from qverify_desktop.sandbox import images

        connections = Connections(self._base_url, self._gate)
        try:
            client = connections.fresh(PROBE_TIMEOUT_S)
            image = images.find_image(client, recipe)
        except (*ENGINE_ERRORS, MissingPrerequisite):
            connections.close()
            return None
        try:
            if not image.digest:
                return None
            return import_root(
                image.reference,
                recipe.runtime,
                self.roots,
                report,
                client=connections.client(),
                languages=recipe.languages,
                checkpoint=checkpoint,
            )
        finally:
            connections.close()

    async def import_file(self, file: Path, runtime: str, progress: Callable[[str], None]) -> RuntimeImage:
        """Bring in the root file system of ``runtime`` from a file (``roots.import_root``). ``progress`` is called in a thread."""
        recipe = self._recipe(runtime)
        return await self._taken(
            lambda checkpoint: import_root(
                file, runtime, self.roots, progress, languages=recipe.languages, checkpoint=checkpoint
            )
        )

    def find(self, runtime: str) -> RuntimeImage | None:
        """The runtime if its root file system is on this machine already. Blocking."""
        recipe = self._recipe(runtime)
        mine = [root for root in find_roots(self.roots) if root.image.runtime == runtime]
        exact = [root for root in mine if root.recipe == recipe.digest]
        return self._labelled((exact or mine)[0]) if mine else None

    def _recipe(self, runtime: str) -> Recipe:
        for recipe in load_recipes(self._recipes_root):
            if recipe.runtime == runtime:
                return recipe
        raise MissingPrerequisite(f"There is no recipe for the sandbox runtime {runtime!r}.")

    def _labelled(self, root: Root) -> RuntimeImage:
        notes = [self._what_holds().sentence]
        if root.recipe and root.recipe != self._recipe(root.image.runtime).digest:
            notes.append("The root file system was made from another version of the recipe.")
        return replace(root.image, differences=(*notes, *root.image.differences), isolation=LABEL, recipe=root.recipe)

    def _what_holds(self) -> Held:
        if self._held is None:
            self._held = Held(cgroups.find_places(), kernel_version())
        return self._held

    async def run(
        self, job: Job, image: RuntimeImage, source: Path, *, run: str, dependencies: Path | None = None
    ) -> JobResult:
        """Run ``job`` in a fresh sandbox over a read-only ``source``; nothing of it is left when this returns.

        Code that hangs, floods or dies is a ``JobResult``. Raises ``MissingPrerequisite`` for a job that wants a network, or a
        root file system that is gone; ``SandboxFailure`` where bwrap fails; ``BadInput`` for an overlay path that leaves the
        work folder. Cancelling the awaiting task kills the sandbox before the cancellation goes on.
        """
        if job.network:
            raise MissingPrerequisite(
                "A sandbox with reduced isolation never gets a network, so nothing was installed and nothing of the repository ran.",
                "Run it without --allow-install, or with Docker.",
            )
        self._refuse_if_closed(run)
        root = await self._in_thread(lambda: self._root_of(image))
        async with self._slots:
            self._refuse_if_closed(run)
            flight = BubblewrapFlight(self._owner, job, root, self._what_holds(), source, run, dependencies)
            self._flights.add(flight)
            try:
                return await self._fly(flight)
            finally:
                self._flights.remove(flight)

    def _refuse_if_closed(self, run: str) -> None:
        if self._closed:
            raise SandboxFailure("The sandbox is closed.", f"Run `qverify resume {run}`.")

    def _root_of(self, image: RuntimeImage) -> Root:
        found = [root for root in find_roots(self.roots) if root.image.digest == image.digest]
        if not found:
            raise MissingPrerequisite(
                f"The root file system of {image.reference or image.runtime} is no longer on this machine. Nothing that was recorded is lost.",
                "Bring it in again with `qverify runtimes import FILE`.",
            )
        return found[0]

    async def _fly(self, flight: BubblewrapFlight) -> JobResult:
        flying = asyncio.wrap_future(self._threads.submit(flight.go))
        self._flying.add(flying)
        flying.add_done_callback(self._flying.discard)
        try:
            return await asyncio.shield(flying)
        except asyncio.CancelledError:
            flight.abort()
            while not flying.done():
                # A second cancellation must not leave the sandbox behind either; its end is a matter of a moment.
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait({flying})
            if not flying.cancelled():
                flying.exception()
            raise

    async def available(self) -> str:
        """Empty where sandboxes can be made, otherwise the sentence why not; ``remedy`` has the line that mends it."""
        return await self._in_thread(self._probe)

    async def remedy(self) -> str:
        """The line that mends what ``available`` says."""
        return await self._in_thread(_remedy)

    async def label(self) -> str:
        """The sentence of every run made here: what is less than in a container, and which limits hold."""
        return (await self._in_thread(self._what_holds)).sentence

    def _probe(self) -> str:
        problem = _problem()
        if not problem and not self._what_holds().processes:
            return (
                f"This kernel ({platform.release()}) limits the processes of one sandbox only by a control group, and this user may "
                "not make one."
            )
        return problem

    async def sweep(self) -> int:
        """Remove what dead processes of this state folder left: control groups, inbox folders, imports half done. Their
        sandboxes died with them."""

        def work() -> int:
            removed = reaper.sweep_inbox(self._owner) + sweep_roots(self.roots)
            for folder in cgroups.leftover(self._what_holds().places):
                words = folder.name.removeprefix(cgroups.PREFIX).split("_")
                process = Process.from_labels(dict(zip((PID, BORN, BOOT), words, strict=False)))
                if process is not None and not process.alive():
                    removed += cgroups.remove_leftover(folder)
            return removed

        return await self._in_thread(work)

    async def close(self) -> None:
        """Kill what still runs. A run that was waiting ends with ``SandboxFailure``."""
        self._closed = True
        for flight in list(self._flights):
            flight.abort()
        if self._flying:
            await asyncio.wait(self._flying)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.wrap_future(self._threads.submit(work))

    def __repr__(self) -> str:
        return f"BubblewrapSandbox({self._owner.id!r})"


def _problem() -> str:
    """Why no sandbox can be made on this machine, empty where one can."""
    if platform.system() != "Linux":
        return "bubblewrap works on Linux only."
    if not known_architecture():
        return f"The filter of system calls is not written for this processor ({platform.machine()})."
    missing = missing_program(root=is_root())
    if missing:
        what = "bubblewrap" if missing == "bwrap" else f"The program {missing}"
        return f"{what} is not installed on this machine."
    try:
        done = subprocess.run(
            probe(), env={"PATH": HOST_PATH, "LC_ALL": "C"}, cwd="/", capture_output=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap does not work on this machine ({error})."
    if done.returncode == 0:
        return ""
    words = " ".join(done.stderr.decode("utf-8", "replace").split())[:300].rstrip(" .")
    return f"bubblewrap can't make a sandbox on this machine ({words or f'exit status {done.returncode}'})."


def _remedy() -> str:
    """The line that mends ``_problem``."""
    missing = missing_program(root=is_root())
    if platform.system() != "Linux" or not known_architecture():
        return "Use Docker."
    if missing:
        package = {"bwrap": INSTALL}.get(missing, "apt-get install -y util-linux mount coreutils")
        return f"As root: {package}"
    for setting, wanted in (
        ("kernel/unprivileged_userns_clone", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "0"),
        ("user/max_user_namespaces", "10000"),
    ):
        file = Path("/proc/sys") / setting
        with contextlib.suppress(OSError):
            value = file.read_text().strip()
            if value != wanted and (setting != "user/max_user_namespaces" or value == "0"):
                return f"As root: sysctl -w {setting.replace('/', '.')}={wanted}"
    return "Update bubblewrap to 0.8 or later, or use Docker."
