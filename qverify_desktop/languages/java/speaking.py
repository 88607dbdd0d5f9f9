"""How Java writes a value for a declared type: the same ``2`` is ``2``, ``2L``, ``2.0`` or ``Optional.of(2)``. Refused is what has two readings."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.java.codebase import Codebase, takes_nothing
from qverify_desktop.languages.java.declared import ANYTHING, Type, declared
from qverify_desktop.languages.java.literals import (
    DECIMAL,
    PRIMITIVES,
    TEXTS,
    TRUTHS,
    WHOLE,
    number_literal,
    text_literal,
)
from qverify_desktop.languages.java.source import is_private
from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Kind,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
    Word,
    holds,
)

_LISTS = dict.fromkeys(("List", "Collection", "Iterable", "ArrayList", "SequencedCollection"), "ArrayList") | {
    "LinkedList": "LinkedList",
    "Deque": "ArrayDeque",
    "Queue": "ArrayDeque",
    "ArrayDeque": "ArrayDeque",
    "Vector": "Vector",
}
_SETS = {
    "Set": "LinkedHashSet",
    "HashSet": "HashSet",
    "LinkedHashSet": "LinkedHashSet",
    "SortedSet": "TreeSet",
    "TreeSet": "TreeSet",
    "NavigableSet": "TreeSet",
}
_MAPS = {
    "Map": "LinkedHashMap",
    "HashMap": "HashMap",
    "LinkedHashMap": "LinkedHashMap",
    "SortedMap": "TreeMap",
    "TreeMap": "TreeMap",
    "NavigableMap": "TreeMap",
    "ConcurrentMap": "ConcurrentHashMap",
}
_ANYTHING = frozenset({"Object", "Serializable", "Comparable"})
#: Types that need no import, or that generated source imports by their name.
_NAMED = frozenset({*_LISTS, *_SETS, *_MAPS, *DECIMAL, *TRUTHS, "Character", "Optional", "Runnable", "Class", "Enum"})
#: Errors that generated source may name.
ERRORS = frozenset(
    (
        *("ArithmeticException", "ArrayIndexOutOfBoundsException", "ClassCastException", "IllegalArgumentException"),
        *("IllegalStateException", "IndexOutOfBoundsException", "NegativeArraySizeException", "NullPointerException"),
        *("NumberFormatException", "StringIndexOutOfBoundsException", "UnsupportedOperationException"),
        "NoSuchElementException",
    )
)
#: ``Map.of`` takes this many pairs.
_MOST_PAIRS = 10
_MOST_DEPTH = 14
#: How an object without a text of its own shows itself: its address is another one in each run.
_IDENTITY = re.compile(r"[\w$]@[0-9a-f]{2,8}\b")


@dataclass(frozen=True)
class Scope:
    """Where a value is written: the package, the type variables there, whether the value will be an argument (so that the code
    may change it) or an expectation."""

    package: str
    variables: frozenset[str] = frozenset()
    argument: bool = True


class JavaSpeaker:
    """A ``Speaker`` of Java for the classes of one project."""

    def __init__(self, codebase: Codebase) -> None:
        self.codebase = codebase

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        """``new Solution().f(1)`` or ``Solution.f(1)``; ``None`` where an instance would need to be made from something."""
        owner = self.codebase.owner(target)
        if owner is None or not owner.reachable:
            return None
        if target.callee == "staticmethod":
            return self.called(target, owner.name, arguments)
        if not takes_nothing(owner, meant=True):
            return None
        return self.called(target, f"new {owner.name}{'<>' if owner.type_parameters else ''}()", arguments)

    def called(self, target: Target, receiver: str, arguments: Sequence[Value]) -> str | None:
        """The call of a target on a receiver, an expression."""
        definition = self.codebase.method(target)
        source = self.codebase.sources.get(target.file)
        if definition is None or source is None or is_private(source, definition):
            return None
        written = self.arguments(target, arguments)
        return None if written is None else f"{receiver}.{_plain_name(target)}({written})"

    def arguments(self, target: Target, values: Sequence[Value]) -> str | None:
        """Arguments for the declared parameters, separated by commas."""
        scope = Scope(target.module, self.variables(target))
        types = [declared(parameter.annotation) for parameter in target.parameters]
        overloaded = "(" in target.symbol
        if target.parameters and target.parameters[-1].kind == "var_positional":
            fixed, item = types[:-1], types[-1].item
            whole = len(values) == len(types) and isinstance(values[-1], Items) and item.name != "[]"
            rest = values[-1].items if whole and isinstance(values[-1], Items) else tuple(values[len(fixed) :])
            if len(values) == len(types) and isinstance(values[-1], Nothing):
                # To the compiler ``f(null)`` is a call with no array.
                pass
            elif overloaded and len(values) >= len(fixed):
                # One array: with single values ``boolean...`` and ``Boolean...`` are the same to the compiler.
                values = [*values[: len(fixed)], Items(rest)]
            else:
                types, values = [*fixed, *([item] * len(rest))], [*values[: len(fixed)], *rest]
        if len(types) != len(values):
            return None
        found: list[str] = []
        for type_, value in zip(types, values, strict=True):
            text = self.write(value, type_, scope)
            if text is None or (type_ == ANYTHING and isinstance(value, Items)):
                # What is written as a row may be an array or a list there.
                return None
            if text == "null" and overloaded:
                cast = self._cast(_erased(type_, scope), target)
                if cast is None:
                    return None
                text = f"({cast}) null"
            found.append(text)
        return ", ".join(found)

    def _cast(self, type_: Type, target: Target) -> str | None:
        """A type's name where a test stands: of another package in full, as the target's own file imports it."""
        base = type_
        while base.name == "[]":
            base = base.item
        name, brackets = base.name, "[]" * str(type_).count("[]")
        if name in PRIMITIVES or name in _ANYTHING or name in TEXTS or name in WHOLE or name in _NAMED:
            return f"{name}{brackets}"
        info = self.codebase.named(name, target.module)
        if info is not None:
            return f"{self.codebase.written(info, target.module)}{brackets}"
        source = self.codebase.sources.get(target.file)
        text = source.data.decode("utf-8", "replace") if source is not None else ""
        match = re.search(rf"(?m)^\s{{0,20}}import\s+([\w.]{{1,200}}\.{re.escape(name)})\s*;", text)
        return f"{match[1]}{brackets}" if match else None

    def error(self, target: Target, name: str) -> str | None:
        """Of the standard library's what needs no import or is known by name, and the project's own classes."""
        plain = name.removeprefix("java.lang.").removeprefix("java.util.")
        if plain in ERRORS:
            return plain
        info = self.codebase.named(name, target.module)
        return self.codebase.written(info, target.module) if info is not None else None

    def answer(self, target: Target, expected: Value) -> str | None:
        returned = declared(target.returns)
        if returned.name == "void" or (isinstance(expected, Text) and _IDENTITY.search(expected.value)):
            return None
        return self.write(expected, returned, Scope(target.module, self.variables(target), argument=False))

    def variables(self, target: Target) -> frozenset[str]:
        """Names of type variables where a target is declared."""
        owner, definition = self.codebase.owner(target), self.codebase.method(target)
        if owner is None:
            # Nothing but the declaration is known: by convention a variable is one capital letter.
            return frozenset(re.findall(r"\b[A-Z]\d?\b", target.returns))
        found = set(owner.type_parameters if owner else ())
        own = definition.node.child_by_field_name("type_parameters") if definition else None
        source = self.codebase.sources.get(target.file)
        if own is not None and source is not None:
            found |= {source.slice(one.named_children[0]) for one in own.named_children if one.named_child_count}
        return frozenset(found)

    def write(self, value: Value, type_: Type, scope: Scope, depth: int = _MOST_DEPTH) -> str | None:
        """The value as an expression of the type."""
        if isinstance(value, Made) and value.name == "(" and len(value.arguments) == 1:
            return self.write(value.arguments[0], type_, scope, depth)
        if depth <= 0 or not type_.name:
            return None
        if type_.name in scope.variables or type_.name in _ANYTHING:
            type_ = natural(value)
            if not type_.name:
                return None
        name = type_.name
        if isinstance(value, Nothing):
            if name == "Optional":
                return "Optional.empty()"
            return None if name in PRIMITIVES else "null"
        if name == "Optional":
            return self._optional(value, type_, scope, depth)
        if isinstance(value, Number):
            return number_literal(value, name)
        if isinstance(value, Truth):
            return ("true" if value.value else "false") if name in TRUTHS else None
        if isinstance(value, Text):
            return text_literal(value, name)
        if isinstance(value, Items):
            return self._row(value, type_, scope, depth)
        if isinstance(value, Entries):
            return self._map(value, type_, scope, depth)
        return self._made(value, type_, scope, depth)

    def _optional(self, value: Value, type_: Type, scope: Scope, depth: int) -> str | None:
        if isinstance(value, Made) and value.name == "none":
            return "Optional.empty()"
        if isinstance(value, Made) and value.name == "some":
            if len(value.arguments) != 1:
                return None
            value = value.arguments[0]
            if isinstance(value, Word) and type_.item.name in TEXTS:
                # ``Optional[a]`` is how it prints itself, where text has no quotes.
                value = Text(value.name)
        inner = self.write(value, type_.item, scope, depth - 1)
        return None if inner is None or inner == "null" else f"Optional.of({inner})"

    def _row(self, value: Items, type_: Type, scope: Scope, depth: int) -> str | None:
        name, item = type_.name, type_.item
        if name not in _LISTS and name not in _SETS and name != "[]":
            return None
        if value.kind is Kind.SET and name in ("[]", "LinkedList", "Deque", "Queue"):
            return None
        if value.kind is Kind.SET and name == "List" and not scope.argument:
            return None
        written = [self.write(one, item, scope, depth - 1) for one in value.items]
        found = [one for one in written if one is not None]
        if len(found) != len(written):
            return None
        if name == "[]":
            base = _component(type_, scope, value)
            return f"new {base} {{{', '.join(found)}}}" if base else None
        if name in _SETS:
            found = list(dict.fromkeys(found))
        if "null" in found:
            listed = f"Arrays.asList({', '.join(found) if len(found) > 1 else '(Object) null'})"
            if len(found) == 1:
                return None
        elif name in _SETS and not scope.argument:
            return f"Set.of({', '.join(found)})"
        else:
            listed = f"List.of({', '.join(found)})"
        if not scope.argument:
            return listed if name in ("List", "Collection", "Iterable", "ArrayList", "LinkedList", "Vector") else None
        made = _LISTS.get(name) or _SETS[name]
        plain = not item.arguments and item.name not in ("[]", *_ANYTHING, *scope.variables)
        argument = "" if plain else _boxed(item, scope, value.items)
        return f"new {made}<{argument}>({listed if found else ''})"

    def _map(self, value: Entries, type_: Type, scope: Scope, depth: int) -> str | None:
        if type_.name not in _MAPS:
            return None
        key_type, value_type = type_.arguments if len(type_.arguments) == 2 else (ANYTHING, ANYTHING)
        pairs: dict[str, str] = {}
        for key, one in value.pairs:
            name, text = self.write(key, key_type, scope, depth - 1), self.write(one, value_type, scope, depth - 1)
            if name is None or text is None or name in pairs or "null" in (name, text):
                return None
            pairs[name] = text
        if len(pairs) > _MOST_PAIRS:
            listed = f"Map.ofEntries({', '.join(f'Map.entry({key}, {one})' for key, one in pairs.items())})"
        else:
            listed = f"Map.of({', '.join(f'{key}, {one}' for key, one in pairs.items())})"
        if not scope.argument:
            return listed
        keys = _boxed(key_type, scope, tuple(key for key, _ in value.pairs))
        values = _boxed(value_type, scope, tuple(one for _, one in value.pairs))
        return f"new {_MAPS[type_.name]}<{keys}, {values}>({listed if pairs else ''})" if keys and values else None

    def _made(self, value: Value, type_: Type, scope: Scope, depth: int) -> str | None:
        """An enumeration's constant, or an instance of a class of the project that compares by content."""
        if isinstance(value, Made) and value.name in ("char", "enum"):
            return seen(value, type_.name, scope.package)
        info = self.codebase.named(type_.name, scope.package)
        if info is None:
            return None
        written = self.codebase.written(info, scope.package)
        if isinstance(value, Word):
            constant = value.name.replace("::", ".").rpartition(".")
            fits = constant[2] in info.constants and (
                not constant[0] or constant[0].rpartition(".")[2] == info.names[-1]
            )
            return f"{written}.{constant[2]}" if fits else None
        if not isinstance(value, Made) or value.name.rpartition(".")[2] != info.names[-1] or info.type_parameters:
            return None
        if info.abstract or not (scope.argument or info.compares):
            return None
        fitting = [
            one for one in info.constructors if not one.private and len(one.parameters) == len(value.arguments)
        ]
        if len(fitting) != 1:
            return None
        pairs = zip(value.arguments, fitting[0].parameters, strict=True)
        inner = [self.write(one, declared(p.annotation), Scope(scope.package), depth - 1) for one, p in pairs]
        return None if None in inner else f"new {written}({', '.join(one or '' for one in inner)})"


