"""litellm as transport only: no router, no retries, no cache, no callbacks, no look-ups in the network.

Importing it takes seconds and 166 MB, so that happens once, in a worker thread, at the first call.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any

import httpx

from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.endpoint import key_name
from qverify_desktop.gateway.errors import CallFailed, error_words
from qverify_desktop.gateway.guard import MOST_ANSWER_BYTES, GuardedTransport
from qverify_desktop.gateway.loop import SeparateLoop
from qverify_desktop.gateway.provider import Endpoint, Reply, Wire
from qverify_desktop.gateway.streams import fold_of

_loading = threading.Lock()
#: The library once it is loaded: a hop into a thread for nothing would cost more than all else here.
_loaded: list[Any] = []

#: What is sent where an end point wants no key: the library would otherwise look for one in the environment.
_NO_KEY = "no-key"

#: The library's names of the protocols.
_PREFIXES = {
    Wire.OLLAMA: "ollama_chat",
    Wire.OPENAI: "openai",
    Wire.AZURE: "azure",
    Wire.ANTHROPIC: "anthropic",
}
#: Providers whose prices the library's list knows, by the name of their keys.
_PRICED = ("openai", "azure", "anthropic")

#: An entry of litellm's price list for a model that costs nothing.
_FREE = {
    "litellm_provider": "ollama_chat",
    "mode": "chat",
    "input_cost_per_token": 0.0,
    "output_cost_per_token": 0.0,
    "max_tokens": None,
}


def load() -> Any:
    """Import litellm with everything switched off that talks to anybody. Blocking, about five seconds the first time."""
    with _loading:
        # Before the import: no price list from the network, and no .env of whatever folder we were started in.
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        os.environ["LITELLM_MODE"] = "PRODUCTION"
        os.environ.setdefault("LITELLM_LOG", "CRITICAL")
        import litellm

        for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        litellm.telemetry = False
        litellm.suppress_debug_info = True
        litellm.drop_params = True
        litellm.turn_off_message_logging = True
        litellm.disable_hf_tokenizer_download = True
        litellm.callbacks = []
        litellm.cache = None
        _loaded[:] = [litellm]
        return litellm


async def _ready() -> Any:
    return _loaded[0] if _loaded else await asyncio.to_thread(load)


class LitellmProvider:
    """Every protocol of ``Wire`` through ``litellm.acompletion``."""

    def __init__(self, most_bytes: int = MOST_ANSWER_BYTES) -> None:
        self._most_bytes = most_bytes
        self._loop = SeparateLoop()

    async def count(self, messages: Messages) -> int:
        """Tokens by the bundled tokenizer of litellm."""

        def counted() -> int:
            return int(load().token_counter(model="", messages=messages))

        return await asyncio.to_thread(counted)

    async def complete(
        self, endpoint: Endpoint, question: Question, *, context_tokens: int, timeout_s: float
    ) -> Reply:
        return await self._loop.run(self._call(endpoint, question, context_tokens, timeout_s))

    def close(self) -> None:
        """End the library's thread, and with it every call. Blocking, up to two seconds."""
        self._loop.close()

    async def _call(self, endpoint: Endpoint, question: Question, context_tokens: int, timeout_s: float) -> Reply:
        litellm = await _ready()
        # For this task alone: no record of the call is made up for callbacks, of which there are none.
        litellm.utils.is_internal_call.set(True)
        # Ollama streams unless it is told not to, and of a plain answer without counts the library invents them.
        streamed = question.hear is not None or endpoint.wire is Wire.OLLAMA
        fold = fold_of(endpoint.wire) if streamed else None
        # This loop is the library's own, so what takes some milliseconds holds no window up, and a hop would take as long.
        guard = GuardedTransport(
            endpoint.base, local=endpoint.local, most_bytes=self._most_bytes, fold=fold, hear=question.hear
        )
        client = _client(litellm, endpoint, guard, timeout_s)
        options = _shape(litellm, endpoint, question.schema)
        if endpoint.api_version:
            options["api_version"] = endpoint.api_version
        if endpoint.wire is Wire.OLLAMA:
            options["num_ctx"] = context_tokens
            # A model without a price entry is looked up by a blocking request of litellm's own, on the event loop.
            litellm.model_cost.setdefault(f"ollama_chat/{endpoint.model}", dict(_FREE))
        try:
            async with asyncio.timeout(None) as patience:
                # The patience is with the server: what the library does before it sends, seconds at the first call, is ours.
                loop = asyncio.get_running_loop()
                guard.sending = lambda: patience.reschedule(loop.time() + timeout_s)
                response = await litellm.acompletion(
                    model=f"{_PREFIXES[endpoint.wire]}/{endpoint.model}",
                    messages=question.messages,
                    api_base=endpoint.base,
                    api_key=_key(endpoint),
                    max_tokens=question.max_tokens,
                    temperature=0.2,
                    timeout=timeout_s,
                    max_retries=0,
                    num_retries=0,
                    stream=False,
                    client=client,
                    **options,
                )
            reply = _read(response)
        except TimeoutError:
            raise CallFailed("timeout") from None
        except CallFailed:
            raise
        except Exception as error:  # noqa: BLE001  (the library raises httpx, openai, pydantic and its own errors)
            raise _named(error, guard) from None
        finally:
            # Shielded: a cancelled call must still close its connection, so that the server stops working.
            await asyncio.shield(guard.aclose())
        return Reply(**{**reply, "cost_microusd": _cost_microusd(litellm, response, endpoint)})


