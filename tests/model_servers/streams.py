"""An answer in pieces, as each protocol sends them: server-sent events of two kinds, and lines of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.model_servers.answers import Say

MODEL = "scripted"
STREAM_TYPES = {
    "openai": "text/event-stream; charset=utf-8",
    "azure": "text/event-stream",
    "anthropic": "text/event-stream; charset=utf-8",
    "ollama": "application/x-ndjson",
}


def frames(wire: str, answer: dict[str, Any], say: Say, request: dict[str, Any]) -> Iterator[bytes]:
    """The frames of one answer. With the fault ``breaks`` an error comes in the place of the last piece."""
    if wire == "ollama":
        return _lines(answer, say)
    if wire == "anthropic":
        return _messages(answer, say)
    return _chunks(answer, say, bool((request.get("stream_options") or {}).get("include_usage")))


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def _chunks(answer: dict[str, Any], say: Say, usage: bool) -> Iterator[bytes]:
    """OpenAI's and Azure's (API reference, "Streaming"): the counts come in a chunk of their own, and only where asked for."""

    def event(choices: list[dict[str, Any]], **more: Any) -> bytes:
        head = {"id": answer["id"], "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        return b"data: " + json.dumps({**head, "choices": choices, **more}).encode() + b"\n\n"

    choice = answer["choices"][0]
    message = choice["message"]
    yield event([], prompt_filter_results=[])
    yield b": a comment, to keep the connection open\n\n"
    yield event([{"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None}])
    for name in ("reasoning_content", "content"):
        for piece in pieces(message.get(name) or "", say.piece):
            yield event([{"index": 0, "delta": {name: piece}, "finish_reason": None}])
    if say.fault == "breaks":
        yield b"data: " + json.dumps({"error": {"message": say.message, "code": 500}}).encode() + b"\n\n"
        return
    yield event([{"index": 0, "delta": {}, "finish_reason": choice["finish_reason"]}])
    if usage and "usage" in answer:
        yield event([], usage=answer["usage"])
    yield b"data: [DONE]\n\n"


def _messages(answer: dict[str, Any], say: Say) -> Iterator[bytes]:
    """Anthropic's (API reference, "Streaming Messages"): named events, and counts at both ends."""

    def event(name: str, **data: Any) -> bytes:
        return f"event: {name}\r\ndata: {json.dumps({'type': name, **data})}\r\n\r\n".encode()

    usage = answer["usage"]
    start = answer | {"content": [], "stop_reason": None, "usage": usage | {"output_tokens": 1}}
    yield event("message_start", message=start)
    yield event("ping")
    for index, block in enumerate(answer["content"]):
        kind = block["type"]
        yield event("content_block_start", index=index, content_block={"type": kind, kind: ""})
        for piece in pieces(block[kind], say.piece):
            yield event("content_block_delta", index=index, delta={"type": f"{kind}_delta", kind: piece})
        yield event("content_block_stop", index=index)
    if say.fault == "breaks":
        yield event("error", error={"type": "overloaded_error", "message": say.message})
        return
    delta = {"stop_reason": answer["stop_reason"], "stop_sequence": None}
    yield event("message_delta", delta=delta, usage={"output_tokens": usage["output_tokens"]})
    yield event("message_stop")


def _lines(answer: dict[str, Any], say: Say) -> Iterator[bytes]:
    """Ollama's: one JSON object a line, the last of them with the counts."""

    def line(value: dict[str, Any]) -> bytes:
        return json.dumps(value).encode() + b"\n"

    head = {"model": MODEL, "created_at": answer["created_at"]}
    for name in ("thinking", "content"):
        for piece in pieces(answer["message"].get(name) or "", say.piece):
            yield line(head | {"message": {"role": "assistant", "content": "", name: piece}, "done": False})
    if say.fault == "breaks":
        yield line({"error": say.message})
        return
    yield line(answer | {"message": {"role": "assistant", "content": ""}})
