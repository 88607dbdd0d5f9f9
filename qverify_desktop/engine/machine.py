"""What this machine offers besides analyses: sandbox runtimes and the doctor. Needs no state folder and no lock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import MIB, Isolation, Job, Limits, RuntimeImage, SandboxKind, isolation_of
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.model import AUTO
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.sandbox.archive import ANSWER_TIMEOUT_S, Saved, load_images, save_images
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, mending, unavailable
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.recipes import Recipe
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.deployments import load_deployments

if TYPE_CHECKING:
    from qverify_desktop.sandbox.flight import Flight
    from qverify_desktop.sandbox.images import ImageCheck

Lines = Callable[[str], None]

#: What an import is for where nothing else is said.
DEFAULT_RUNTIME = "python"
CHECK_TIMEOUT_S = 120
#: Seconds that a stopped save or load gets to put its file away; it does so at the next piece.
STOP_S = 2.0


class ThisMachine:
    """Sandbox and doctor of one state folder's owner (only the folder's name is used, not the folder)."""

    def __init__(self, home: Path, configuration: Configuration, gate: Gate | None = None) -> None:
        self._gate = gate or Gate(configuration.policy)
        self._home = home
        self._owner = Owner.of(home)
        self._docker_host = configuration.docker_host or None
        self._kind = configuration.sandbox
        parallel = configuration.containers
        self.sandbox = DockerSandbox(
            resources_root(),
            self._owner,
            parallel,
            base_url=self._docker_host,
            gvisor=configuration.gvisor,
            gate=self._gate,
        )
        #: For runs that ask for it, and only for those.
        self.reduced = BubblewrapSandbox(
            resources_root(), self._owner, parallel, base_url=self._docker_host, gate=self._gate
        )

    def apply(self, changed: Configuration) -> None:
        """Take over changed settings. In the loop's thread."""
        self._kind = changed.sandbox
        self.sandbox.set_gvisor(changed.gvisor)
        self.sandbox.set_parallel(changed.containers)
        self.reduced.set_parallel(changed.containers)

    async def runtimes(self, action: str, names: list[str], progress: Lines | None = None) -> list[dict[str, Any]]:
        """``list`` what there is, ``build`` what is missing, or ``check`` that the samples pass, all for the kind of sandbox
        that the settings say. ``save`` writes images into one file and ``load`` takes them out of it again; ``import`` takes
        a root file system for sandboxes without an engine out of one (``names`` begin with the file). ``ready`` says
        whether the runtime can be used; ``sentence`` what was found. A runtime that is made on demand only is built and
        checked when it is named. Raises ``BadInput`` for an unknown runtime."""
        progress = progress or (lambda _: None)
        with_file = {"save": self._save, "load": self._load, "import": self._import}
        if action in with_file:
            if not names:
                raise BadInput("No file was named.", f"Type: qverify runtimes {action} FILE")
            return await with_file[action](Path(names[0]), names[1:], progress)
        if action not in ("list", "build", "check"):
            raise BadInput(
                f"There is no action {action!r} on runtimes.",
                "Choose one of list, build, check, save, load or import.",
            )
        return [await self._one(action, recipe, progress) for recipe in await self._recipes(names, action)]

    async def _recipes(self, names: Sequence[str], action: str) -> list[Recipe]:
        """The recipes of these runtimes, of all that the action means where none is named. Raises ``BadInput`` for one that there is not."""
        from qverify_desktop.sandbox import images

        recipes = await asyncio.to_thread(images.load_recipes, resources_root())
        unknown = sorted(set(names) - {recipe.runtime for recipe in recipes})
        if unknown:
            known = ", ".join(recipe.runtime for recipe in recipes)
            raise BadInput(f"There is no runtime {unknown[0]!r}.", f"Known are: {known}.")
        return [recipe for recipe in recipes if _is_meant(recipe, action, names)]

    async def _one(self, action: str, recipe: Recipe, progress: Lines) -> dict[str, Any]:

        if self._kind is SandboxKind.BUBBLEWRAP:
            return await self._one_root(action, recipe, progress)
        if action == "build":
            image = await self.sandbox.image(recipe.runtime, progress)
            return _described(image, True, f"Built: {image.reference}.")
        reason = await self.sandbox.available()
        if reason:
            raise MissingPrerequisite(reason, f"{mending(self._docker_host)} and try again.")
        image = await asyncio.to_thread(self._find, recipe)
        if not image.digest:
            return _described(image, False, f"Not built. Type: qverify runtimes build {recipe.runtime}")
        if action == "list":
            return _described(image, True, f"Ready: {image.reference}.")
        check = await self._check(recipe, image, progress)
        return _described(image, check.passed, check.sentence)

    async def _check(self, recipe: Recipe, image: RuntimeImage, progress: Lines) -> ImageCheck:
        """The sample's tests in the image. Called off, their container ends at once."""
        from qverify_desktop.sandbox import images

        stopped = threading.Event()
        flights: list[Flight] = []

        def begun(flight: Flight) -> None:
            flights.append(flight)
            if stopped.is_set():
                flight.abort()

        try:
            return await asyncio.to_thread(
                images.check_image,
                recipe,
                image,
                owner=self._owner,
                base_url=self._docker_host,
                gate=self._gate,
                begun=begun,
            )
        except asyncio.CancelledError:
            stopped.set()
            for flight in flights:
                await asyncio.to_thread(flight.abort)
            progress(f"Stopped. The check of {recipe.runtime} did not end.")
            raise

    async def _one_root(self, action: str, recipe: Recipe, progress: Lines) -> dict[str, Any]:
        """A runtime as a root file system; without an engine there is nothing to build, only to take over."""
        found = await asyncio.to_thread(self.reduced.find, recipe.runtime)
        if found is None and action != "build":
            missing = RuntimeImage(recipe.runtime, recipe.reference, languages=recipe.languages)
            return _described(
                missing, False, f"Not on this machine. Type: qverify runtimes import FILE {recipe.runtime}"
            )
        if found is not None and action == "list":
            # A look changes nothing: a newer one is taken from an engine by ``build`` and by runs only.
            reason = await self.reduced.available()
            if reason:
                raise MissingPrerequisite(reason, await self.reduced.remedy())
            return _described(found, True, f"Ready, with reduced isolation: {found.reference}.")
        image = await self.reduced.image(recipe.runtime, progress)
        if action != "check":
            return _described(image, True, f"Ready, with reduced isolation: {image.reference}.")
        job = Job("runtime-check", recipe.check, limits=Limits(timeout_s=CHECK_TIMEOUT_S))
        result = await self.reduced.run(job, image, recipe.sample, run="runtime-check")
        passed = result.execution.exit_code == 0 and not result.execution.timed_out
        words = "pass" if passed else "fail"
        return _described(image, passed, f"The sample's tests {words} in {image.reference}, with reduced isolation.")

    async def _import(self, file: Path, names: Sequence[str], progress: Lines) -> list[dict[str, Any]]:
        if len(names) > 1:
            raise BadInput("An import takes one file.", "Type: qverify runtimes import FILE")
        runtime = names[0] if names else DEFAULT_RUNTIME
        try:
            image = await self.reduced.import_file(file, runtime, progress)
        except asyncio.CancelledError:
            progress("Stopped. Nothing was brought in.")
            raise
        return [_described(image, True, f"Ready, with reduced isolation: {image.reference}.")]

    async def _save(self, file: Path, names: Sequence[str], progress: Lines) -> list[dict[str, Any]]:
        """All that are built, or exactly those that are named."""
        if str(file) in {recipe.runtime for recipe in await self._recipes([], "save")}:
            raise BadInput(
                f"{file} is a runtime; the file comes first. Nothing was saved.",
                f"Type: qverify runtimes save {file}.qvr {file}",
            )
        recipes = await self._recipes(names, "save")
        found = [await asyncio.to_thread(self._find, recipe) for recipe in recipes]
        missing = [image.runtime for image in found if not image.digest]
        images = [image for image in found if image.digest]
        if (names and missing) or not images:
            raise MissingPrerequisite(
                f"Not built, so nothing was saved: {', '.join(missing)}.",
                f"Type: qverify runtimes build {' '.join(missing)}",
            )
        saved = await self._with_client(
            lambda client, stopped: save_images(client, images, file, progress, stopped),
            lambda: progress("Stopped. Nothing was saved."),
        )
        count = f"{len(images)} runtime" if len(images) == 1 else f"{len(images)} runtimes"
        progress(f"{file} holds {count} in {saved.size // MIB} MB; its digest is {saved.digest}.")
        return [_described(image, True, f"Saved: {image.reference}.") for image in images]

    async def _load(self, file: Path, names: Sequence[str], progress: Lines) -> list[dict[str, Any]]:
        if names:
            raise BadInput("A file is loaded whole.", "Type: qverify runtimes load FILE")
        saved = await self._with_client(
            lambda client, stopped: load_images(client, file, progress, stopped),
            lambda: progress("Stopped before all was loaded. Load the file again for the rest."),
        )
        progress(f"Loaded; the digest of the file is {saved.digest}.")
        recipes = {recipe.reference: recipe for recipe in await self._recipes([], "load")}
        answers = []
        for one in saved.images:
            recipe = recipes.get(one.reference)
            if recipe is None:
                other = RuntimeImage(one.runtime, one.reference, tools=one.tools)
                answers.append(_described(other, False, "Loaded, but made by another version of QVerify: not used."))
            else:
                image = await asyncio.to_thread(self._find, recipe)
                answers.append(_described(image, bool(image.digest), f"Loaded: {image.reference}."))
        return answers

    async def _with_client(
        self, work: Callable[[Any, Callable[[], bool]], Saved], when_stopped: Callable[[], None]
    ) -> Saved:
        """Work that takes minutes, with a client of its own and a question whether it is to stop."""
        stopped = threading.Event()

        def whole() -> Saved:
            connections = Connections(self._docker_host, self._gate)
            try:
                client = connections.fresh(ANSWER_TIMEOUT_S)
            except ENGINE_ERRORS as error:
                raise self._silent(error) from error
            try:
                return work(client, stopped.is_set)
            finally:
                connections.close()

        # The engine packs for long before it says a word, and nothing can wake a thread that waits for it: such a thread
        # must not hold up the end of this process.
        thread, done = _begun(whole)
        try:
            return await done
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.to_thread(thread.join, STOP_S)
            when_stopped()
            raise

    def _find(self, recipe: Recipe) -> RuntimeImage:
        from qverify_desktop.sandbox import images

        connections = Connections(self._docker_host, self._gate)
        try:
            client = connections.client()
        except ENGINE_ERRORS as error:
            raise self._silent(error) from error
        try:
            return images.find_image(client, recipe)
        finally:
            connections.close()

    def _silent(self, error: BaseException) -> MissingPrerequisite:
        return MissingPrerequisite(unavailable(error), f"{mending(self._docker_host)} and try again.")

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        """Checks of this machine; with ``fix`` what can be mended is mended first."""
        from qverify_desktop.diagnostics.doctor import examine

        return await examine(self._home, fix)

    async def sweep(self) -> int:
        """Remove what dead processes of this state folder left. Raises ``SandboxFailure`` where no engine answers; what needs
        none is swept before."""
        return await self.reduced.sweep() + await self.sandbox.sweep()

    async def close(self) -> None:
        await self.reduced.close()
        await self.sandbox.close()


