"""The source code in a model's answer, however the model wrapped it.

Answers come with prose around, thinking in tags, one fence or several with any tag, fences that never close, or none. What
is found is only text: whether it parses and holds tests is for the language to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_CHARACTERS = 400_000

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+.#-]*)[^\n`]*$")
_THINKING = ("think", "thinking", "reasoning", "thought", "scratchpad")
_OPENING = re.compile(rf"^\s*<({'|'.join(_THINKING)})>", re.IGNORECASE)
_CLOSING = re.compile(rf"</({'|'.join(_THINKING)})>", re.IGNORECASE)
_TEST = re.compile(r"^[ \t]*(?:async[ \t]+)?def[ \t]+(test\w*)|^class[ \t]+(Test\w*)", re.MULTILINE)
_CODE_LINE = re.compile(r"^(?:import\s|from\s+[\w.]+\s+import\b|def\s|async\s+def\s|class\s|@\w|\"\"\"|'''|#)")
_GOES_ON = re.compile(
    r"^(?:[ \t]+\S|[)\]}]|\"\"\"|'''|[A-Za-z_]\w*\s*(?::[^=]+)?=[^=]|else:|except\b|finally:|assert\s)"
)
_IMPORTS = re.compile(r"^(?:import\s|from\s|#|\s|\)|$)")


@dataclass(frozen=True)
class Found:
    """``source`` is empty where ``problem`` says, in a sentence, why there is none."""

    source: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Block:
    tag: str
    text: str

    @property
    def tests(self) -> frozenset[str]:
        return frozenset(name for pair in _TEST.findall(self.text) for name in pair if name)

    @property
    def only_imports(self) -> bool:
        lines = self.text.splitlines()
        return any(line.strip() for line in lines) and all(_IMPORTS.match(line) for line in lines)


def find_source(answer: str, tags: Sequence[str]) -> Found:
    """The test file in ``answer``; ``tags`` are the fence tags of the language. Never raises."""
    if len(answer) > MOST_CHARACTERS:
        return Found(problem=f"The answer is longer than {MOST_CHARACTERS} characters.")
    text = answer.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff")
    text = _unwrapped(_without_thinking(text))
    if not text.strip():
        return Found(problem="The answer holds nothing but thinking." if answer.strip() else "The answer is empty.")
    before, blocks = _blocks(text)
    source = _joined(blocks, {tag.lower() for tag in tags})
    if not _TEST.search(source) and (_TEST.search(before) or not blocks):
        source = _bare(before)
    if source.strip():
        return Found(source.strip("\n") + "\n")
    return Found(problem="The answer holds no code, only prose.")


def _without_thinking(text: str) -> str:
    """Text after the thinking. A closing tag without an opening one ends thinking too (the opening was the prompt's)."""
    start = 0
    while opening := _OPENING.match(text[start : start + 200]):
        closing = _CLOSING.search(text, start + opening.end())
        if closing is None:
            return ""
        start = closing.end()
    text = text[start:]
    closing = _CLOSING.search(text)
    if closing and "```" not in text[: closing.start()] and not _TEST.search(text[: closing.start()]):
        return text[closing.end() :]
    if closing and text[closing.end() :].strip() and "```" in text[closing.end() :]:
        return text[closing.end() :]
    return text


def _unwrapped(text: str) -> str:
    """The longest string in an answer that is one JSON object (some models always answer so)."""
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return text
    try:
        value = json.loads(stripped)
    except (ValueError, RecursionError):
        return text
    strings = [item for item in value.values() if isinstance(item, str)] if isinstance(value, dict) else []
    return max(strings, key=len, default=text)


def _blocks(text: str) -> tuple[str, list[_Block]]:
    """What stands before the first fence, and the fenced blocks; the last may never close."""
    before: list[str] = []
    blocks: list[_Block] = []
    fence, tag, lines = "", "", list[str]()
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not fence:
            if match:
                fence, tag, lines = match[1], match[2].lower(), []
            elif not blocks:
                before.append(line)
        elif match and match[1].startswith(fence) and not match[2]:
            blocks.append(_Block(tag, "\n".join(lines)))
            fence = ""
        else:
            lines.append(line)
    if fence:
        blocks.append(_Block(tag, "\n".join(lines)))
    return "\n".join(before), blocks


def _joined(blocks: Sequence[_Block], tags: set[str]) -> str:
    """The blocks that make up the test file: of a draft and its correction the later one, of several parts all."""
    fitting = [b for b in blocks if b.tag in tags] or [b for b in blocks if not b.tag]
    if not any(b.tests for b in fitting):
        fitting = [b for b in blocks if b.tests] or fitting
    with_tests = [b for b in fitting if b.tests]
    if not with_tests:
        return max((b.text for b in fitting), key=len, default="")
    kept: list[_Block] = []
    for block in fitting:
        if block.tests:
            kept = [other for other in kept if not other.tests or not other.tests & block.tests]
            kept.append(block)
        elif block.only_imports:
            kept.append(block)
    return "\n\n".join(block.text.strip("\n") for block in kept)


def _bare(text: str) -> str:
    """Code without a fence, between prose: from the first line that can only be code to the last that can be."""
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if _CODE_LINE.match(line)]
    if not starts or not _TEST.search(text):
        return ""
    last = starts[0]
    for number in range(starts[0], len(lines)):
        if _CODE_LINE.match(lines[number]) or _GOES_ON.match(lines[number]):
            last = number
    return "\n".join(lines[starts[0] : last + 1])
