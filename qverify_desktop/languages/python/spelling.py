"""Calls as people write them in prose, spelled as Python: text without its quotes, ``is_happy(abc) => True``."""

from __future__ import annotations

import ast
from collections.abc import Collection, Sequence
from dataclasses import replace

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.examples.domain import unquoted
from qverify_desktop.languages.python.examples import Example
from qverify_desktop.languages.python.literals import parse_expression
from qverify_desktop.languages.values.notation import arguments_at
from qverify_desktop.languages.values.value import Value, Word


def with_quotes(examples: Sequence[Example], owner: Target | None, names: Collection[str]) -> list[Example]:
    """The examples of a passage with bare words as text where the documented function's parameter is text.

    ``names`` are those that mean something in the module. Interactive sessions are meant as they stand.
    """
    prose = [example for example in examples if example.form != "doctest" and not example.setup]
    calls = {id(example): _arguments(example, owner) for example in prose} if owner is not None else {}
    known = [found for found in calls.values() if found is not None]
    positions = unquoted(owner, known) if owner is not None else frozenset()
    if not positions or any(isinstance(value, Word) and value.name in names for call in known for value in call):
        return list(examples)
    return [_quoted(example, positions) if calls.get(id(example)) is not None else example for example in examples]


def _arguments(example: Example, owner: Target | None) -> tuple[Value, ...] | None:
    """Arguments of a call of the documented function."""
    if owner is None or not example.call.startswith(f"{owner.symbol}("):
        return None
    read = arguments_at(example.call, len(owner.symbol))
    return read[0] if read is not None and read[1] == len(example.call) else None


def _quoted(example: Example, positions: Collection[int]) -> Example:
    node = parse_expression(example.call)
    if not isinstance(node, ast.Call):
        return example
    for position, argument in enumerate(node.args):
        if position in positions and isinstance(argument, ast.Name):
            node.args[position] = ast.Constant(argument.id)
    return replace(example, call=ast.unparse(node))
