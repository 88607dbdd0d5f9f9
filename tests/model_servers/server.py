"""One threaded HTTP server that speaks the OpenAI-compatible protocol, Ollama's, Azure's or Anthropic's."""

from __future__ import annotations

import contextlib
import json
from contextlib import AbstractContextManager
from typing import Any

from tests.model_servers.answers import Say, Script, text_of
from tests.model_servers.loopback import LoopbackHandler, LoopbackServer, running
from tests.model_servers.streams import MODEL, STREAM_TYPES, frames


class ModelServer(LoopbackServer):
    """A scripted model. ``wire`` is ``openai``, ``ollama``, ``azure`` or ``anthropic``."""

    def __init__(self, script: Script, wire: str = "openai", port: int = 0, context_length: int = 32768) -> None:
        super().__init__(_Handler, port)
        self.script = script
        self.wire = wire
        self.context_length = context_length
        self.paths: list[str] = []


def serving(script: Script, wire: str = "openai", **options: Any) -> AbstractContextManager[ModelServer]:
    """A running server for the time of a ``with``."""
    return running(ModelServer(script, wire, **options))


class _Handler(LoopbackHandler):
    server: ModelServer

    def do_GET(self) -> None:
        self.server.paths.append(self.path)
        ollama = self.server.wire == "ollama"
        answers: dict[str, Any] = {}
        if ollama:
            model = {"name": f"{MODEL}:latest", "model": f"{MODEL}:latest", "size": 1, "digest": "0" * 64}
            answers = {"/api/tags": {"models": [model]}, "/api/version": {"version": "0.12.0"}}
        elif self.server.wire == "anthropic":
            answers = {f"/v1/models/{MODEL}": {"type": "model", "id": MODEL, "display_name": "Scripted"}}
        elif self.server.wire == "openai":
            answers = {"/v1/models": {"object": "list", "data": [{"id": MODEL, "object": "model"}]}}
        if self.path not in answers:
            return self.answer_json(404, {"error": "404 page not found"})
        return self.answer_json(200, answers[self.path])

    def do_POST(self) -> None:
        self.server.paths.append(self.path)
        request = self.read_json()
        ollama = self.server.wire == "ollama"
        known = {
            "ollama": {"/api/chat", "/api/generate"},
            "azure": {f"/openai/deployments/{MODEL}/chat/completions"},
            "anthropic": {"/v1/messages"},
        }.get(self.server.wire, {"/v1/chat/completions"})
        if ollama and self.path == "/api/show":
            return self.answer_json(200, {"model_info": {"llama.context_length": self.server.context_length}})
        path, _, query = self.path.partition("?")
        if path not in known or (self.server.wire == "azure" and not query.startswith("api-version=20")):
            return self.answer_json(404, {"error": {"code": "404", "message": "Resource not found"}})
        if self.path == "/api/generate":
            request = request | {"messages": [{"role": "user", "content": request.get("prompt", "")}]}
        if ollama and request.get("model") not in (MODEL, f"{MODEL}:latest"):
            return self.answer_json(404, {"error": f"model '{request.get('model')}' not found"})
        say = self.server.script.next(request, self.lower_headers())
        return self._say(say, request)

    def _say(self, say: Say, request: dict[str, Any]) -> None:
        if say.refuses and say.refuses in request:
            say = Say(fault="400", message=f"Unrecognized request argument supplied: {say.refuses}")
        if say.fault.isdigit():
            headers = {"Retry-After": say.retry_after} if say.retry_after else {}
            error = {"message": say.message, "type": "scripted", "code": say.fault}
            body: dict[str, Any] = {"error": say.message if self.server.wire == "ollama" else error}
            if self.server.wire == "anthropic":
                body = {"type": "error", "error": {"type": "scripted", "message": say.message}}
            return self.answer_json(int(say.fault), body, headers)
        if say.delay_s and not self.stays(say.delay_s):
            self.server.script.disconnects += 1
            self.close_connection = True
            return None
        if say.fault == "html":
            return self.answer(200, b"<html><body>Sign in to the hotel's network</body></html>", "text/html")
        if say.fault == "junk":
            return self.answer_json(200, {"hello": "world"})
        if say.fault == "huge":
            return self._huge(say.size)
        if request.get("stream") and not say.plain and self.path != "/api/generate":
            return self._stream(say, request)
        content = json.dumps(self._answer(say, request)).encode()
        if say.fault == "cut":
            self.answer(200, content[: len(content) // 2], "application/json", length=len(content))
            self.hang_up()
            return None
        return self.answer(200, content, "application/json")

    def _stream(self, say: Say, request: dict[str, Any]) -> None:
        """The same answer in pieces, and what can go wrong in the middle."""
        sent = list(frames(self.server.wire, self._answer(say, request), say, request))
        if say.fault in ("cut", "ends", "stays"):
            sent = sent[: len(sent) // 2]
        try:
            self.begin_chunks(STREAM_TYPES[self.server.wire])
            for frame in sent:
                if say.pause_s and not self.stays(say.pause_s):
                    raise BrokenPipeError
                self.chunk(frame)
            if say.fault == "stays" and not self.stays(60):
                raise BrokenPipeError
            if say.fault != "cut":
                self.chunk(b"")
        except OSError:
            self.server.script.disconnects += 1
            self.close_connection = True
        if say.fault == "cut":
            self.hang_up()

    def _answer(self, say: Say, request: dict[str, Any]) -> dict[str, Any]:
        text = "" if say.fault in ("empty", "thinking") else say.text
        tokens = len(text) // 4
        asked = sum(len(text_of(m)) for m in request.get("messages", [])) // 4
        if self.server.wire == "ollama":
            message: dict[str, Any] = {"role": "assistant", "content": text}
            if say.fault == "thinking":
                message["thinking"] = "Let me think"
            answer = {"model": MODEL, "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop"}
            counts = {"prompt_eval_count": asked, "eval_count": tokens} if say.counts else {}
            if self.path == "/api/generate":
                return answer | counts | {"response": text}
            return answer | counts | {"message": message}
        if self.server.wire == "anthropic":
            blocks = (
                [{"type": "thinking", "thinking": "Let me think", "signature": "x"}]
                if say.fault == "thinking"
                else []
            )
            return {
                "id": "msg_1",
                "type": "message",
                "role": "assistant",
                "model": MODEL,
                "content": [*blocks, *([{"type": "text", "text": text}] if text else [])],
                "stop_reason": "refusal" if say.fault == "filter" else "end_turn",
                "stop_sequence": None,
                # What was cached is counted apart from the rest of the prompt.
                "usage": {
                    "input_tokens": asked - say.cached,
                    "cache_read_input_tokens": say.cached,
                    "output_tokens": tokens,
                },
            }
        message = {"role": "assistant", "content": text}
        if say.fault == "thinking":
            message["reasoning_content"] = "Let me think"
        finish = "content_filter" if say.fault == "filter" else "stop"
        usage = {"prompt_tokens": asked, "completion_tokens": tokens, "total_tokens": asked + tokens}
        if say.cached:
            usage |= {"prompt_tokens_details": {"cached_tokens": say.cached}}
        answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": MODEL}
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return answer | {"choices": choices} | ({"usage": usage} if say.counts else {})

    def _huge(self, size: int) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        chunk = b" " * 65536
        with contextlib.suppress(OSError):
            for _ in range(size // len(chunk) + 1):
                self.wfile.write(chunk)
            return
        self.server.script.disconnects += 1
