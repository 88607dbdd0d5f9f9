"""Go types as they are written, and what the named ones of a package stand for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qverify_desktop.languages.go.segments import module_of
from qverify_desktop.languages.go.source import package_name
from qverify_desktop.languages.tree.source import TreeSource

MOST_CHARACTERS = 2000
MOST_DEPTH = 12

INTEGERS: Mapping[str, tuple[int, int]] = {
    "int": (-(2**63), 2**63 - 1),
    "int8": (-(2**7), 2**7 - 1),
    "int16": (-(2**15), 2**15 - 1),
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "rune": (-(2**31), 2**31 - 1),
    "uint": (0, 2**64 - 1),
    "uint8": (0, 2**8 - 1),
    "byte": (0, 2**8 - 1),
    "uint16": (0, 2**16 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
    "uintptr": (0, 2**64 - 1),
}
CHARACTERS = frozenset(("rune", "byte", "int32", "uint8"))
FLOATS = frozenset(("float64", "float32"))
_NAME = re.compile(r"[A-Za-z_]\w{0,200}(?:\.[A-Za-z_]\w{0,200})?")
_EMPTY_INTERFACE = re.compile(r"interface\s*\{\s*\}")
_LENGTH = re.compile(r"\[\s*(\d{1,6})\s*\]")


@dataclass(frozen=True)
class Type:
    """``name`` is a basic or named type, or ``[]``, ``[n]``, ``map``, ``*``, ``any``, ``opaque``. ``text`` is its source."""

    name: str
    text: str
    inner: tuple[Type, ...] = ()
    length: int = 0


OPAQUE = Type("opaque", "")


def read_type(text: str) -> Type:
    """The type that ``text`` writes; ``opaque`` where it is none that values are written for."""
    if len(text) > MOST_CHARACTERS:
        return OPAQUE
    found = _read(text.strip(), 0, MOST_DEPTH)
    return found[0] if found is not None and found[1] == len(text.strip()) else OPAQUE


def _read(text: str, at: int, depth: int) -> tuple[Type, int] | None:
    while at < len(text) and text[at] == " ":
        at += 1
    if depth <= 0 or at >= len(text):
        return None
    if text.startswith("[]", at):
        return _wrapped(text, at, at + 2, "[]", depth)
    if match := _LENGTH.match(text, at):
        return _wrapped(text, at, match.end(), "[n]", depth, int(match[1]))
    if text[at] == "*":
        return _wrapped(text, at, at + 1, "*", depth)
    if text.startswith("map[", at):
        key = _read(text, at + 4, depth - 1)
        if key is None or text[key[1] : key[1] + 1] != "]":
            return None
        value = _read(text, key[1] + 1, depth - 1)
        return (Type("map", text[at : value[1]], (key[0], value[0])), value[1]) if value is not None else None
    if match := _EMPTY_INTERFACE.match(text, at):
        return Type("any", match[0]), match.end()
    match = _NAME.match(text, at)
    if match is None or match[0] in ("func", "chan", "struct", "interface"):
        return None
    return Type(match[0], match[0]), match.end()


def _wrapped(text: str, at: int, after: int, name: str, depth: int, length: int = 0) -> tuple[Type, int] | None:
    inner = _read(text, after, depth - 1)
    return (Type(name, text[at : inner[1]], (inner[0],), length), inner[1]) if inner is not None else None


def split_list(text: str) -> list[str]:
    """The parts of a list between commas that stand in no brackets and no literal."""
    parts, depth, start, quote = [], 0, 0, ""
    at = 0
    while at < len(text):
        character = text[at]
        if quote:
            at += character == "\\" and quote != "`"
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:at].strip())
            start = at + 1
        at += 1
    parts.append(text[start:].strip())
    return [part for part in parts if part]


def results(returns: str) -> list[Type]:
    """The types of a function's results, in order."""
    text = returns.strip()
    if not text:
        return []
    if not (text.startswith("(") and text.endswith(")")):
        return [read_type(text)]
    parts = split_list(text[1:-1][:MOST_CHARACTERS])
    named = [re.fullmatch(r"([A-Za-z_]\w*) (.+)", part, re.DOTALL) for part in parts]
    if not any(match and match[1] not in ("chan", "func", "map", "struct", "interface") for match in named):
        return [read_type(part) for part in parts]
    found: list[Type] = []
    for match in reversed(named):
        found.insert(0, read_type(match[2]) if match else (found[0] if found else OPAQUE))
    return found


def type_parameters(signature: str) -> frozenset[str]:
    """Names of a function's type parameters."""
    match = re.match(
        r"func (?:\([^()]{0,300}\) )?\w{1,200}\[([^\[\]()]{1,500}(?:\[[^\[\]]{0,100}\])?[^\[\]()]{0,300})\]\(",
        signature,
    )
    if match is None:
        return frozenset()
    return frozenset(name for part in split_list(match[1]) if (name := part.partition(" ")[0]).isidentifier())


@dataclass(frozen=True)
class NamedTypes:
    """What the named types of each package are: ``known[module][name]`` is the underlying type's source."""

    known: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Iterable[tuple[str, TreeSource]]) -> NamedTypes:
        found: dict[str, dict[str, str]] = {}
        for path, source in sources:
            names = found.setdefault(module_of(path, package_name(source)), {})
            for node in source.root.named_children:
                if node.type != "type_declaration":
                    continue
                for spec in node.named_children:
                    if (
                        spec.type in ("type_spec", "type_alias")
                        and spec.child_by_field_name("type_parameters") is None
                    ):
                        text = " ".join(source.field(spec, "type").split())
                        names[source.field(spec, "name")] = text[:MOST_CHARACTERS]
        return cls(found)

    def underlying(self, module: str, kind: Type) -> Type:
        """The type that a named one stands for; itself where it is not known."""
        names = self.known.get(module, {})
        for _ in range(MOST_DEPTH):
            if kind.name not in names:
                return kind
            text = names[kind.name]
            if text.startswith(("struct", "interface", "func", "chan")) and text != "interface{}":
                return Type("struct", text) if text.startswith("struct") else OPAQUE
            kind = read_type(text)
        return OPAQUE
