"""Functions and methods of a Go file."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.go.source import COMMENTS, LANGUAGE, functions, package_name
from qverify_desktop.languages.tree.comments import comment_above
from qverify_desktop.languages.tree.outline import Definition, target_of, unique
from qverify_desktop.languages.tree.source import TreeSource

DECISIONS = frozenset(("if_statement", "for_statement", "expression_case", "type_case", "communication_case"))


def targets_of(source: TreeSource, path: str) -> list[Target]:
    """Every function and method that a test of its package can call, by line."""
    found = []
    module = module_of(path, package_name(source))
    for definition in definitions(source):
        target = target_of(
            source, definition, language=LANGUAGE, module=module, decisions=DECISIONS, operators=("&&", "||")
        )
        if target is not None:
            found.append(target)
    return unique(found)


def module_of(path: str, package: str) -> str:
    """The folder of a package, ending with the package's name."""
    folder = path.rpartition("/")[0]
    if folder.rpartition("/")[2] == package:
        return folder
    return f"{folder}/{package}" if folder else package


def package_of(target: Target) -> str:
    """The name of the target's package."""
    return target.module.rpartition("/")[2]


def definitions(source: TreeSource) -> Iterator[Definition]:
    """Functions and methods, but those that only the runtime calls and those that no name leads to."""
    program = package_name(source) == "main"
    for node in functions(source):
        name, body = source.field(node, "name"), node.child_by_field_name("body")
        if body is None or name in ("", "_", "init") or (program and name == "main" and node.type[0] == "f"):
            continue
        owner = receiver_type(source, node)
        if node.type == "method_declaration" and not owner:
            continue
        listed = node.child_by_field_name("parameters")
        exported = name[:1].isupper() and (not owner or owner[:1].isupper())
        yield Definition(
            node=node,
            name=name,
            body=body,
            owners=(owner,) if owner else (),
            parameters=tuple(_parameters(source, listed)) if listed is not None else (),
            returns=" ".join(source.field(node, "result").split()),
            callee="method" if owner else "function",
            public=exported,
            comment=comment_above(source, node, COMMENTS),
        )


def receiver_type(source: TreeSource, node: Node) -> str:
    """The name of the type that a method belongs to."""
    receiver = node.child_by_field_name("receiver")
    if receiver is None or not receiver.named_child_count:
        return ""
    text = source.field(receiver.named_children[0], "type").strip("*() \t")
    name = text.partition("[")[0].strip()
    return name if name.isidentifier() else ""


def _parameters(source: TreeSource, listed: Node) -> Iterator[Parameter]:
    number = 0
    for one in listed.named_children:
        if one.type not in ("parameter_declaration", "variadic_parameter_declaration"):
            continue
        annotation = " ".join(source.field(one, "type").split())
        variadic = one.type[0] == "v"
        names = [source.slice(name) for name in one.children_by_field_name("name")]
        for name in names or [""]:
            number += 1
            yield Parameter(
                name if name not in ("", "_") else f"argument{number}",
                annotation,
                kind="var_positional" if variadic else "positional_or_keyword",
            )
