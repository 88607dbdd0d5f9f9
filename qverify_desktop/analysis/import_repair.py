"""Mend the commonest mistake of a model without asking it: the right name, imported from the wrong module."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages import syntax

_MOST_BYTES = 4 * 1024 * 1024

Mend = Callable[[GeneratedTest], GeneratedTest]


def import_mender(language: str, snapshot: Snapshot, target: Target) -> Mend:
    """A function that points a test's imports of the target's module to where they are. Blocking: reads the target's file.

    A language without such a repair gets one that changes nothing.
    """
    if language != "python":
        return lambda test: test
    names = _defined(Path(snapshot.root, target.file)) | {target.symbol.partition(".")[0]}
    return lambda test: _mended(test, target, names)


def _defined(path: Path) -> frozenset[str]:
    """Names that the module binds at its top level (read with the standard parser; broken source binds none)."""
    try:
        with path.open("rb") as file:
            tree = syntax.parse(file.read(_MOST_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {t.id for t in targets if isinstance(t, ast.Name)}
    return frozenset(found)


def _mended(test: GeneratedTest, target: Target, names: frozenset[str]) -> GeneratedTest:
    prelude: list[str] = []
    bound: set[str] = set()
    for entry in test.prelude:
        prelude += _statement(entry, target, names, bound)
    missing = sorted((_used(test.code) & names) - bound - _bound(prelude))
    if missing:
        prelude.insert(0, f"from {target.module} import {', '.join(missing)}")
    return replace(test, prelude=tuple(dict.fromkeys(prelude)))


def _statement(entry: str, target: Target, names: frozenset[str], bound: set[str]) -> list[str]:
    """A prelude entry with its imports pointed right; ``bound`` collects the names that they bind."""
    try:
        body = syntax.parse(entry).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return [entry]
    if len(body) != 1 or not isinstance(body[0], ast.ImportFrom):
        return [entry]
    node = body[0]
    if node.module == target.module and node.level == 0:
        bound |= {alias.asname or alias.name for alias in node.names}
        return [entry]
    ours = [alias for alias in node.names if alias.name in names or alias.name == "*"]
    others = [alias for alias in node.names if alias not in ours]
    last = target.module.rpartition(".")[2]
    lines = []
    for alias in others:
        if alias.name == last and node.module != target.module.rpartition(".")[0]:
            lines.append(f"import {target.module} as {alias.asname or alias.name}")
        else:
            lines.append(ast.unparse(ast.ImportFrom(node.module, [alias], node.level)))
    if ours:
        lines.insert(0, ast.unparse(ast.ImportFrom(target.module, ours, 0)))
        bound |= {alias.asname or alias.name for alias in ours}
    return lines


def _used(code: str) -> set[str]:
    try:
        tree = syntax.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set()
    stored = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} - stored


def _bound(prelude: list[str]) -> set[str]:
    """Names that other prelude statements bind (definitions of the test file itself must not be shadowed)."""
    found: set[str] = set()
    for entry in prelude:
        try:
            body = syntax.parse(entry).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                found.add(node.name)
            elif isinstance(node, ast.Import | ast.ImportFrom):
                found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            else:
                found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found
