"""Shapes of parameters: from declared types (TypeScript, JSDoc), otherwise from how the code uses them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from qverify_desktop.domain.project import Parameter
from qverify_desktop.languages.tree.source import TreeSource, walk
from qverify_desktop.languages.values.notation import whole_value
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Constants, Shape, values
from qverify_desktop.languages.values.value import Entries, Made, Nothing, Number, Text, Truth, Value, Word

_ANY = Shape(Basic.ANY)
_PLAIN = {
    "number": Shape(Basic.FLOAT),
    "int": Shape(Basic.INTEGER),
    "integer": Shape(Basic.INTEGER),
    "float": Shape(Basic.FLOAT),
    "bigint": Shape(Basic.CHOICE, choices=tuple(Made("bigint", (Number(str(n), True),)) for n in (0, 1, 2, 7, -3))),
    "string": Shape(Basic.TEXT),
    "boolean": Shape(Basic.TRUTH),
    "bool": Shape(Basic.TRUTH),
    "any": _ANY,
    "unknown": _ANY,
    "*": _ANY,
    "": _ANY,
    "array": Shape(Basic.LIST, (_ANY,)),
    "date": Shape(
        Basic.CHOICE,
        choices=tuple(
            Made("Date", (Text(day),))
            for day in ("2020-01-31T00:00:00.000Z", "1999-12-31T23:59:59.000Z", "2024-02-29T12:30:00.000Z")
        ),
    ),
    "null": Shape(Basic.CHOICE, choices=(Nothing("null"),)),
    "undefined": Shape(Basic.CHOICE, choices=(Made("undefined"),)),
    "void": Shape(Basic.CHOICE, choices=(Made("undefined"),)),
}
#: Whole numbers and fractions: what JavaScript calls a number is mostly counted with.
_NUMBERS = (Shape(Basic.INTEGER), Shape(Basic.FLOAT))
MOST_DEPTH = 6
NO_NAMES: Mapping[str, str] = {}
_MOST_TEXT = 400


def shape_of(declared: str, named: Mapping[str, str] = NO_NAMES, depth: int = MOST_DEPTH) -> Shape:
    """The shape that a type's text stands for; ``OPAQUE`` for what is not known here (classes, functions, generics).

    ``named`` are the texts of interfaces and aliases by name.
    """
    text = declared.strip()
    if depth <= 0 or len(text) > _MOST_TEXT:
        return OPAQUE
    nullable = text.startswith("?")
    text = text.lstrip("?!").removeprefix("readonly ").strip()
    parts = [part for part in split(text, "|") if part]
    if len(parts) > 1 or nullable:
        inner = [shape_of(part, named, depth - 1) for part in parts]
        return either([*inner, _PLAIN["null"]] if nullable else inner)
    if "=>" in text or re.match(r"(?:function|new)\b", text, re.IGNORECASE):
        return OPAQUE
    if text.startswith("(") and text.endswith(")"):
        return shape_of(text[1:-1], named, depth - 1)
    if text == "number":
        return either(_NUMBERS)
    if text.lower() in _PLAIN:
        return _PLAIN[text.lower()]
    if text.endswith("[]"):
        return Shape(Basic.LIST, (shape_of(text[:-2], named, depth - 1),))
    if text.startswith("[") and text.endswith("]"):
        items = [re.sub(r"^\w+\??:\s*", "", part) for part in split(text[1:-1], ",")]
        return Shape(Basic.TUPLE, tuple(shape_of(part, named, depth - 1) for part in items if part))
    if text.startswith("{") and text.endswith("}"):
        return _record(text[1:-1], named, depth)
    if text in named:
        return shape_of(named[text], named, depth - 1)
    return _generic(text, named, depth) or _literal(text)


def _generic(text: str, named: Mapping[str, str], depth: int) -> Shape | None:
    match = re.fullmatch(r"(\w+)\.?<(.*)>", text, re.DOTALL)
    if match is None:
        return Shape(Basic.MAP, (Shape(Basic.TEXT), _ANY)) if text in ("object", "Object") else None
    name, inner = match.group(1).lower().removeprefix("readonly"), split(match.group(2), ",")
    shapes = tuple(shape_of(part, named, depth - 1) for part in inner)
    if name in ("array", "iterable", "arraylike") and len(shapes) == 1:
        return Shape(Basic.LIST, shapes)
    if name == "set" and len(shapes) == 1:
        return Shape(Basic.SET, shapes)
    if name in ("record", "object") and len(shapes) == 2:
        return Shape(Basic.MAP, (Shape(Basic.TEXT), shapes[1]))
    if name == "map" and len(shapes) == 2:
        pairs = values(Shape(Basic.LIST, (Shape(Basic.TUPLE, shapes),)), Constants(), 1)
        return Shape(Basic.CHOICE, choices=tuple(Made("Map", (row,)) for row in list(pairs)[:6]))
    if name in ("partial", "readonly", "required") and len(shapes) == 1:
        return shapes[0]
    return None


def _literal(text: str) -> Shape:
    value = whole_value(text)
    if isinstance(value, Text | Number | Truth):
        return Shape(Basic.CHOICE, choices=(value,))
    return OPAQUE


def _record(text: str, named: Mapping[str, str], depth: int) -> Shape:
    """A few objects of a literal type: each property with its own values, what is optional sometimes left out."""
    index = re.match(r"\s*\[\w+:\s*(?:string|number)\]:\s*(.+?)[;,]?\s*$", text, re.DOTALL)
    if index:
        return Shape(Basic.MAP, (Shape(Basic.TEXT), shape_of(index.group(1), named, depth - 1)))
    properties: list[tuple[str, bool, list[Value]]] = []
    for part in split(text.replace(";", ","), ","):
        match = re.match(r"(?:readonly\s+)?[\"']?([\w$]+)[\"']?(\??):\s*(.+)$", part.strip(), re.DOTALL)
        if match is None:
            if part.strip():
                return OPAQUE
            continue
        pool = _pool(shape_of(match.group(3), named, depth - 1))
        if not pool:
            return OPAQUE
        properties.append((match.group(1), bool(match.group(2)), pool))
    made = [
        Entries(
            tuple(
                (Text(name), pool[(number + place) % len(pool)])
                for place, (name, optional, pool) in enumerate(properties)
                if not (optional and number % 3 == 1)
            )
        )
        for number in range(8)
    ]
    return Shape(Basic.CHOICE, choices=tuple(dict.fromkeys(made)))


def either(shapes: Sequence[Shape]) -> Shape:
    """Values of each shape in turn; shapes that can't be made are left out where others can."""
    pools = [pool for pool in map(_pool, shapes) if pool]
    if not pools:
        return OPAQUE
    longest = max(map(len, pools))
    mixed = [pool[index] for index in range(longest) for pool in pools if index < len(pool)]
    return Shape(Basic.CHOICE, choices=tuple(dict.fromkeys(mixed)))


