"""The assertions of a test, for those who read it: where each stands and what it says."""

from __future__ import annotations

import ast

from qverify_desktop.languages import syntax

#: Context managers of pytest that assert.
_RAISING = ("raises", "warns")


def assertions(code: str) -> list[tuple[int, str]]:
    """1-based line in ``code`` and text on one line of every assertion; nothing for what can't be parsed."""
    try:
        tree = syntax.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            found.append((node.lineno, _text(code, node.test)))
        elif isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and _name(call.func) in _RAISING:
                    inside = " ".join(_text(code, statement) for statement in node.body)
                    found.append((node.lineno, f"{_text(code, call)}: {inside}"))
    return sorted(found)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(code: str, node: ast.AST) -> str:
    return " ".join((ast.get_source_segment(code, node) or "").split())
