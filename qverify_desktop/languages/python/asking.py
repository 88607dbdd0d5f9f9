"""What a prompt says of Python, and how two spellings of one value are told to be the same."""

from __future__ import annotations

import ast

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages import syntax
from qverify_desktop.languages.base import Idiom
from qverify_desktop.languages.python.layout import module_name
from qverify_desktop.languages.python.segments import find_function
from qverify_desktop.languages.python.source import SourceFile, read_source

MOST_IMPORTS = 40
_UNREADABLE = (SyntaxError, ValueError, RecursionError, MemoryError)


def idiom(target: Target) -> Idiom:
    """pytest, whatever the project uses: its runner takes the tests of ``unittest`` too."""
    return Idiom(
        "pytest",
        "python",
        f"from {target.module} import {target.symbol.partition('.')[0]}",
        (
            "Use only the standard library, pytest and the project's own modules.",
            "Plain functions with assert; each documented exception with pytest.raises; files only below tmp_path.",
        ),
    )


def imports_at(snapshot: Snapshot, project: Project, target: Target) -> tuple[str, ...]:
    """The imports at the top of the target's module that the target uses, each relative one with the module's full name."""
    source = read_source(snapshot.root, target.file)
    definition = find_function(source, target.symbol, target.line) if isinstance(source, SourceFile) else None
    if not isinstance(source, SourceFile) or definition is None:
        return ()
    try:
        tree = syntax.parse(source.text)
    except _UNREADABLE:
        return ()
    lines = range(target.line, target.end_line + 1)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.lineno in lines}
    is_package = target.file.rpartition("/")[2] == "__init__.py"
    module = module_name(project.source_roots, target.file) or target.module
    found: list[str] = []
    for node in tree.body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        names = [a for a in node.names if (a.asname or a.name.partition(".")[0]) in used]
        if names and isinstance(node, ast.ImportFrom):
            found.append(ast.unparse(ast.ImportFrom(_absolute(node, module, is_package), names, 0)))
        elif names:
            found.append(ast.unparse(ast.Import(names)))
    return tuple(found[:MOST_IMPORTS])


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: max(0, len(parts) - node.level + (1 if is_package else 0))]
    return ".".join([*kept, *([node.module] if node.module else [])])


def same_value(one: str, other: str) -> bool:
    """Whether two expressions have the same syntax tree; text that does not parse stands for itself."""
    return _normal(one) == _normal(other)


def _normal(expression: str) -> str:
    try:
        return ast.dump(syntax.parse_expression(expression.strip()))
    except _UNREADABLE:
        return expression.strip()
