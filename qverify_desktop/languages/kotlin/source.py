"""Kotlin source files as trees, and what a file declares: its package, its functions, classes and objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import tree_sitter_kotlin
from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, SkippedPath, Target
from qverify_desktop.languages.tree.comments import comment_above
from qverify_desktop.languages.tree.outline import Definition, target_of
from qverify_desktop.languages.tree.source import Grammar, TreeSource, parse_tree, read_tree

LANGUAGE = "kotlin"
GRAMMAR = Grammar("Kotlin", tree_sitter_kotlin.language)
_COMMENTS = frozenset({"block_comment", "line_comment"})
_TYPES = frozenset(
    (
        *("user_type", "nullable_type", "function_type", "parenthesized_type", "non_nullable_type", "dynamic_type"),
        *("type_reference",),
    )
)
_OWNERS = frozenset({"class_declaration", "object_declaration", "companion_object"})
_BODIES = frozenset({"class_body", "enum_class_body"})
_DECISIONS = frozenset(
    (
        *("if_expression", "for_statement", "while_statement", "do_while_statement", "when_entry", "catch_block"),
        *("elvis_expression",),
    )
)


@dataclass
class OwnerInfo:
    """A class or an object. ``names`` lead to it; a companion has the names of its class.

    ``receiver`` is how a test in its package reaches an instance, empty where it can't.
    """

    path: str
    package: str
    names: tuple[str, ...]
    node: Node
    receiver: str
    kind: str
    constants: tuple[str, ...] = ()
    constructor: tuple[Parameter, ...] | None = None
    type_parameters: tuple[str, ...] = ()
    words: frozenset[str] = frozenset()


@dataclass
class Outline:
    """What a file declares."""

    package: str = ""
    owners: list[OwnerInfo] = field(default_factory=list)
    functions: list[tuple[Definition, OwnerInfo | None]] = field(default_factory=list)


def read_source(root: str, path: str) -> TreeSource | SkippedPath:
    """The tree of a file of the snapshot, or why there is none.

    The grammar wants a line break before a closing brace where the language does not; a space for it keeps every offset, but
    lines would move. So a file is read as it is, and functions with an error are passed over.
    """
    return read_tree(GRAMMAR, root, path)


def parse_text(text: str, path: str) -> TreeSource | SkippedPath:
    """The tree of a text."""
    return parse_tree(GRAMMAR, text.encode("utf-8", "surrogatepass"), path)


def package_of(source: TreeSource) -> str:
    """The package that a file names, empty for the root."""
    for node in source.root.named_children:
        if node.type == "package_header" and node.named_child_count:
            return "".join(source.slice(node.named_children[-1]).replace("`", "").split())
    return ""


def outline_of(source: TreeSource) -> Outline:
    """Functions and owners that are not inside a function, in the order of the source."""
    found = Outline(package_of(source))
    stack: list[tuple[Node, OwnerInfo | None]] = [(node, None) for node in reversed(source.root.named_children)]
    while stack:
        node, owner = stack.pop()
        if node.type == "function_declaration":
            definition = _function(source, node, owner)
            if definition is not None:
                found.functions.append((definition, owner))
        elif node.type in _OWNERS:
            info = _owner(source, node, owner, found.package)
            found.owners.append(info)
            stack.extend((one, info) for one in reversed(list(_members(node))))
    _tell_apart(found)
    return found


def targets_of(source: TreeSource) -> list[Target]:
    """Every function with a body, by line; those of one name in one owner carry their parameters' types."""
    outline = outline_of(source)
    targets: dict[str, Target] = {}
    for definition, _ in outline.functions:
        target = target_of(
            source,
            definition,
            language=LANGUAGE,
            module=outline.package,
            decisions=_DECISIONS,
            operators=("&&", "||", "?:"),
        )
        if target is not None:
            targets.setdefault(target.symbol, target)
    return sorted(targets.values(), key=lambda target: (target.line, target.symbol))


def find_function(source: TreeSource, target: Target) -> tuple[Definition, OwnerInfo | None] | None:
    """The definition of a target and its owner."""
    return next((one for one in outline_of(source).functions if one[0].symbol == target.symbol), None)


def _members(node: Node) -> Iterator[Node]:
    for child in node.named_children:
        if child.type in _BODIES:
            yield from child.named_children


def words_of(source: TreeSource, node: Node) -> frozenset[str]:
    """Modifiers and annotations (``@Test``) in front of a declaration."""
    found: set[str] = set()
    for child in node.children:
        if child.type in ("modifiers", "parameter_modifiers"):
            for one in child.named_children:
                text = source.slice(one)
                found.add(
                    text.partition("(")[0].rpartition(".")[2] if not text.startswith("@") else _annotation(text)
                )
        elif not child.is_named:
            found.add(source.slice(child))
    return frozenset(found)


def _annotation(text: str) -> str:
    name = text[1:].partition("(")[0].strip()
    return "@" + name.rpartition(".")[2]


def name_of(source: TreeSource, node: Node) -> str:
    """A declaration's name without backticks."""
    return source.field(node, "name").strip("`")


