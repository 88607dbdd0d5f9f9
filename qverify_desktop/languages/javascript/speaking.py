"""Values as source text of JavaScript: what a written example says, for the declared types; and what was observed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.javascript.access import access_of
from qverify_desktop.languages.javascript.styles import text
from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Kind,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
    Word,
)

_SAFE = 2**53
_IDENTIFIER = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
#: Constructors whose arguments in an example are written as they are called.
_CONSTRUCTORS = frozenset(("Date", "Set", "Map", "Error", "TypeError", "RangeError", "URL"))


def source_of(value: Value, declared: str = "") -> str | None:
    """The value as source text; ``None`` where it can't be written in one way only. ``declared`` is a type's text."""
    kind = _bare(declared)
    if isinstance(value, Nothing):
        return "undefined" if value.word == "undefined" else "null"
    if isinstance(value, Truth):
        return "true" if value.value else "false"
    if isinstance(value, Text):
        return text(value.value)
    if isinstance(value, Number):
        return _number(value, kind)
    if isinstance(value, Items):
        return _items(value, kind)
    if isinstance(value, Entries):
        return _entries(value, kind)
    return _made(value, kind) if isinstance(value, Made) else None


def _number(value: Number, kind: str) -> str | None:
    if value.text in ("nan", "inf", "-inf"):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[value.text]
    if kind == "bigint":
        return f"{value.text}n" if value.whole else None
    if value.whole:
        return value.text if abs(int(value.text)) < _SAFE else None
    number = float(value.text)
    return value.text if number - number == 0 else None


def _items(value: Items, kind: str) -> str | None:
    inner = _inner(kind)
    parts = [source_of(one, inner) for one in value.items]
    if any(part is None for part in parts):
        return None
    row = f"[{', '.join(part for part in parts if part is not None)}]"
    declared_set = bool(re.match(r"(?:Readonly|Weak)?Set\b", kind))
    if value.kind is Kind.SET:
        # In braces it may be a set, or shorthand for something else.
        return f"new Set({row})" if declared_set else None
    return f"new Set({row})" if declared_set else row


def _entries(value: Entries, kind: str) -> str | None:
    pairs = []
    for key, one in value.pairs:
        written = source_of(one)
        if written is None:
            return None
        pairs.append((key, written))
    if re.match(r"(?:Readonly)?Map\b", kind):
        keys = [source_of(key) for key, _ in pairs]
        if any(key is None for key in keys):
            return None
        rows = [f"[{key}, {one}]" for key, (_, one) in zip(keys, pairs, strict=True)]
        return f"new Map([{', '.join(rows)}])"
    members = []
    for key, written in pairs:
        name = _key(key)
        if name is None:
            return None
        members.append(f"{name}: {written}")
    return f"{{ {', '.join(members)} }}" if members else "{}"


def _key(key: Value) -> str | None:
    if isinstance(key, Text):
        if key.value == "__proto__":
            return '["__proto__"]'
        return key.value if _IDENTIFIER.fullmatch(key.value) else text(key.value)
    if isinstance(key, Number) and key.whole and not key.text.startswith("-") and len(key.text) < 15:
        return key.text
    return None


def _made(value: Made, kind: str) -> str | None:
    """Values that only constructors make, and the encodings of what was observed."""
    if value.name in ("undefined", "none") and not value.arguments:
        return "undefined"
    if value.name == "some" and len(value.arguments) == 1:
        return source_of(value.arguments[0], kind)
    if value.name == "bigint" and len(value.arguments) == 1 and isinstance(value.arguments[0], Number):
        return f"{value.arguments[0].text}n"
    if value.name in _CONSTRUCTORS:
        arguments = [source_of(one) for one in value.arguments]
        if all(one is not None for one in arguments):
            return f"new {value.name}({', '.join(one for one in arguments if one is not None)})"
    if value.name == "(" and len(value.arguments) == 1 and kind:
        # Parentheses around one value: a row of one, or the value; the declared type decides.
        inner = source_of(value.arguments[0], _inner(kind) if _is_row(kind) else kind)
        return None if inner is None else f"[{inner}]" if _is_row(kind) else inner
    return None


def _bare(declared: str) -> str:
    """A declared type without promises, ``readonly`` and what stands for nothing."""
    kind = declared.strip()
    match = re.fullmatch(r"Promise\.?<(.{0,300})>", kind)
    kind = (match.group(1) if match else kind).strip().removeprefix("readonly ").lstrip("?!")
    parts = [part.strip() for part in kind.split("|")]
    return (
        next((part for part in parts if part not in ("null", "undefined", "void")), "") if "<" not in kind else kind
    )


def _is_row(kind: str) -> bool:
    return kind.endswith("[]") or bool(re.match(r"(?:Readonly)?Array\b|\[", kind))


def _inner(kind: str) -> str:
    if kind.endswith("[]"):
        return kind[:-2]
    match = re.fullmatch(r"(?:Readonly)?(?:Array|Set)\.?<(.{0,300})>", kind)
    return match.group(1) if match else ""


#: Types that no literal is, of the language and of what calculates with numbers of its own.
_NO_LITERALS = frozenset(
    (
        "Map",
        "Set",
        "WeakMap",
        "Date",
        "RegExp",
        "Promise",
        "Buffer",
        "ArrayBuffer",
        "Uint8Array",
        "Element",
        "Node",
        "Stream",
    )
) | {"BigNumber", "Big", "Decimal", "Fraction", "Complex", "Matrix", "Unit", "Long", "BN"}


class JavaScriptSpeaker:
    """Writes what an example says. Methods of instances need an instance, so only code blocks speak of them."""

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        access = access_of(target)
        if access is None or target.callee not in ("function", "staticmethod"):
            return None
        if len(arguments) > len(target.parameters) and not takes_more(target):
            return None
        # What has no default is needed, except that a call may stop short where the types are not declared.
        types = [parameter.annotation for parameter in target.parameters]
        written = [argument(one, types[index] if index < len(types) else "") for index, one in enumerate(arguments)]
        if any(one is None for one in written):
            return None
        return f"{access.expression}({', '.join(one for one in written if one is not None)})"

    def error(self, target: Target, name: str) -> str | None:
        return name if _IDENTIFIER.fullmatch(name) else None

    def answer(self, target: Target, expected: Value) -> str | None:
        if isinstance(expected, Word) or _holds_doubt(expected, top=True):
            return None
        return source_of(expected, target.returns)


def takes_more(target: Target) -> bool:
    """Whether a call may have more arguments than the target has parameters."""
    return any(parameter.kind == "var_positional" for parameter in target.parameters)


def argument(value: Value, declared: str) -> str | None:
    """An argument as source text; a bare word is none, nor is a literal where an object of another kind is declared."""
    plain = isinstance(value, Number | Text | Truth)
    kinds = {kind.strip(" ()?!") for kind in declared.split("|")}
    if isinstance(value, Word) or (plain and declared and kinds <= _NO_LITERALS):
        return None
    return source_of(value, declared)


def _holds_doubt(value: Value, *, top: bool = False) -> bool:
    """``None`` inside a structure may be null or undefined."""
    if isinstance(value, Nothing):
        return not top and value.word not in ("null", "undefined")
    if isinstance(value, Items):
        return any(_holds_doubt(one) for one in value.items)
    if isinstance(value, Entries):
        return any(_holds_doubt(one) for _, one in value.pairs)
    return False
