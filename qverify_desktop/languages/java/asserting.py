"""Assertions of a call's answer, as strict as the words allow: fractions within their digits, everything else equal.

Java and Kotlin write them alike but for a few words, which are in ``Syntax``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from qverify_desktop.languages.java.declared import Type
from qverify_desktop.languages.java.literals import PRIMITIVES, escaped
from qverify_desktop.languages.values.notation import whole_value
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
    holds,
    parts,
)

#: With at least this many digits a decimal fraction is taken as exact, not as rounded by a person.
_EXACT_DIGITS = 13
_MOST_LINES = 60
_FLOATING = frozenset({"double", "float", "Double", "Float"})
_BOXED = frozenset({"Integer", "Long", "Short", "Byte", "Double", "Float", "Character", "Boolean"})
WIDTH = 110


@dataclass(frozen=True)
class Syntax:
    """How a language ends a statement, names a value, asks for a size and an item, and compares arrays."""

    end: str = ";"
    named: str = "var observed = {};"
    size: str = "{}.size()"
    item: str = "{}.get({})"
    as_double: str = "((Number) {}).doubleValue()"
    arrays: str = "assertArrayEquals"
    indent: str = "        "
    escape: Callable[[str], str] = escaped

    def statement(self, name: str, *arguments: str) -> str:
        """The call on one line, or each argument on its own where that is too long."""
        line = f"{name}({', '.join(arguments)}){self.end}"
        if len(line) + 8 <= WIDTH:
            return line
        if self.end:
            return f"{name}(\n{self.indent}" + f",\n{self.indent}".join(arguments) + f"){self.end}"
        return f"{name}(\n{self.indent}" + f",\n{self.indent}".join(arguments) + ",\n)"


JAVA = Syntax()


def tolerance(text: str) -> str | None:
    """How far an answer may be from a decimal fraction as it was written; ``None``: not at all.

    With two decimals or more half a unit of the last one, because people round; with fewer about a millionth of it, because
    binary fractions seldom equal decimal ones. With all its digits it may differ where another library rounds a last one.
    """
    match = re.fullmatch(r"-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?f?", text)
    if match is None:
        return None
    whole, decimals, exponent = match[1].lstrip("0"), match[2] or "", int(match[3] or 0)
    share = 1e-12 if len(whole + decimals) >= _EXACT_DIGITS else 1e-6
    if share > 1e-12 and len(decimals) >= 2 and decimals.strip("0"):
        return f"5e{exponent - len(decimals) - 1}"
    size = abs(float(text.rstrip("f")))
    if not math.isfinite(size):
        return None
    return f"1e{max(-15 if share < 1e-6 else -9, math.ceil(math.log10(size * share)))}" if size else "1e-9"


def assertions(
    call: str, expected: str, returns: Type, *, junit_4: bool = False, syntax: Syntax = JAVA
) -> list[str] | None:
    """Statements that hold the answer of ``call`` to ``expected``, both source; ``None`` where it can't be done."""
    if expected == "null":
        return [syntax.statement("assertNull", call)]
    truth = "boolean" if syntax is JAVA else "Boolean"
    if expected in ("true", "false") and returns.name == truth and not returns.nullable:
        return [syntax.statement("assertTrue" if expected == "true" else "assertFalse", call)]
    value = whole_value(expected)
    if returns.name == "[]" or returns.name.endswith("Array"):
        return _array(call, expected, returns, value, syntax)
    if value is not None and _has_fraction(value):
        if isinstance(value, Number):
            return _fraction(call, expected, returns, syntax)
        return _parts(call, value, syntax)
    boxed = returns.name in _BOXED or (len(returns.name) == 1 and returns.name not in PRIMITIVES)
    if junit_4 and syntax is JAVA and boxed:
        expected = f"(Object) {expected}"
    return [syntax.statement("assertEquals", expected, call)]


def _has_fraction(value: Value) -> bool:
    if isinstance(value, Number):
        return not value.whole
    return holds(value, Number) and any(_has_fraction(one) for one in parts(value))


def _fraction(call: str, expected: str, returns: Type, syntax: Syntax) -> list[str]:
    near = tolerance(expected)
    if near is None:
        return [syntax.statement("assertEquals", expected, call)]
    if returns.name not in _FLOATING or returns.nullable:
        call = syntax.as_double.format(call)
    return [syntax.statement("assertEquals", expected, call, near + ("f" if expected.endswith("f") else ""))]


def _array(call: str, expected: str, returns: Type, value: Value | None, syntax: Syntax) -> list[str] | None:
    item = returns.item.name if returns.name == "[]" else returns.name.removesuffix("Array").lower()
    if item in ("double", "float"):
        numbers = [one for one in parts(value) if isinstance(one, Number)] if value is not None else []
        near = [one for one in (tolerance(number.text) for number in numbers) if one is not None]
        if numbers and len(near) == len(numbers):
            widest = max(near, key=float) + ("f" if item == "float" else "")
            return [syntax.statement("assertArrayEquals", expected, call, widest)]
    elif value is not None and _has_fraction(value):
        return None
    return [syntax.statement(syntax.arrays, expected, call)]


def _parts(call: str, value: Value, syntax: Syntax) -> list[str] | None:
    """A structure with fractions in it, part by part."""
    lines: list[str] = []
    if not _compare("observed", value, lines, 4, syntax) or len(lines) > _MOST_LINES:
        return None
    return [syntax.named.format(call), *lines]


def _compare(path: str, value: Value, lines: list[str], depth: int, syntax: Syntax) -> bool:
    if depth <= 0:
        return False
    if isinstance(value, Number):
        if not value.text[-1].isdigit():
            return False
        text = value.text if value.whole else value.text.replace("e", "E")
        near = None if value.whole else tolerance(text)
        lines.append(syntax.statement("assertEquals", text, path, *((near,) if near else ())))
        return True
    if isinstance(value, Items) and value.kind is Kind.LIST:
        lines.append(syntax.statement("assertEquals", str(len(value.items)), syntax.size.format(path)))
        items = enumerate(value.items)
        return all(_compare(syntax.item.format(path, i), one, lines, depth - 1, syntax) for i, one in items)
    if isinstance(value, Made) and value.name == "some" and len(value.arguments) == 1 and syntax is JAVA:
        lines.append(syntax.statement("assertTrue", f"{path}.isPresent()"))
        return _compare(f"{path}.get()", value.arguments[0], lines, depth - 1, syntax)
    if isinstance(value, Entries):
        lines.append(syntax.statement("assertEquals", str(len(value.pairs)), syntax.size.format(path)))
        for key, one in value.pairs:
            written = _plain(key, syntax)
            if not written or not _compare(syntax.item.format(path, written), one, lines, depth - 1, syntax):
                return False
        return True
    if isinstance(value, Nothing):
        lines.append(syntax.statement("assertNull", path))
        return True
    written = _plain(value, syntax)
    lines.append(syntax.statement("assertEquals", written, path))
    return bool(written)


def _plain(value: Value, syntax: Syntax) -> str:
    if isinstance(value, Text):
        return f'"{syntax.escape(value.value)}"'
    if isinstance(value, Truth):
        return "true" if value.value else "false"
    return value.text if isinstance(value, Number) and value.whole else ""
