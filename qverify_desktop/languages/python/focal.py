"""The part of a module that a prompt needs to speak of one function: imports, class header, the function."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.python.segments import Definition, docstring_node, find_function
from qverify_desktop.languages.python.source import SourceFile, line_of, read_source, walk

MAX_CHARACTERS = 6000
MAX_IMPORTS = 1500
_IMPORTS = ("import_statement", "import_from_statement", "future_import_statement")
_CUT = "    # … (cut)"


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """Source text of the target in its surroundings, at most ``MAX_CHARACTERS``; empty where it is not found.

    Besides the function itself: the module's imports, module-level constants and the signatures of module functions that it
    names, and of its class the header, the docstring and ``__init__``.
    """
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, SourceFile):
        return ""
    definition = find_function(source, target.symbol, target.line)
    if definition is None:
        return ""
    function = _text(source, definition.node)
    context = _imports(source) + _named_by(source, definition)
    owner = _owner(source, definition)
    parts = [part for part in ("\n".join(context), "\n".join([*owner, function])) if part]
    text = "\n\n\n".join(parts)
    if len(text) > MAX_CHARACTERS and len(parts) == 2:
        text = "\n\n\n".join(
            [parts[0][: max(0, MAX_CHARACTERS - len(parts[1]) - 20)].rpartition("\n")[0], parts[1]]
        ).strip()
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - len(_CUT) - 1].rpartition("\n")[0] + "\n" + _CUT
    return text + "\n"


def _text(source: SourceFile, node: Node) -> str:
    """Whole lines of a definition with its decorators."""
    outer = node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
    return source.data[outer.start_byte - outer.start_point.column : outer.end_byte].decode("utf-8", "replace")


def _imports(source: SourceFile) -> list[str]:
    statements = [source.slice(node) for node in source.root.named_children if node.type in _IMPORTS]
    text, kept = 0, []
    for statement in statements:
        text += len(statement)
        if text <= MAX_IMPORTS:
            kept.append(statement)
    return kept


def _named_by(source: SourceFile, definition: Definition) -> list[str]:
    """Module-level constants and function signatures that the function refers to by name."""
    names = {source.slice(node) for node in walk(definition.node) if node.type == "identifier"}
    found = []
    for statement in source.root.named_children:
        inner = statement.child_by_field_name("definition") or statement
        if inner.type == "function_definition" and inner != definition.node:
            name, body = inner.child_by_field_name("name"), inner.child_by_field_name("body")
            if name is not None and body is not None and source.slice(name) in names:
                header = source.data[inner.start_byte : body.start_byte].decode("utf-8", "replace").strip()
                found.append(f"\n{header} ...")
        elif statement.type == "expression_statement" and statement.named_children:
            assignment = statement.named_children[0]
            left = assignment.child_by_field_name("left") if assignment.type == "assignment" else None
            if left is not None and source.slice(left) in names and statement.end_byte - statement.start_byte < 500:
                found.append(source.slice(statement))
    return found


def _owner(source: SourceFile, definition: Definition) -> list[str]:
    """Header and docstring of the class, and its ``__init__`` where that is another method."""
    owner = definition.owner_node
    body = owner.child_by_field_name("body") if owner is not None else None
    if owner is None or body is None:
        return []
    indent = b" " * owner.start_point.column
    lines = [(indent + source.data[owner.start_byte : body.start_byte].rstrip()).decode("utf-8", "replace")]
    docstring = docstring_node(owner)
    if docstring is not None:
        lines += [(b" " * docstring.start_point.column).decode() + source.slice(docstring), ""]
    for member in body.named_children:
        inner = member.child_by_field_name("definition") or member
        name = inner.child_by_field_name("name")
        is_init = inner.type == "function_definition" and name is not None and source.slice(name) == "__init__"
        if is_init and line_of(inner) != line_of(definition.node):
            lines += [_text(source, inner), ""]
    return lines
