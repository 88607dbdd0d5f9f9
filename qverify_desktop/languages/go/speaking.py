"""Values as Go source for a declared type. What does not fit the type, or fits it in more than one way, is refused (``None``)."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.go.types import (
    CHARACTERS,
    FLOATS,
    INTEGERS,
    NamedTypes,
    Type,
    read_type,
    results,
    type_parameters,
)
from qverify_desktop.languages.values.value import Entries, Items, Kind, Made, Nothing, Number, Text, Truth, Value

_WHOLE = re.compile(r"-?\d{1,40}")
_DEPTH = 12


@dataclass(frozen=True)
class GoSpeaker:
    """Calls and answers of written examples as Go source. Methods are refused: prose does not say what they are called on."""

    named: NamedTypes = field(default_factory=NamedTypes)
    #: Whether a plain value may stand for a named type of which nothing is known.
    by_nature: bool = False

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        """The call as an expression of the target's own package."""
        if target.callee != "function":
            return None
        listed = self.arguments(target, arguments)
        return f"{target.symbol}({listed})" if listed is not None else None

    def arguments(self, target: Target, values: Sequence[Value]) -> str | None:
        """Arguments for the declared parameters, separated by commas; a variadic parameter takes the rest."""
        kinds = [read_type(parameter.annotation) for parameter in target.parameters]
        variadic = bool(target.parameters) and target.parameters[-1].kind == "var_positional"
        if variadic:
            if len(values) < len(kinds) - 1:
                return None
            kinds += [kinds[-1]] * (len(values) - len(kinds))
            kinds = kinds[: len(values)]
        if len(kinds) != len(values):
            return None
        free = type_parameters(target.signature)
        speech = _Speech(self.named, target.module, free)
        written = [speech.said(value, kind) for value, kind in zip(values, kinds, strict=True)]
        return ", ".join(one for one in written if one is not None) if None not in written else None

    def value(self, module: str, value: Value, kind: Type) -> str | None:
        """A value as an expression of a type, seen from a package."""
        return _Speech(self.named, module, frozenset(), self.by_nature).said(value, kind)

    def error(self, target: Target, name: str) -> str | None:
        """None: Go answers errors, it does not raise them."""
        return None

    def answer(self, target: Target, expected: Value) -> str | None:
        """The expected value; several results in parentheses. An error beside it is expected to be nil."""
        kinds = promised_results(target.returns)
        speech = _Speech(self.named, target.module, type_parameters(target.signature), self.by_nature)
        declared = results(target.returns)
        if (
            isinstance(expected, Items)
            and expected.kind is not Kind.SET
            and len(kinds) < len(declared) == len(expected.items)
            and isinstance(expected.items[-1], Nothing)
        ):
            # ``F(1) -> (2, nil)`` names the error that is not there.
            rest = expected.items[:-1]
            expected = rest[0] if len(rest) == 1 else Items(rest, Kind.TUPLE)
        if len(kinds) == 1:
            return speech.said(expected, kinds[0])
        if not isinstance(expected, Items) or expected.kind is Kind.SET or len(expected.items) != len(kinds):
            return None
        written = [speech.said(value, kind) for value, kind in zip(expected.items, kinds, strict=True)]
        return f"({', '.join(one for one in written if one is not None)})" if kinds and None not in written else None


def promised_results(returns: str) -> list[Type]:
    """The results that an example speaks of: all but an error at the end."""
    kinds = results(returns)
    return kinds[:-1] if len(kinds) > 1 and kinds[-1].name == "error" else kinds


