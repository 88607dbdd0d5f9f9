"""What an analysis would send to a model, shown before anything is sent: its own stages over a gateway without a transport."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from qverify_desktop.analysis.preview import Previewed, preview
from qverify_desktop.analysis.services import Direct, Services
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.preview import Destination, Preview
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.views import DestinationView, PreviewView
from qverify_desktop.engine.policy import NO_MODEL
from qverify_desktop.engine.replay import Forgotten, Silent
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.preview import PreviewGateway
from qverify_desktop.storage.artefacts import ArtefactStore

#: Functions that are offered by name.
MOST_TARGETS = 2_000


async def model_preview(request: AnalysisRequest, target: str, services: Services, kept: CloudPolicy) -> PreviewView:
    """The first question about ``target`` (empty: the one that would come first). Where nobody decided yet whether prompts may
    leave this machine it is shown as if they might: nothing leaves by being shown.

    Raises ``BadInput`` for a request without a model or a function that is not there, and what the stages of an analysis raise.
    """
    if request.model in NO_MODEL:
        raise BadInput("Without a model nothing is sent to anybody.", "Choose a model to see what it would be sent.")
    gateway = services.gateway
    if not isinstance(gateway, ModelGateway):
        raise BadInput("There is no gateway here that could be looked into.")
    policy = CloudPolicy(request.cloud) if request.cloud else kept
    allowed = CloudPolicy.LOCAL_ONLY if policy is CloudPolicy.LOCAL_ONLY else CloudPolicy.ALLOWED
    asked = PreviewGateway(gateway)
    await asyncio.to_thread(services.workspace.mkdir, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="preview-", dir=services.workspace) as name:
        place = Path(name)
        rooms = replace(
            services, journal=Forgotten(), artefacts=ArtefactStore(place / "artefacts"), workspace=place, earlier=None
        )
        steps = Steps("preview", replace(request, cloud=allowed.value), rooms, Direct(), Silent())
        found = await preview(steps, asked, target, services)
    return _view(found, asked.previews[0], policy)


def _view(found: Previewed, shown: Preview, policy: CloudPolicy) -> PreviewView:
    return {
        "target": found.target.id,
        "targets": [one.id for one in found.targets[:MOST_TARGETS]],
        "count": len(found.targets),
        "measured": found.measured,
        "cloud": policy.value,
        "purpose": shown.purpose,
        "template": shown.template,
        "destinations": [_destination(one, shown) for one in shown.destinations],
        "masked": [{"rule": one.rule, "message": one.message, "line": one.line} for one in shown.secrets],
        "messages": [{"role": one["role"], "content": one["content"]} for one in shown.messages],
    }


def _destination(one: Destination, shown: Preview) -> DestinationView:
    return {
        "name": one.name,
        "host": one.host,
        "provider": one.provider,
        "model": one.model,
        "local": one.local,
        "refused": one.refused,
        "prompt_tokens": one.prompt_tokens,
        "max_tokens": one.max_tokens,
        "estimate_microusd": one.estimate_microusd,
        "price_known": one.price_known,
        "shortened": bool(one.messages) and one.messages != shown.messages,
    }
