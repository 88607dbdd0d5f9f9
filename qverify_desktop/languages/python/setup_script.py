"""The arguments of ``setup(…)`` in a ``setup.py``, read from its syntax tree; the script is never run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tree_sitter import Node

from qverify_desktop.languages.python.source import SourceFile, parse_source, string_value, walk

_REQUIRED = ("install_requires", "tests_require")
_EXTRAS = "extras_require"


def setup_arguments(content: bytes, wanted: Callable[[str], bool]) -> tuple[list[str], list[str]]:
    """Requirement strings and import roots of a ``setup.py``; of the extras those whose name is ``wanted``. Literal lists are
    understood, and names bound to them."""
    source = parse_source(content, "setup.py")
    if not isinstance(source, SourceFile):
        return [], []
    bound = _assignments(source)
    requirements: list[str] = []
    roots: list[str] = []
    for call in walk(source.root):
        function, arguments = call.child_by_field_name("function"), call.child_by_field_name("arguments")
        if call.type != "call" or function is None or arguments is None:
            continue
        if source.slice(function).rpartition(".")[2] != "setup":
            continue
        for argument in arguments.named_children:
            name, value = argument.child_by_field_name("name"), argument.child_by_field_name("value")
            if argument.type != "keyword_argument" or name is None or value is None:
                continue
            value = bound.get(source.slice(value), value)
            if source.slice(name) in _REQUIRED:
                requirements += _strings(source, value)
            elif source.slice(name) == _EXTRAS:
                requirements += _extras(source, value, wanted)
            elif source.slice(name) == "package_dir":
                roots += _top_folder(source, value)
    return requirements, roots


def _assignments(source: SourceFile) -> Mapping[str, Node]:
    bound = {}
    for statement in source.root.named_children:
        expression = statement.named_children[0] if statement.named_children else None
        if statement.type == "expression_statement" and expression is not None and expression.type == "assignment":
            left, right = expression.child_by_field_name("left"), expression.child_by_field_name("right")
            if left is not None and right is not None:
                bound[source.slice(left)] = right
    return bound


def _strings(source: SourceFile, value: Node) -> Iterator[str]:
    """Every string in a list."""
    for item in walk(value):
        text = string_value(source.slice(item)) if item.type == "string" else None
        if text is not None:
            yield text


def _extras(source: SourceFile, value: Node, wanted: Callable[[str], bool]) -> Iterator[str]:
    """Every string in the lists that are a dictionary's values."""
    for pair in value.named_children:
        key, listed = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and listed is not None and wanted(string_value(source.slice(key)) or ""):
            yield from _strings(source, listed)


def _top_folder(source: SourceFile, value: Node) -> Iterator[str]:
    for pair in value.named_children:
        key, folder = pair.child_by_field_name("key"), pair.child_by_field_name("value")
        if key is not None and folder is not None and string_value(source.slice(key)) == "":
            text = (string_value(source.slice(folder)) or "").strip("./")
            if text and ".." not in text.split("/"):
                yield text
