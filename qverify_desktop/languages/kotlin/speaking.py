"""How Kotlin writes a value for a declared type."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages.java.declared import ANYTHING, Type, declared
from qverify_desktop.languages.java.literals import escaped as java_escaped
from qverify_desktop.languages.java.speaking import ERRORS, natural
from qverify_desktop.languages.kotlin.source import (
    OwnerInfo,
    outline_of,
    read_source,
    type_parameters,
)
from qverify_desktop.languages.tree.outline import Definition
from qverify_desktop.languages.tree.source import TreeSource
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

_WHOLE = {"Byte": 7, "Short": 15, "Int": 31, "Long": 63}
_ROWS = {
    "List": "listOf",
    "Collection": "listOf",
    "Iterable": "listOf",
    "MutableList": "mutableListOf",
    "ArrayList": "arrayListOf",
    "MutableCollection": "mutableListOf",
    "Sequence": "sequenceOf",
    "Array": "arrayOf",
    "IntArray": "intArrayOf",
    "LongArray": "longArrayOf",
    "DoubleArray": "doubleArrayOf",
    "FloatArray": "floatArrayOf",
    "BooleanArray": "booleanArrayOf",
    "CharArray": "charArrayOf",
    "ByteArray": "byteArrayOf",
    "ShortArray": "shortArrayOf",
    "Set": "setOf",
    "MutableSet": "mutableSetOf",
    "HashSet": "hashSetOf",
    "LinkedHashSet": "linkedSetOf",
}
_MAPS = {"Map": "mapOf", "MutableMap": "mutableMapOf", "HashMap": "hashMapOf", "LinkedHashMap": "linkedMapOf"}
_JAVA_NAMES = {"Integer": "Int", "Character": "Char", "Object": "Any"}
_MOST_DEPTH = 14


@dataclass(frozen=True)
class Codebase:
    """Files and what they declare."""

    sources: Mapping[str, TreeSource] = field(default_factory=dict)
    owners: Mapping[str, Sequence[OwnerInfo]] = field(default_factory=dict)
    functions: Mapping[tuple[str, str], tuple[Definition, OwnerInfo | None]] = field(default_factory=dict)

    @classmethod
    def read(cls, snapshot: Snapshot, project: Project) -> Codebase:
        """Of all source files that can be read."""
        sources: dict[str, TreeSource] = {}
        owners: dict[str, list[OwnerInfo]] = {}
        functions: dict[tuple[str, str], tuple[Definition, OwnerInfo | None]] = {}
        for path in project.source_files:
            source = read_source(snapshot.root, path)
            if isinstance(source, TreeSource):
                sources[path] = source
                outline = outline_of(source)
                for info in outline.owners:
                    if info.kind != "companion":
                        owners.setdefault(info.names[-1], []).append(info)
                for definition, owner in outline.functions:
                    functions.setdefault((path, definition.symbol), (definition, owner))
        return cls(sources, owners, functions)

    def function(self, target: Target) -> tuple[Definition, OwnerInfo | None] | None:
        """The definition of a target and its owner."""
        return self.functions.get((target.file, target.symbol))


@dataclass(frozen=True)
class _Scope:
    package: str
    variables: frozenset[str]
    argument: bool = True


class KotlinSpeaker:
    """A ``Speaker`` of Kotlin for one project."""

    def __init__(self, codebase: Codebase) -> None:
        self.codebase = codebase

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        """``f(1)``, ``Text.f(1)``, ``Text().f(1)`` or ``"a".f(1)``; ``None`` where it can't be called from a test."""
        found = self.codebase.function(target)
        if found is None or target.is_async or not target.public:
            return None
        _, owner = found
        scope = _Scope(target.module, self.variables(target))
        name = _quoted(target.symbol.partition("(")[0].rpartition(".")[2])
        parameters = target.parameters
        prefix = ""
        if owner is not None:
            if not owner.receiver:
                return None
            prefix = f"{owner.receiver}."
        if parameters and parameters[0].name == "this":
            if owner is not None or not arguments:
                return None
            receiver = self.write(arguments[0], declared(parameters[0].annotation), scope)
            if receiver is None:
                return None
            prefix = f"({receiver})." if receiver.startswith("-") else f"{receiver}."
            parameters, arguments = parameters[1:], arguments[1:]
        types = [declared(one.annotation) for one in parameters]
        if parameters and parameters[-1].kind == "var_positional":
            rest = arguments[len(types) - 1 :]
            types = [*types[:-1], *([types[-1]] * len(rest))]
        elif len(arguments) < len(parameters):
            if any(one.default is None for one in parameters[len(arguments) :]):
                return None
            types = types[: len(arguments)]
        if len(types) != len(arguments):
            return None
        written = [self.write(value, type_, scope) for value, type_ in zip(arguments, types, strict=True)]
        return None if None in written else f"{prefix}{name}({', '.join(one or '' for one in written)})"

    def error(self, target: Target, name: str) -> str | None:
        """Of the standard library's those that Kotlin names without an import."""
        plain = name.removeprefix("java.lang.").removeprefix("kotlin.")
        return plain if plain in ERRORS else None

    def answer(self, target: Target, expected: Value) -> str | None:
        scope = _Scope(target.module, self.variables(target), argument=False)
        if not target.returns:
            # The compiler infers it; a number inside a structure may be of any width there.
            if isinstance(expected, Items | Entries) and holds(expected, Number):
                return None
            return self.write(expected, ANYTHING, scope)
        returned = declared(target.returns)
        return None if returned.name in ("Unit", "Nothing", "Sequence") else self.write(expected, returned, scope)

    def variables(self, target: Target) -> frozenset[str]:
        """Names of type variables where a target is declared."""
        found = self.codebase.function(target)
        if found is None:
            return frozenset(re.findall(r"\b[A-Z]\d?\b", target.returns))
        definition, owner = found
        source = self.codebase.sources[target.file]
        return frozenset((*type_parameters(source, definition), *(owner.type_parameters if owner else ())))

    def write(self, value: Value, type_: Type, scope: _Scope, depth: int = _MOST_DEPTH) -> str | None:
        """The value as an expression of the type."""
        if isinstance(value, Made) and value.name == "(" and len(value.arguments) == 1:
            return self.write(value.arguments[0], type_, scope, depth)
        if depth <= 0 or not type_.name:
            return None
        name = type_.name
        if name in scope.variables or name in ("Any", "Object", "Comparable", "Number"):
            own = natural(value)
            type_ = Type(_JAVA_NAMES.get(own.name, own.name), own.arguments, nullable=True)
            name = type_.name
        if isinstance(value, Nothing):
            return "null" if type_.nullable else None
        if isinstance(value, Number):
            return _number(value, name)
        if isinstance(value, Truth):
            return ("true" if value.value else "false") if name == "Boolean" else None
        if isinstance(value, Text):
            return _text(value, name)
        if isinstance(value, Items):
            return self._row(value, type_, scope, depth)
        if isinstance(value, Entries):
            return self._map(value, type_, scope, depth)
        return self._made(value, type_, scope, depth)

    def _row(self, value: Items, type_: Type, scope: _Scope, depth: int) -> str | None:
        name = type_.name
        if name in ("Pair", "Triple"):
            wanted = 2 if name == "Pair" else 3
            if len(value.items) != wanted or len(type_.arguments) not in (0, wanted) or value.kind is Kind.SET:
                return None
            types = type_.arguments or (ANYTHING,) * wanted
            inner = [self.write(one, kind, scope, depth - 1) for one, kind in zip(value.items, types, strict=True)]
            return None if None in inner else f"{name}({', '.join(one or '' for one in inner)})"
        if name not in _ROWS or (value.kind is Kind.SET and "Set" not in name):
            return None
        single = name.endswith("Array") and name != "Array"
        item = Type(name.removesuffix("Array")) if single else type_.item
        found = [self.write(one, item, scope, depth - 1) for one in value.items]
        if None in found:
            return None
        written = ", ".join(one or "" for one in found)
        kind = "" if single or (found and scope.argument) else f"<{_named(item, scope)}>"
        if kind and found and item.name not in ("Byte", "Short"):
            kind = ""
        return f"{_ROWS[name]}{kind}({written})"

    def _map(self, value: Entries, type_: Type, scope: _Scope, depth: int) -> str | None:
        if type_.name not in _MAPS:
            return None
        key_type, value_type = type_.arguments if len(type_.arguments) == 2 else (ANYTHING, ANYTHING)
        pairs: list[str] = []
        for key, one in value.pairs:
            name, text = self.write(key, key_type, scope, depth - 1), self.write(one, value_type, scope, depth - 1)
            if name is None or text is None:
                return None
            pairs.append(f"{name} to {text}")
        kind = "" if pairs else f"<{_named(key_type, scope)}, {_named(value_type, scope)}>"
        return f"{_MAPS[type_.name]}{kind}({', '.join(pairs)})"

    def _made(self, value: Value, type_: Type, scope: _Scope, depth: int) -> str | None:
        """An enumeration's constant, or an instance of a data class of the project."""
        if isinstance(value, Made) and value.name in ("char", "enum"):
            return _seen(value, type_.name, scope.package)
        near = self.codebase.owners.get(type_.name.rpartition(".")[2], ())
        if len(near) != 1:
            return None
        info = near[0]
        written = ".".join(info.names)
        if info.package != scope.package and info.package:
            written = f"{info.package}.{written}"
        if isinstance(value, Word):
            home, _, constant = value.name.replace("::", ".").rpartition(".")
            fits = constant in info.constants and (not home or home.rpartition(".")[2] == info.names[-1])
            return f"{written}.{constant}" if fits else None
        if not isinstance(value, Made) or value.name.rpartition(".")[2] != info.names[-1] or info.type_parameters:
            return None
        if (
            not (scope.argument or "data" in info.words)
            or not info.constructor
            or info.words & {"abstract", "private"}
        ):
            return None
        if len(value.arguments) != len(info.constructor):
            return None
        inner_scope = _Scope(scope.package, frozenset())
        inner = [
            self.write(one, declared(parameter.annotation), inner_scope, depth - 1)
            for one, parameter in zip(value.arguments, info.constructor, strict=True)
        ]
        return None if None in inner else f"{written}({', '.join(one or '' for one in inner)})"


