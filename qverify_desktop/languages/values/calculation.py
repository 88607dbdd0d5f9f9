"""Sums that people write beside an example's answer: ``-> 19 - 5 - 6 = 8``."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

from qverify_desktop.languages import syntax
from qverify_desktop.languages.values.notation import value_at
from qverify_desktop.languages.values.value import Number

_CALCULATION = re.compile(r"\s{0,9}([\d(][\d\s.+*/()-]{2,80}?)\s{0,9}=(?!=)\s{0,9}(?=[-\d])")
_OPERATIONS: Mapping[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_DEPTH = 20


def calculated_at(text: str, start: int = 0) -> tuple[Number, int] | None:
    """The value at the end of a calculation that begins at ``start``, where both sides agree, and the offset after it."""
    match = _CALCULATION.match(text, start)
    found = value_at(text, match.end()) if match else None
    if match is None or found is None or not isinstance(found[0], Number):
        return None
    try:
        total = _total(syntax.parse_expression(match.group(1).strip()).body, _DEPTH)
    except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError):
        return None
    return (found[0], found[1]) if total == float(found[0].text) else None


def _total(node: ast.expr, depth: int) -> float:
    if depth and isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
        return _OPERATIONS[type(node.op)](_total(node.left, depth - 1), _total(node.right, depth - 1))
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return node.value
    raise ValueError("not a sum")