def seen(value: Made, name: str, package: str) -> str | None:
    """A character or an enumeration's constant as a driver saw it: ``enum`` holds the type's full name and the constant's."""
    texts = [one.value for one in value.arguments if isinstance(one, Text)]
    if value.name == "char" and len(texts) == 1:
        return text_literal(Text(texts[0], "'"), name)
    if len(texts) != 2 or not all(re.fullmatch(r"[A-Za-z_][\w.]{0,200}", one) for one in texts):
        return None
    home = texts[0].removeprefix(f"{package}.") if package else texts[0]
    return f"{home}.{texts[1]}" if home.rpartition(".")[2] == name.rpartition(".")[2] else None


def _plain_name(target: Target) -> str:
    return target.symbol.partition("(")[0].rpartition(".")[2]


def natural(value: Value) -> Type:
    """The type that a value has by itself; one with no name where it has none, or several."""
    if isinstance(value, Number):
        if not value.whole:
            return Type("Double")
        return Type("Integer" if -(2**31) <= int(value.text) < 2**31 else "Long")
    if isinstance(value, Truth):
        return Type("Boolean")
    if isinstance(value, Text):
        return Type("Character" if value.quote == "'" and len(value.value) == 1 else "String")
    if isinstance(value, Items):
        return Type("Set" if value.kind is Kind.SET else "List", (ANYTHING,))
    if isinstance(value, Entries):
        return Type("Map", (ANYTHING, ANYTHING))
    if isinstance(value, Nothing):
        return ANYTHING
    if isinstance(value, Made) and value.name in ("some", "none"):
        return Type("Optional", (ANYTHING,)) if not holds(value, Word) else Type("")
    return Type("Character") if isinstance(value, Made) and value.name == "char" else Type("")


