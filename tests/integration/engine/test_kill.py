"""kill -9 in the midst of a real analysis: the same verdict, nothing twice, nothing left (ten kills: make prove-kill)."""

import random
from pathlib import Path

import pytest

from tests.integration.command import qverify
from tests.integration.engine.killing import (
    Tale,
    analyse,
    by_command,
    display,
    in_window,
    kill,
    random_moments,
    within,
)

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


#: Steps in which the window is killed: one that writes, one with containers at work, and the last.
STEPS = ("intake", "python.0.judge.2-5", "close")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("killed") / "project"
    folder.mkdir()
    (folder / "ranges.py").write_text(SOURCE)
    return folder


@pytest.fixture(scope="module")
def whole(source: Path) -> Tale:
    """The analysis that nobody kills."""
    tale = analyse(source.parent / "whole", source, [])
    assert tale.document["exit_code"] == 1
    assert [d["symbol"] for d in tale.document["suspected_defects"]] == ["last"]
    return tale


@pytest.mark.docker
def test_killed_at_random_moments_it_goes_on_to_the_same_verdict(tmp_path: Path, source: Path, whole: Tale) -> None:
    kills = random_moments(3, random.Random(9), whole.seconds / 2)
    assert_nothing_lost_or_done_twice(analyse(tmp_path / "killed", source, kills), whole)


@pytest.mark.docker
@pytest.mark.ui
def test_a_window_that_is_killed_in_a_step_goes_on_to_the_same_verdict(
    tmp_path: Path, source: Path, whole: Tale
) -> None:
    with display() as name:
        killed = analyse(tmp_path / "killed", source, [within(step, 0.05) for step in STEPS], in_window(name))
    assert_nothing_lost_or_done_twice(killed, whole)
    assert all("ended" in said for said in killed.said), killed.said


@pytest.mark.docker
def test_a_state_folder_that_is_moved_after_a_kill_goes_on(tmp_path: Path, source: Path, whole: Tale) -> None:
    witness = tmp_path / "before.witness"
    attempt = by_command(tmp_path / "before", source, witness)
    assert kill(attempt, within("python.0.judge.1", 0.5), witness)
    attempt.asked.communicate()
    (tmp_path / "before").rename(tmp_path / "moved")
    moved = analyse(tmp_path / "moved", source, [])
    assert moved.judgement() == whole.judgement()
    assert moved.grade == whole.grade and "open" not in moved.begun[0], "the same run went on"
    (tmp_path / "moved").rename(tmp_path / "again")
    shown = qverify(tmp_path / "again", "show", moved.document["run"], "--json").document
    assert Path(shown["bundle"]).is_file() and Path(shown["report"]).is_file(), "in the folder as it is now"


def assert_nothing_lost_or_done_twice(killed: Tale, whole: Tale) -> None:
    assert killed.killed_after_s, "it ended before it could be killed"
    assert killed.repeated == [], killed.begun
    assert killed.judgement() == whole.judgement()
    assert killed.grade == whole.grade == "UNANCHORED"
    assert killed.containers_at_end == 0
    assert killed.locks_left == 0
    every = [name for begun in killed.begun for name in begun]
    assert set(every) == {name for begun in whole.begun for name in begun}
