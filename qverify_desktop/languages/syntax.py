"""Python source as a tree, one thread at a time.

CPython 3.11 keeps the depth of the tree that ``ast`` is building for the whole interpreter, not for a thread; when the garbage
collector runs Python code in the midst of it, another thread that parses makes both fail with ``SystemError: AST constructor
recursion depth mismatch`` (python/cpython issue 106905). Analyses parse in several threads, so all of them go through here.
"""

from __future__ import annotations

import ast
import threading
from typing import Any

#: Re-entrant: a finalizer that runs inside a parse may parse itself.
ONE_AT_A_TIME = threading.RLock()


def parse(source: str | bytes) -> ast.Module:
    """``ast.parse`` of a module. Raises what it raises (``SyntaxError``, ``ValueError``, ``RecursionError``, ``MemoryError``)."""
    with ONE_AT_A_TIME:
        return ast.parse(source)


def parse_expression(source: str) -> ast.Expression:
    """``ast.parse`` of one expression. Raises what it raises."""
    with ONE_AT_A_TIME:
        return ast.parse(source, mode="eval")


def literal(source: str) -> Any:
    """``ast.literal_eval``. Raises what it raises."""
    with ONE_AT_A_TIME:
        return ast.literal_eval(source)
