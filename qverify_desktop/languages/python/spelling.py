"""Calls as people write them in prose, spelled as Python: text without its quotes, ``is_happy(abc) => True``."""

from __future__ import annotations

import ast
from collections.abc import Collection
from dataclasses import replace

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.examples.domain import is_text
from qverify_desktop.languages.python.examples import Example
from qverify_desktop.languages.python.literals import parse_expression


def with_quotes(example: Example, owner: Target | None, names: Collection[str]) -> Example:
    """The example with bare words as text where the documented function's parameter is text.

    ``names`` are those that mean something in the module. Interactive sessions are meant as they stand.
    """
    node = parse_expression(example.call)
    if owner is None or example.form == "doctest" or example.setup or not isinstance(node, ast.Call):
        return example
    if not isinstance(node.func, ast.Name) or node.func.id != owner.symbol or node.keywords:
        return example
    meant = {*names, *(parameter.name for parameter in owner.parameters)}
    words = [
        position
        for position, argument in enumerate(node.args)
        if isinstance(argument, ast.Name) and argument.id not in meant and is_text(owner, position)
    ]
    for position in words:
        argument = node.args[position]
        if isinstance(argument, ast.Name):
            node.args[position] = ast.Constant(argument.id)
    return replace(example, call=ast.unparse(node)) if words else example
