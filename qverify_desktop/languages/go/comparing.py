"""Comparisons of what a call gave with what was expected: as strict as the words allow, and no stricter."""

from __future__ import annotations

import math

from qverify_desktop.languages.go.speaking import float_text, string_text
from qverify_desktop.languages.go.types import FLOATS, Type
from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
    holds,
    parts,
)

#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13
_MOST_CONDITIONS = 40
#: Stands for a condition that can't be written.
_NEVER = ""
#: The type of a struct's field, which nobody has looked up.
UNKNOWN = Type("", "")


def differs(given: str, value: Value, kind: Type, said: str, *, exact: bool = False) -> str | None:
    """A condition that holds where ``given`` is not ``value``, whose source is ``said``, empty where it has none. ``None`` where no
    condition can be written.

    Decimal fractions of few digits are compared within half a unit of their last digit (two decimals or more), otherwise within
    a relative 1e-6; with ``exact``, as they are. A nil slice or map equals an empty one. What an empty interface holds is
    compared as it prints, because a number in it has a type that nobody wrote.
    """
    if said and _is_exact(value, kind, exact) and isinstance(value, Items | Entries) and _size(value):
        return f"!reflect.DeepEqual({given}, {said})"
    found = _conditions(given, value, kind, exact)
    return " || ".join(found) if 0 < len(found) <= _MOST_CONDITIONS and _NEVER not in found else None


def shown(value: Value) -> str:
    """A value for people to read, where it has no source of its own."""
    if isinstance(value, Made):
        inside = ", ".join(map(shown, value.arguments))
        return f"&{inside}" if value.name == "some" else inside
    if isinstance(value, Entries):
        pairs = ", ".join(
            f"{key.value if isinstance(key, Text) else shown(key)}: {shown(one)}" for key, one in value.pairs
        )
        return f"{{{pairs}}}"
    if isinstance(value, Items):
        return f"[{', '.join(map(shown, value.items))}]"
    return "nil" if isinstance(value, Nothing) else _key(value) or "?"


def _size(value: Items | Entries) -> int:
    return len(value.items) if isinstance(value, Items) else len(value.pairs)


def _is_exact(value: Value, kind: Type, exact: bool) -> bool:
    """Whether equality of the whole is what is meant: no rounded number, no empty interface, nothing empty inside."""
    if "interface" in kind.text or "any" in kind.text.replace("[", " ").replace("]", " ").split():
        return False
    inside = parts(value)
    if holds(value, Made):
        return False
    if any((isinstance(one, Items | Entries) and not _size(one)) or isinstance(one, Nothing) for one in inside):
        return False
    if not exact and _holds_fraction(value):
        return False
    return all(_is_exact(one, kind, exact) for one in inside)


def _holds_fraction(value: Value) -> bool:
    if isinstance(value, Number):
        return not value.whole
    return holds(value, Number) and any(_holds_fraction(one) for one in parts(value))


def _conditions(given: str, value: Value, kind: Type, exact: bool) -> list[str]:
    if isinstance(value, Items):
        if not value.items:
            return [f"len({given}) != 0"]
        found = [f"len({given}) != {len(value.items)}"] if kind.name != "[n]" else []
        inner = kind.inner[0] if kind.inner else kind
        for number, one in enumerate(value.items):
            found += _conditions(f"{given}[{number}]", one, inner, exact)
        return found
    if isinstance(value, Entries):
        found = [f"len({given}) != {len(value.pairs)}"]
        inner = kind.inner[-1] if kind.inner else kind
        for key, one in value.pairs:
            written = _key(key)
            if written is None:
                return []
            found += _conditions(f"{given}[{written}]", one, inner, exact)
        return found
    if isinstance(value, Made):
        return _made(given, value, kind, exact)
    return _of_one(given, value, kind, exact)


def _made(given: str, value: Made, kind: Type, exact: bool) -> list[str]:
    """Pointers (``some``) and structs, as observations write them: each field is compared."""
    inner = value.arguments[0] if len(value.arguments) == 1 else None
    if value.name == "some" and isinstance(inner, Made) and inner.name == "struct":
        fields = _conditions(given, inner, kind, exact)
        return [f"{given} == nil", *fields]
    if value.name == "some" and inner is not None and not isinstance(inner, Made):
        pointed = kind.inner[0] if kind.name == "*" else UNKNOWN
        compared = _conditions(f"(*{given})", inner, pointed, exact)
        return [f"{given} == nil", *compared] if compared else [_NEVER]
    if value.name != "struct" or not isinstance(inner, Entries):
        return [_NEVER]
    found = []
    for name, one in inner.pairs:
        if not (isinstance(name, Text) and name.value.isascii() and name.value.isidentifier()):
            return [_NEVER]
        found += _conditions(f"{given}.{name.value}", one, UNKNOWN, exact) or [_NEVER]
    return found or [_NEVER]


def _key(value: Value) -> str | None:
    if isinstance(value, Text):
        return string_text(value.value)
    if isinstance(value, Number):
        return value.text if value.whole else float_text(value)
    return str(value.value).lower() if isinstance(value, Truth) else None


def _of_one(given: str, value: Value, kind: Type, exact: bool) -> list[str]:
    loose = kind.name in ("any", "interface{}")
    if isinstance(value, Nothing):
        return [f"len({given}) != 0" if kind.name in ("[]", "map") else f"{given} != nil"]
    if isinstance(value, Truth):
        if kind.name == "bool":
            return [f"!{given}" if value.value else given]
        return [f"{given} != {str(value.value).lower()}"]
    if isinstance(value, Text):
        if loose:
            return [f"fmt.Sprint({given}) != {string_text(value.value)}"]
        if kind.name in ("rune", "byte", "int32", "uint8") and len(value.value) == 1:
            return [f"{given} != {ord(value.value)}"]
        return [f"{given} != {string_text(value.value)}"]
    if not isinstance(value, Number):
        return []
    if loose:
        return [f"fmt.Sprint({given}) != fmt.Sprint({value.text if value.whole else float_text(value)})"]
    if kind.name not in FLOATS and value.whole:
        return [f"{given} != {value.text}"]
    return [_fraction(given, value, kind, exact)]


def _fraction(given: str, value: Number, kind: Type, exact: bool) -> str:
    wide = given if kind.name == "float64" else f"float64({given})"
    if value.text == "nan":
        return f"!math.IsNaN({wide})"
    if value.text in ("inf", "-inf"):
        return f"!math.IsInf({wide}, {'-1' if value.text[0] == '-' else '1'})"
    tolerance = None if exact else _tolerance(value)
    if tolerance is None:
        return f"{given} != {float_text(value)}"
    # Written so that a result that is not a number differs, too.
    minus = f"+{float_text(value)[1:]}" if value.text.startswith("-") else f"-{float_text(value)}"
    return f"!(math.Abs({wide}{minus}) <= {tolerance})"


def _tolerance(value: Number) -> str | None:
    whole, decimals = value.text.lstrip("-").partition("e")[0].partition(".")[::2]
    share = 1e-12 if len(whole.lstrip("0") + decimals) >= _EXACT_DIGITS else 1e-6
    exponent = int(value.text.partition("e")[2] or 0)
    if share > 1e-12 and len(decimals) >= 2 and decimals.strip("0"):
        return f"5e{exponent - len(decimals) - 1}"
    size = abs(float(value.text))
    return f"{max(size * share, share * 1e-6):.2g}" if math.isfinite(size) else None
