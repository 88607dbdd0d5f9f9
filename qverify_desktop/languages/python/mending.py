"""Mend the commonest mistakes of a model without asking it: the right name from the wrong module, and names nobody uses."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.codebase import bound_names, loaded_names

_MOST_BYTES = 4 * 1024 * 1024
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def mended(snapshot: Snapshot, target: Target, test: GeneratedTest) -> GeneratedTest:
    """The test with its imports of the target's module pointed to where they are. Blocking: reads the target's file.

    What an import names and nothing uses is left out: it may not be there, and then it would take the test along.
    """
    names = _defined(Path(snapshot.root, target.file)) | {target.symbol.partition(".")[0]}
    statements = [_body(entry) for entry in test.prelude]
    code = _body(test.code)
    if code is None or any(body is None for body in statements):
        return test
    bodies = [body for body in statements if body is not None]
    used = _read(code).union(*(_read(body) for body in bodies))
    prelude: list[str] = []
    bound: set[str] = set()
    for entry, body in zip(test.prelude, bodies, strict=True):
        prelude += _statement(entry, body, target, names, used, bound)
    made = {name for entry in prelude for node in _body(entry) or () for name in bound_names(node)}
    stored = {name for node in code for name in bound_names(node)}
    missing = sorted((_read(code) & names) - bound - made - stored)
    if missing:
        prelude.insert(0, f"from {target.module} import {', '.join(missing)}")
    return replace(test, prelude=tuple(dict.fromkeys(prelude)))


def _defined(path: Path) -> frozenset[str]:
    """Names that the module binds at its top level (read with the standard parser; broken source binds none)."""
    try:
        with path.open("rb") as file:
            tree = syntax.parse(file.read(_MOST_BYTES))
    except (OSError, *_UNREADABLE):
        return frozenset()
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return frozenset(found)


def _body(entry: str) -> list[ast.stmt] | None:
    try:
        return syntax.parse(entry).body
    except _UNREADABLE:
        return None


def _read(body: Sequence[ast.stmt]) -> set[str]:
    return {name for node in body for name in loaded_names(node)}


def _statement(
    entry: str, body: Sequence[ast.stmt], target: Target, names: frozenset[str], used: set[str], bound: set[str]
) -> list[str]:
    """A prelude entry with its imports pointed right; ``bound`` collects the names that they bind."""
    if len(body) != 1 or not isinstance(body[0], ast.ImportFrom):
        return [entry]
    node = body[0]
    wanted = [alias for alias in node.names if alias.name == "*" or (alias.asname or alias.name) in used]
    wanted = wanted or ([] if node.module == target.module else list(node.names))
    if node.module == target.module and node.level == 0:
        bound |= {alias.asname or alias.name for alias in wanted}
        same = len(wanted) == len(node.names)
        return [entry] if same else [ast.unparse(ast.ImportFrom(node.module, wanted, 0))] if wanted else []
    ours = [alias for alias in wanted if alias.name in names or alias.name == "*"]
    last = target.module.rpartition(".")[2]
    lines = []
    for alias in wanted:
        if alias in ours:
            continue
        if alias.name == last and node.module != target.module.rpartition(".")[0]:
            lines.append(f"import {target.module} as {alias.asname or alias.name}")
        else:
            lines.append(ast.unparse(ast.ImportFrom(node.module, [alias], node.level)))
    if ours:
        lines.insert(0, ast.unparse(ast.ImportFrom(target.module, ours, 0)))
        bound |= {alias.asname or alias.name for alias in ours}
    return lines
