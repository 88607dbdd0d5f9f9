"""Functions and methods of a Rust file, with where other crates find them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.rust.modules import Module, ModuleTree, Place
from qverify_desktop.languages.rust.source import ATTRIBUTES, COMMENTS, LANGUAGE, is_for_tests, visibility
from qverify_desktop.languages.tree.comments import comment_above
from qverify_desktop.languages.tree.outline import Definition, target_of, unique
from qverify_desktop.languages.tree.source import TreeSource

DECISIONS = frozenset(
    ("if_expression", "match_arm", "while_expression", "for_expression", "loop_expression", "try_expression")
)
MAX_DEPTH = 30


@dataclass(frozen=True)
class Found:
    """A definition, its module, and the type whose method it is (as it is known in that module)."""

    definition: Definition
    place: Place
    type_name: str = ""
    trait: str = ""


def targets_of(tree: ModuleTree, file: str) -> list[Target]:
    """Targets of one file of a crate. ``module`` is the path to ``use`` the item from, its own one where it can't be."""
    targets = []
    for found in definitions(tree, file):
        target = _target(tree, found)
        if target is not None:
            targets.append(target)
    return unique(targets)


def definitions(tree: ModuleTree, file: str) -> Iterator[Found]:
    """Every function with a body in a file, tests left out, in the order of its modules."""
    for place, module in tree.modules.items():
        if module.source.path == file:
            yield from _of_module(module, place)


def _of_module(module: Module, place: Place) -> Iterator[Found]:
    source = module.source
    for item in module.body.named_children:
        if is_for_tests(source, item):
            continue
        if item.type == "function_item":
            yield from _found(source, item, place, (), "", "")
        elif item.type in ("impl_item", "trait_item"):
            owner = _type_name(source, item.child_by_field_name("type" if item.type == "impl_item" else "name"))
            trait = _type_name(source, item.child_by_field_name("trait")) if item.type == "impl_item" else ""
            body = item.child_by_field_name("body")
            if not owner or body is None:
                continue
            owners = (owner, trait) if trait else (owner,)
            for member in body.named_children:
                if member.type == "function_item" and not is_for_tests(source, member):
                    yield from _found(source, member, place, owners, owner, trait or item.type == "trait_item")


def _found(
    source: TreeSource, node: Node, place: Place, owners: tuple[str, ...], owner: str, trait: str | bool
) -> Iterator[Found]:
    body = node.child_by_field_name("body")
    name = source.field(node, "name")
    listed = node.child_by_field_name("parameters")
    if body is None or not name or listed is None:
        return
    parameters = []
    receiver = False
    for one in listed.named_children:
        if one.type == "self_parameter":
            receiver = True
        elif one.type == "parameter":
            pattern = source.field(one, "pattern").removeprefix("mut ").strip()
            receiver = receiver or pattern == "self"
            if pattern != "self":
                parameters.append(Parameter(pattern.lstrip("&"), " ".join(source.field(one, "type").split())))
    definition = Definition(
        node=node,
        name=name,
        body=body,
        owners=owners,
        parameters=tuple(parameters),
        returns=" ".join(source.field(node, "return_type").split()),
        callee="method" if receiver else "staticmethod" if owner else "function",
        public=visibility(source, node) == "pub" or bool(trait),
        is_async=any(
            child.type == "function_modifiers" and "async" in source.slice(child) for child in node.children
        ),
        comment=comment_above(source, node, COMMENTS, ATTRIBUTES),
    )
    yield Found(definition, place, owner, trait if isinstance(trait, str) else owner)


def _target(tree: ModuleTree, found: Found) -> Target | None:
    definition, place = found.definition, found.place
    where = tree.owner(place, found.type_name) if found.type_name else (place, definition.name)
    path = tree.named.get(where) if where is not None else None
    own = "::".join((tree.crate.name or tree.crate.package.replace("-", "_"), *place))
    target = target_of(
        tree.modules[place].source,
        definition,
        language=LANGUAGE,
        module=path or own,
        decisions=DECISIONS,
        operators=("&&", "||"),
    )
    return replace(target, public=target.public and path is not None) if target is not None else None


def _type_name(source: TreeSource, node: Node | None) -> str:
    """The plain name of a type: without its path, its arguments, references."""
    for _ in range(MAX_DEPTH):
        if node is None:
            return ""
        if node.type in ("type_identifier", "identifier", "primitive_type"):
            return source.slice(node)
        if node.type == "scoped_type_identifier":
            return source.field(node, "name")
        node = node.child_by_field_name("type") or (node.named_children[0] if node.named_child_count else None)
    return ""
