"""Reads the evidence log of a real run past the application: which events it has, and that nothing stands in them that may not."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

#: Lines that are shorter, or one word, may stand anywhere by chance.
SHORTEST = 14
#: What each execution and each judgement says.
EXECUTION = {"purpose", "argv", "exit_code", "duration_ms", "timed_out", "oom_killed", "output_truncated", "network"}
JUDGEMENT = {"test", "target", "verdict", "reason", "gain", "label"}


def audited(home: Path, hidden: Mapping[str, Iterable[str]]) -> dict[str, list[dict[str, Any]]]:
    """Data of the log's events by type. Fails where an entry holds a float, an integer of 2^53 or more, or a line of a text in
    ``hidden`` (what it is: texts)."""
    with contextlib.closing(sqlite3.connect(f"file:{home / 'qverify.db'}?mode=ro", uri=True)) as connection:
        leaves = [bytes(leaf).decode() for (leaf,) in connection.execute('SELECT leaf FROM entries ORDER BY "index"')]
        listed = [run for (run,) in connection.execute('SELECT run FROM entries ORDER BY "index"')]
        signed = [size for (size,) in connection.execute("SELECT size FROM checkpoints ORDER BY size")]
    found: dict[str, list[dict[str, Any]]] = {}
    for leaf in leaves:
        entry = json.loads(leaf, parse_float=_no_float)
        assert all(abs(number) < 2**53 for number in _numbers(entry)), leaf
        found.setdefault(entry["type"], []).append(entry["data"])
    for what, texts in hidden.items():
        for line in {line.strip() for text in texts for line in text.splitlines()}:
            if (len(line) >= SHORTEST and " " in line) or "/" in line[:1]:
                spoken = json.dumps(line, ensure_ascii=False)[1:-1]
                assert not any(spoken in leaf for leaf in leaves), f"{what} in an event: {line}"
    run = listed[0]
    assert json.loads(leaves[0])["type"] == "run_opened" and signed[0] == 1, (
        "announced and signed before anything else"
    )
    last = len(listed) - 1 - listed[::-1].index(run)
    assert json.loads(leaves[last])["type"] == "run_closed" and last + 1 in signed
    assert all(set(one) >= EXECUTION for one in found["execution"])
    assert all(set(one) >= JUDGEMENT and one["reason"] for one in found["judgement"])
    return found


def _no_float(text: str) -> float:
    raise AssertionError(f"the float {text} in an event")


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _numbers(one)
    elif isinstance(value, int):
        yield value
