"""kill -9 in the midst of a real analysis: the same verdict, nothing twice, nothing left (ten kills: make prove-kill)."""

import random
from pathlib import Path

import pytest

from tests.integration.engine.killing import Tale, analyse

SOURCE = '''\
def clamp(value: int, low: int, high: int) -> int:
    """Keep a value inside a range.

    >>> clamp(5, 0, 3)
    3
    >>> clamp(-1, 0, 3)
    0
    """
    if value < low:
        return low
    return high if value > high else value


def last(items: list[int]) -> int:
    """The last item.

    >>> last([1, 2, 3])
    3
    """
    return items[-2]
'''


@pytest.mark.docker
def test_killed_at_random_moments_it_goes_on_to_the_same_verdict(tmp_path: Path) -> None:
    source = tmp_path / "project"
    source.mkdir()
    (source / "ranges.py").write_text(SOURCE)
    chance = random.Random(9)
    whole = analyse(tmp_path / "whole", source, 0, chance, 0.0)
    assert whole.document["exit_code"] == 1
    assert [d["symbol"] for d in whole.document["suspected_defects"]] == ["last"]
    killed = analyse(tmp_path / "killed", source, 3, chance, whole.seconds / 2)
    assert_nothing_lost_or_done_twice(killed, whole)


def assert_nothing_lost_or_done_twice(killed: Tale, whole: Tale) -> None:
    assert killed.killed_after_s, "it ended before it could be killed"
    assert killed.repeated == [], killed.begun
    assert killed.judgement() == whole.judgement()
    assert killed.containers_at_end == 0
    every = [name for begun in killed.begun for name in begun]
    assert set(every) == {name for begun in whole.begun for name in begun}
