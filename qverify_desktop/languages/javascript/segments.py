"""The functions of a file: declarations, functions bound to names, methods of classes and of exported objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.javascript.access import Way, module_of, stem_of
from qverify_desktop.languages.javascript.exports import Exports, assignments, exported_name, exports_of, members
from qverify_desktop.languages.javascript.jsdoc import documented
from qverify_desktop.languages.tree.comments import Comment, comment_above
from qverify_desktop.languages.tree.outline import Definition, target_of, unique
from qverify_desktop.languages.tree.source import TreeSource

COMMENTS = frozenset(("comment",))
_BETWEEN = frozenset(("decorator", ","))
_DECISIONS = frozenset(
    (
        "if_statement",
        "for_statement",
        "for_in_statement",
        "while_statement",
        "do_statement",
        "switch_case",
        "catch_clause",
        "ternary_expression",
    )
)
_FUNCTIONS = frozenset(("arrow_function", "function_expression", "generator_function", "function"))
_DECLARATIONS = frozenset(("function_declaration", "generator_function_declaration"))
_AROUND = frozenset(("parenthesized_expression", "as_expression", "satisfies_expression"))
_CLASSES = frozenset(("class_declaration", "abstract_class_declaration", "class"))


@dataclass(frozen=True)
class Found:
    """A definition and how its file gives it away."""

    way: Way
    definition: Definition


def targets_of(source: TreeSource, language: str) -> list[Target]:
    """Every function and method of the file that has a name, also those that no import reaches (not public)."""
    targets = []
    for found in outline(source):
        target = target_of(
            source,
            found.definition,
            language=language,
            module=module_of(found.way, source.path),
            decisions=_DECISIONS,
        )
        if target is not None:
            targets.append(documented(target))
    return unique(targets)


def outline(source: TreeSource) -> list[Found]:
    """The definitions of a file in their order."""
    exports = exports_of(source)
    found: list[Found] = []
    for statement in source.root.named_children:
        found += _of_statement(source, statement, exports)
    return found


def find_definition(source: TreeSource, target: Target) -> Definition | None:
    """The definition of a target in its file."""
    return find_symbol(source, target.symbol)


def find_symbol(source: TreeSource, symbol: str) -> Definition | None:
    """The last definition of a symbol, which is the one that counts."""
    found = [one.definition for one in outline(source) if one.definition.symbol == symbol]
    return found[-1] if found else None


def _of_statement(source: TreeSource, statement: Node, exports: Exports) -> Iterator[Found]:
    above = comment_above(source, statement, COMMENTS, _BETWEEN)
    if statement.type == "expression_statement":
        for left, right in assignments(statement):
            yield from _of_assignment(source, left, right, above, exports)
        return
    inner, is_default = statement, False
    if statement.type == "export_statement":
        is_default = any(child.type == "default" for child in statement.children)
        inner = statement.child_by_field_name("declaration") or statement.child_by_field_name("value") or statement
    if inner.type in _DECLARATIONS | _FUNCTIONS:
        name = source.field(inner, "name")
        if not name and not is_default:
            return
        way, shown = (Way.DEFAULT, name or "default") if is_default else exports.of(name)
        yield from _function(source, inner, inner, shown, way, above)
    elif inner.type in _CLASSES:
        name = source.field(inner, "name")
        way, shown = (Way.DEFAULT, name or "default") if is_default else exports.of(name)
        yield from _class(source, inner, shown, way)
    elif inner.type in ("lexical_declaration", "variable_declaration"):
        for declarator in inner.named_children:
            value = declarator.child_by_field_name("value")
            if declarator.type == "variable_declarator" and value is not None:
                name = source.field(declarator, "name")
                way, shown = exports.of(name)
                yield from _bound(source, inner, _plain(value), shown, way, above)
    elif inner.type == "object" and is_default:
        yield from _object(source, inner, (), Way.DEFAULT_MEMBER)


def _of_assignment(
    source: TreeSource, left: Node, right: Node, above: Comment | None, exports: Exports
) -> Iterator[Found]:
    name = exported_name(source, left)
    value = _plain(right)
    if name == "":
        if value.type == "object":
            yield from _object(source, value, (), Way.REQUIRED)
        else:
            name = source.field(value, "name") or "default"
            if value.type in _FUNCTIONS | _CLASSES:
                # Bound by the file's name in a test where it has none of its own.
                shown = name if name != "default" else stem_of(source.path)
                yield from _bound(source, right, value, shown, Way.REQUIRED_WHOLE, above)
    elif name is not None:
        yield from _bound(source, right, value, name, Way.REQUIRED, above)
    elif left.type == "member_expression" and value.type in _FUNCTIONS:
        # ``f.parse = (text) => …``: what hangs on a function or class that the file gives away.
        owner, key = source.field(left, "object"), source.field(left, "property")
        way, shown = exports.of(owner)
        if way is not Way.HIDDEN and key.isidentifier() and key != "prototype":
            for one in _function(source, right, value, key, way, above):
                yield replace(one, definition=replace(one.definition, owners=(shown,), callee="staticmethod"))


def _plain(value: Node) -> Node:
    """A value without what stands around it: parentheses, type assertions, and a call that is handed one function and gives
    it back in another form (``curry(function add(a, b) {})``, ``memoize((x) => …)``)."""
    for _ in range(10):
        if value.type in _AROUND and value.named_children:
            value = value.named_children[0]
        elif value.type == "call_expression":
            arguments = value.child_by_field_name("arguments")
            given = arguments.named_children if arguments is not None else []
            wrapped = [one for one in given if one.type in _FUNCTIONS or one.type == "call_expression"]
            callee = value.child_by_field_name("function")
            if len(wrapped) != 1 or callee is None or callee.type not in ("identifier", "member_expression"):
                break
            value = wrapped[0]
        else:
            break
    return value


def _bound(
    source: TreeSource, node: Node, value: Node, name: str, way: Way, above: Comment | None
) -> Iterator[Found]:
    """What a name is bound to: a function, a class, or an object with functions in it."""
    if value.type in _FUNCTIONS:
        yield from _function(source, node, value, name, way, above)
    elif value.type in _CLASSES:
        yield from _class(source, value, name, way)
    elif value.type == "object" and way is not Way.HIDDEN:
        yield from _object(source, value, (name,), way)


def _function(
    source: TreeSource, node: Node, function: Node, name: str, way: Way, above: Comment | None
) -> Iterator[Found]:
    body = function.child_by_field_name("body")
    if body is None or not name:
        return
    definition = Definition(
        node=node,
        name=name,
        # ``x => x``: a name alone has nothing inside that could be looked at.
        body=body if body.named_child_count or body.type == "statement_block" else function,
        parameters=parameters_of(source, function),
        returns=_type(source, function, "return_type"),
        public=way is not Way.HIDDEN and not name.startswith("_"),
        is_async=any(child.type == "async" for child in function.children),
        comment=above,
    )
    yield Found(way, definition)


def _object(source: TreeSource, literal: Node, owners: tuple[str, ...], way: Way) -> Iterator[Found]:
    for name, value in members(source, literal):
        if value is None:
            continue
        node = value if value.type == "method_definition" else value.parent or value
        above = comment_above(source, node, COMMENTS, _BETWEEN)
        if value.type == "method_definition":
            found = list(_method(source, value, owners, way, above))
            yield from (replace(one, definition=replace(one.definition, callee=_in_object(one))) for one in found)
        else:
            for one in _function(source, node, _plain(value), name, way, above) if value.type in _FUNCTIONS else ():
                callee = "staticmethod" if owners else "function"
                yield replace(one, definition=replace(one.definition, owners=owners, callee=callee))


def _in_object(found: Found) -> str:
    if found.definition.callee == "property":
        return "property"
    return "staticmethod" if found.definition.owners else "function"


def _class(source: TreeSource, node: Node, name: str, way: Way) -> Iterator[Found]:
    body = node.child_by_field_name("body")
    if body is None or not name:
        return
    for member in body.named_children:
        above = comment_above(source, member, COMMENTS, _BETWEEN)
        if member.type == "method_definition":
            yield from _method(source, member, (name,), way, above)
        elif member.type in ("field_definition", "public_field_definition"):
            value = member.child_by_field_name("value")
            key = source.field(member, "property") or source.field(member, "name")
            if value is not None and value.type in _FUNCTIONS and key.isidentifier():
                static = any(child.type == "static" for child in member.children)
                for one in _function(source, member, value, key, way, above):
                    callee = "staticmethod" if static else "method"
                    yield replace(one, definition=replace(one.definition, owners=(name,), callee=callee))


def _method(
    source: TreeSource, node: Node, owners: tuple[str, ...], way: Way, above: Comment | None
) -> Iterator[Found]:
    key = node.child_by_field_name("name")
    if key is None or key.type not in ("property_identifier", "private_property_identifier"):
        return
    marks = {child.type for child in node.children}
    name = source.slice(key)
    closed = key.type == "private_property_identifier" or any(
        child.type == "accessibility_modifier" and source.slice(child) != "public" for child in node.children
    )
    callee = "property" if "get" in marks else "staticmethod" if "static" in marks else "method"
    if "set" in marks:
        return
    for one in _function(source, node, node, name, way, above):
        public = one.definition.public and not closed
        yield replace(
            one,
            way=Way.HIDDEN if closed else one.way,
            definition=replace(one.definition, owners=owners, callee=callee, public=public),
        )


def parameters_of(source: TreeSource, function: Node) -> tuple[Parameter, ...]:
    """The parameters of a function as they are written; a pattern is one parameter named by its text."""
    single = function.child_by_field_name("parameter")
    if single is not None:
        return (Parameter(source.slice(single)),)
    listed = function.child_by_field_name("parameters")
    found = []
    for node in listed.named_children if listed is not None else ():
        parameter = _parameter(source, node)
        if parameter is not None:
            found.append(parameter)
    return tuple(found)


def _parameter(source: TreeSource, node: Node) -> Parameter | None:
    if node.type in ("comment", "decorator") or source.slice(node) == "this":
        return None
    pattern, default, annotation = node, None, ""
    if node.type in ("required_parameter", "optional_parameter"):
        inner = node.child_by_field_name("pattern")
        if inner is None or source.slice(inner) == "this":
            return None
        pattern, annotation = inner, _type(source, node, "type")
        value = node.child_by_field_name("value")
        default = source.slice(value) if value is not None else None
        if node.type == "optional_parameter":
            default = default or "undefined"
    elif node.type == "assignment_pattern":
        pattern = node.child_by_field_name("left") or node
        default = source.field(node, "right")
    kind = "positional_or_keyword"
    if pattern.type == "rest_pattern":
        kind, pattern = "var_positional", pattern.named_children[0] if pattern.named_children else pattern
    return Parameter(source.slice(pattern)[:200], annotation, default, kind)


def _type(source: TreeSource, node: Node, field: str) -> str:
    return " ".join(source.field(node, field).removeprefix(":").split())[:400]
