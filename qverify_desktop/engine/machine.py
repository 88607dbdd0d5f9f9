"""What this machine offers besides analyses: sandbox runtimes and the doctor. Needs no state folder and no lock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import MIB, Isolation, Job, Limits, RuntimeImage, SandboxKind, isolation_of
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.sandbox.archive import ANSWER_TIMEOUT_S, Saved, load_images, save_images
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, START_DOCKER, Connections, unavailable
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.recipes import Recipe
from qverify_desktop.settings.configuration import Configuration

Lines = Callable[[str], None]

#: What an import is for where nothing else is said.
DEFAULT_RUNTIME = "python"
CHECK_TIMEOUT_S = 120


class ThisMachine:
    """Sandbox and doctor of one state folder's owner (only the folder's name is used, not the folder)."""

    def __init__(self, home: Path, configuration: Configuration) -> None:
        self._home = home
        self._owner = Owner.of(home)
        self._docker_host = configuration.docker_host or None
        self._kind = configuration.sandbox
        parallel = configuration.containers
        self.sandbox = DockerSandbox(
            resources_root(), self._owner, parallel, base_url=self._docker_host, gvisor=configuration.gvisor
        )
        #: For runs that ask for it, and only for those.
        self.reduced = BubblewrapSandbox(resources_root(), self._owner, parallel, base_url=self._docker_host)

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
        whether the runtime can be used; ``sentence`` what was found. Raises ``BadInput`` for an unknown runtime."""
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
        return [await self._one(action, recipe, progress) for recipe in await self._recipes(names)]

    async def _recipes(self, names: Sequence[str]) -> list[Recipe]:
        """The recipes of these runtimes, of all where none is named. Raises ``BadInput`` for one that there is not."""
        from qverify_desktop.sandbox import images

        recipes = await asyncio.to_thread(images.load_recipes, resources_root())
        unknown = sorted(set(names) - {recipe.runtime for recipe in recipes})
        if unknown:
            known = ", ".join(recipe.runtime for recipe in recipes)
            raise BadInput(f"There is no runtime {unknown[0]!r}.", f"Known are: {known}.")
        return [recipe for recipe in recipes if not names or recipe.runtime in names]

    async def _one(self, action: str, recipe: Recipe, progress: Lines) -> dict[str, Any]:
        from qverify_desktop.sandbox import images

        if self._kind is SandboxKind.BUBBLEWRAP:
            return await self._one_root(action, recipe, progress)
        if action == "build":
            image = await self.sandbox.image(recipe.runtime, progress)
            return _described(image, True, f"Built: {image.reference}.")
        reason = await self.sandbox.available()
        if reason:
            raise MissingPrerequisite(reason, f"{START_DOCKER} and try again.")
        image = await asyncio.to_thread(self._find, recipe)
        if not image.digest:
            return _described(image, False, f"Not built. Type: qverify runtimes build {recipe.runtime}")
        if action == "list":
            return _described(image, True, f"Ready: {image.reference}.")
        check = await asyncio.to_thread(
            images.check_image, recipe, image, owner=self._owner, base_url=self._docker_host
        )
        return _described(image, check.passed, check.sentence)

    async def _one_root(self, action: str, recipe: Recipe, progress: Lines) -> dict[str, Any]:
        """A runtime as a root file system; without an engine there is nothing to build, only to take over."""
        found = await asyncio.to_thread(self.reduced.find, recipe.runtime)
        if found is None and action != "build":
            missing = RuntimeImage(recipe.runtime, recipe.reference, languages=recipe.languages)
            return _described(missing, False, "Not on this machine. Type: qverify runtimes import FILE")
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
        image = await self.reduced.import_file(file, runtime, progress)
        return [_described(image, True, f"Ready, with reduced isolation: {image.reference}.")]

    async def _save(self, file: Path, names: Sequence[str], progress: Lines) -> list[dict[str, Any]]:
        """All that are built, or exactly those that are named."""
        recipes = await self._recipes(names)
        found = [await asyncio.to_thread(self._find, recipe) for recipe in recipes]
        missing = [image.runtime for image in found if not image.digest]
        images = [image for image in found if image.digest]
        if (names and missing) or not images:
            raise MissingPrerequisite(
                f"Not built, so nothing was saved: {', '.join(missing)}.",
                f"Type: qverify runtimes build {' '.join(missing)}",
            )
        saved = await self._until_stopped(lambda client, stop: save_images(client, images, file, progress, stop))
        progress(f"{file} holds {len(images)} runtimes in {saved.size // MIB} MB; its digest is {saved.digest}.")
        return [_described(image, True, f"Saved: {image.reference}.") for image in images]

    async def _load(self, file: Path, names: Sequence[str], progress: Lines) -> list[dict[str, Any]]:
        if names:
            raise BadInput("A file is loaded whole.", "Type: qverify runtimes load FILE")
        saved = await self._until_stopped(lambda client, stop: load_images(client, file, progress, stop))
        progress(f"Every digest is right; that of the file is {saved.digest}.")
        recipes = {recipe.reference: recipe for recipe in await self._recipes([])}
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

    async def _until_stopped(self, work: Callable[[Any, Callable[[], None]], Saved]) -> Saved:
        """Gigabytes in a thread: cancelling stops them at the next piece, and goes on when nothing is half done any more."""
        stopped = threading.Event()

        def stop() -> None:
            if stopped.is_set():
                raise SandboxFailure("It was stopped.", "Start it again.")

        working = asyncio.ensure_future(asyncio.to_thread(self._with_client, lambda client: work(client, stop)))
        try:
            return await asyncio.shield(working)
        except asyncio.CancelledError:
            stopped.set()
            await asyncio.wait({working})
            raise

    def _with_client(self, work: Callable[[Any], Saved]) -> Saved:
        connections = Connections(self._docker_host)
        try:
            client = connections.fresh(ANSWER_TIMEOUT_S)
        except ENGINE_ERRORS as error:
            raise MissingPrerequisite(unavailable(error), f"{START_DOCKER} and try again.") from error
        try:
            return work(client)
        finally:
            connections.close()

    def _find(self, recipe: Recipe) -> RuntimeImage:
        from qverify_desktop.sandbox import images

        connections = Connections(self._docker_host)
        try:
            return images.find_image(connections.client(), recipe)
        finally:
            connections.close()

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
    """The request with the kind of sandbox that the settings say, where it names none: from then on it is the run's own.

    Raises ``BadInput`` for one that asks for what its sandbox never does.
    """
    if not request.sandbox:
        request = replace(request, sandbox=Configuration.load(home=home).sandbox.value)
    if request.allow_install and isolation_of(request.sandbox) is Isolation.REDUCED:
        raise BadInput(
            "A sandbox with reduced isolation never gets a network, so no package can be installed for this run.",
            "Leave the installing out (--allow-install), or run it with Docker.",
        )
    return request


def _described(image: RuntimeImage, ready: bool, sentence: str) -> dict[str, Any]:
    return {**asdict(image), "ready": ready, "sentence": sentence}
