"""The part of a file that a prompt needs to speak of one function: package, imports, its owner's header, the function."""

from __future__ import annotations

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.java.focal import MAX_CHARACTERS, MAX_IMPORTS
from qverify_desktop.languages.kotlin.source import find_function, outline_of, read_source
from qverify_desktop.languages.tree.source import TreeSource, walk

_CUT = "// … (cut)"


def focal_source(snapshot: Snapshot, target: Target) -> str:
    """At most ``MAX_CHARACTERS``; empty where the function is not found. Functions of the file that it names show their signature."""
    source = read_source(snapshot.root, target.file)
    found = find_function(source, target) if isinstance(source, TreeSource) else None
    if found is None or not isinstance(source, TreeSource):
        return ""
    definition, owner = found
    head = "\n".join(
        source.slice(node) for node in source.root.named_children if node.type in ("package_header", "import")
    )[:MAX_IMPORTS]
    names = {source.slice(node) for node in walk(definition.node) if node.type == "identifier"}
    beside = [
        source.data[other.node.start_byte : other.body.start_byte].decode("utf-8", "replace").strip(" {=\n")
        for other, home in outline_of(source).functions
        if other.node != definition.node and other.name in names and (home is None or home is owner)
    ]
    parts = [head, *beside]
    if owner is not None:
        text = source.slice(owner.node)
        parts.append(text[: text.find("{") + 1 or len(text)][:1500])
    node = definition.node
    parts.append(source.data[node.start_byte - node.start_point.column : node.end_byte].decode("utf-8", "replace"))
    if owner is not None:
        parts.append("}")
    whole = "\n\n".join(part for part in parts if part)
    if len(whole) > MAX_CHARACTERS:
        whole = whole[: MAX_CHARACTERS - 20].rpartition("\n")[0] + "\n" + _CUT
    return whole + "\n"
