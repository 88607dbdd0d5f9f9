"""Names of runs: short, sortable by the time they were started, safe as a file name and to type."""

from __future__ import annotations

import re
import secrets
import time

# Crockford's base 32 in lower case: no i, l, o, u, and its order is the order of its characters in ASCII.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 9
_RANDOM_DIGITS = 4
_RUN = re.compile(rf"r[{_ALPHABET}]{{{_TIME_DIGITS + _RANDOM_DIGITS}}}")
_PREFIX = re.compile(rf"r?[{_ALPHABET}]{{0,{_TIME_DIGITS + _RANDOM_DIGITS}}}")


def new_run(now_ms: int | None = None) -> str:
    """``r``, nine digits of Unix time in milliseconds (until the year 3084), four random digits."""
    value = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    digits = ""
    for _ in range(_TIME_DIGITS):
        value, digit = divmod(value, 32)
        digits = _ALPHABET[digit] + digits
    return "r" + digits + "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_DIGITS))


def new_record() -> str:
    """Name of a short record in the log that is no analysis (a decision, a write): as a run's, with ``d`` at its head."""
    return "d" + new_run()[1:]


def is_run(text: str) -> bool:
    """Whether ``text`` is a whole run's name (and so safe to be part of a path)."""
    return _RUN.fullmatch(text) is not None


def is_prefix(text: str) -> bool:
    """Whether ``text`` may be the beginning of a run's name."""
    return bool(text) and _PREFIX.fullmatch(text) is not None