def _named(type_: Type, scope: _Scope) -> str:
    """A type as a type argument."""
    if type_.name in scope.variables or type_ == ANYTHING:
        return "Any?"
    inner = f"<{', '.join(_named(one, scope) for one in type_.arguments)}>" if type_.arguments else ""
    return f"{type_.name}{inner}{'?' if type_.nullable else ''}"


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) else f"`{name}`"


def _number(value: Number, name: str) -> str | None:
    if name in ("Double", "Float"):
        special = {"nan": "NaN", "inf": "POSITIVE_INFINITY", "-inf": "NEGATIVE_INFINITY"}.get(value.text)
        if special:
            return f"{name}.{special}"
        text = f"{value.text}.0" if value.whole else value.text
        return f"{text}f" if name == "Float" else text
    if name in _WHOLE and value.whole:
        number, bits = int(value.text), _WHOLE[name]
        if not -(2**bits) <= number < 2**bits or number == -(2**63):
            return None
        return f"{number}L" if name == "Long" else str(number)
    if name == "BigInteger" and value.whole:
        return f'java.math.BigInteger("{value.text}")'
    return None


def _text(value: Text, name: str) -> str | None:
    if name == "Char":
        one = len(value.value) == 1 and ord(value.value) < 0x10000
        return f"'{escaped(value.value, chr(39))}'" if one else None
    return f'"{escaped(value.value)}"' if name in ("String", "CharSequence") else None


def escaped(text: str, quote: str = '"') -> str:
    """Text inside a Kotlin literal, in printable characters; a dollar would begin a template."""
    return java_escaped(text, quote).replace("\\f", "\\u000c").replace("$", "\\$")


def _seen(value: Made, name: str, package: str) -> str | None:
    texts = [one.value for one in value.arguments if isinstance(one, Text)]
    if value.name == "char" and len(texts) == 1:
        return _text(Text(texts[0], "'"), name)
    if len(texts) != 2 or not all(re.fullmatch(r"[A-Za-z_][\w.]{0,200}", one) for one in texts):
        return None
    home = texts[0].removeprefix(f"{package}.") if package else texts[0]
    return f"{home}.{texts[1]}" if home.rpartition(".")[2] == name.rpartition(".")[2] else None
