"""Inputs for functions: shapes of declared types, and receivers for methods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.go.speaking import GoSpeaker
from qverify_desktop.languages.go.types import (
    FLOATS,
    INTEGERS,
    NamedTypes,
    Type,
    read_type,
    results,
    type_parameters,
)
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Constants, Shape, inputs

_DEPTH = 6
#: A slice is also made and counted with integers: what is allocated stays small.
_MOST_INTEGER = 100_000


def shape_of(
    kind: Type, named: NamedTypes, module: str, free: frozenset[str] = frozenset(), depth: int = _DEPTH
) -> Shape:
    """What a declared type says of a value. Type parameters are tried with integers."""
    if depth <= 0:
        return OPAQUE
    if kind.name in free:
        return Shape(Basic.INTEGER, most=1000)
    under = named.underlying(module, kind)
    name = under.name
    if name in INTEGERS:
        least, most = INTEGERS[name]
        return Shape(Basic.NATURAL if least == 0 else Basic.INTEGER, most=min(most, _MOST_INTEGER))
    if name in FLOATS:
        return Shape(Basic.FLOAT)
    if name in ("string", "bool", "any"):
        return Shape({"string": Basic.TEXT, "bool": Basic.TRUTH, "any": Basic.ANY}[name])
    inner = tuple(shape_of(one, named, module, free, depth - 1) for one in under.inner)
    if name == "[]":
        return Shape(Basic.LIST, inner)
    if name == "[n]" and 0 < under.length <= 8:
        return Shape(Basic.TUPLE, inner * under.length)
    return Shape(Basic.MAP, inner) if name == "map" else OPAQUE


@dataclass(frozen=True)
class Makers:
    """How values that methods are called on come about: constructors by the module and the name of what they give."""

    named: NamedTypes
    constructors: Mapping[tuple[str, str], Sequence[Target]]

    @classmethod
    def of(cls, named: NamedTypes, targets: Sequence[Target]) -> Makers:
        found: dict[tuple[str, str], list[Target]] = defaultdict(list)
        for target in targets:
            kinds = results(target.returns)
            if target.callee != "function" or len(kinds) != 1 or type_parameters(target.signature):
                continue
            made = kinds[0].inner[0] if kinds[0].name == "*" else kinds[0]
            if target.symbol.lower().startswith(("new", "make")):
                found[target.module, made.name].append(target)
        return cls(named, found)

    def receivers(self, target: Target, seed: int) -> list[str]:
        """Expressions for a few values of the type that the method belongs to, the simplest first."""
        owner = target.symbol.partition(".")[0]
        speaker = GoSpeaker(self.named)
        found = []
        for maker in self.constructors.get((target.module, owner), ())[:2]:
            kinds = [read_type(parameter.annotation) for parameter in maker.parameters]
            if any(parameter.kind == "var_positional" for parameter in maker.parameters):
                kinds = kinds[:-1]
            shapes = [shape_of(kind, self.named, maker.module) for kind in kinds]
            for values in inputs(shapes, Constants(), seed, 3):
                call = speaker.call(maker, values)
                if call is not None:
                    found.append(call)
        if found:
            return found
        under = self.named.underlying(target.module, Type(owner, owner))
        if under.name == "struct":
            return [f"&{owner}{{}}"]
        shape = shape_of(under, self.named, target.module)
        for values in inputs([shape], Constants(), seed, 4):
            text = speaker.value(target.module, values[0], Type(owner, owner))
            if text is not None:
                found.append(text if text.startswith(owner) else f"{owner}({text})")
        return found
