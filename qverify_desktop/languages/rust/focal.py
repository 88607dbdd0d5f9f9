"""The part of a module that a prompt needs to speak of one function: imports, its type, the function."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.rust.source import ATTRIBUTES, COMMENTS, find_function
from qverify_desktop.languages.tree.source import TreeSource, walk

MAX_CHARACTERS = 6000
MAX_CONTEXT = 2500
_CUT = "    // … (cut)"
_NAMED = frozenset(("struct_item", "enum_item", "const_item", "static_item", "type_item", "trait_item"))


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """Source text of the target in its surroundings, at most ``MAX_CHARACTERS``; empty where it is not found.

    Besides the function with its comment: the file's imports, the types and constants that it names, the signatures of functions
    that it calls, and the header of its ``impl``.
    """
    found = find_function(snapshot, target)
    if found is None:
        return ""
    source, node = found.source, found.node
    function = _text(source, node)
    owner = node.parent.parent if node.parent is not None and node.parent.type == "declaration_list" else None
    if owner is not None and owner.type in ("impl_item", "trait_item"):
        body = owner.child_by_field_name("body")
        header = source.data[owner.start_byte : body.start_byte if body is not None else owner.end_byte]
        function = f"{header.decode('utf-8', 'replace').rstrip()} {{\n{function}\n}}"
    context = "\n".join(_context(source, node, owner))[:MAX_CONTEXT]
    text = f"{context}\n\n{function}" if context else function
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - len(_CUT) - 1].rpartition("\n")[0] + "\n" + _CUT
    return text + "\n"


def _text(source: TreeSource, node: Node) -> str:
    """Whole lines of an item with its attributes and comment."""
    first = node
    above = node.prev_sibling
    while above is not None and above.type in COMMENTS | ATTRIBUTES:
        first, above = above, above.prev_sibling
    return source.data[first.start_byte - first.start_point.column : node.end_byte].decode("utf-8", "replace")


def _context(source: TreeSource, function: Node, owner: Node | None) -> list[str]:
    around = owner or function
    names = {source.slice(one) for one in walk(around) if one.type in ("identifier", "type_identifier")}
    found = []
    for item in source.root.named_children:
        name = source.field(item, "name")
        if item.type == "use_declaration":
            found.append(source.slice(item))
        elif item.type in _NAMED and name in names and item.end_byte - item.start_byte < 1200:
            found.append(_text(source, item))
        elif item.type == "function_item" and item != function and name in names:
            body = item.child_by_field_name("body")
            end = body.start_byte if body is not None else item.end_byte
            found.append(source.data[item.start_byte : end].decode("utf-8", "replace").rstrip() + ";")
    return found
