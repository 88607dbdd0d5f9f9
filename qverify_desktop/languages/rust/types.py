"""Types as Rust source writes them, read into a small tree. Hostile text gives ``None`` or an opaque type, never an exception."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

MAX_DEPTH = 20
MAX_CHARACTERS = 2000
_SPACE = re.compile(r"\s*")
_LIFETIME = re.compile(r"'[A-Za-z_]\w{0,80}\s*")
_PATH = re.compile(r"(?:::)?[A-Za-z_]\w{0,100}(?:\s*::\s*[A-Za-z_]\w{0,100}){0,20}")
_GENERICS = re.compile(r"\bfn\s+\w{1,100}\s*<")
_WHERE = re.compile(r"\bwhere\b")

INTEGERS: Mapping[str, tuple[int, int]] = {
    **{f"i{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 32, 64, 128)},
    **{f"u{bits}": (0, 2**bits - 1) for bits in (8, 16, 32, 64, 128)},
    "isize": (-(2**63), 2**63 - 1),
    "usize": (0, 2**64 - 1),
}
FLOATS = frozenset(("f32", "f64"))


@dataclass(frozen=True)
class Type:
    """``name`` is a path's last part, or ``&``, ``&mut``, ``[]`` (slice), ``[;]`` (array), ``()`` (tuple), ``impl``, ``?`` (anything
    else). ``inner`` are its arguments; ``length`` is an array's as written, ``bounds`` those of ``impl``."""

    name: str
    inner: tuple[Type, ...] = ()
    length: str = ""
    bounds: str = ""
    path: str = field(default="", compare=False)


OPAQUE = Type("?")


def read_type(text: str, generics: Mapping[str, str] | None = None) -> Type:
    """The type that ``text`` writes; ``generics`` maps type parameters to their bounds. Opaque where it can't be read."""
    if len(text) > MAX_CHARACTERS:
        return OPAQUE
    found = _type(text, 0, generics or {}, MAX_DEPTH)
    return found[0] if found is not None and not text[found[1] :].strip() else OPAQUE


def generics_of(signature: str) -> dict[str, str]:
    """Type parameters of a function with their bounds, from its signature, the ``where`` clause included."""
    found: dict[str, str] = {}
    signature = signature[:MAX_CHARACTERS]
    opening = _GENERICS.search(signature)
    if opening:
        end = closing(signature, opening.end() - 1)
        for one in split_top(signature[opening.end() : end]):
            name, _, bounds = one.partition(":")
            if name.strip().isidentifier():
                found[name.strip()] = bounds.strip()
    where = _WHERE.search(signature)
    if where:
        for one in split_top(signature[where.end() :]):
            name, _, bounds = one.partition(":")
            if name.strip() in found:
                found[name.strip()] = f"{found[name.strip()]} + {bounds.strip()}".strip(" +")
    return found


def closing(text: str, at: int) -> int:
    """Offset of the bracket that closes the one at ``at``; the text's length where none does. ``->`` is no bracket."""
    depth = 0
    for position in range(at, len(text)):
        character = text[position]
        if character in "<([{":
            depth += 1
        elif character in ")]}" or (character == ">" and text[position - 1 : position] not in ("-", "=")):
            depth -= 1
            if depth == 0:
                return position
    return len(text)


def split_top(text: str) -> list[str]:
    """Parts between the commas that stand outside of brackets."""
    parts: list[str] = []
    depth = start = 0
    for position, character in enumerate(text):
        if character in "<([{":
            depth += 1
        elif character in ")]}" or (character == ">" and text[position - 1 : position] not in ("-", "=")):
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _type(text: str, at: int, generics: Mapping[str, str], depth: int) -> tuple[Type, int] | None:
    at = _skip(text, at)
    if depth <= 0 or at >= len(text):
        return None
    character = text[at]
    if character == "&":
        return _reference(text, at + 1, generics, depth)
    if character == "[":
        return _row(text, at + 1, generics, depth)
    if character == "(":
        found = _list(text, at, ")", generics, depth)
        if found is None:
            return None
        items, end = found
        single = len(items) == 1 and not text[at:end].rstrip(")").rstrip().endswith(",")
        return (items[0] if single else Type("()", items)), end
    for word in ("impl", "dyn"):
        if re.compile(rf"{word}\b").match(text, at):
            end = _end(text, at)
            bounds = text[at + len(word) : end].strip()
            return (Type("impl", bounds=bounds) if word == "impl" and bounds else OPAQUE), end
    match = _PATH.match(text, at)
    if match is None:
        return None
    return _named(text, match, generics, depth)


def _named(text: str, match: re.Match[str], generics: Mapping[str, str], depth: int) -> tuple[Type, int] | None:
    path = re.sub(r"\s", "", match.group()).removeprefix("::")
    name, at = path.rpartition("::")[2], _skip(text, match.end())
    if name in ("fn", "unsafe", "extern"):
        return OPAQUE, len(text)
    if text[at : at + 1] == "<":
        found = _list(text, at, ">", generics, depth)
        return (Type(name, found[0], path=path), found[1]) if found is not None else None
    if path in generics:
        return Type("impl", bounds=generics[path]), match.end()
    return Type(name, path=path), match.end()


def _reference(text: str, at: int, generics: Mapping[str, str], depth: int) -> tuple[Type, int] | None:
    at = _skip(text, at)
    lifetime = _LIFETIME.match(text, at)
    at = _skip(text, lifetime.end()) if lifetime else at
    mutable = re.compile(r"mut\b").match(text, at)
    found = _type(text, mutable.end() if mutable else at, generics, depth - 1)
    return (Type("&mut" if mutable else "&", (found[0],)), found[1]) if found is not None else None


def _row(text: str, at: int, generics: Mapping[str, str], depth: int) -> tuple[Type, int] | None:
    found = _type(text, at, generics, depth - 1)
    if found is None:
        return None
    inner, at = found[0], _skip(text, found[1])
    if text[at : at + 1] == ";":
        end = text.find("]", at)
        return (Type("[;]", (inner,), length=text[at + 1 : end].strip()), end + 1) if end > 0 else None
    return (Type("[]", (inner,)), at + 1) if text[at : at + 1] == "]" else None


def _list(
    text: str, at: int, closer: str, generics: Mapping[str, str], depth: int
) -> tuple[tuple[Type, ...], int] | None:
    """Types between brackets; lifetimes and named arguments are passed over."""
    at = _skip(text, at + 1)
    items: list[Type] = []
    while at < len(text):
        if text[at] == closer:
            return tuple(items), at + 1
        lifetime = _LIFETIME.match(text, at)
        if lifetime:
            at = lifetime.end()
        else:
            found = _type(text, at, generics, depth - 1)
            if found is None:
                return None
            items.append(found[0])
            at = _skip(text, found[1])
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != closer:
            return None
    return None


def _end(text: str, at: int) -> int:
    """Where bounds end: at a comma or a closing bracket outside of their own brackets."""
    depth = 0
    for position in range(at, len(text)):
        character = text[position]
        if character in "<([{":
            depth += 1
        elif character in ")]}" or (character == ">" and text[position - 1 : position] not in ("-", "=")):
            if depth == 0:
                return position
            depth -= 1
        elif character in ",;" and depth == 0:
            return position
    return len(text)
