"""What a module imports, read from its syntax tree: names that have to be there for it to be importable."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tree_sitter import Node

from qverify_desktop.languages.python.source import SourceFile, walk

#: Handlers that make an import optional.
_CATCHING = ("ImportError", "ModuleNotFoundError", "Exception", "BaseException")
#: Conditions that choose by interpreter, platform or purpose.
_CIRCUMSTANCE = re.compile(
    r"TYPE_CHECKING|version_info|hexversion|\bPY_?[23]\d*\b|sys\.platform|os\.name|implementation"
)


def required_imports(source: SourceFile) -> set[str]:
    """Dotted absolute names imported when the module is, or when one of its functions is called.

    Left out: relative imports, ``__future__``, imports that depend on ``TYPE_CHECKING`` or on the interpreter or platform,
    and those whose ``ImportError`` is caught. For ``from a import b`` both ``a`` and ``a.b`` are given, because ``b`` may be a module.
    """
    return _reached(source, lambda node: _is_circumstance(source, node) or _is_caught(source, node))


def attempted_imports(source: SourceFile) -> set[str]:
    """Like ``required_imports``, with those whose ``ImportError`` is caught."""
    return _reached(source, lambda node: _is_circumstance(source, node))


def _reached(source: SourceFile, left_out: Callable[[Node], bool]) -> set[str]:
    names: set[str] = set()
    stack = [source.root]
    while stack:
        node = stack.pop()
        if node.type in ("import_statement", "import_from_statement"):
            names.update(_names(source, node))
        elif not left_out(node):
            stack.extend(node.named_children)
    return names


def all_imports(source: SourceFile) -> set[str]:
    """Every dotted absolute name that is imported anywhere in the module."""
    names: set[str] = set()
    for node in walk(source.root):
        if node.type in ("import_statement", "import_from_statement"):
            names.update(_names(source, node))
    return names


def _names(source: SourceFile, statement: Node) -> Iterator[str]:
    module = statement.child_by_field_name("module_name")
    if module is not None and module.type == "relative_import":
        return
    base = _dotted(source, module) if module is not None else ""
    if base:
        yield base
    for name in statement.children_by_field_name("name"):
        inner = name.child_by_field_name("name") if name.type == "aliased_import" else name
        if inner is not None:
            dotted = _dotted(source, inner)
            yield f"{base}.{dotted}" if base else dotted


def _dotted(source: SourceFile, node: Node) -> str:
    return "".join(source.slice(node).split())


def _is_circumstance(source: SourceFile, node: Node) -> bool:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and bool(_CIRCUMSTANCE.search(source.slice(condition)))


def _is_caught(source: SourceFile, node: Node) -> bool:
    if node.type == "try_statement":
        return any(_catches_import_error(source, child) for child in node.named_children)
    if node.type == "with_statement":
        header = source.slice(node).partition(":")[0]
        return "suppress(" in header and any(name in header for name in _CATCHING)
    return False


def _catches_import_error(source: SourceFile, clause: Node) -> bool:
    if clause.type not in ("except_clause", "except_group_clause"):
        return False
    caught = [child for child in clause.named_children if child.type not in ("block", "comment")]
    if not caught:
        return True
    words = source.slice(caught[0]).replace("(", " ").replace(")", " ").replace(",", " ").split()
    return any(word.rpartition(".")[2] in _CATCHING for word in words)
