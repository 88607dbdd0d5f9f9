"""Values as JSON: what drivers inside a container write of the values that they saw, in every language alike.

``null`` is nothing, ``true`` and ``false`` are truths, a JSON string is text. Everything else is an array whose first item says
what it is: ``["int", "-3"]``, ``["float", "1.5"]`` (``nan``, ``inf``, ``-inf`` too), ``["list", v…]``, ``["tuple", v…]``,
``["set", v…]``, ``["map", [k, v]…]``, ``["made", name, v…]``. Numbers are strings so that no reader rounds them.
"""

from __future__ import annotations

import re

from qverify_desktop.languages.values.value import Entries, Items, Kind, Made, Nothing, Number, Text, Truth, Value

#: Deeper or larger values are refused: a test that compares them helps nobody.
MOST_DEPTH = 12
MOST_ITEMS = 200
MOST_TEXT = 2_000

_INTEGER = re.compile(r"-?\d{1,400}")
_FLOAT = re.compile(r"-?(?:\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,5})?|inf)|nan", re.ASCII)
_NAME = re.compile(r"[A-Za-z_$][\w$.:]{0,200}")


class Unreadable(ValueError):
    """The JSON is no encoded value, or one that is too large."""


def decode(document: object, depth: int = MOST_DEPTH) -> Value:
    """The value of parsed JSON. Raises ``Unreadable``."""
    if depth <= 0:
        raise Unreadable("nested too deeply")
    if document is None:
        return Nothing()
    if isinstance(document, bool):
        return Truth(document)
    if isinstance(document, str):
        if len(document) > MOST_TEXT:
            raise Unreadable("too long a text")
        return Text(document)
    if not isinstance(document, list) or not document or not isinstance(document[0], str):
        raise Unreadable("not a value")
    kind, rest = document[0], document[1:]
    if len(rest) > MOST_ITEMS:
        raise Unreadable("too many items")
    if kind in ("int", "float") and len(rest) == 1 and isinstance(rest[0], str):
        if not (_INTEGER if kind == "int" else _FLOAT).fullmatch(rest[0]):
            raise Unreadable("not a number")
        return Number(rest[0], kind == "int")
    if kind in ("list", "tuple", "set"):
        return Items(tuple(decode(one, depth - 1) for one in rest), Kind(kind))
    if kind == "map" and all(isinstance(pair, list) and len(pair) == 2 for pair in rest):
        return Entries(tuple((decode(key, depth - 1), decode(value, depth - 1)) for key, value in rest))
    if kind == "made" and rest and isinstance(rest[0], str) and _NAME.fullmatch(rest[0]):
        return Made(rest[0], tuple(decode(one, depth - 1) for one in rest[1:]))
    raise Unreadable("not a value")


def encode(value: Value) -> object:
    """The JSON of a value, for a driver that is handed its inputs. Raises ``Unreadable`` for a bare word."""
    if isinstance(value, Nothing):
        return None
    if isinstance(value, Truth | Text):
        return value.value
    if isinstance(value, Number):
        return ["int" if value.whole else "float", value.text]
    if isinstance(value, Items):
        return [value.kind.value, *(encode(one) for one in value.items)]
    if isinstance(value, Entries):
        return ["map", *([encode(key), encode(one)] for key, one in value.pairs)]
    if isinstance(value, Made):
        return ["made", value.name, *(encode(one) for one in value.arguments)]
    raise Unreadable("a bare word")
