"""The models that an Ollama server keeps: list, show, pull, delete, import.

The ``ollama`` client (0.6.3) is the transport for what it has; it is imported in a thread at first use (0.2 s) and runs on a loop of its
own, so that a window's loop has nothing to do while gigabytes pass. What it lacks goes through the same guard by httpx:
its upload of a blob tells of no progress, and its ``create`` knows neither ``renderer`` nor ``parser``.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.local_model import Fetched, ModelFacts, StoredModel
from qverify_desktop.gateway.endpoint import OLLAMA_BASE
from qverify_desktop.gateway.errors import CallFailed, error_words
from qverify_desktop.gateway.guard import GuardedTransport
from qverify_desktop.gateway.loop import SeparateLoop
from qverify_desktop.gateway.model_fit import read_shape
from qverify_desktop.gateway.ollama_errors import managing, said
from qverify_desktop.gateway.ollama_transport import ManagingTransport
from qverify_desktop.gateway.provider import Endpoint
from qverify_desktop.gateway.saved_models import SavedFile, SavedModel, checked_name
from qverify_desktop.gateway.server import MOST_MODELS, MOST_NAME, speaks_ollama

QUESTION_SECONDS = 10.0
#: Seconds without a word in the middle of a transfer: while it checks a digest, a server reads tens of gigabytes in silence.
SILENCE_SECONDS = 900.0
#: From this version on a model is made of files that were uploaded before (Ollama's release notes, 0.5.5).
IMPORTS_SINCE = (0, 5, 5)
PIECE_BYTES = 1024 * 1024

Told = Callable[[Fetched], None]


class OllamaModels:
    """``endpoint`` gives the server at an address (empty: this machine's own) with its key after policy, or raises ``ModelFailure``.

    All errors are ``ModelFailure`` or ``BadInput``. ``Told`` is called in a thread of this class and must not block. Cancelling closes the
    connection; what a pull has fetched until then stays on the server's disk.
    """

    def __init__(self, endpoint: Callable[[str], Awaitable[Endpoint]]) -> None:
        self._endpoint = endpoint
        self._loop = SeparateLoop()

    async def answers(self, base: str) -> bool:
        """Whether an Ollama answers at an address that policy lets us ask."""
        try:
            endpoint = await self._endpoint(base)
        except ModelFailure:
            return False
        return await self._loop.run(speaks_ollama(endpoint.base))

    async def list(self, base: str = "") -> list[StoredModel]:
        """What the server keeps, by name."""
        return await self._loop.run(_list(await self._endpoint(base or OLLAMA_BASE)))

    async def show(self, name: str, base: str = "") -> ModelFacts:
        """What the server says of one model."""
        name = checked_name(name)
        return await self._loop.run(_show(await self._endpoint(base or OLLAMA_BASE), name))

    async def pull(self, name: str, told: Told, base: str = "") -> None:
        """Have the server fetch a model; it goes on from what it fetched before."""
        name = checked_name(name)
        await self._loop.run(_pull(await self._endpoint(base or OLLAMA_BASE), name, told))

    async def delete(self, name: str, base: str = "") -> None:
        """Remove a model with those of its files that no other model has."""
        name = checked_name(name)
        await self._loop.run(_delete(await self._endpoint(base or OLLAMA_BASE), name))

    async def bring(self, model: SavedModel, told: Told, base: str = "") -> None:
        """Make a model on the server of files on this machine. Files that the server has are not sent again."""
        await self._loop.run(_bring(await self._endpoint(base or OLLAMA_BASE), model, told))

    def close(self) -> None:
        """End what goes on. Blocking, briefly."""
        self._loop.close()


async def _list(endpoint: Endpoint) -> list[StoredModel]:
    async with _client(endpoint, "", QUESTION_SECONDS) as client:
        answer = await client.list()
    found = {}
    for one in list(answer.models)[:MOST_MODELS]:
        name = one.model or ""
        if name.isprintable() and 0 < len(name) <= MOST_NAME:
            details = one.details
            found[name] = StoredModel(
                name,
                _word(one.digest),
                int(one.size) if one.size and one.size > 0 else 0,
                _word(details.parameter_size if details else ""),
                _word(details.quantization_level if details else ""),
                _word(details.family if details else ""),
            )
    return [found[name] for name in sorted(found)]


async def _show(endpoint: Endpoint, name: str) -> ModelFacts:
    async with _client(endpoint, name, QUESTION_SECONDS) as client:
        answer = await client.show(name)
    info: Mapping[str, Any] = answer.modelinfo or {}
    details = answer.details
    family = _word(details.family if details else "") or _word(info.get("general.architecture"))
    return ModelFacts(
        name,
        _count(next((value for key, value in info.items() if key.endswith(".context_length")), 0)),
        _count(info.get("general.parameter_count")),
        _word(details.parameter_size if details else ""),
        _word(details.quantization_level if details else ""),
        family,
        tuple(_word(one) for one in (answer.capabilities or [])[:20]),
        read_shape(info),
    )


async def _pull(endpoint: Endpoint, name: str, told: Told) -> None:
    async with _client(endpoint, name, SILENCE_SECONDS, fetching=True) as client:
        layers: dict[str, tuple[int, int]] = {}
        status = ""
        async with aclosing(await client.pull(name, stream=True)) as lines:
            async for line in lines:
                status = _word(line.status)
                if line.digest and len(layers) < 1000:
                    layers[_word(line.digest)] = (_count(line.completed), _count(line.total))
                told(Fetched(status, tuple((digest, *counts) for digest, counts in layers.items())))
        if status != "success":
            raise CallFailed("cut")


async def _delete(endpoint: Endpoint, name: str) -> None:
    async with _client(endpoint, name, QUESTION_SECONDS) as client:
        await client.delete(name)


async def _bring(endpoint: Endpoint, model: SavedModel, told: Told) -> None:
    await _check_version(endpoint)
    files = {one.path: one for one in (*model.weights, *model.adapters)}
    state = {path: (0, one.bytes) for path, one in files.items()}

    def tell(status: str, path: Path, done: int) -> None:
        state[path] = (done, state[path][1])
        told(Fetched(status, tuple((str(path), *counts) for path, counts in state.items())))

    for path in tuple(files):
        if not files[path].digest:
            files[path] = await _with_digest(files[path], partial(tell, "reading the file", path))
        await _upload(endpoint, model.name, files[path], partial(tell, "handing the file over", path))
    request = {
        "model": model.name,
        "files": {f"{at}.gguf": files[one.path].digest for at, one in enumerate(model.weights)},
        "adapters": {f"{at}.gguf": files[one.path].digest for at, one in enumerate(model.adapters)},
        **dict(model.told),
    }
    await _create(endpoint, model.name, {key: value for key, value in request.items() if value}, told, state)


async def _with_digest(file: SavedFile, tell: Callable[[int], None]) -> SavedFile:
    hashed = hashlib.sha256()
    done = 0
    async for piece in _pieces(file, hashed.update):
        done += len(piece)
        tell(done)
    return replace(file, digest=f"sha256:{hashed.hexdigest()}")


async def _pieces(file: SavedFile, also: Callable[[bytes], None] = lambda _: None) -> AsyncIterator[bytes]:
    """The file's content, read (and ``also`` given) in a thread."""

    def read(source: BinaryIO) -> bytes:
        piece = source.read(PIECE_BYTES)
        also(piece)
        return piece

    try:
        with await asyncio.to_thread(file.path.open, "rb") as source:
            while piece := await asyncio.to_thread(read, source):
                yield piece
    except OSError as error:
        raise ModelFailure(
            f"The file {file.path.name} can't be read ({error.strerror}).", "Check the medium that it lies on."
        ) from None


async def _upload(endpoint: Endpoint, name: str, file: SavedFile, tell: Callable[[int], None]) -> None:
    """Hand a blob over. The server computes the digest of what it gets and refuses another."""
    path = f"/api/blobs/{file.digest}"
    # A guard is good for one request.
    async with _http(endpoint, name, QUESTION_SECONDS) as (client, guard):
        known = (await client.head(path)).status_code == httpx.codes.OK
    if not known:
        async with _http(endpoint, name, SILENCE_SECONDS) as (client, guard):
            done = 0

            async def content() -> AsyncIterator[bytes]:
                nonlocal done
                async for piece in _pieces(file):
                    yield piece
                    done += len(piece)
                    tell(done)

            answer = await client.post(path, content=content(), headers={"content-length": str(file.bytes)})
            if guard.failed is not None:
                raise replace(guard.failed, detail=error_words(answer.text))
    tell(file.bytes)


async def _create(
    endpoint: Endpoint, name: str, request: Mapping[str, Any], told: Told, state: Mapping[Path, tuple[int, int]]
) -> None:
    counts = tuple((str(path), *count) for path, count in state.items())
    status = ""
    async with (
        _http(endpoint, name, SILENCE_SECONDS, lines=True) as (client, guard),
        client.stream("POST", "/api/create", json=dict(request)) as answer,
    ):
        if guard.failed is not None:
            await answer.aread()
            raise replace(guard.failed, detail=error_words(answer.text))
        async for line in answer.aiter_lines():
            value = json.loads(line)
            if "error" in value:
                raise said(str(value["error"]), name, fetching=False)
            status = _word(value.get("status"))
            told(Fetched(status, counts))
        if status != "success":
            raise CallFailed("cut")


async def _check_version(endpoint: Endpoint) -> None:
    """Raises ``ModelFailure`` where the server can't make models of uploaded files."""
    async with _http(endpoint, "", QUESTION_SECONDS) as (client, guard):
        answer = await client.get("/api/version")
        if guard.failed is not None:
            raise replace(guard.failed, detail=error_words(answer.text))
        version = str(answer.json()["version"])[:40]
    parts = [int(part) for part in version.partition("-")[0].split(".")[:3] if part.isdecimal() and len(part) < 6]
    # A build of one's own says 0.0.0.
    if any(parts) and tuple(parts) < IMPORTS_SINCE:
        raise ModelFailure(
            f"Ollama {version} at {endpoint.base} is too old to import models. Nothing was changed.",
            "Update it to 0.5.5 or newer.",
        )


@asynccontextmanager
async def _client(endpoint: Endpoint, name: str, seconds: float, *, fetching: bool = False) -> AsyncIterator[Any]:
    """The library's client over the guard."""
    library = await asyncio.to_thread(_load)
    guard = ManagingTransport(endpoint, lines=fetching)
    options = _options(endpoint, seconds)
    client = library.AsyncClient(host=endpoint.base, transport=guard, **options)
    try:
        with _named(endpoint, name, seconds, guard, fetching):
            yield client
    except library.ResponseError as error:
        detail = str(error.error)
        if error.status_code > 0:
            failed = CallFailed("status", error.status_code, detail=detail)
            raise managing(failed, endpoint, name, seconds, fetching=fetching) from None
        raise said(detail, name, fetching=fetching) from None
    finally:
        await asyncio.shield(guard.aclose())


@asynccontextmanager
async def _http(
    endpoint: Endpoint, name: str, seconds: float, *, lines: bool = False
) -> AsyncIterator[tuple[httpx.AsyncClient, GuardedTransport]]:
    guard = ManagingTransport(endpoint, lines=lines)
    async with httpx.AsyncClient(base_url=endpoint.base, transport=guard, **_options(endpoint, seconds)) as client:
        with _named(endpoint, name, seconds, guard, False):
            yield client, guard


@contextmanager
def _named(endpoint: Endpoint, name: str, seconds: float, guard: GuardedTransport, fetching: bool) -> Iterator[None]:
    """Whatever a library or a server's odd answer raises, as a sentence."""
    try:
        yield
    except CallFailed as error:
        raise managing(error, endpoint, name, seconds, fetching=fetching) from None
    except (httpx.HTTPError, ConnectionError):
        failed = guard.failed or CallFailed("cut")
        raise managing(failed, endpoint, name, seconds, fetching=fetching) from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise managing(CallFailed("unreadable"), endpoint, name, seconds, fetching=fetching) from None


def _options(endpoint: Endpoint, seconds: float) -> dict[str, Any]:
    key = endpoint.key

    def keyed(request: httpx.Request) -> httpx.Request:
        # The library takes a key out of the environment for whatever address it is given.
        request.headers.pop("authorization", None)
        if key is not None:
            request.headers["authorization"] = f"Bearer {key.get_secret_value()}"
        return request

    return {
        "auth": keyed,
        "timeout": httpx.Timeout(seconds, connect=QUESTION_SECONDS),
        "headers": {"accept-encoding": "identity"},
        "trust_env": False,
        "follow_redirects": False,
    }


def _load() -> Any:
    import ollama

    return ollama


def _word(value: Any) -> str:
    """A server's word for something, fit to be shown."""
    text = str(value or "")[:200]
    return "".join(c for c in text if c.isprintable())


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value < 2**60 else 0
