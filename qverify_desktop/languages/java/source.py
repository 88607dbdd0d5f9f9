"""Java source files as trees, and what a file declares: its package, its classes, their methods and constructors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import tree_sitter_java
from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, SkippedPath, Target
from qverify_desktop.languages.tree.comments import comment_above
from qverify_desktop.languages.tree.outline import Definition, target_of
from qverify_desktop.languages.tree.source import Grammar, TreeSource, read_tree

LANGUAGE = "java"
GRAMMAR = Grammar("Java", tree_sitter_java.language)
_CLASSES = {
    "class_declaration": "class",
    "record_declaration": "record",
    "enum_declaration": "enum",
    "interface_declaration": "interface",
}
_DECISIONS = frozenset(
    (
        *("if_statement", "for_statement", "enhanced_for_statement", "while_statement", "do_statement"),
        *("catch_clause", "ternary_expression", "switch_label"),
    )
)
_COMMENTS = frozenset({"block_comment", "line_comment"})


@dataclass(frozen=True)
class Constructor:
    """``meant`` says that users of the class may call it: of a public class only what is public is for them."""

    parameters: tuple[Parameter, ...]
    private: bool = False
    meant: bool = True


@dataclass
class ClassInfo:
    """A class, record, enumeration or interface. ``names`` lead to it inside its file, outermost first.

    ``instances`` are its static fields that hold one of it. ``reachable`` says that a test in its package can name it and needs no instance of another to make one.
    """

    path: str
    package: str
    names: tuple[str, ...]
    kind: str
    node: Node
    reachable: bool
    abstract: bool = False
    type_parameters: tuple[str, ...] = ()
    constructors: tuple[Constructor, ...] = ()
    constants: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()
    methods: list[Definition] = field(default_factory=list)

    @property
    def name(self) -> str:
        """As code in its package names it."""
        return ".".join(self.names)

    @property
    def compares(self) -> bool:
        """Whether ``equals`` compares contents."""
        return self.kind in ("record", "enum") or any(method.name == "equals" for method in self.methods)


def read_source(root: str, path: str) -> TreeSource | SkippedPath:
    """The tree of a file of the snapshot, or why there is none."""
    return read_tree(GRAMMAR, root, path)


def package_of(source: TreeSource) -> str:
    """The package that a file names, empty for the unnamed one."""
    for node in source.root.named_children:
        if node.type == "package_declaration" and node.named_child_count:
            return "".join(source.slice(node.named_children[-1]).split())
    return ""


def classes_of(source: TreeSource) -> list[ClassInfo]:
    """Every named class of the file that is not inside a method, in the order of the source."""
    package = package_of(source)
    found: list[ClassInfo] = []
    stack: list[tuple[Node, tuple[str, ...], bool]] = [
        (node, (), True) for node in reversed(source.root.named_children) if node.type in _CLASSES
    ]
    while stack:
        node, outer, reachable = stack.pop()
        info = _class(source, package, node, outer, reachable)
        found.append(info)
        inner = [one for one in _members(node) if one.type in _CLASSES]
        stack.extend((one, info.names, info.reachable) for one in reversed(inner))
    return found


def targets_of(source: TreeSource) -> list[Target]:
    """Every method with a body, by line; the methods of a class that share a name carry their parameters' types."""
    targets: dict[str, Target] = {}
    for info in classes_of(source):
        for method in info.methods:
            target = target_of(source, method, language=LANGUAGE, module=info.package, decisions=_DECISIONS)
            if target is not None:
                targets.setdefault(target.symbol, target)
    return sorted(targets.values(), key=lambda target: (target.line, target.symbol))


def find_class(source: TreeSource, target: Target) -> ClassInfo | None:
    """The class that holds a target."""
    owners = tuple(target.symbol.partition("(")[0].split(".")[:-1])
    return next((one for one in classes_of(source) if one.names == owners), None)


def find_method(source: TreeSource, target: Target) -> Definition | None:
    """The definition of a target."""
    info = find_class(source, target)
    methods = [one for one in info.methods if one.symbol == target.symbol] if info else []
    return methods[0] if methods else None


def _members(node: Node) -> Iterator[Node]:
    body = node.child_by_field_name("body")
    for child in body.named_children if body is not None else ():
        if child.type == "enum_body_declarations":
            yield from child.named_children
        else:
            yield child


