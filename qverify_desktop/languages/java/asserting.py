"""Assertions of a call's answer, as strict as the words allow: fractions within their digits, everything else equal."""

from __future__ import annotations

import math
import re

from qverify_desktop.languages.java.declared import Type
from qverify_desktop.languages.java.speaking import PRIMITIVES
from qverify_desktop.languages.values.notation import whole_value
from qverify_desktop.languages.values.value import Entries, Items, Kind, Made, Nothing, Number, Value, holds, parts

#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13
_MOST_ITEMS = 60
_FLOATING = frozenset({"double", "float", "Double", "Float"})
_BOXED = frozenset({"Integer", "Long", "Short", "Byte", "Double", "Float", "Character", "Boolean"})
WIDTH = 110


def tolerance(text: str) -> str | None:
    """How far an answer may be from a decimal fraction as it was written; ``None``: not at all.

    With two decimals or more half a unit of the last one, because people round; with fewer about a millionth of it, because
    binary fractions seldom equal decimal ones.
    """
    match = re.fullmatch(r"-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?f?", text)
    if match is None:
        return None
    whole, decimals, exponent = match[1].lstrip("0"), match[2] or "", int(match[3] or 0)
    if len(whole + decimals) >= _EXACT_DIGITS:
        return None
    if len(decimals) >= 2 and decimals.strip("0"):
        return f"5e{exponent - len(decimals) - 1}"
    size = abs(float(text.rstrip("f")))
    return f"1e{max(-9, math.ceil(math.log10(size * 1e-6)))}" if size else "1e-9"


def assertions(call: str, expected: str, returns: Type, *, junit_4: bool = False) -> list[str] | None:
    """Statements that hold the answer of ``call`` to ``expected``, both Java source; ``None`` where it can't be done."""
    if expected == "null":
        return [_laid_out("assertNull", (call,))]
    if expected in ("true", "false") and returns.name == "boolean":
        return [_laid_out("assertTrue" if expected == "true" else "assertFalse", (call,))]
    value = whole_value(expected)
    if returns.name == "[]":
        return _array(call, expected, returns, value)
    if value is not None and _has_fraction(value):
        if isinstance(value, Number):
            return _fraction(call, expected, returns)
        return _parts(call, value)
    if junit_4 and returns.name not in PRIMITIVES and (returns.name in _BOXED or len(returns.name) == 1):
        expected = f"(Object) {expected}"
    return [_laid_out("assertEquals", (expected, call))]


def _has_fraction(value: Value) -> bool:
    if isinstance(value, Number):
        return not value.whole
    return holds(value, Number) and any(_has_fraction(one) for one in parts(value))


def _fraction(call: str, expected: str, returns: Type) -> list[str]:
    near = tolerance(expected)
    if near is None:
        return [_laid_out("assertEquals", (expected, call))]
    if returns.name not in _FLOATING:
        call = f"((Number) {call}).doubleValue()"
    return [_laid_out("assertEquals", (expected, call, near + ("f" if expected.endswith("f") else "")))]


def _array(call: str, expected: str, returns: Type, value: Value | None) -> list[str] | None:
    if returns.item.name in ("double", "float"):
        numbers = [one for one in parts(value) if isinstance(one, Number)] if value is not None else []
        near = [tolerance(one.text) for one in numbers]
        if numbers and None not in near:
            widest = max((one for one in near if one), key=float)
            return [
                _laid_out(
                    "assertArrayEquals", (expected, call, widest + ("f" if returns.item.name == "float" else ""))
                )
            ]
    elif value is not None and _has_fraction(value):
        return None
    return [_laid_out("assertArrayEquals", (expected, call))]


def _parts(call: str, value: Value) -> list[str] | None:
    """A structure with fractions in it, part by part."""
    lines: list[str] = []
    if not _compare("observed", value, lines, 3) or len(lines) > _MOST_ITEMS:
        return None
    return [f"var observed = {call};", *lines]


def _compare(path: str, value: Value, lines: list[str], depth: int) -> bool:
    if depth <= 0:
        return False
    if isinstance(value, Number):
        text = f"{value.text}.0" if value.whole else value.text.replace("e", "E")
        near = None if value.whole else tolerance(text)
        lines.append(
            _laid_out("assertEquals", (value.text if value.whole else text, path, *((near,) if near else ())))
        )
        return value.text[-1].isdigit()
    if isinstance(value, Items) and value.kind is Kind.LIST:
        lines.append(_laid_out("assertEquals", (str(len(value.items)), f"{path}.size()")))
        return all(_compare(f"{path}.get({i})", one, lines, depth - 1) for i, one in enumerate(value.items))
    if isinstance(value, Made) and value.name == "some" and len(value.arguments) == 1:
        lines.append(_laid_out("assertTrue", (f"{path}.isPresent()",)))
        return _compare(f"{path}.get()", value.arguments[0], lines, depth - 1)
    if isinstance(value, Entries):
        lines.append(_laid_out("assertEquals", (str(len(value.pairs)), f"{path}.size()")))
        for key, one in value.pairs:
            written = _key(key)
            if not written or not _compare(f"{path}.get({written})", one, lines, depth - 1):
                return False
        return True
    if isinstance(value, Nothing):
        lines.append(_laid_out("assertNull", (path,)))
        return True
    written = _key(value)
    lines.append(_laid_out("assertEquals", (written, path)))
    return bool(written)


def _key(value: Value) -> str:
    # Imported late: only these two need the other's words.
    from qverify_desktop.languages.java.speaking import escaped
    from qverify_desktop.languages.values.value import Text, Truth

    if isinstance(value, Text):
        return f'"{escaped(value.value)}"'
    if isinstance(value, Truth):
        return "true" if value.value else "false"
    return value.text if isinstance(value, Number) and value.whole else ""


def _laid_out(name: str, arguments: tuple[str, ...]) -> str:
    """The call on one line, or each argument on its own where that is too long."""
    line = f"{name}({', '.join(arguments)});"
    if len(line) + 8 <= WIDTH:
        return line
    return f"{name}(\n        " + ",\n        ".join(arguments) + ");"
