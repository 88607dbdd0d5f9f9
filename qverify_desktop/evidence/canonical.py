"""Entries as bytes: RFC 8785 canonical JSON in a narrow profile (no floats, integers below 2**53, bounded depth)."""

from __future__ import annotations

from typing import Any

import rfc8785

from qverify_desktop.domain.errors import QVerifyError

MAX_DEPTH = 16
MAX_BYTES = 256 * 1024
_MAX_INTEGER = 2**53 - 1


def canonical(value: Any) -> bytes:
    """The canonical bytes of ``value``. Raises ``QVerifyError`` for what the profile has no place for."""
    _check(value, MAX_DEPTH)
    try:
        encoded: bytes = rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise QVerifyError(f"An event could not be written down: {error}. Nothing was recorded.") from error
    if len(encoded) > MAX_BYTES:
        raise QVerifyError(f"An event of {len(encoded)} bytes is too large for the log. Nothing was recorded.")
    return encoded


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise QVerifyError("An event is nested too deeply. Nothing was recorded.")
    if value is None or isinstance(value, bool | str):
        return
    if isinstance(value, int):
        if abs(value) > _MAX_INTEGER:
            raise QVerifyError(f"The number {value} is too large for an event. Nothing was recorded.")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise QVerifyError("A key of an event is no text. Nothing was recorded.")
            _check(inner, depth - 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check(inner, depth - 1)
    else:
        raise QVerifyError(f"A {type(value).__name__} has no place in an event. Nothing was recorded.")
