"""Taking a module apart: its functions and methods as targets, with signature, docstring and complexity."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.python.source import SourceFile, end_line_of, line_of, string_value, walk

LANGUAGE = "python"

#: Decorators whose function tests can't or need not call.
_SKIPPED_DECORATORS = frozenset(
    {"overload", "abstractmethod", "abstractproperty", "abstractclassmethod", "abstractstaticmethod"}
)
_PROPERTIES = frozenset({"property", "cached_property"})
#: McCabe 1976: one for each decision. Boolean operators and comprehension clauses decide too.
_DECISIONS = frozenset(
    {
        "if_statement",
        "elif_clause",
        "for_statement",
        "while_statement",
        "except_clause",
        "except_group_clause",
        "case_clause",
        "conditional_expression",
        "boolean_operator",
        "for_in_clause",
        "if_clause",
        "assert_statement",
    }
)
_TRANSPARENT = frozenset(
    {
        "if_statement",
        "elif_clause",
        "else_clause",
        "try_statement",
        "except_clause",
        "finally_clause",
        "with_statement",
    }
)


@dataclass(frozen=True)
class Definition:
    """A ``def`` or ``class`` with the path of names that leads to it. ``guarded``: it stands below an ``if`` or ``try``."""

    node: Node
    decorators: tuple[str, ...]
    owners: tuple[str, ...]
    owner_node: Node | None
    guarded: bool


def targets_of(source: SourceFile, module: str) -> list[Target]:
    """Functions and methods of one module that a test can call, in the order of their lines."""
    exported = _exported(source)
    private_module = any(_is_private(part) for part in module.split("."))
    found: dict[str, Target] = {}
    for definition in sorted(functions(source), key=lambda definition: definition.node.start_byte):
        if definition.owner_node is not None and _is_protocol(source, definition.owner_node):
            continue
        target = _target(source, module, definition, exported, private_module)
        # Redefined: the last one stands. Alternatives below ``if``: which one stands is not known; keep the first.
        if target is not None and not (definition.guarded and target.symbol in found):
            found.pop(target.symbol, None)
            found[target.symbol] = target
    return sorted(found.values(), key=lambda target: (target.line, target.symbol))


def functions(source: SourceFile) -> Iterator[Definition]:
    """Every function of a module and every method of its classes, not those nested in functions."""
    stack: list[tuple[Node, tuple[str, ...], Node | None, bool]] = [(source.root, (), None, False)]
    while stack:
        block, owners, owner, guarded = stack.pop()
        children = block.named_children
        for child in children:
            if child.type in _TRANSPARENT and not _type_checking_only(source, child):
                stack.append((child, owners, owner, True))
            elif child.type == "block":
                stack.append((child, owners, owner, guarded))
            definition, decorators = _undecorated(source, child)
            name = definition.child_by_field_name("name")
            if name is None:
                continue
            if definition.type == "function_definition":
                yield Definition(definition, decorators, owners, owner, guarded)
            elif definition.type == "class_definition":
                body = definition.child_by_field_name("body")
                if body is not None:
                    stack.append((body, (*owners, source.slice(name)), definition, guarded))


def find_function(source: SourceFile, symbol: str, line: int) -> Definition | None:
    """The definition that ``Target.symbol`` and ``Target.line`` name."""
    for definition in functions(source):
        if (
            line_of(definition.node) == line
            and ".".join((*definition.owners, _name(source, definition.node))) == symbol
        ):
            return definition
    return None


def docstring_node(function: Node) -> Node | None:
    """The string literal that is the docstring of a function, class or module node."""
    body = function if function.type == "module" else function.child_by_field_name("body")
    first = next((child for child in body.named_children if child.type != "comment"), None) if body else None
    if first is None or first.type != "expression_statement" or first.named_child_count != 1:
        return None
    literal = first.named_children[0]
    return literal if literal.type in ("string", "concatenated_string") else None


def _target(
    source: SourceFile, module: str, definition: Definition, exported: frozenset[str] | None, private_module: bool
) -> Target | None:
    node, owners = definition.node, definition.owners
    name = _name(source, node)
    body = node.child_by_field_name("body")
    if body is None or node.has_error or name == "_" or _SKIPPED_DECORATORS & set(_last_parts(definition.decorators)):
        return None
    if any(
        decorator.endswith((".setter", ".deleter", ".getter", ".register")) for decorator in definition.decorators
    ):
        return None
    docstring = _docstring(source, node)
    statements = _statements(node)
    if not statements or _is_stub(source, statements, bool(owners)):
        return None
    callee = _callee(name, owners, definition.decorators)
    parts = (*owners, name)
    public = not private_module and not any(_is_private(part) for part in parts)
    if exported is not None and parts[0] not in exported:
        public = False
    returns = node.child_by_field_name("return_type")
    return Target(
        language=LANGUAGE,
        file=source.path,
        module=module,
        symbol=".".join(parts),
        line=line_of(node),
        end_line=end_line_of(node),
        body_line=line_of(statements[0]),
        signature=_signature(source, node),
        docstring=docstring,
        parameters=tuple(_parameters(source, node)),
        returns=_one_line(source.slice(returns)) if returns is not None else "",
        callee=callee,
        is_async=_is_async(node),
        public=public,
        complexity=1 + sum(1 for inner in walk(body) if inner.type in _DECISIONS),
    )


def _undecorated(source: SourceFile, node: Node) -> tuple[Node, tuple[str, ...]]:
    if node.type != "decorated_definition":
        return node, ()
    definition = node.child_by_field_name("definition")
    names = []
    for child in node.named_children:
        if child.type == "decorator" and child.named_children:
            expression = child.named_children[0]
            function = expression.child_by_field_name("function") if expression.type == "call" else expression
            names.append(_one_line(source.slice(function or expression)))
    return (definition or node), tuple(names)


def _name(source: SourceFile, node: Node) -> str:
    name = node.child_by_field_name("name")
    return source.slice(name) if name is not None else ""


def _last_parts(decorators: tuple[str, ...]) -> list[str]:
    return [decorator.rpartition(".")[2] for decorator in decorators]


def _callee(name: str, owners: tuple[str, ...], decorators: tuple[str, ...]) -> str:
    last = set(_last_parts(decorators))
    if not owners:
        return "function"
    if last & _PROPERTIES:
        return "property"
    if "staticmethod" in last or name == "__new__":
        return "staticmethod"
    if "classmethod" in last or name in ("__init_subclass__", "__class_getitem__"):
        return "classmethod"
    return "method"


def _is_async(function: Node) -> bool:
    return any(child.type == "async" for child in function.children)


def _signature(source: SourceFile, function: Node) -> str:
    body = function.child_by_field_name("body")
    end = body.start_byte if body is not None else function.end_byte
    header = source.data[function.start_byte : end].decode("utf-8", "replace")
    header = re.sub(r"#[^\n\"']*$", "", header, flags=re.MULTILINE)
    return (
        _one_line(header)
        .rstrip()
        .removesuffix(":")
        .rstrip()
        .replace("( ", "(")
        .replace(", )", ")")
        .replace(" )", ")")
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _parameters(source: SourceFile, function: Node) -> Iterator[Parameter]:
    listing = function.child_by_field_name("parameters")
    if listing is None:
        return
    kind = "positional_or_keyword"
    children = [child for child in listing.named_children if child.type != "comment"]
    slash = next((index for index, child in enumerate(children) if child.type == "positional_separator"), -1)
    for index, child in enumerate(children):
        if child.type == "positional_separator":
            continue
        if child.type == "keyword_separator":
            kind = "keyword_only"
            continue
        parameter = _parameter(source, child, "positional_only" if index < slash else kind)
        if parameter is None:
            continue
        if parameter.kind == "var_positional":
            kind = "keyword_only"
        yield parameter


def _parameter(source: SourceFile, node: Node, kind: str) -> Parameter | None:
    if node.type == "identifier":
        return Parameter(source.slice(node), kind=kind)
    annotation_node = node.child_by_field_name("type")
    annotation = _one_line(source.slice(annotation_node)) if annotation_node is not None else ""
    if node.type in ("default_parameter", "typed_default_parameter"):
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        if name is None or value is None:
            return None
        return Parameter(source.slice(name), annotation, source.slice(value), kind)
    inner = node.named_children[0] if node.type == "typed_parameter" and node.named_children else node
    if inner.type == "identifier":
        return Parameter(source.slice(inner), annotation, kind=kind)
    variadic = {"list_splat_pattern": "var_positional", "dictionary_splat_pattern": "var_keyword"}.get(inner.type)
    if variadic is None or not inner.named_children:
        return None
    return Parameter(source.slice(inner.named_children[0]), annotation, kind=variadic)


def _docstring(source: SourceFile, function: Node) -> str:
    literal = docstring_node(function)
    value = string_value(source.slice(literal)) if literal is not None else None
    return inspect.cleandoc(value) if value else ""


def _statements(function: Node) -> list[Node]:
    """Statements of a function's body without docstring and comments."""
    body = function.child_by_field_name("body")
    statements = [child for child in body.named_children if child.type != "comment"] if body is not None else []
    return statements[1:] if docstring_node(function) is not None else statements


