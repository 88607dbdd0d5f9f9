"""The benchmark of detection itself: two tasks of the vectors through both analyses and the replay."""

from __future__ import annotations

import asyncio

import pytest

from tests.benchmarks.detect.bench_detect import measure, row
from tests.benchmarks.detect.corpus import VECTORS, humaneval
from tests.benchmarks.detect.renaming import renamed

pytestmark = pytest.mark.docker


@pytest.mark.skipif(not VECTORS.is_dir(), reason="The test vectors are not here; QVERIFY_VECTORS names their folder.")
def test_planted_defects_are_caught_under_any_names() -> None:
    corpus = humaneval("python", 2)
    other = renamed(corpus)
    assert {**corpus.repository("buggy")} != {**other.repository("buggy")}
    found = asyncio.run(measure(other))
    assert found is not None and all(found.caught(case) for case in corpus.cases)
    suspected = [one for one in found.tests if one.suspected]
    assert suspected and all(one.catch for one in suspected) and not found.false_alarms
    assert not any(one.frozen_in and one.specification for one in found.tests)
    assert row("python", "two tasks", found).startswith("| python | two tasks | 2 of 2 | 100 % |")
