"""Values as Rust source for a declared type. What does not fit the type, or fits it in more than one way, is refused (``None``)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.rust.types import FLOATS, INTEGERS, Type, generics_of, read_type
from qverify_desktop.languages.values.value import Entries, Items, Kind, Made, Nothing, Number, Text, Truth, Value

_TEXTS = re.compile(
    r"\b(?:Into\s*<\s*(?:String|Cow\s*<[^<>]{0,40}>)|AsRef\s*<\s*(?:str|\[\s*u8\s*\]|Path|OsStr)|Borrow\s*<\s*str|ToString|Display)\b"
)
_NUMBERS = re.compile(r"\b(?:Add|Sub|Mul|Div|Rem|Num|Integer|Signed|Float|PrimInt)\b")
_PLAIN = re.compile(r"\b(?:Ord|PartialOrd|Eq|PartialEq|Hash|Copy|Clone|Debug|Default)\b")
_ROWS = re.compile(r"^\s*(?:Into)?Iterator\s*<\s*Item\s*=\s*(.{1,200})>\s*(?:\+.{0,100})?$", re.DOTALL)
_SEQUENCES: Mapping[str, str] = {
    "VecDeque": "std::collections::VecDeque",
    "BinaryHeap": "std::collections::BinaryHeap",
    "LinkedList": "std::collections::LinkedList",
}
_SETS: Mapping[str, str] = {"HashSet": "std::collections::HashSet", "BTreeSet": "std::collections::BTreeSet"}
_MAPS: Mapping[str, str] = {"HashMap": "std::collections::HashMap", "BTreeMap": "std::collections::BTreeMap"}
_POINTERS: Mapping[str, str] = {"Box": "Box", "Rc": "std::rc::Rc", "Arc": "std::sync::Arc"}
_RANGE = re.compile(r"-?\d{1,40}")


@dataclass(frozen=True)
class RustSpeaker:
    """Calls and answers of written examples as Rust source. Methods are refused: prose does not say what they are called on."""

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        """The call as an expression, the function by its own name (associated ones by ``Type::name``)."""
        if target.callee == "method" or target.is_async or len(arguments) != len(target.parameters):
            return None
        generics = generics_of(target.signature)
        written = [
            spoken(value, read_type(parameter.annotation, generics))
            for value, parameter in zip(arguments, target.parameters, strict=True)
        ]
        if None in written:
            return None
        return f"{callee(target)}({', '.join(one for one in written if one is not None)})"

    def error(self, target: Target, name: str) -> str | None:
        """None: what panics says so in another form (``rustdoc``)."""
        return None

    def answer(self, target: Target, expected: Value) -> str | None:
        """The expected value, owned or borrowed as its comparison with the declared result needs it."""
        kind = read_type(target.returns, generics_of(target.signature))
        if kind.name in ("&", "&mut") and kind.inner[0].name not in ("str", "[]"):
            return f"&{inner}" if (inner := spoken(expected, kind.inner[0])) is not None else None
        return spoken(expected, kind)


def callee(target: Target) -> str:
    """The function as the path that is written behind its ``use``."""
    return target.symbol.replace(".", "::")


def spoken(value: Value, kind: Type, depth: int = 16) -> str | None:
    """``value`` as an expression of type ``kind``."""
    if depth <= 0:
        return None
    name = kind.name
    if isinstance(value, Made) and value.name == "(" and len(value.arguments) == 1:
        return spoken(value.arguments[0], kind, depth - 1)
    if name in ("&", "&mut"):
        return _borrowed(value, kind, depth)
    if name == "impl":
        return _of_bounds(value, kind.bounds, depth)
    if name in INTEGERS:
        return _integer(value, name)
    if name in FLOATS:
        return float_text(value) if isinstance(value, Number) else None
    if name == "bool":
        return str(value.value).lower() if isinstance(value, Truth) else None
    if name == "char":
        return char_text(value.value) if isinstance(value, Text) and len(value.value) == 1 else None
    if name == "String":
        return f"{text}.to_string()" if (text := _quoted(value)) is not None else None
    if name == "str":
        return _quoted(value)
    if name == "Cow":
        return f"{text}.into()" if (text := _quoted(value)) is not None else None
    if name == "Option" and len(kind.inner) == 1:
        return _option(value, kind.inner[0], depth)
    if name == "Result" and kind.inner:
        return _result(value, kind, depth)
    if name in _POINTERS and len(kind.inner) == 1:
        inner = spoken(value, kind.inner[0], depth - 1)
        return f"{_POINTERS[name]}::new({inner})" if inner is not None else None
    return _collection(value, kind, depth)


def _borrowed(value: Value, kind: Type, depth: int) -> str | None:
    inner = kind.inner[0]
    if inner.name == "str":
        return _quoted(value) if kind.name == "&" else None
    text = spoken(value, inner, depth - 1)
    mark = "&mut " if kind.name == "&mut" else "&"
    return f"{mark}{text}" if text is not None else None


def _integer(value: Value, name: str) -> str | None:
    if not isinstance(value, Number) or not _RANGE.fullmatch(value.text):
        return None
    least, most = INTEGERS[name]
    return value.text if value.whole and least <= int(value.text) <= most else None


def float_text(value: Number) -> str | None:
    """A floating-point number as a literal; infinite ones by their constants."""
    special = {"nan": "f64::NAN", "inf": "f64::INFINITY", "-inf": "f64::NEG_INFINITY"}
    if value.text in special:
        return special[value.text]
    return value.text if set(value.text) & set(".e") else f"{value.text}.0"


def char_text(character: str) -> str:
    """A character literal."""
    return f"'{_escaped(character, chr(39))}'"


def string_text(text: str) -> str:
    """A string literal that is all on one line."""
    return f'"{_escaped(text, chr(34))}"'


def _escaped(text: str, quote: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", quote: f"\\{quote}", "\0": "\\0"}
    return "".join(
        named[c] if c in named else c if c.isprintable() and not _is_mark(c) else f"\\u{{{ord(c):x}}}" for c in text
    )


def _is_mark(character: str) -> bool:
    return 0xD800 <= ord(character) <= 0xDFFF


def _quoted(value: Value) -> str | None:
    if not isinstance(value, Text) or any(_is_mark(c) for c in value.value):
        return None
    return string_text(value.value)


def _option(value: Value, inner: Type, depth: int) -> str | None:
    if isinstance(value, Nothing) or (isinstance(value, Made) and value.name == "none"):
        return "None"
    if isinstance(value, Made) and value.name == "some" and len(value.arguments) == 1:
        text = spoken(value.arguments[0], inner, depth - 1)
        return f"Some({text})" if text is not None else None
    return None


def _result(value: Value, kind: Type, depth: int) -> str | None:
    if not isinstance(value, Made) or len(value.arguments) != 1:
        return None
    if value.name == "ok":
        text = spoken(value.arguments[0], kind.inner[0], depth - 1)
        return f"Ok({text})" if text is not None else None
    if value.name == "err" and len(kind.inner) == 2:
        text = spoken(value.arguments[0], kind.inner[1], depth - 1)
        return f"Err({text})" if text is not None else None
    return None


def _collection(value: Value, kind: Type, depth: int) -> str | None:
    name = kind.name
    if name == "()" and isinstance(value, Items) and value.kind is not Kind.SET:
        if len(value.items) != len(kind.inner):
            return None
        parts = [spoken(one, inner, depth - 1) for one, inner in zip(value.items, kind.inner, strict=True)]
        if None in parts:
            return None
        listed = ", ".join(part for part in parts if part is not None)
        return f"({listed},)" if len(parts) == 1 else f"({listed})"
    if name in _MAPS and len(kind.inner) >= 2 and isinstance(value, Entries):
        pairs = [
            (spoken(key, kind.inner[0], depth - 1), spoken(one, kind.inner[1], depth - 1)) for key, one in value.pairs
        ]
        if any(key is None or one is None for key, one in pairs):
            return None
        return f"{_MAPS[name]}::from([{', '.join(f'({key}, {one})' for key, one in pairs)}])"
    if not kind.inner or not isinstance(value, Items):
        return None
    if (value.kind is Kind.SET) != (name in _SETS) and value.kind is Kind.SET:
        return None
    listed_items = [spoken(one, kind.inner[0], depth - 1) for one in value.items]
    if None in listed_items:
        return None
    row = f"[{', '.join(one for one in listed_items if one is not None)}]"
    if name == "Vec":
        return f"vec!{row}"
    if name == "[]":
        return row
    if name == "[;]":
        return row if kind.length == str(len(value.items)) or not kind.length.isdecimal() else None
    path = _SEQUENCES.get(name) or _SETS.get(name)
    return f"{path}::from({row})" if path is not None else None


def _of_bounds(value: Value, bounds: str, depth: int) -> str | None:
    """A value for ``impl Trait`` or a type parameter, where the bounds leave one plain choice."""
    if isinstance(value, Text) and (_TEXTS.search(bounds) or not bounds.strip() or _PLAIN.search(bounds)):
        return _quoted(value)
    row = _ROWS.match(bounds)
    if row:
        return spoken(value, Type("Vec", (read_type(row[1]),)), depth - 1)
    if isinstance(value, Number) and not _TEXTS.search(bounds):
        fitting = not bounds.strip() or _NUMBERS.search(bounds) or _PLAIN.search(bounds)
        if fitting and not (value.whole and "Float" in bounds):
            return _integer(value, "i32") if value.whole else float_text(value)
    return None