@dataclass(frozen=True)
class _Speech:
    named: NamedTypes
    module: str
    free: frozenset[str]
    by_nature: bool = False

    def said(self, value: Value, kind: Type, depth: int = _DEPTH) -> str | None:
        """``value`` as an expression of type ``kind``."""
        if depth <= 0:
            return None
        if isinstance(value, Made) and value.name == "(" and len(value.arguments) == 1:
            under = self.named.underlying(self.module, kind)
            if under.name not in ("[]", "[n]"):
                return self.said(value.arguments[0], kind, depth - 1)
            value = Items(value.arguments)
        if kind.name in self.free:
            return self._natural(value)
        under = self.named.underlying(self.module, kind)
        name = under.name
        if name in INTEGERS:
            return _integer(value, name)
        if name in FLOATS:
            return float_text(value) if isinstance(value, Number) else None
        if name == "bool":
            return str(value.value).lower() if isinstance(value, Truth) else None
        if name == "string":
            return string_text(value.value) if isinstance(value, Text) else None
        if name == "any":
            return self._anything(value)
        if name in ("*", "error") or isinstance(value, Nothing):
            return "nil" if isinstance(value, Nothing) and name in ("*", "error", "[]", "map") else None
        return self._rows(value, kind, under, depth)

    def _rows(self, value: Value, kind: Type, under: Type, depth: int) -> str | None:
        if self.by_nature and under.name.isidentifier() and not isinstance(value, Items | Entries):
            return self._natural(value)
        text = self.concrete(kind, value)
        if text is None:
            return None
        if under.name in ("[]", "[n]") and isinstance(value, Items) and value.kind is not Kind.SET:
            if under.name == "[n]" and len(value.items) != under.length:
                return None
            items = [self.said(one, under.inner[0], depth - 1) for one in value.items]
            return f"{text}{{{', '.join(one for one in items if one is not None)}}}" if None not in items else None
        if under.name == "map":
            pairs = _pairs(value, under)
            if pairs is None:
                return None
            written = []
            for key, one in pairs:
                left, right = self.said(key, under.inner[0], depth - 1), self.said(one, under.inner[1], depth - 1)
                if left is None or right is None:
                    return None
                written.append(f"{left}: {right}")
            return f"{text}{{{', '.join(written)}}}" if len(set(written)) == len(written) else None
        return None

    def concrete(self, kind: Type, value: Value) -> str | None:
        """The type's source, with a type parameter replaced by the type that the value's items have by nature."""
        if not any(name in kind.text for name in self.free):
            return kind.text
        if kind.name == "[]" and kind.inner[0].name in self.free and isinstance(value, Items):
            natures = {_nature(one) for one in value.items} or {"int"}
            if natures == {"int", "float64"}:
                natures = {"float64"}
            nature = natures.pop() if len(natures) == 1 else None
            return f"[]{nature}" if nature else None
        return None

    def _natural(self, value: Value) -> str | None:
        return self._anything(value) if _nature(value) else None

    def _anything(self, value: Value) -> str | None:
        if isinstance(value, Nothing):
            return "nil"
        if isinstance(value, Truth):
            return str(value.value).lower()
        if isinstance(value, Number):
            return _integer(value, "int") if value.whole else float_text(value)
        # A letter in single quotes is a rune to Go and text to others.
        if isinstance(value, Text) and not (value.quote == "'" and len(value.value) == 1):
            return string_text(value.value)
        return None


def _nature(value: Value) -> str | None:
    if isinstance(value, Number):
        return "int" if value.whole else "float64"
    return "string" if isinstance(value, Text) else "bool" if isinstance(value, Truth) else None


def _pairs(value: Value, kind: Type) -> tuple[tuple[Value, Value], ...] | None:
    if isinstance(value, Entries):
        return value.pairs
    if isinstance(value, Items) and (value.kind is Kind.SET or not value.items):
        if kind.inner[1].name == "bool":
            return tuple((one, Truth(True)) for one in value.items)
        return () if not value.items else None
    return None


def _integer(value: Value, name: str) -> str | None:
    if isinstance(value, Text) and name in CHARACTERS and len(value.value) == 1:
        letter = value.value
        if name in ("byte", "uint8") and ord(letter) > 127:
            return None
        return "'\\''" if letter == "'" else f"'{string_text(letter)[1:-1]}'" if letter != '"' else "'\"'"
    if not isinstance(value, Number) or not value.whole or not _WHOLE.fullmatch(value.text):
        return None
    least, most = INTEGERS[name]
    return value.text if least <= int(value.text) <= most else None


def float_text(value: Number) -> str:
    """A floating-point number as a literal with a point or an exponent; others by functions of ``math``."""
    special = {"nan": "math.NaN()", "inf": "math.Inf(1)", "-inf": "math.Inf(-1)"}
    if value.text in special:
        return special[value.text]
    return value.text if set(value.text) & set(".e") else f"{value.text}.0"


def string_text(text: str) -> str:
    """A string literal on one line. JSON's escapes are Go's but for surrogates and the slash."""
    escaped = json.dumps(text, ensure_ascii=False)
    return "".join(
        c
        if c.isprintable() and not 0xD800 <= ord(c) <= 0xDFFF
        else f"\\u{ord(c):04x}"
        if ord(c) < 0x10000
        else f"\\U{ord(c):08x}"
        for c in escaped
    )
