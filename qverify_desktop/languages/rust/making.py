"""Values of a crate's own types: made by the associated functions that return them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.rust.speaking import spoken
from qverify_desktop.languages.rust.types import FLOATS, INTEGERS, Type, generics_of, read_type
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Constants, Shape, inputs, possible
from qverify_desktop.languages.values.value import Made, Number, Value

#: Values tried of one type.
_MOST_MADE = 6
_MOST_MAKERS = 3
_TEXTS = re.compile(r"\b(?:Into\s*<\s*String|AsRef\s*<\s*str|Borrow\s*<\s*str|ToString|Display)\b")
_NUMBERS = re.compile(
    r"\b(?:Add|Sub|Mul|Div|Num|Integer|Ord|PartialOrd|Eq|PartialEq|Hash|Copy|Clone|Debug|Default)\b"
)
_ROWS = re.compile(r"^\s*(?:Into)?Iterator\s*<\s*Item\s*=\s*(.{1,200})>\s*$", re.DOTALL)
_LENGTHS = ("1", "2", "3", "4", "5", "6", "7", "8")
_CONSTANTS = {"nan": "NAN", "inf": "INFINITY", "-inf": "NEG_INFINITY"}
_LARGEST = {"u8": 255, "i8": 127, "u16": 65535, "i16": 32767}


@dataclass(frozen=True)
class Makers:
    """Associated functions by the type that they make. Names must be unique in the project, or nothing is made."""

    targets: tuple[Target, ...]

    @classmethod
    def of(cls, targets: Sequence[Target]) -> Makers:
        fitting = [t for t in targets if t.public and t.callee == "staticmethod" and t.symbol.count(".") == 1]
        return cls(tuple(t for t in fitting if _makes(t) and not t.is_async))

    def named(self, type_name: str) -> list[Target]:
        found = [t for t in self.targets if t.symbol.partition(".")[0] == type_name]
        modules = {t.module for t in found}
        return sorted(found, key=lambda t: (len(t.parameters), t.symbol))[:_MOST_MAKERS] if len(modules) == 1 else []

    def shape(self, kind: Type, constants: Constants, seed: int, depth: int = 4) -> Shape:
        """What can be tried for a parameter of this type."""
        if depth <= 0:
            return OPAQUE
        name = kind.name
        if name in ("&", "&mut") or (name in ("Box", "Rc", "Arc", "Cow") and len(kind.inner) == 1):
            return self.shape(kind.inner[0], constants, seed, depth)
        if name in INTEGERS:
            least, _ = INTEGERS[name]
            return Shape(Basic.INTEGER if least else Basic.NATURAL, most=_LARGEST.get(name, 2**31 - 1))
        if name in FLOATS:
            return Shape(Basic.FLOAT)
        plain = {"bool": Basic.TRUTH, "char": Basic.CHARACTER, "str": Basic.TEXT, "String": Basic.TEXT}
        if name in plain:
            return Shape(plain[name])
        rows = {
            "Vec": Basic.LIST,
            "[]": Basic.LIST,
            "VecDeque": Basic.LIST,
            "HashSet": Basic.SET,
            "BTreeSet": Basic.SET,
        }
        inner = tuple(self.shape(one, constants, seed, depth - 1) for one in kind.inner)
        if name in rows and len(inner) == 1:
            return Shape(rows[name], inner)
        if name == "[;]" and kind.length in _LENGTHS:
            return Shape(Basic.TUPLE, inner * int(kind.length))
        if name == "()" and inner:
            return Shape(Basic.TUPLE, inner)
        if name == "Option" and len(inner) == 1:
            return Shape(Basic.OPTIONAL, inner)
        if name in ("HashMap", "BTreeMap") and len(inner) >= 2:
            return Shape(Basic.MAP, inner[:2])
        if name == "impl":
            return self._of_bounds(kind.bounds, constants, seed, depth)
        return self._made(name, constants, seed, depth)

    def _of_bounds(self, bounds: str, constants: Constants, seed: int, depth: int) -> Shape:
        if _TEXTS.search(bounds):
            return Shape(Basic.TEXT)
        row = _ROWS.match(bounds)
        if row:
            return Shape(Basic.LIST, (self.shape(read_type(row[1]), constants, seed, depth - 1),))
        return Shape(Basic.INTEGER, most=1000) if not bounds.strip() or _NUMBERS.search(bounds) else OPAQUE

    def _made(self, name: str, constants: Constants, seed: int, depth: int) -> Shape:
        choices: list[Value] = []
        for maker in self.named(name):
            generics = generics_of(maker.signature)
            shapes = [
                self.shape(read_type(p.annotation, generics), constants, seed, depth - 1) for p in maker.parameters
            ]
            if all(possible(shape) for shape in shapes):
                made = inputs(shapes, constants, seed, _MOST_MADE)
                choices += [Made(maker.symbol.replace(".", "::"), tuple(one)) for one in made]
        return Shape(Basic.CHOICE, choices=tuple(choices[: _MOST_MADE * 2])) if choices else OPAQUE

    def spoken(self, value: Value, kind: Type, depth: int = 6) -> str | None:
        """``value`` as an expression; made ones by a call of their maker."""
        if depth <= 0:
            return None
        if kind.name in ("&", "&mut") and kind.inner[0].name not in ("str", "[]"):
            text = self.spoken(value, kind.inner[0], depth - 1)
            return f"{'&mut ' if kind.name == '&mut' else '&'}{text}" if text is not None else None
        if isinstance(value, Made) and "::" in value.name:
            return self._called(value, kind, depth)
        if isinstance(value, Number) and not value.whole and kind.name == "f32" and value.text in _CONSTANTS:
            return f"f32::{_CONSTANTS[value.text]}"
        return spoken(value, kind)

    def _called(self, value: Made, kind: Type, depth: int) -> str | None:
        maker = next((t for t in self.named(kind.name) if t.symbol.replace(".", "::") == value.name), None)
        if maker is None or len(maker.parameters) != len(value.arguments):
            return None
        generics = generics_of(maker.signature)
        parts = [
            self.spoken(one, read_type(parameter.annotation, generics), depth - 1)
            for one, parameter in zip(value.arguments, maker.parameters, strict=True)
        ]
        if None in parts:
            return None
        call = f"{value.name}({', '.join(part for part in parts if part is not None)})"
        wrapped = read_type(maker.returns).name in ("Result", "Option")
        return f"{call}.unwrap()" if wrapped else call

    def modules(self, value: Value) -> list[tuple[str, str]]:
        """Module and type of every maker that a value needs."""
        if not isinstance(value, Made):
            return []
        found = [
            (t.module, t.symbol.partition(".")[0]) for t in self.targets if t.symbol.replace(".", "::") == value.name
        ]
        return found[:1] + [one for argument in value.arguments for one in self.modules(argument)]


def _makes(target: Target) -> bool:
    owner = target.symbol.partition(".")[0]
    returned = read_type(target.returns)
    if returned.name in ("Result", "Option") and returned.inner:
        returned = returned.inner[0]
    return returned.name in ("Self", owner) and "<" not in target.signature.partition("(")[0]
