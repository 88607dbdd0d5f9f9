"""What this machine offers besides analyses: sandbox runtimes and the doctor. Needs no state folder and no lock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.sandbox.connection import START_DOCKER, Connections
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.recipes import Recipe

Lines = Callable[[str], None]


class ThisMachine:
    """Sandbox and doctor of one state folder's owner (only the folder's name is used, not the folder)."""

    def __init__(self, home: Path, parallel: int, docker_host: str = "") -> None:
        self._home = home
        self._owner = Owner.of(home)
        self._docker_host = docker_host or None
        self.sandbox = DockerSandbox(resources_root(), self._owner, parallel, base_url=self._docker_host)

    async def runtimes(self, action: str, names: list[str], progress: Lines | None = None) -> list[dict[str, Any]]:
        """``list`` what there is, ``build`` what is missing, or ``check`` that the samples pass. ``ready`` says whether
        the runtime can be used; ``sentence`` what was found. A runtime that is made on demand only is built and checked
        when it is named. Raises ``BadInput`` for an unknown runtime."""
        if action not in ("list", "build", "check"):
            raise BadInput(f"There is no action {action!r} on runtimes.", "Choose one of list, build or check.")
        from qverify_desktop.sandbox import images

        recipes = await asyncio.to_thread(images.load_recipes, resources_root())
        unknown = sorted(set(names) - {recipe.runtime for recipe in recipes})
        if unknown:
            known = ", ".join(recipe.runtime for recipe in recipes)
            raise BadInput(f"There is no runtime {unknown[0]!r}.", f"Known are: {known}.")
        chosen = [recipe for recipe in recipes if _is_meant(recipe, action, names)]
        return [await self._one(action, recipe, progress or (lambda _: None)) for recipe in chosen]

    async def _one(self, action: str, recipe: Recipe, progress: Lines) -> dict[str, Any]:
        from qverify_desktop.sandbox import images

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
        """Remove containers that dead processes of this state folder left."""
        return await self.sandbox.sweep()

    async def close(self) -> None:
        await self.sandbox.close()


def _is_meant(recipe: Recipe, action: str, names: list[str]) -> bool:
    return recipe.runtime in names if names else action == "list" or not recipe.on_demand


def _described(image: RuntimeImage, ready: bool, sentence: str) -> dict[str, Any]:
    return {**asdict(image), "ready": ready, "sentence": sentence}