def modifiers_of(source: TreeSource, node: Node) -> frozenset[str]:
    """Keywords and annotations (``@Test``) in front of a declaration."""
    for child in node.children:
        if child.type == "modifiers":
            words = set()
            for one in child.children:
                if one.type.endswith("annotation"):
                    words.add("@" + source.field(one, "name").rpartition(".")[2])
                else:
                    words.add(source.slice(one))
            return frozenset(words)
    return frozenset()


def _class(source: TreeSource, package: str, node: Node, outer: tuple[str, ...], reachable: bool) -> ClassInfo:
    words = modifiers_of(source, node)
    kind = _CLASSES[node.type]
    names = (*outer, source.field(node, "name"))
    parent = node.parent.parent if node.parent is not None else None
    in_interface = parent is not None and parent.type == "interface_declaration"
    stands_alone = not outer or kind != "class" or "static" in words or in_interface
    info = ClassInfo(
        source.path,
        package,
        names,
        kind,
        node,
        reachable and stands_alone and "private" not in words,
        abstract="abstract" in words or kind == "interface",
        type_parameters=_type_parameters(source, node),
    )
    constructors: list[Constructor] = []
    constants: list[str] = []
    instances: list[str] = []
    for member in _members(node):
        if member.type == "constructor_declaration":
            made = modifiers_of(source, member)
            meant = "public" in made or "public" not in words
            constructors.append(Constructor(_parameters(source, member), "private" in made, meant))
        elif member.type == "enum_constant":
            constants.append(source.field(member, "name"))
        elif member.type == "field_declaration" and source.field(member, "type") == names[-1]:
            declarator = member.child_by_field_name("declarator")
            words_of_field = modifiers_of(source, member)
            if declarator is not None and "static" in words_of_field and "private" not in words_of_field:
                instances.append(source.field(declarator, "name"))
        elif member.type == "method_declaration":
            method = _method(source, member, info, public_class="public" in words or kind == "interface")
            if method is not None:
                info.methods.append(method)
    if kind == "record":
        constructors.append(Constructor(_parameters(source, node)))
    info.constructors, info.constants, info.instances = tuple(constructors), tuple(constants), tuple(instances)
    _tell_apart(info)
    return info


def _tell_apart(info: ClassInfo) -> None:
    names = Counter(method.name for method in info.methods)
    for index, method in enumerate(info.methods):
        if names[method.name] > 1:
            types = ", ".join(one.annotation.rpartition(".")[2] or one.annotation for one in method.parameters)
            info.methods[index] = replace(method, name=f"{method.name}({types})")


def _type_parameters(source: TreeSource, node: Node) -> tuple[str, ...]:
    found = node.child_by_field_name("type_parameters")
    if found is None:
        return ()
    return tuple(source.slice(one.named_children[0]) for one in found.named_children if one.named_child_count)


def _parameters(source: TreeSource, node: Node) -> tuple[Parameter, ...]:
    listed = node.child_by_field_name("parameters")
    found = []
    for one in listed.named_children if listed is not None else ():
        if one.type == "formal_parameter":
            dimensions = source.field(one, "dimensions")
            found.append(Parameter(source.field(one, "name"), source.field(one, "type") + dimensions))
        elif one.type == "spread_parameter":
            plain = [child for child in one.named_children if child.type != "modifiers"]
            name = source.field(plain[-1], "name") if plain else ""
            found.append(Parameter(name, f"{source.slice(plain[0])}..." if plain else "", None, "var_positional"))
    return tuple(found)


def _method(source: TreeSource, node: Node, info: ClassInfo, *, public_class: bool) -> Definition | None:
    body = node.child_by_field_name("body")
    if body is None:
        return None
    words = modifiers_of(source, node)
    comment = comment_above(source, node, _COMMENTS)
    public = ("public" in words or info.kind == "interface") and "private" not in words
    return Definition(
        node,
        source.field(node, "name"),
        body,
        info.names,
        _parameters(source, node),
        source.field(node, "type") + source.field(node, "dimensions"),
        "staticmethod" if "static" in words else "method",
        public and (public_class or len(info.names) == 1),
        comment=comment,
    )


def is_private(source: TreeSource, definition: Definition) -> bool:
    """Whether only its own class can call a method."""
    return "private" in modifiers_of(source, definition.node)
