"""What a file gives away: the local names that it exports and how. Reads syntax only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node

from qverify_desktop.languages.javascript.access import Way
from qverify_desktop.languages.tree.source import TreeSource

_MOST_NAMES = 5000
_DECLARED = (
    "function_declaration",
    "generator_function_declaration",
    "class_declaration",
    "abstract_class_declaration",
)


@dataclass
class Exports:
    """``names`` maps a local name to its way and the name under which it is given away."""

    names: dict[str, tuple[Way, str]] = field(default_factory=dict)

    def add(self, local: str, way: Way, name: str = "") -> None:
        if local and len(self.names) < _MOST_NAMES:
            self.names.setdefault(local, (way, name or local))

    def of(self, local: str) -> tuple[Way, str]:
        return self.names.get(local, (Way.HIDDEN, local))


def exports_of(source: TreeSource) -> Exports:
    """Everything that the file exports by a name of its own; what it passes on from other files is theirs."""
    found = Exports()
    for statement in source.root.named_children:
        if statement.type == "export_statement":
            _exported(source, statement, found)
        elif statement.type == "expression_statement":
            for left, right in assignments(statement):
                _assigned(source, left, right, found)
    return found


def assignments(statement: Node) -> Iterator[tuple[Node, Node]]:
    """Left and right sides of an assignment statement, each target of ``a = b = value`` with the value."""
    node = statement.named_children[0] if statement.named_child_count else None
    lefts: list[Node] = []
    while node is not None and node.type == "assignment_expression" and len(lefts) < 20:
        left = node.child_by_field_name("left")
        if left is not None:
            lefts.append(left)
        node = node.child_by_field_name("right")
    if node is not None:
        for left in lefts:
            yield left, node


def exported_name(source: TreeSource, left: Node) -> str | None:
    """``""`` for ``module.exports``, the name for ``exports.f`` and ``module.exports.f``, otherwise ``None``."""
    text = source.slice(left) if left.end_byte - left.start_byte < 200 else ""
    text = "".join(text.split())
    if text == "module.exports":
        return ""
    for prefix in ("module.exports.", "exports."):
        name = text.removeprefix(prefix)
        if text.startswith(prefix) and name.isidentifier():
            return name
    return None


def members(source: TreeSource, literal: Node) -> Iterator[tuple[str, Node | None]]:
    """Names of an object literal's properties, each with its value (``None`` for a shorthand)."""
    for child in literal.named_children:
        if child.type == "shorthand_property_identifier":
            yield source.slice(child), None
        elif child.type == "pair":
            key, value = child.child_by_field_name("key"), child.child_by_field_name("value")
            if key is not None and value is not None and key.type == "property_identifier":
                yield source.slice(key), value
        elif child.type == "method_definition":
            key = child.child_by_field_name("name")
            if key is not None and key.type == "property_identifier":
                yield source.slice(key), child


def _exported(source: TreeSource, statement: Node, found: Exports) -> None:
    if statement.child_by_field_name("source") is not None:
        return
    declaration, value = statement.child_by_field_name("declaration"), statement.child_by_field_name("value")
    is_default = any(child.type == "default" for child in statement.children)
    if declaration is not None:
        for name in declared_names(source, declaration):
            found.add(name, Way.DEFAULT if is_default else Way.NAMED)
    elif value is not None and value.type == "identifier":
        found.add(source.slice(value), Way.DEFAULT)
    elif value is not None and value.type == "object":
        for name, inner in members(source, value):
            local = name if inner is None else source.slice(inner) if inner.type == "identifier" else ""
            found.add(local, Way.DEFAULT_MEMBER, name)
    for clause in statement.named_children:
        for specifier in clause.named_children if clause.type == "export_clause" else ():
            local, alias = source.field(specifier, "name"), source.field(specifier, "alias")
            if alias == "default":
                found.add(local, Way.DEFAULT)
            else:
                found.add(local, Way.NAMED, alias)
    if any(child.type == "=" for child in statement.children):
        # ``export = f`` of TypeScript.
        for child in statement.named_children:
            if child.type == "identifier":
                found.add(source.slice(child), Way.DEFAULT)


def _assigned(source: TreeSource, left: Node, right: Node, found: Exports) -> None:
    name = exported_name(source, left)
    if name is None:
        return
    if name == "" and right.type == "object":
        for key, inner in members(source, right):
            local = key if inner is None else source.slice(inner) if inner.type == "identifier" else ""
            found.add(local, Way.REQUIRED, key)
    elif right.type in ("identifier", "class", "function_expression", "arrow_function"):
        local = source.slice(right) if right.type == "identifier" else source.field(right, "name")
        found.add(local, Way.REQUIRED if name else Way.REQUIRED_WHOLE, name)


def declared_names(source: TreeSource, declaration: Node) -> list[str]:
    """Names that a declaration binds (patterns left out)."""
    if declaration.type in ("lexical_declaration", "variable_declaration"):
        names = [child.child_by_field_name("name") for child in declaration.named_children]
        return [source.slice(name) for name in names if name is not None and name.type == "identifier"]
    if declaration.type in _DECLARED:
        return [source.field(declaration, "name")]
    return []
