"""Small questions to a model server besides completing: does it speak Ollama, which models has it, how long a context."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.gateway.endpoint import is_local, parse_base, with_version
from qverify_desktop.gateway.errors import CallFailed, error_words
from qverify_desktop.gateway.guard import GuardedTransport
from qverify_desktop.gateway.provider import Endpoint, Wire

QUESTION_SECONDS = 5.0
#: Anthropic's header of that name ("Versions" in its API reference).
ANTHROPIC_VERSION = "2023-06-01"
#: Names that are taken from a server's list.
MOST_MODELS = 1_000
MOST_NAME = 200
#: Answers of an OpenAI-compatible server that has no list, or shows it to nobody without a key.
_NO_LIST = (401, 403, 404, 405, 501)


@dataclass(frozen=True)
class Listed:
    """A model on a server's list; ``bytes`` on its disk, 0 where it does not say."""

    name: str
    bytes: int = 0


@dataclass(frozen=True)
class Listing:
    """What a server says it has. ``complete`` is false for one that keeps no list: only a call can tell."""

    wire: Wire
    models: tuple[Listed, ...] = ()
    complete: bool = True


async def _ask(
    guard: GuardedTransport,
    method: str,
    url: str,
    *,
    key: str = "",
    body: dict[str, Any] | None = None,
    more: dict[str, str] | None = None,
) -> Any:
    """The JSON of a small answer; ``more`` are further headers. Raises ``CallFailed``."""
    headers = {"accept-encoding": "identity"} | ({"authorization": f"Bearer {key}"} if key else {}) | (more or {})
    client = httpx.AsyncClient(transport=guard, timeout=QUESTION_SECONDS, trust_env=False, follow_redirects=False)
    async with client:
        try:
            response = await client.request(method, url, headers=headers, json=body)
        except httpx.HTTPError:
            raise guard.failed or CallFailed("unreadable") from None
    if guard.failed is not None:
        raise CallFailed(
            guard.failed.kind, guard.failed.status, guard.failed.retry_after_s, error_words(response.text)
        )
    try:
        return response.json()
    except ValueError:
        raise CallFailed("unreadable") from None


def _key(endpoint: Endpoint) -> str:
    return endpoint.key.get_secret_value() if endpoint.key else ""


async def speaks_ollama(base: str) -> bool:
    """Whether the server answers Ollama's list of models (``/api/tags``). No key is sent."""
    return await list_ollama_models(base) is not None


async def knows_model(endpoint: Endpoint, guard: GuardedTransport) -> bool:
    """Whether the server lists its models, and, for Ollama, that the model is among them.

    ``False``: it keeps no list, so that only a call can tell: Azure's deployments are listed for administrators only.
    OpenAI-compatible servers often answer to any name, so a name that is not on their list is no failure. Raises ``CallFailed``.
    """
    if endpoint.wire is Wire.AZURE:
        return False
    if endpoint.wire is Wire.ANTHROPIC:
        more = {"x-api-key": _key(endpoint), "anthropic-version": ANTHROPIC_VERSION}
        return isinstance(await _ask(guard, "GET", f"{endpoint.base}/v1/models/{endpoint.model}", more=more), dict)
    if endpoint.wire is Wire.OPENAI:
        try:
            answer = await _ask(guard, "GET", f"{endpoint.base}/models", key=_key(endpoint))
        except CallFailed as error:
            if error.status in (404, 405, 501):
                return False
            raise
        return isinstance(answer, dict)
    answer = await _ask(guard, "GET", f"{endpoint.base}/api/tags", key=_key(endpoint))
    models = answer.get("models") if isinstance(answer, dict) else None
    names = {m.get("name") for m in models if isinstance(m, dict)} if isinstance(models, list) else set()
    if endpoint.model in names or f"{endpoint.model}:latest" in names:
        return True
    raise CallFailed("status", 404)


async def model_context(endpoint: Endpoint) -> int:
    """Tokens of an Ollama model's own context (``/api/show``, key ``ARCHITECTURE.context_length``); 0 where it says nothing."""
    guard = GuardedTransport(endpoint.base, local=endpoint.local)
    try:
        answer = await _ask(
            guard, "POST", f"{endpoint.base}/api/show", key=_key(endpoint), body={"model": endpoint.model}
        )
    except CallFailed:
        return 0
    info = answer.get("model_info") if isinstance(answer, dict) else None
    for name, value in info.items() if isinstance(info, dict) else ():
        if str(name).endswith(".context_length") and isinstance(value, int) and value > 0:
            return value
    return 0


async def list_ollama_models(base: str) -> list[str] | None:
    """Names of an Ollama's models, ``None`` where none answers at ``base``."""
    listing = await _list_ollama(base)
    return None if listing is None else [model.name for model in listing.models]


async def list_models(address: str) -> Listing | None:
    """The models of whatever server answers at ``address``, Ollama or OpenAI-compatible; ``None`` where none does.

    No key is sent. Never raises.
    """
    try:
        base = parse_base(address)
    except BadInput:
        return None
    return await _list_ollama(base) or await _list_openai(with_version(base))


async def _list_ollama(base: str) -> Listing | None:
    try:
        answer = await _ask(GuardedTransport(base, local=is_local(base)), "GET", f"{base}/api/tags")
    except CallFailed:
        return None
    return _listing(Wire.OLLAMA, answer, "models", "name")


async def _list_openai(base: str) -> Listing | None:
    try:
        answer = await _ask(GuardedTransport(base, local=is_local(base)), "GET", f"{base}/models")
    except CallFailed as error:
        return Listing(Wire.OPENAI, complete=False) if error.status in _NO_LIST else None
    return _listing(Wire.OPENAI, answer, "data", "id")


def _listing(wire: Wire, answer: Any, held: str, named: str) -> Listing | None:
    """What is on the list and has a name that can be shown; a server may answer with anything."""
    entries = answer.get(held) if isinstance(answer, dict) else None
    if not isinstance(entries, list):
        return None
    found: dict[str, Listed] = {}
    for entry in entries[:MOST_MODELS]:
        name = entry.get(named) if isinstance(entry, dict) else None
        if isinstance(name, str) and name.isprintable() and 0 < len(name) <= MOST_NAME:
            size = entry.get("size")
            found[name] = Listed(name, size if type(size) is int and 0 <= size < 2**63 else 0)
    return Listing(wire, tuple(found[name] for name in sorted(found)))
