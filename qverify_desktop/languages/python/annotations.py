"""Type hints of plain values: a Hypothesis strategy that draws them, and an expression that checks them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from qverify_desktop.languages import syntax
from qverify_desktop.languages.python.literals import NotALiteral, canonical, evaluate

#: Bounds that keep a property quick: a function may be exponential in what it is given.
_SIMPLE = {
    "int": "st.integers(-1000, 1000)",
    "float": "st.floats(-1e6, 1e6)",
    "bool": "st.booleans()",
    "str": "st.text(max_size=30)",
    "bytes": "st.binary(max_size=30)",
    "None": "st.none()",
}
_CHECKS = {"int": "int", "float": "(int, float)", "bool": "bool", "str": "str", "bytes": "bytes"}
_LISTS = frozenset(("list", "List", "Sequence", "Iterable", "Collection", "MutableSequence"))
_SETS = frozenset(("set", "Set", "AbstractSet", "MutableSet"))
_DICTS = frozenset(("dict", "Dict", "Mapping", "MutableMapping"))
_TUPLES = frozenset(("tuple", "Tuple"))
_MUTABLE = _LISTS | _SETS | _DICTS
_MOST_DEPTH = 4


@dataclass(frozen=True)
class Hint:
    """``name`` is the type's bare name (``union``, ``literal`` for those), ``parts`` its arguments, ``values`` of a literal."""

    name: str
    parts: tuple[Hint, ...] = ()
    values: tuple[str, ...] = ()
    variadic: bool = False

    def has(self, name: str) -> bool:
        return self.name == name or any(part.has(name) for part in self.parts)

    @property
    def mutable(self) -> bool:
        return self.name in _MUTABLE or any(part.mutable for part in self.parts)


def read_hint(text: str) -> Hint | None:
    """The hint as written, ``None`` for anything but plain values and containers of them."""
    try:
        node = syntax.parse_expression(text.strip().strip("'\"")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return _read(node, 0)


def _read(node: ast.expr, depth: int) -> Hint | None:
    if depth > _MOST_DEPTH:
        return None
    if isinstance(node, ast.Constant):
        return Hint("None") if node.value is None else None
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _of("union", [node.left, node.right], depth)
    if isinstance(node, ast.Subscript):
        return _subscript(_bare(node.value), node.slice, depth)
    name = _bare(node)
    known = name in _SIMPLE or name in _LISTS | _SETS | _DICTS
    return Hint(name) if known else None


def _bare(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return node.attr if node.value.id in ("typing", "t", "T", "abc") else ""
    return node.id if isinstance(node, ast.Name) else ""


def _subscript(name: str, inner: ast.expr, depth: int) -> Hint | None:
    parts = list(inner.elts) if isinstance(inner, ast.Tuple) else [inner]
    if name == "Optional" and len(parts) == 1:
        return _of("union", [*parts, ast.Constant(None)], depth)
    if name == "Union":
        return _of("union", parts, depth)
    if name == "Literal":
        try:
            return Hint("literal", values=tuple(canonical(evaluate(part)) for part in parts))
        except NotALiteral:
            return None
    if name in _TUPLES and len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis:
        hint = _of("tuple", parts[:1], depth)
        return Hint("tuple", hint.parts, variadic=True) if hint else None
    if name in _TUPLES:
        return _of("tuple", parts, depth)
    if (name in _LISTS | _SETS and len(parts) == 1) or (name in _DICTS and len(parts) == 2):
        return _of(name, parts, depth)
    return None


def _of(name: str, nodes: list[ast.expr], depth: int) -> Hint | None:
    parts = [_read(node, depth + 1) for node in nodes]
    found = tuple(part for part in parts if part is not None)
    return Hint(name, found) if len(found) == len(parts) else None


def strategy(hint: Hint, *, small: bool = False) -> str:
    """Source of a strategy. ``small`` narrows integers, for arguments that look like counts or exponents."""
    if hint.name == "int" and small:
        return "st.integers(-5, 20)"
    if hint.name in _SIMPLE:
        return _SIMPLE[hint.name]
    if hint.name == "literal":
        return f"st.sampled_from([{', '.join(hint.values)}])"
    inner = [strategy(part, small=small) for part in hint.parts]
    if hint.name == "union":
        return f"st.one_of({', '.join(inner)})"
    if hint.name == "tuple":
        return f"st.lists({inner[0]}, max_size=6).map(tuple)" if hint.variadic else f"st.tuples({', '.join(inner)})"
    if hint.name in _LISTS:
        return f"st.lists({inner[0] if inner else 'st.integers(-1000, 1000)'}, max_size=8)"
    if hint.name in _SETS:
        return f"st.sets({inner[0] if inner else 'st.integers(-1000, 1000)'}, max_size=8)"
    keys, values = inner if inner else ("st.text(max_size=8)", "st.integers(-1000, 1000)")
    return f"st.dictionaries({keys}, {values}, max_size=6)"


def drawable(hint: Hint) -> bool:
    """Whether values of the hint can be drawn: what a set or a dictionary is keyed by must be hashable."""
    if (hint.name in _SETS or hint.name in _DICTS) and hint.parts:
        key = hint.parts[0]
        if key.mutable or (key.name == "union" and any(part.mutable for part in key.parts)):
            return False
    return all(drawable(part) for part in hint.parts)


def check(hint: Hint, value: str, depth: int = 0) -> str:
    """An expression that is true where ``value`` is of the hint, one level into containers."""
    if hint.name == "None":
        return f"{value} is None"
    if hint.name in _CHECKS:
        return f"isinstance({value}, {_CHECKS[hint.name]})"
    if hint.name == "literal":
        return f"{value} in ({', '.join(hint.values)},)"
    if hint.name == "union":
        return "(" + " or ".join(check(part, value, depth) for part in hint.parts) + ")"
    kinds = {
        **dict.fromkeys(_LISTS, "list"),
        **dict.fromkeys(_SETS, "(set, frozenset)"),
        **dict.fromkeys(_DICTS, "dict"),
    }
    kind = {**kinds, "tuple": "tuple"}[hint.name]
    # An abstract type promises less than a list: only its concrete spelling is held to it.
    abstract = hint.name in ("Sequence", "Iterable", "Collection", "Mapping", "MutableMapping", "MutableSequence")
    held = f"isinstance({value}, {kind})" if not abstract else f"hasattr({value}, '__iter__')"
    if depth or not hint.parts or abstract:
        return held
    if hint.name in _DICTS:
        key, item = hint.parts
        inside = f"{check(key, 'key', 1)} and {check(item, 'item', 1)}"
        return f"{held} and all({inside} for key, item in {value}.items())"
    if hint.name == "tuple" and not hint.variadic:
        parts = [check(part, f"{value}[{index}]", 1) for index, part in enumerate(hint.parts)]
        return " and ".join([held, f"len({value}) == {len(hint.parts)}", *parts])
    return f"{held} and all({check(hint.parts[0], 'item', 1)} for item in {value})"
