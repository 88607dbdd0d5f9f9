"""Declared types of Java as shapes of inputs, and the literals of a method that inputs should come near."""

from __future__ import annotations

from collections.abc import Sequence

from tree_sitter import Node

from qverify_desktop.languages.java.codebase import Codebase
from qverify_desktop.languages.java.declared import Type
from qverify_desktop.languages.tree.source import TreeSource, walk
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Constants, Shape
from qverify_desktop.languages.values.value import Word

_MOST_DEPTH = 6
_BASIC = {
    "int": Shape(Basic.INTEGER, most=2**31 - 1),
    "Integer": Shape(Basic.INTEGER, most=2**31 - 1),
    "long": Shape(Basic.INTEGER, most=2**63 - 1),
    "Long": Shape(Basic.INTEGER, most=2**63 - 1),
    "short": Shape(Basic.INTEGER, most=2**15 - 1),
    "Short": Shape(Basic.INTEGER, most=2**15 - 1),
    "byte": Shape(Basic.INTEGER, most=127),
    "Byte": Shape(Basic.INTEGER, most=127),
    "BigInteger": Shape(Basic.INTEGER),
    "BigDecimal": Shape(Basic.FLOAT),
    "double": Shape(Basic.FLOAT),
    "Double": Shape(Basic.FLOAT),
    "float": Shape(Basic.FLOAT),
    "Float": Shape(Basic.FLOAT),
    "Number": Shape(Basic.INTEGER, most=2**31 - 1),
    "boolean": Shape(Basic.TRUTH),
    "Boolean": Shape(Basic.TRUTH),
    "char": Shape(Basic.CHARACTER),
    "Character": Shape(Basic.CHARACTER),
    "String": Shape(Basic.TEXT),
    "CharSequence": Shape(Basic.TEXT),
    "Object": Shape(Basic.ANY),
}
_ROWS = frozenset({"[]", "List", "Collection", "Iterable", "ArrayList", "LinkedList", "Deque", "Queue"})
_SETS = frozenset({"Set", "HashSet", "LinkedHashSet", "SortedSet", "TreeSet"})
_MAPS = frozenset({"Map", "HashMap", "LinkedHashMap", "SortedMap", "TreeMap"})


def shape_of(
    type_: Type, codebase: Codebase, package: str, variables: frozenset[str], depth: int = _MOST_DEPTH
) -> Shape:
    """What values a type has; opaque where none can be made."""
    if depth <= 0 or not type_.name:
        return OPAQUE
    if type_.name in variables:
        # One type for all of them, so that several parameters of the variable agree.
        return _BASIC["int"]
    if type_.name in _BASIC:
        return _BASIC[type_.name]
    inner = tuple(shape_of(one, codebase, package, variables, depth - 1) for one in type_.arguments)
    if type_.name in _ROWS and len(inner) == 1:
        return Shape(Basic.LIST, inner)
    if type_.name in _SETS and len(inner) == 1:
        return Shape(Basic.SET, inner)
    if type_.name in _MAPS and len(inner) == 2:
        return Shape(Basic.MAP, inner)
    if type_.name == "Optional" and len(inner) == 1:
        return Shape(Basic.OPTIONAL, inner)
    info = codebase.named(type_.name, package)
    if info is not None and info.constants:
        return Shape(Basic.CHOICE, choices=tuple(Word(one) for one in info.constants[:20]))
    return OPAQUE


def constants_of(source: TreeSource, nodes: Sequence[Node]) -> Constants:
    """The literals below some nodes."""
    integers: dict[int, None] = {}
    floats: dict[float, None] = {}
    texts: dict[str, None] = {}
    for node in (one for root in nodes for one in walk(root)):
        text = source.slice(node)
        if node.type in ("decimal_integer_literal", "integer_literal", "number_literal"):
            digits = text.replace("_", "").rstrip("lL")
            if digits.isascii() and digits.isdecimal() and len(digits) < 12:
                integers.setdefault(int(digits))
        if node.type in ("decimal_floating_point_literal", "float_literal", "number_literal"):
            try:
                floats.setdefault(float(text.replace("_", "").rstrip("fFdDlL")))
            except ValueError:
                continue
        elif node.type in ("string_literal", "character_literal") and "\\" not in text and len(text) < 80:
            texts.setdefault(text.strip("\"'"))
    return Constants(tuple(integers)[:20], tuple(floats)[:10], tuple(texts)[:20])