def _common(values: Sequence[Value]) -> str:
    names = {str(natural(value)) for value in values}
    return names.pop() if len(names) == 1 else "Object"


def _boxed(type_: Type, scope: Scope, values: Sequence[Value]) -> str:
    """A type as a type argument; of a type variable what the values have in common."""
    if type_.name in scope.variables or (type_.name in _ANYTHING and type_ != ANYTHING):
        return _common(values) if values else "Object"
    inner = [_boxed(one, scope, _below(values)) for one in type_.arguments]
    if type_.name == "[]":
        return f"{type_.item}[]"
    return type_.name + (f"<{', '.join(inner)}>" if inner else "")


def _below(values: Sequence[Value]) -> tuple[Value, ...]:
    return tuple(item for value in values if isinstance(value, Items) for item in value.items)


def _erased(type_: Type, scope: Scope) -> Type:
    """A type as a cast can name it."""
    if type_.name == "[]":
        return Type("[]", (_erased(type_.item, scope),))
    return ANYTHING if type_.name in scope.variables else Type(type_.name)


def _component(type_: Type, scope: Scope, value: Items) -> str:
    """The text of an array's type for its creation; arrays of generic types can't be created, one of a type variable is one of
    what its values are."""
    base = type_
    while base.name == "[]":
        base = base.item
    if base.name in scope.variables and type_.item == base:
        present = [one for one in value.items if not isinstance(one, Nothing)]
        return f"{_common(present)}[]" if present else ""
    if base.name in scope.variables or base.arguments:
        return ""
    return str(type_)
