"""From definitions to targets: what every language's outline of a file has in common."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.tree.comments import Comment
from qverify_desktop.languages.tree.source import TreeSource, end_line_of, line_of, walk


@dataclass(frozen=True)
class Definition:
    """A function or method as a language's outline finds it.

    ``node`` is the whole definition, ``body`` its block. ``owners`` are the names that lead to it (class, receiver type,
    impl), outermost first. ``callee`` is one of ``Target.callee``'s words.
    """

    node: Node
    name: str
    body: Node
    owners: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    returns: str = ""
    callee: str = "function"
    public: bool = True
    is_async: bool = False
    comment: Comment | None = None

    @property
    def symbol(self) -> str:
        return ".".join((*self.owners, self.name))


def target_of(
    source: TreeSource,
    definition: Definition,
    *,
    language: str,
    module: str,
    decisions: Collection[str],
    operators: Collection[str] = ("&&", "||", "??"),
) -> Target | None:
    """The target of a definition, ``None`` for one with a syntax error or nothing in its body.

    ``decisions`` are the node types that McCabe's number counts, ``operators`` the short-circuit operators.
    """
    node, body = definition.node, definition.body
    if node.has_error or not body.named_child_count:
        return None
    first = next((child for child in body.named_children if "comment" not in child.type), None)
    if first is None:
        return None
    return Target(
        language=language,
        file=source.path,
        module=module,
        symbol=definition.symbol,
        line=line_of(node),
        end_line=end_line_of(node),
        body_line=line_of(first),
        signature=signature(source, node, body),
        docstring=definition.comment.text if definition.comment else "",
        parameters=definition.parameters,
        returns=definition.returns,
        callee=definition.callee,
        is_async=definition.is_async,
        public=definition.public,
        complexity=complexity(source, body, decisions, operators),
    )


def complexity(source: TreeSource, body: Node, decisions: Collection[str], operators: Collection[str]) -> int:
    """McCabe 1976: one for each decision and one more; short-circuit operators decide too."""
    count = 1
    for node in walk(body):
        if node.type in decisions:
            count += 1
        sign = node.child_by_field_name("operator")
        if sign is not None and source.slice(sign) in operators:
            count += 1
    return count


def signature(source: TreeSource, node: Node, body: Node) -> str:
    """The definition's text up to its body, on one line."""
    text = source.data[node.start_byte : max(node.start_byte, body.start_byte)].decode("utf-8", "replace")
    return " ".join(text.split()).removesuffix("{").removesuffix("=>").removesuffix("=").strip()


def unique(targets: list[Target]) -> list[Target]:
    """The last of each symbol, by line: what is defined again replaces what was."""
    return sorted(
        {target.symbol: target for target in targets}.values(), key=lambda target: (target.line, target.symbol)
    )