def _is_stub(source: SourceFile, statements: list[Node], in_class: bool) -> bool:
    """Nothing but ``...``, ``pass``, or (in a class) ``raise NotImplementedError``."""
    if len(statements) != 1:
        return False
    text = source.slice(statements[0]).strip()
    return text in ("...", "pass") or (in_class and text.startswith("raise NotImplementedError"))


def _is_protocol(source: SourceFile, node: Node) -> bool:
    bases = node.child_by_field_name("superclasses")
    if bases is None:
        return False
    return any(
        re.fullmatch(r"(?:[\w.]+\.)?Protocol", source.slice(base).partition("[")[0].strip())
        for base in bases.named_children
    )


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__") and len(name) > 4)


def _type_checking_only(source: SourceFile, node: Node) -> bool:
    condition = node.child_by_field_name("condition") if node.type == "if_statement" else None
    return condition is not None and source.slice(condition) in (
        "TYPE_CHECKING",
        "typing.TYPE_CHECKING",
        "t.TYPE_CHECKING",
    )


def _exported(source: SourceFile) -> frozenset[str] | None:
    """Names in ``__all__`` where it is a plain list of strings, otherwise ``None`` (unknown)."""
    names: set[str] | None = None
    for statement in source.root.named_children:
        expression = (
            statement.named_children[0]
            if statement.type == "expression_statement" and statement.named_children
            else None
        )
        if expression is None or expression.type not in ("assignment", "augmented_assignment"):
            continue
        left, right = expression.child_by_field_name("left"), expression.child_by_field_name("right")
        if left is None or right is None or source.slice(left) != "__all__":
            continue
        if right.type not in ("list", "tuple"):
            return None
        values = [string_value(source.slice(item)) for item in right.named_children if item.type != "comment"]
        if any(value is None for value in values):
            return None
        names = (names or set()) | {value for value in values if value is not None}
    return frozenset(names) if names is not None else None
