"""The part of a package that a prompt needs to speak of one function: imports, its type, what it names, the function."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.go.source import COMMENTS, functions, read_source
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk

MAX_CHARACTERS = 6000
MAX_CONTEXT = 2500
_CUT = "\t// … (cut)"
_NAMED = frozenset(("type_declaration", "const_declaration", "var_declaration"))
_SPECS = frozenset(("type_spec", "type_alias", "const_spec", "var_spec"))
_WORDS = frozenset(("identifier", "type_identifier", "field_identifier"))


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """Source text of the target in its surroundings, at most ``MAX_CHARACTERS``; empty where it is not found.

    Besides the function with its comment: the package clause, the imports, the types, constants and variables of the file that it
    names, and the signatures of the file's functions that it calls.
    """
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, TreeSource):
        return ""
    node = next((one for one in functions(source) if line_of(one) == target.line), None)
    if node is None:
        return ""
    context = "\n\n".join(_context(source, node))[:MAX_CONTEXT]
    text = f"{context}\n\n{_with_comment(source, node)}"
    if len(text) > MAX_CHARACTERS:
        text = text[: MAX_CHARACTERS - len(_CUT) - 1].rpartition("\n")[0] + "\n" + _CUT
    return text + "\n"


def _with_comment(source: TreeSource, node: Node) -> str:
    first, above = node, node.prev_sibling
    while above is not None and above.type in COMMENTS:
        first, above = above, above.prev_sibling
    return source.data[first.start_byte : node.end_byte].decode("utf-8", "replace")


def _context(source: TreeSource, function: Node) -> list[str]:
    words = {source.slice(one) for one in walk(function) if one.type in _WORDS}
    found = []
    for node in source.root.named_children:
        if node.type in ("package_clause", "import_declaration"):
            found.append(source.slice(node))
        elif node.type in _NAMED:
            specs = [one for one in walk(node) if one.type in _SPECS]
            names = {source.slice(name) for spec in specs for name in spec.children_by_field_name("name")}
            if names & words and node.end_byte - node.start_byte < 1500:
                found.append(source.slice(node))
        elif node.type == "function_declaration" and node != function and source.field(node, "name") in words:
            body = node.child_by_field_name("body")
            end = body.start_byte if body is not None else node.end_byte
            found.append(source.data[node.start_byte : end].decode("utf-8", "replace").strip())
    return found
