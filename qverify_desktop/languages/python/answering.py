"""How a function answers, read from its source: by a value, lazily, by printing, or differently each time."""

from __future__ import annotations

import ast
import re

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.python.codebase import Codebase

#: Code whose answer depends on when, where or how often it runs.
_UNSTABLE_CODE = re.compile(
    r"\b(?:random|secrets|uuid\d?|urandom|getpid|gethostname|platform|getlocale|setlocale|tempfile|socket|urlopen)\b"
    r"|\.(?:now|today|utcnow|getcwd|cwd|perf_counter|monotonic|process_time|localtime)\(|\btime\(\)|\bos\.environ\b"
    r"|\b(?:id|hash)\("
)

_CLOCK = re.compile(r"\.(?:now|today|utcnow|perf_counter|monotonic|process_time|localtime|time)\(\)|\btime\(\)")


def reads_clock(source: str) -> bool:
    """Whether the code asks what time it is."""
    return bool(_CLOCK.search(source))


def is_unstable(source: str) -> bool:
    """Whether the code's answer depends on when, where or how often it runs."""
    return bool(_UNSTABLE_CODE.search(source))


def _own_nodes(definition: ast.AST) -> list[ast.AST]:
    """Nodes of a function's own body, without those of functions inside it."""
    found: list[ast.AST] = []
    queue = list(ast.iter_child_nodes(definition))
    while queue:
        node = queue.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            queue.extend(ast.iter_child_nodes(node))
    return found


def yields(definition: ast.AST) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in _own_nodes(definition))


def is_context_manager(definition: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any("contextmanager" in ast.unparse(item) for item in definition.decorator_list)


def answers_by_printing(codebase: Codebase, target: Target) -> bool | None:
    """``True`` for a function that only prints, ``False`` for one that only returns, ``None`` where it may do both."""
    definition = codebase.definition(target)
    if definition is None or target.callee == "property" or definition.name == "__init__":
        return False
    nodes = _own_nodes(definition)
    returns = any(isinstance(node, ast.Return) and node.value is not None for node in nodes) or yields(definition)
    prints = any(
        isinstance(node, ast.Call) and re.fullmatch(r"print|pprint|(?:sys\.)?stdout\.write", ast.unparse(node.func))
        for node in nodes
    )
    if returns:
        return None if prints else False
    return True