def _key(endpoint: Endpoint) -> str | None:
    if endpoint.key is not None:
        return endpoint.key.get_secret_value()
    return None if endpoint.wire is Wire.OLLAMA else _NO_KEY


def _shape(litellm: Any, endpoint: Endpoint, schema: Mapping[str, Any] | None) -> dict[str, Any]:
    """The shape of the answer as each protocol asks for it. The library's own way for models that it does not know is a call of
    a tool, and none is ever offered: then nothing is asked for."""
    if schema is None:
        return {}
    if endpoint.wire is Wire.OLLAMA:
        return {"format": dict(schema)}
    if endpoint.wire is Wire.ANTHROPIC:
        known = litellm.model_cost.get(endpoint.model, {}).get("supports_native_structured_output")
        return {"output_format": {"type": "json_schema", "schema": dict(schema)}} if known else {}
    shape = {"name": "answer", "strict": True, "schema": dict(schema)}
    return {"extra_body": {"response_format": {"type": "json_schema", "json_schema": shape}}}


def _client(litellm: Any, endpoint: Endpoint, guard: GuardedTransport, timeout_s: float) -> Any:
    if endpoint.wire in (Wire.OLLAMA, Wire.ANTHROPIC):
        from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

        handler = AsyncHTTPHandler(timeout=timeout_s, transport=guard, follow_redirects=False)
        handler.client.headers["accept-encoding"] = "identity"
        return handler
    from openai import AsyncAzureOpenAI, AsyncOpenAI

    http = httpx.AsyncClient(
        transport=guard,
        timeout=timeout_s,
        follow_redirects=False,
        trust_env=False,
        headers={"accept-encoding": "identity"},
    )
    if endpoint.wire is Wire.AZURE:
        return AsyncAzureOpenAI(
            api_key=_key(endpoint),
            azure_endpoint=endpoint.base,
            api_version=endpoint.api_version,
            organization="",
            project="",
            max_retries=0,
            timeout=timeout_s,
            http_client=http,
        )
    return AsyncOpenAI(
        api_key=_key(endpoint),
        base_url=endpoint.base,
        organization="",
        project="",
        max_retries=0,
        timeout=timeout_s,
        http_client=http,
    )


def _read(response: Any) -> dict[str, Any]:
    """The parts of a litellm answer that are used, whatever the server left out."""
    choices = getattr(response, "choices", None) or []
    if not choices:
        raise CallFailed("unreadable", detail="no choices")
    message = choices[0].message
    usage = getattr(response, "usage", None)
    text = getattr(message, "content", None)
    return {
        "text": text if isinstance(text, str) else "",
        "finish": str(getattr(choices[0], "finish_reason", "") or ""),
        "thinking": bool(getattr(message, "reasoning_content", None)),
        "prompt_tokens": _tokens(usage, "prompt_tokens"),
        "completion_tokens": _tokens(usage, "completion_tokens"),
        "cached_tokens": _tokens(getattr(usage, "prompt_tokens_details", None), "cached_tokens"),
    }


def _tokens(usage: Any, name: str) -> int:
    value = getattr(usage, name, 0)
    return value if isinstance(value, int) and 0 <= value < 2**31 else 0


def _cost_microusd(litellm: Any, response: Any, endpoint: Endpoint) -> int:
    """Price by the bundled list; 0 for every end point but the providers' own, whose prices alone are known to be these."""
    if endpoint.local or key_name(endpoint) not in _PRICED:
        return 0
    # A deployment on Azure has the name that somebody gave it; the answer says which model it is.
    model = f"azure/{response.model}" if endpoint.wire is Wire.AZURE and response.model else None
    try:
        dollars = Decimal(str(litellm.completion_cost(completion_response=response, model=model)))
    except Exception:  # noqa: BLE001  (a model that the list does not know raises a plain Exception)
        return 0
    return int((dollars * 1_000_000).to_integral_value(ROUND_CEILING))


def _named(error: Exception, guard: GuardedTransport) -> CallFailed:
    """What happened on the wire, when something did there; the library's own error otherwise."""
    said = guard.said.decode("utf-8", "replace")
    words = error_words(said) or said
    if guard.failed is not None:
        seen = guard.failed
        return CallFailed("status", seen.status, seen.retry_after_s, words) if seen.kind == "status" else seen
    status = getattr(error, "status_code", 0)
    if isinstance(status, int) and status in (400, 413, 422):
        return CallFailed("status", status, detail=words)
    return CallFailed("unreadable")
