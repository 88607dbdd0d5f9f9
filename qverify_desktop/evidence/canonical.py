"""Entries as bytes: canonical JSON (RFC 8785) in a narrow profile that leaves nothing to interpretation.

Profile: no floats, integers with an absolute value below 2**53, at most ``MAX_DEPTH`` levels, at most ``MAX_BYTES``
bytes, text that is valid UTF-8, no key twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import rfc8785

from qverify_desktop.domain.errors import QVerifyError

MAX_DEPTH = 32
#: An entry of C2SP tlog-tiles has a length of 16 bits.
MAX_BYTES = 65535
MAX_INTEGER = 2**53 - 1


class NotCanonical(QVerifyError):
    """A value or a text outside of the profile; nothing was recorded."""


class TooLarge(NotCanonical):
    """The bytes would be over the limit."""


def canonical(value: Any, limit: int = MAX_BYTES) -> bytes:
    """The one canonical text of ``value`` in UTF-8. Raises ``NotCanonical``, ``TooLarge`` when it is over ``limit`` bytes."""
    _check(value, MAX_DEPTH)
    try:
        encoded: bytes = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise NotCanonical(f"An event can't be written down: {error}. It was not recorded.") from error
    if len(encoded) > limit:
        raise TooLarge(f"An event of {len(encoded)} bytes is over the limit of {limit}. It was not recorded.")
    return encoded


def parse(text: bytes, limit: int = MAX_BYTES) -> Any:
    """The value of a canonical text. Raises ``NotCanonical`` for any other text, also when it means the same."""
    if len(text) > limit:
        raise TooLarge(f"A text of {len(text)} bytes is over the limit of {limit}.")
    try:
        value = json.loads(
            text.decode("utf-8"), object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float
        )
    except (ValueError, RecursionError) as error:
        raise NotCanonical(f"The text is no strict JSON: {error}.") from error
    if canonical(value, limit) != text:
        raise NotCanonical("The text is JSON, but not its canonical form.")
    return value


def plain(value: Any) -> Any:
    """``value`` with what the profile has no place for written as text: lone surrogates (file names that are no UTF-8)
    as ``\\udc80``, integers of 2**53 and more as decimal digits. Floats stay, to be refused."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_INTEGER:
        return str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise NotCanonical(f"An event is nested more than {MAX_DEPTH} levels deep. It was not recorded.")
    if isinstance(value, bool | str) or value is None:
        return
    if isinstance(value, int):
        if abs(value) > MAX_INTEGER:
            raise NotCanonical(f"The number {value} is too large for an event. It was not recorded.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise NotCanonical("A key of an event is no text. It was not recorded.")
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth - 1)
    else:
        raise NotCanonical(f"A {type(value).__name__} has no place in an event. It was not recorded.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no integer")
