"""Python source as a tree, one at a time.

CPython 3.11 keeps the depth of the tree that ``ast`` is building for the whole interpreter, neither for a thread nor for a call;
when the garbage collector runs Python code in the midst of it, and that code or another thread parses (to format a traceback
is to parse), both or the outer one fail with ``SystemError: AST constructor recursion depth mismatch`` (python/cpython issue
106905). Analyses parse in several threads, so all of them go through here, and the collector waits.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Any

#: Re-entrant: what runs inside a parse after all must not wait for itself.
_LOCK = threading.RLock()


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """No other parse begins, and no finalizer of the garbage collector runs, until the body has ended."""
    with _LOCK:
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if collecting:
                gc.enable()


def parse(source: str | bytes) -> ast.Module:
    """``ast.parse`` of a module. Raises what it raises (``SyntaxError``, ``ValueError``, ``RecursionError``, ``MemoryError``)."""
    with one_at_a_time():
        return ast.parse(source)


def parse_expression(source: str) -> ast.Expression:
    """``ast.parse`` of one expression. Raises what it raises."""
    with one_at_a_time():
        return ast.parse(source, mode="eval")


def literal(source: str) -> Any:
    """``ast.literal_eval``. Raises what it raises."""
    with one_at_a_time():
        return ast.literal_eval(source)