def _owner(source: TreeSource, node: Node, outer: OwnerInfo | None, package: str) -> OwnerInfo:
    words = words_of(source, node)
    names = outer.names if outer else ()
    if node.type == "companion_object":
        receiver = ".".join(names) if outer and "private" not in words and (outer.receiver or outer.kind) else ""
        return OwnerInfo(source.path, package, names, node, receiver, "companion", words=words)
    names = (*names, name_of(source, node))
    visible = "private" not in words and (outer is None or not outer.words & {"private", "protected"})
    if node.type == "object_declaration":
        return OwnerInfo(source.path, package, names, node, ".".join(names) if visible else "", "object", words=words)
    kind = "enum" if "enum" in words else "interface" if "interface" in words else "class"
    constructor = _constructor(source, node)
    generic = _type_parameters(source, node)
    makeable = not words & {"abstract", "sealed", "inner", "annotation"} and kind == "class" and visible
    from_nothing = constructor is not None and all(one.default is not None for one in constructor)
    plain = makeable and from_nothing and not generic
    constants = tuple(
        source.slice(one.named_children[-1 if one.named_children[-1].type == "identifier" else 0])
        for one in _members(node)
        if one.type == "enum_entry" and one.named_child_count
    )
    return OwnerInfo(
        source.path,
        package,
        names,
        node,
        f"{'.'.join(names)}()" if plain else "",
        kind,
        constants,
        constructor,
        generic,
        words,
    )


def _constructor(source: TreeSource, node: Node) -> tuple[Parameter, ...] | None:
    """Parameters of the primary constructor; ``None`` for one that others can't call."""
    for child in node.named_children:
        if child.type == "primary_constructor":
            if words_of(source, child) & {"private", "protected"}:
                return None
            listed = next((one for one in child.named_children if one.type == "class_parameters"), None)
            return _parameters(source, listed, "class_parameter")
    secondary = any(one.type == "secondary_constructor" for one in _members(node))
    return None if secondary else ()


def _parameters(source: TreeSource, listed: Node | None, kind: str) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    spread = False
    for child in listed.named_children if listed is not None else ():
        if child.type == "parameter_modifiers":
            spread = "vararg" in source.slice(child)
        elif child.type == kind:
            name = next((source.slice(one) for one in child.named_children if one.type == "identifier"), "")
            type_ = next((source.slice(one) for one in child.named_children if one.type in _TYPES), "")
            spread = spread or "vararg" in words_of(source, child)
            default = _default(source, child) if kind == "class_parameter" else None
            found.append(Parameter(name, type_, default, "var_positional" if spread else "positional_or_keyword"))
            spread = False
        elif found and not child.type.endswith("comment"):
            # A default value stands beside its parameter.
            found[-1] = replace(found[-1], default=source.slice(child))
    return tuple(found)


def _default(source: TreeSource, node: Node) -> str | None:
    after = False
    for child in node.children:
        if after:
            return source.slice(child)
        after = source.slice(child) == "="
    return None


def _type_parameters(source: TreeSource, node: Node) -> tuple[str, ...]:
    for child in node.named_children:
        if child.type == "type_parameters":
            names = []
            for one in child.named_children:
                name = next((part for part in one.named_children if part.type == "identifier"), None)
                if name is not None:
                    names.append(source.slice(name))
            return tuple(names)
    return ()


def type_parameters(source: TreeSource, definition: Definition) -> tuple[str, ...]:
    """Names of a function's own type variables."""
    return _type_parameters(source, definition.node)


def _function(source: TreeSource, node: Node, owner: OwnerInfo | None) -> Definition | None:
    body = next((one for one in node.named_children if one.type == "function_body"), None)
    if body is None or not body.named_child_count:
        return None
    name = node.child_by_field_name("name")
    words = words_of(source, node)
    inner = body.named_children[0] if body.named_children[0].type == "block" else body
    listed = next((one for one in node.named_children if one.type == "function_value_parameters"), None)
    parameters = _parameters(source, listed, "parameter")
    receiver = returns = ""
    for child in node.named_children:
        if child.type in _TYPES and name is not None:
            if child.end_byte <= name.start_byte:
                receiver = source.slice(child)
            elif listed is not None and child.start_byte >= listed.end_byte:
                returns = source.slice(child)
    if receiver:
        parameters = (Parameter("this", receiver), *parameters)
    if not returns and inner.type == "block":
        returns = "Unit"
    static = owner is None or owner.kind in ("object", "companion")
    return Definition(
        node,
        name_of(source, node),
        inner,
        owner.names if owner else (),
        parameters,
        returns,
        "function" if owner is None else "staticmethod" if static else "method",
        not words & {"private", "protected"},
        "suspend" in words,
        comment_above(source, node, _COMMENTS),
    )


def _tell_apart(outline: Outline) -> None:
    symbols = Counter(definition.symbol for definition, _ in outline.functions)
    for index, (definition, owner) in enumerate(outline.functions):
        if symbols[definition.symbol] > 1:
            types = ", ".join(one.annotation.replace(".", "") for one in definition.parameters)
            outline.functions[index] = (replace(definition, name=f"{definition.name}({types})"), owner)