def _pool(shape: Shape) -> list[Value]:
    return [] if shape.basic is Basic.OPAQUE else list(values(shape, Constants(), 7))[:24]


def split(text: str, mark: str) -> list[str]:
    """Parts between marks that stand in no bracket and no quotes."""
    parts, depth, current, quote = [], 0, "", ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'`":
            quote = character
        elif character in "([{<":
            depth += 1
        elif character in ")]}>" and not current.endswith("="):
            depth -= 1
        elif character == mark and depth == 0:
            parts.append(current.strip())
            current = ""
            continue
        current += character
    return [*parts, current.strip()]


_OF_TEXT = frozenset(
    [
        "charAt",
        "charCodeAt",
        "codePointAt",
        "toUpperCase",
        "toLowerCase",
        "trim",
        "trimStart",
        "trimEnd",
        "split",
        "replace",
        "replaceAll",
        "startsWith",
        "endsWith",
        "padStart",
        "padEnd",
        "repeat",
        "substring",
        "substr",
        "match",
        "matchAll",
        "localeCompare",
        "normalize",
    ]
)
_OF_LIST = frozenset(
    [
        "map",
        "filter",
        "reduce",
        "reduceRight",
        "forEach",
        "push",
        "pop",
        "shift",
        "unshift",
        "sort",
        "join",
        "some",
        "every",
        "find",
        "findIndex",
        "flat",
        "flatMap",
        "splice",
        "reverse",
        "fill",
    ]
)
_OF_NUMBER = frozenset(("toFixed", "toPrecision"))


