"""The part of a file that a prompt needs to speak of one function: imports, class header, what it names, the function."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.javascript.dialects import read_source
from qverify_desktop.languages.javascript.names import bound, used
from qverify_desktop.languages.javascript.segments import COMMENTS, find_definition
from qverify_desktop.languages.tree.source import TreeSource

MAX_CHARACTERS = 6000
_MOST_STATEMENT = 600
_CUT = "  // … (cut)"


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """Source text of the target in its surroundings, at most ``MAX_CHARACTERS``; empty where it is not found."""
    source = read_source(snapshot.root, target.file)
    definition = find_definition(source, target) if isinstance(source, TreeSource) else None
    if not isinstance(source, TreeSource) or definition is None:
        return ""
    statement = definition.node
    while statement.parent is not None and statement.parent.type != "program":
        statement = statement.parent
    names = used(source, definition.node)
    context = [
        _shortened(source, other)
        for other in source.root.named_children
        if other != statement
        and other.type not in COMMENTS
        and (other.type == "import_statement" or names & set(bound(source, other)))
    ]
    text = "\n".join([*context, "", _owner(source, statement, definition.node)]).strip("\n")
    if len(text) > MAX_CHARACTERS:
        text = _owner(source, statement, definition.node)
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - len(_CUT) - 1].rpartition("\n")[0] + "\n" + _CUT
    return text + "\n"


def _shortened(source: TreeSource, statement: Node) -> str:
    text = source.slice(statement)
    return text if len(text) <= _MOST_STATEMENT else text[:_MOST_STATEMENT].rpartition("\n")[0] + "\n" + _CUT


def _owner(source: TreeSource, statement: Node, definition: Node) -> str:
    """The statement that holds the function; of a class its header, constructor and the method."""
    above = _comment(source, definition)
    if statement == definition or definition.type not in ("method_definition", "field_definition"):
        return (above if statement == definition else _comment(source, statement)) + source.slice(statement)
    body = definition.parent
    if body is None or body.type != "class_body":
        return _comment(source, statement) + source.slice(statement)
    header = source.data[statement.start_byte : body.start_byte].decode("utf-8", "replace").rstrip()
    parts = [f"{header} {{"]
    for member in body.named_children:
        if member != definition and source.field(member, "name") == "constructor":
            parts.append(f"  {source.slice(member)}")
    parts += [f"  {above}{source.slice(definition)}", "}"]
    return "\n".join(parts)


def _comment(source: TreeSource, node: Node) -> str:
    before = node.prev_named_sibling
    if before is not None and before.type in COMMENTS and before.end_point[0] + 1 == node.start_point[0]:
        return source.slice(before) + "\n"
    return ""