def settled(request: AnalysisRequest, home: Path) -> AnalysisRequest:
    """The request with the kind of sandbox and the budget that the settings say, where it names none: from then on they are the
    run's own. Raises ``BadInput`` for one that asks for what its sandbox never does, or for an order of models that can't be read.
    """
    configuration = Configuration.load(home=home)
    if not request.sandbox:
        request = replace(request, sandbox=configuration.sandbox.value)
    if not request.budget_microusd and request.model != "none":
        request = replace(request, budget_microusd=configuration.run_budget_microusd)
    if request.model == AUTO:
        load_deployments(home)
    if request.allow_install and isolation_of(request.sandbox) is Isolation.REDUCED:
        raise BadInput(
            "A sandbox with reduced isolation never gets a network, so no package can be installed for this run.",
            "Leave the installing out (--allow-install), or run it with Docker.",
        )
    return request


def _is_meant(recipe: Recipe, action: str, names: Sequence[str]) -> bool:
    if names:
        return recipe.runtime in names
    return action not in ("build", "check") or not recipe.on_demand


def _begun(work: Callable[[], Saved]) -> tuple[threading.Thread, asyncio.Future[Saved]]:
    """Work in a thread that no end of the process waits for, and what it will come to."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Saved] = loop.create_future()

    def tell(say: Callable[[], None]) -> None:
        # The loop may be closed by now; then nobody asks any more.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(lambda: None if done.done() else say())

    def run() -> None:
        try:
            saved = work()
        except BaseException as error:  # noqa: BLE001 - it is raised again where the answer is awaited
            failure = error
            tell(lambda: done.set_exception(failure))
        else:
            tell(lambda: done.set_result(saved))

    thread = threading.Thread(target=run, name="runtimes", daemon=True)
    thread.start()
    return thread, done


def _described(image: RuntimeImage, ready: bool, sentence: str) -> dict[str, Any]:
    return {**asdict(image), "ready": ready, "sentence": sentence}
