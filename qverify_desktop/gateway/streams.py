"""Streamed answers, folded back into the plain answers of the same protocols.

A call asks for a stream so that a person can read along, and so that a server notices at once when nobody listens any more. What
comes is put together here, below the model library, and handed up as the plain answer: counts, reasons to stop and errors are read
in one place whether an answer was streamed or not. The library's own reading of streams takes a cut one for a whole one, a web page
for an empty one, and invents the counts that a server left out.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from qverify_desktop.gateway.errors import CallFailed
from qverify_desktop.gateway.provider import Wire

#: Parts of one answer that are kept: text, thinking, and text again.
MOST_BLOCKS = 64


class Fold(ABC):
    """Takes the bytes of one streamed answer. ``ended`` says that the answer is whole, and nothing more need be read."""

    #: What a request has to hold, besides the question, to be answered in a stream.
    asked: ClassVar[Mapping[str, Any]] = {"stream": True}
    #: Kinds of content (media types) that are a stream.
    kinds: ClassVar[tuple[str, ...]] = ("event-stream",)

    def __init__(self) -> None:
        self.ended = False
        self._line: list[bytes] = []
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> str:
        """The text that came with these bytes. Raises ``CallFailed`` for what is no stream, or an error inside it."""
        *lines, rest = chunk.replace(b"\r\n", b"\n").split(b"\n")
        said: list[str] = []
        for line in lines:
            whole = b"".join([*self._line, line])
            self._line = []
            said.append(self._take_line(whole.removesuffix(b"\r")))
            if self.ended:
                return "".join(said)
        # Joined only when its end has come: a line that drips in byte by byte would be copied as often.
        self._line.append(rest)
        return "".join(said)

    @abstractmethod
    def answer(self) -> dict[str, Any]:
        """The plain answer. Raises ``CallFailed`` (``cut``) where the stream ended before the answer did."""

    def close(self) -> str:
        """The stream has ended; answers the text of a last line without an end."""
        return self.feed(b"\n\n")

    @abstractmethod
    def _take(self, value: dict[str, Any]) -> str:
        """One object of the stream; answers its text."""

    def _take_line(self, line: bytes) -> str:
        """A line of server-sent events (WHATWG HTML, section 9.2.6): only data is of use, and an empty line ends an event."""
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            return ""
        if line or not self._data:
            return ""
        data, self._data = b"\n".join(self._data), []
        if data.strip() == b"[DONE]":
            self.ended = True
            return ""
        return self._take_json(data)

    def _take_json(self, data: bytes) -> str:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise CallFailed("unreadable") from None
        if not isinstance(value, dict):
            raise CallFailed("unreadable")
        error = value.get("error")
        if error:
            words = error.get("message") if isinstance(error, dict) else error
            raise CallFailed("broke", detail=str(words or ""))
        return self._take(value)


class OpenAiFold(Fold):
    """Chunks of a chat completion, OpenAI's and Azure's. The counts come only where they are asked for."""

    asked: ClassVar[Mapping[str, Any]] = {"stream": True, "stream_options": {"include_usage": True}}

    def __init__(self) -> None:
        super().__init__()
        self._head: dict[str, Any] = {}
        self._usage: Any = None
        self._finish = ""
        self._text: list[str] = []
        self._thought: list[str] = []

    def _take(self, value: dict[str, Any]) -> str:
        self._head = {key: value[key] for key in ("id", "created", "model") if key in value} or self._head
        self._usage = value.get("usage") or self._usage
        choices = value.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], dict) else {}
        self._finish = _text(choice.get("finish_reason")) or self._finish
        delta = _object(choice.get("delta"))
        self._thought.append(_text(delta.get("reasoning_content")) or _text(delta.get("reasoning")))
        text = _text(delta.get("content"))
        self._text.append(text)
        return text

    def answer(self) -> dict[str, Any]:
        # Some servers leave out the last line of the protocol.
        if not self.ended and not self._finish:
            raise CallFailed("cut")
        message = {"role": "assistant", "content": "".join(self._text)}
        if thought := "".join(self._thought):
            message["reasoning_content"] = thought
        choice = {"index": 0, "message": message, "finish_reason": self._finish or "stop"}
        answer = {**self._head, "object": "chat.completion", "choices": [choice]}
        return answer | ({"usage": self._usage} if isinstance(self._usage, dict) else {})


class AnthropicFold(Fold):
    """Events of a message. The counts of the prompt come first, those of the answer last. Calls of tools are left out: none was
    offered."""

    def __init__(self) -> None:
        super().__init__()
        self._message: dict[str, Any] = {}
        self._usage: dict[str, Any] = {}
        self._blocks: dict[int, tuple[str, list[str]]] = {}

    def _take(self, value: dict[str, Any]) -> str:
        kind = value.get("type")
        if kind == "message_start":
            self._message = _object(value.get("message"))
            self._usage |= _object(self._message.get("usage"))
        elif kind == "content_block_start":
            block = _object(value.get("content_block"))
            return self._add(value, _text(block.get("type")), block)
        elif kind == "content_block_delta":
            delta = _object(value.get("delta"))
            return self._add(value, _text(delta.get("type")).removesuffix("_delta"), delta)
        elif kind == "message_delta":
            delta = _object(value.get("delta"))
            self._message |= {key: delta[key] for key in ("stop_reason", "stop_sequence") if key in delta}
            self._usage |= {key: count for key, count in _object(value.get("usage")).items() if count is not None}
        elif kind == "message_stop":
            self.ended = True
        return ""

    def _add(self, value: dict[str, Any], kind: str, holder: dict[str, Any]) -> str:
        index, text = value.get("index"), _text(holder.get(kind))
        if kind not in ("text", "thinking") or type(index) is not int:
            return ""
        if index not in self._blocks and len(self._blocks) >= MOST_BLOCKS:
            return ""
        self._blocks.setdefault(index, (kind, []))[1].append(text)
        return text if kind == "text" else ""

    def answer(self) -> dict[str, Any]:
        if not self.ended:
            raise CallFailed("cut")
        blocks = []
        for index in sorted(self._blocks):
            kind, parts = self._blocks[index]
            signature = {"signature": ""} if kind == "thinking" else {}
            blocks.append({"type": kind, kind: "".join(parts), **signature})
        return {**self._message, "content": blocks, "usage": self._usage}


class OllamaFold(Fold):
    """Lines of JSON. The last has the counts, which are 0 where it lacks them; a plain answer is a stream of one line."""

    kinds: ClassVar[tuple[str, ...]] = ("json",)

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, Any] = {}
        self._text: list[str] = []
        self._thought: list[str] = []

    def _take_line(self, line: bytes) -> str:
        return self._take_json(line) if line.strip() else ""

    def _take(self, value: dict[str, Any]) -> str:
        message = _object(value.get("message"))
        text = _text(message.get("content"))
        self._text.append(text)
        self._thought.append(_text(message.get("thinking")))
        self._last = value
        self.ended = value.get("done") is True
        return text

    def answer(self) -> dict[str, Any]:
        if not self.ended:
            raise CallFailed("cut" if any(self._text) or any(self._thought) else "unreadable")
        message = {"role": "assistant", "content": "".join(self._text)}
        if thought := "".join(self._thought):
            message["thinking"] = thought
        return {"prompt_eval_count": 0, "eval_count": 0, **self._last, "message": message}


_FOLDS: dict[Wire, type[Fold]] = {
    Wire.OPENAI: OpenAiFold,
    Wire.AZURE: OpenAiFold,
    Wire.ANTHROPIC: AnthropicFold,
    Wire.OLLAMA: OllamaFold,
}


def fold_of(wire: Wire) -> Fold:
    """A new fold for one answer over this protocol."""
    return _FOLDS[wire]()


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
