"""Secrets of the repository are not repeated by what is written about it: tests, and through them reports and evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from qverify_desktop.domain.model import Masked
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.testing import GeneratedTest

Mask = Callable[[list[dict[str, str]]], Masked]

#: A larger file is not searched; what stands in a test is in any case.
MOST_BYTES = 256 * 1024


def without_secrets(
    tests: Sequence[GeneratedTest], snapshot: Snapshot, mask: Mask
) -> tuple[list[GeneratedTest], int]:
    """The tests that repeat no secret, and how many did and were left out. Words that a test only quotes are masked in it instead.

    What is a secret in a test's target is one in the test as well, so both are searched together. Blocking.
    """
    kept: dict[int, GeneratedTest] = {}
    by_file: dict[str, list[int]] = {}
    for number, test in enumerate(tests):
        by_file.setdefault(test.target.partition("::")[0], []).append(number)
    for file, numbers in by_file.items():
        texts = [_text(snapshot, file)]
        for number in numbers:
            test = tests[number]
            code = "\n".join((*test.prelude, test.code, test.call, test.expected))
            texts += [code, test.quote.text if test.quote else ""]
        found = mask([{"role": "user", "content": text} for text in texts])
        told = {secret.message for secret in found.secrets}
        for place, number in enumerate(numbers):
            test, code_at, quote_at = tests[number], 2 * place + 1, 2 * place + 2
            if code_at in told:
                continue
            if test.quote is not None and quote_at in told:
                words = found.messages[quote_at]["content"]
                test = replace(test, quote=replace(test.quote, text=words))
            kept[number] = test
    return [kept[number] for number in sorted(kept)], len(tests) - len(kept)


def _text(snapshot: Snapshot, file: str) -> str:
    if file not in snapshot.files:
        return ""
    try:
        with Path(snapshot.root).joinpath(*file.split("/")).open("rb") as source:
            content = source.read(MOST_BYTES + 1)
    except OSError:
        return ""
    return content.decode("utf-8", "replace") if len(content) <= MOST_BYTES else ""
