"""Questions about the person's order of models, ``models.toml``: what is in it, and its file."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.settings_views import DeploymentsView, DeploymentView
from qverify_desktop.gateway.endpoint import of_deployment
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.deployments import MODELS_FILE, Ordered, begin_file, move, read_order

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler


class DeploymentQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "deployments": self.deployments,
            "deployments_begin": self.begin,
            "deployments_move": self.move,
        }

    async def deployments(self) -> DeploymentsView:
        """Read the file again: what it says counts from the next question on, unless it has a problem."""
        view = await asyncio.to_thread(self._view)
        if not view["problem"]:
            self._context.apply(await asyncio.to_thread(lambda: Configuration.load(home=self._context.home)))
        return view

    async def begin(self) -> DeploymentsView:
        """Make the file with an example in comments, where there is none."""
        await asyncio.to_thread(begin_file, self._context.home)
        return await self.deployments()

    async def move(self, at: int, to: int) -> DeploymentsView:
        """Put one end point to another place, both counted from 0. Raises like ``settings.deployments.move``."""
        if type(at) is not int or type(to) is not int:
            raise BadInput("A place is a whole number.")
        await asyncio.to_thread(move, self._context.home, at, to)
        return await self.deployments()

    def _view(self) -> DeploymentsView:
        file = self._context.home / MODELS_FILE
        problem = ""
        found: list[DeploymentView] = []
        try:
            found = [_shown(one) for one in read_order(self._context.home)]
        except BadInput as error:
            problem = str(error)
        return {"path": str(file), "exists": file.exists(), "deployments": found, "problem": problem}


def _shown(one: Ordered) -> DeploymentView:
    """Raises ``BadInput`` for an end point whose address can't be used."""
    deployment, limit = one.deployment, one.deployment.limit
    endpoint = of_deployment(deployment, "")
    return {
        "name": deployment.name,
        "wire": deployment.wire,
        "model": deployment.model,
        "base": deployment.base,
        "place": "local" if endpoint.local else "remote",
        "models": dict(deployment.models),
        "requests_per_minute": limit.requests_per_minute,
        "tokens_per_minute": limit.tokens_per_minute,
        "at_once": limit.at_once,
        "enabled": one.enabled,
    }
