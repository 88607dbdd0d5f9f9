"""The source code in a model's answer, however the model wrapped it, in whatever language.

Answers come with prose around, thinking in tags, one fence or several with any tag, fences that never close, none, or as JSON.
Where code may begin and end is guessed from the look of lines; whether a piece of text holds tests is asked of the language.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

MOST_CHARACTERS = 200_000
#: Blocks of one answer that are looked at, and lines at which code without a fence may begin or end.
MOST_BLOCKS = 40
MOST_TRIES = 12
MOST_STRINGS = 500

#: The names of the tests in a piece of source; none where it holds none, or is no source of the language.
Names = Callable[[str], frozenset[str]]

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})[ \t]*([\w+.#-]*)[^\n`]*$")
_THINKING = ("think", "thinking", "reasoning", "thought", "scratchpad")
_OPENING = re.compile(rf"^\s*<({'|'.join(_THINKING)})>", re.IGNORECASE)
_CLOSING = re.compile(rf"</({'|'.join(_THINKING)})>", re.IGNORECASE)
#: A line that code of one of the languages may begin with. Prose may look so too: the language decides.
_CODE_LINE = re.compile(
    r"(?:import|from|(?:async\s+)?def|class|const|let|var|(?:async\s+)?function|export|package|func|fun|use|mod|fn|pub|public"
    r"|final|type)\s|(?:test|it|describe|suite)\b[.(]|[@#]|//|/\*|\"\"\"|'''|[\"']use strict"
)
#: A line of a block that only brings names in.
_IMPORT_LINE = re.compile(
    r"(?:import|from|use|package)\b|const\s.{0,500}\brequire\(|[@#\s)}]|//|/\*|\*|[\"']use strict|\w+,?\s*$|$"
)


@dataclass(frozen=True)
class Found:
    """``source`` is empty where ``problem`` says, in a sentence, why there is none."""

    source: str = ""
    problem: str = ""


@dataclass(frozen=True)
class _Block:
    tag: str
    text: str
    tests: frozenset[str]

    @property
    def only_imports(self) -> bool:
        lines = self.text.splitlines()
        return any(line.strip() for line in lines) and all(_IMPORT_LINE.match(line) for line in lines)


def find_source(answer: str, tags: Sequence[str], names: Names) -> Found:
    """The test file in ``answer``; ``tags`` are the fence tags of the language. Never raises."""
    if len(answer) > MOST_CHARACTERS:
        return Found(problem=f"The answer is longer than {MOST_CHARACTERS} characters.")
    text = answer.replace("\r\n", "\n").replace("\r", "\n").strip("\ufeff")
    text = _unwrapped(_without_thinking(text, names), names)
    if not text.strip():
        return Found(problem="The answer holds nothing but thinking." if answer.strip() else "The answer is empty.")
    before, blocks = _blocks(text, names)
    source = _joined(blocks, {tag.lower() for tag in tags})
    if not names(source):
        source = _bare(before, names) or source
    if source.strip():
        return Found(source.strip("\n") + "\n")
    return Found(problem="The answer holds no code, only prose.")


def _without_thinking(text: str, names: Names) -> str:
    """Text after the thinking. A closing tag without an opening one ends thinking too (the opening was the prompt's)."""
    start = 0
    while opening := _OPENING.match(text[start : start + 200]):
        closing = _CLOSING.search(text, start + opening.end())
        if closing is None:
            return ""
        start = closing.end()
    text = text[start:]
    closing = _CLOSING.search(text)
    if closing is None:
        return text
    thought, rest = text[: closing.start()], text[closing.end() :]
    fenced_later = "```" in rest
    return rest if fenced_later or ("```" not in thought and not names(thought)) else text


def _unwrapped(text: str, names: Names) -> str:
    """The strings with tests in an answer that is JSON; some models always answer so, and a schema asks for it."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) or not stripped.endswith(("}", "]")):
        return text
    try:
        waiting = [json.loads(stripped)]
    except (ValueError, RecursionError):
        return text
    strings: list[str] = []
    while waiting and len(strings) < MOST_STRINGS:
        value = waiting.pop(0)
        if isinstance(value, str):
            strings.append(value)
        elif isinstance(value, dict | list):
            waiting[:0] = list(value.values()) if isinstance(value, dict) else value
    longest = sorted(strings, key=len, reverse=True)[:MOST_TRIES]
    whole = [one for one in strings if one in longest and ("```" in one or names(one))]
    return "\n\n".join(whole) if whole else max(strings, key=len, default=text)


def _blocks(text: str, names: Names) -> tuple[str, list[_Block]]:
    """What stands before the first fence, and the fenced blocks; the last may never close."""
    before: list[str] = []
    found: list[tuple[str, list[str]]] = []
    fence = ""
    for line in text.split("\n"):
        match = _FENCE.match(line)
        if not fence:
            if match and len(found) < MOST_BLOCKS:
                fence = match[1]
                found.append((match[2].lower(), []))
            elif not found:
                before.append(line)
        elif match and match[1].startswith(fence) and not match[2]:
            fence = ""
        else:
            found[-1][1].append(line)
    blocks = []
    for tag, lines in found:
        inside = "\n".join(lines)
        plain = _unwrapped(inside, names) if tag in ("json", "") else inside
        blocks.append(_Block(tag if plain == inside else "", plain, names(plain)))
    return "\n".join(before), blocks


def _joined(blocks: Sequence[_Block], tags: set[str]) -> str:
    """The blocks that make up the test file: of a draft and its correction the later one, of several parts all."""
    fitting = [b for b in blocks if b.tag in tags] or [b for b in blocks if not b.tag]
    if not any(b.tests for b in fitting):
        fitting = [b for b in blocks if b.tests] or fitting
    if not any(b.tests for b in fitting):
        return max((b.text for b in fitting), key=len, default="")
    kept: list[_Block] = []
    for block in fitting:
        if block.tests:
            kept = [other for other in kept if not other.tests or not other.tests & block.tests]
            kept.append(block)
        elif block.only_imports:
            kept.append(block)
    return "\n\n".join(block.text.strip("\n") for block in kept)


def _bare(text: str, names: Names) -> str:
    """Code without a fence, between prose: from the first line from which the language finds tests, to the last that costs none
    of them."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if _CODE_LINE.match(line)][:MOST_TRIES]
    start = next((at for at in starts if names("\n".join(lines[at:]))), None)
    tail = [n for n, line in enumerate(lines) if line and not line[0].isspace() and line[0] not in ")]}"]
    if start is None:
        # Prose behind the code may keep all of it from being read.
        return next(
            (code for at in starts for end in tail[-2:] if names(code := "\n".join(lines[at:end]))),
            "",
        )
    code = "\n".join(lines[start:])
    most = len(names(code))
    for end in reversed(tail[-MOST_TRIES:]):
        shorter = "\n".join(lines[start:end])
        if len(names(shorter)) > most:
            code, most = shorter, len(names(shorter))
    return code
