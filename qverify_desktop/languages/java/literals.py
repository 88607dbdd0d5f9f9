"""Numbers and texts as Java writes them (JLS 3.10), and the types that hold them."""

from __future__ import annotations

import math

from qverify_desktop.languages.values.value import Number, Text

#: Types of whole numbers with the bits that they have besides the sign.
WHOLE = {"byte": 7, "short": 15, "int": 31, "long": 63, "Byte": 7, "Short": 15, "Integer": 31, "Long": 63}
DECIMAL = frozenset({"double", "float", "Double", "Float"})
TRUTHS = frozenset({"boolean", "Boolean"})
TEXTS = frozenset({"String", "CharSequence"})
PRIMITIVES = frozenset({"byte", "short", "int", "long", "float", "double", "boolean", "char"})


def number_literal(value: Number, name: str) -> str | None:
    """A number for a parameter of that type, ``None`` where the type can't hold it."""
    if name in DECIMAL:
        return _decimal(value, name)
    if name in WHOLE and value.whole:
        number, bits = int(value.text), WHOLE[name]
        if not -(2**bits) <= number < 2**bits:
            return None
        if name in ("byte", "Byte", "short", "Short"):
            return f"({name.lower()}) {number}"
        return f"{number}L" if name in ("long", "Long") else str(number)
    if name == "Number":
        return value.text if value.text.lstrip("-").replace(".", "").isdecimal() else None
    if name == "BigInteger" and value.whole:
        return f'new BigInteger("{value.text}")'
    if name == "BigDecimal" and value.text.lstrip("-")[:1].isdigit():
        return f'new BigDecimal("{value.text}")'
    if name == "OptionalInt" and value.whole:
        return f"OptionalInt.of({value.text})"
    return None


def _decimal(value: Number, name: str) -> str:
    owner = "Float" if name in ("float", "Float") else "Double"
    special = {"nan": "NaN", "inf": "POSITIVE_INFINITY", "-inf": "NEGATIVE_INFINITY"}.get(value.text)
    if special:
        return f"{owner}.{special}"
    text = f"{value.text}.0" if value.whole else value.text.replace("e", "E")
    if not math.isfinite(float(text)):
        return f"{owner}.{'NEGATIVE' if text.startswith('-') else 'POSITIVE'}_INFINITY"
    return f"{text}f" if owner == "Float" else text


def text_literal(value: Text, name: str) -> str | None:
    """A text for a parameter of that type, ``None`` where it takes no text, or one character only."""
    if name in ("char", "Character"):
        one = len(value.value) == 1 and ord(value.value) < 0x10000
        return f"'{escaped(value.value, chr(39))}'" if one else None
    return f'"{escaped(value.value)}"' if name in TEXTS else None


def escaped(text: str, quote: str = '"') -> str:
    """Text inside a Java literal, in printable characters (JLS 3.10.7)."""
    known = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\\": "\\\\", quote: f"\\{quote}"}
    out = []
    for letter in text:
        if letter in known:
            out.append(known[letter])
        elif letter.isprintable() and not 0xD800 <= ord(letter) < 0xE000:
            out.append(letter)
        else:
            units = letter.encode("utf-16-be", "surrogatepass")
            out += [f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2)]
    return "".join(out)