def guessed(source: TreeSource, body: Node, parameter: Parameter) -> Shape:
    """The shape of a parameter without a declared type, by what the code does with it."""
    signs = list(_uses(source, body, parameter.name))
    for kind, shape in (
        ("called", OPAQUE),
        ("list", Shape(Basic.LIST, (_item(source, body, parameter),))),
        ("text", Shape(Basic.TEXT)),
        ("number", either(_NUMBERS)),
    ):
        if kind in signs:
            return shape
    if "measured" in signs or "walked" in signs:
        return either([Shape(Basic.LIST, (Shape(Basic.INTEGER),)), Shape(Basic.TEXT)])
    default = whole_value(parameter.default) if parameter.default else None
    if isinstance(default, Number):
        return either(_NUMBERS)
    if isinstance(default, Text):
        return Shape(Basic.TEXT)
    if isinstance(default, Truth):
        return Shape(Basic.TRUTH)
    return OPAQUE if parameter.name.startswith(("{", "[")) else _ANY


def _uses(source: TreeSource, body: Node, name: str) -> Iterator[str]:
    for node in walk(body):
        if node.type != "identifier" or source.slice(node) != name or node.parent is None:
            continue
        parent = node.parent
        if parent.type == "call_expression" and parent.child_by_field_name("function") == node:
            yield "called"
        elif parent.type == "member_expression" and parent.child_by_field_name("object") == node:
            member = source.field(parent, "property")
            yield from (
                kind
                for kind, members in (("text", _OF_TEXT), ("list", _OF_LIST), ("number", _OF_NUMBER))
                if member in members
            )
            if member == "length":
                yield "measured"
        elif parent.type == "for_in_statement" or parent.type == "spread_element":
            yield "walked"
        elif parent.type == "binary_expression":
            sign = source.field(parent, "operator")
            if sign in ("-", "*", "/", "%", "**", "<", ">", "<=", ">=", "&", "|", "^", "<<", ">>"):
                yield "number"
        elif parent.type == "arguments":
            callee = parent.parent
            if callee is not None and source.field(callee, "function").startswith("Math."):
                yield "number"


def _item(source: TreeSource, body: Node, parameter: Parameter) -> Shape:
    text = source.slice(body)[:20_000]
    name = re.escape(parameter.name)
    if re.search(
        rf"\b{name}\b\s*\.\s*(?:join|sort\(\))|\.(?:toUpperCase|toLowerCase|charAt|trim|localeCompare)\(", text
    ):
        return Shape(Basic.TEXT)
    return Shape(Basic.INTEGER)


def named_types(source: TreeSource) -> dict[str, str]:
    """Interfaces and aliases of a file, without those that extend others or take parameters."""
    found: dict[str, str] = {}
    for statement in source.root.named_children:
        node = statement.child_by_field_name("declaration") or statement
        field = {"interface_declaration": "body", "type_alias_declaration": "value"}.get(node.type)
        plain = all(child.type not in ("extends_type_clause", "type_parameters") for child in node.children)
        if field is not None and plain:
            body = node.child_by_field_name(field)
            parts = (
                [source.slice(one).rstrip(";,") for one in body.named_children if one.type != "comment"]
                if body
                else []
            )
            text = f"{{{'; '.join(parts)}}}" if field == "body" else source.field(node, field)
            found[source.field(node, "name")] = " ".join(text.split())
    return found


def constants_of(source: TreeSource, body: Node) -> Constants:
    """Literals of a function's body."""
    integers: dict[int, None] = {}
    floats: dict[float, None] = {}
    texts: dict[str, None] = {}
    for node in walk(body):
        if node.end_byte - node.start_byte > 60 or node.type not in ("number", "string"):
            continue
        value = whole_value(source.slice(node))
        if isinstance(value, Number) and value.whole and len(value.text) < 12:
            integers.setdefault(int(value.text))
        elif isinstance(value, Number) and len(value.text) < 20 and value.text not in ("nan", "inf", "-inf"):
            floats.setdefault(float(value.text))
        elif isinstance(value, Text) and not isinstance(value, Word):
            texts.setdefault(value.value)
    return Constants(tuple(integers)[:12], tuple(floats)[:8], tuple(texts)[:16])
