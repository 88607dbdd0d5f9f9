"""Go source as trees, and the few facts of a file that other questions need."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_go
from tree_sitter import Node

from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages.tree.source import Grammar, TreeSource, parse_tree, read_tree

LANGUAGE = "go"
RUNTIME = "go"
GRAMMAR = Grammar("Go", tree_sitter_go.language)
COMMENTS = frozenset(("comment",))


def read_source(root: str, path: str) -> TreeSource | SkippedPath:
    """Read and parse a file of the snapshot."""
    return read_tree(GRAMMAR, root, path)


def parse_source(text: str, path: str = "") -> TreeSource | None:
    """The tree of generated or handed-in text, ``None`` where it can't be used."""
    source = parse_tree(GRAMMAR, text.encode("utf-8", "surrogatepass"), path)
    return source if isinstance(source, TreeSource) else None


def package_name(source: TreeSource) -> str:
    """The name in the package clause, empty where there is none."""
    for node in source.root.named_children:
        if node.type == "package_clause" and node.named_child_count:
            return source.slice(node.named_children[0])
    return ""


def imports(source: TreeSource) -> dict[str, str]:
    """Imported packages by the name that the file calls them: ``{"math": "math", "r": "math/rand"}``."""
    found = {}
    for node in source.root.named_children:
        if node.type != "import_declaration":
            continue
        for spec in _specs(node):
            path = source.field(spec, "path").strip('"`')
            name = source.field(spec, "name") or path.rpartition("/")[2]
            found[name] = path
    return found


def _specs(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == "import_spec":
            yield child
        elif child.type == "import_spec_list":
            yield from (one for one in child.named_children if one.type == "import_spec")


def functions(source: TreeSource) -> Iterator[Node]:
    """Functions and methods at the top of a file, in order."""
    for node in source.root.named_children:
        if node.type in ("function_declaration", "method_declaration"):
            yield node
