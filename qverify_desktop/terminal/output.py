"""Lines on standard output and standard error, whatever the terminal's encoding, without anything that could steer it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

#: Seconds between two lines of progress where the output is no terminal.
QUIET_SECONDS = 5.0


def clean(text: str) -> str:
    """Text of a repository or a file name without characters that could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def print_lines(lines: Iterable[str]) -> None:
    """On standard output, each at once."""
    for line in lines:
        print(_sayable(clean(line), sys.stdout.encoding), flush=True)


def print_json(document: Any) -> None:
    """One document on standard output."""
    print(json.dumps(document, indent=2), flush=True)


def note(text: str) -> None:
    """A line beside the answer, on standard error."""
    print(_sayable(clean(text), sys.stderr.encoding), file=sys.stderr, flush=True)


def _sayable(text: str, encoding: str | None) -> str:
    """The encoding may lack characters of a file's name."""
    known = encoding or "utf-8"
    return text.encode(known, "backslashreplace").decode(known)
