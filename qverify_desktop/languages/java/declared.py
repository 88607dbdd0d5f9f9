"""Declared types, taken apart: ``java.util.List<? extends Integer>[]`` is an array of lists of ``Integer``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

_MOST_CHARACTERS = 300
_MOST_DEPTH = 12
_TOKEN = re.compile(
    r"\s{0,9}(@[\w.]+(?:\([^()]{0,80}\))?|[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*|\.\.\.|[<>,?&()\[\]]|->)"
)
_IGNORED = frozenset({"final", "out", "in", "vararg"})


@dataclass(frozen=True)
class Type:
    """``name`` is the simple name, ``[]`` for an array. ``nullable`` is Kotlin's question mark."""

    name: str
    arguments: tuple[Type, ...] = ()
    nullable: bool = False

    @property
    def item(self) -> Type:
        """The first type argument; of a raw type, anything."""
        return self.arguments[0] if self.arguments else ANYTHING

    def __str__(self) -> str:
        if self.name == "[]":
            return f"{self.item}[]"
        return self.name + (f"<{', '.join(map(str, self.arguments))}>" if self.arguments else "")


ANYTHING = Type("Object")
_UNREADABLE = Type("")


@lru_cache(maxsize=4096)
def declared(text: str) -> Type:
    """The type that ``text`` declares; one with no name where it can't be read (functions, intersections, too deep)."""
    if len(text) > _MOST_CHARACTERS:
        return _UNREADABLE
    tokens: list[str] = []
    at = 0
    stripped = text.rstrip()
    while at < len(stripped):
        match = _TOKEN.match(stripped, at)
        if match is None:
            return _UNREADABLE
        if not match[1].startswith("@") and match[1] not in _IGNORED:
            tokens.append(match[1])
        at = match.end()
    found = _read(tokens, 0, _MOST_DEPTH)
    return found[0] if found is not None and found[1] == len(tokens) else _UNREADABLE


def _read(tokens: Sequence[str], at: int, depth: int) -> tuple[Type, int] | None:
    if depth <= 0 or at >= len(tokens):
        return None
    word = tokens[at]
    at += 1
    if word == "?":
        if tokens[at : at + 1] in (["extends"], ["super"]):
            return _read(tokens, at + 1, depth - 1)
        return ANYTHING, at
    if not re.match(r"[A-Za-z_$]", word):
        return None
    found = Type(word.rpartition(".")[2] if word.startswith(("java.", "kotlin.")) else word)
    if tokens[at : at + 1] == ["<"]:
        arguments: list[Type] = []
        at += 1
        while tokens[at : at + 1] != [">"]:
            inner = _read(tokens, at, depth - 1)
            if inner is None:
                return None
            arguments.append(inner[0])
            at = inner[1]
            if tokens[at : at + 1] == [","]:
                at += 1
            elif tokens[at : at + 1] != [">"]:
                return None
        at += 1
        found = Type(found.name, tuple(arguments))
    while at < len(tokens):
        if tokens[at : at + 2] == ["[", "]"]:
            found, at = Type("[]", (found,)), at + 2
        elif tokens[at] == "...":
            found, at = Type("[]", (found,)), at + 1
        elif tokens[at] == "?":
            found, at = Type(found.name, found.arguments, True), at + 1
        else:
            break
    return found, at
