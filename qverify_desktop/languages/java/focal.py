"""The part of a file that a prompt needs to speak of one method: package, imports, its class's header, the method."""

from __future__ import annotations

from tree_sitter import Node

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.java.source import find_class, find_method, read_source
from qverify_desktop.languages.tree.source import TreeSource, walk

MAX_CHARACTERS = 6000
MAX_IMPORTS = 1500
_CUT = "    // … (cut)"


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """At most ``MAX_CHARACTERS``; empty where the method is not found.

    Besides the method itself: the header of its class, its constructors, and the fields and signatures of methods that it names.
    """
    source = read_source(snapshot.root, target.file)
    if not isinstance(source, TreeSource):
        return ""
    info, method = find_class(source, target), find_method(source, target)
    if info is None or method is None:
        return ""
    names = {source.slice(node) for node in walk(method.node) if node.type == "identifier"}
    head = [
        source.slice(node)
        for node in source.root.named_children
        if node.type in ("package_declaration", "import_declaration")
    ]
    body = info.node.child_by_field_name("body")
    members: list[str] = []
    for member in body.named_children if body is not None else ():
        if member == method.node:
            continue
        shown = _shown(source, member, names)
        if shown:
            members.append(shown)
    header = source.data[info.node.start_byte : body.start_byte if body is not None else info.node.end_byte]
    lines = [*members, _whole_lines(source, method.node)]
    text = "\n\n".join(
        [
            "\n".join(head)[:MAX_IMPORTS],
            header.decode("utf-8", "replace").strip() + " {\n" + "\n\n".join(lines) + "\n}",
        ]
    ).strip()
    if len(text) > MAX_CHARACTERS:
        text = (header.decode("utf-8", "replace").strip()[:500] + " {\n" + _whole_lines(source, method.node))[
            : MAX_CHARACTERS - 20
        ]
        text = text.rpartition("\n")[0] + "\n" + _CUT
    return text + "\n"


def _shown(source: TreeSource, member: Node, names: set[str]) -> str:
    if member.type == "constructor_declaration":
        return _whole_lines(source, member)
    if member.type == "field_declaration":
        declarator = member.child_by_field_name("declarator")
        named = declarator is not None and source.field(declarator, "name") in names
        return _whole_lines(source, member) if named else ""
    if member.type == "method_declaration" and source.field(member, "name") in names:
        body = member.child_by_field_name("body")
        end = body.start_byte if body is not None else member.end_byte
        return "    " + source.data[member.start_byte : end].decode("utf-8", "replace").strip().rstrip(";") + ";"
    return ""


def _whole_lines(source: TreeSource, node: Node) -> str:
    return source.data[node.start_byte - node.start_point.column : node.end_byte].decode("utf-8", "replace")
