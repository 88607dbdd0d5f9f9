"""Bisecting a history: the first broken commit is found where there is one, in few runs, and never a wrong one."""

from __future__ import annotations

import time

import pytest

from qverify_desktop.analysis.archaeology import MOST_RUNS, Search, Seen
from qverify_desktop.domain.project import Commit
from qverify_desktop.domain.results import DefectHistory, Past

STATES = {"+": Seen.HOLDS, "x": Seen.BROKEN, ".": Seen.ABSENT}


async def searched(history: str, changed: list[int], most: int = MOST_RUNS) -> Search:
    """``history`` newest first; the test is run by reading a sign of it."""

    async def look(number: int) -> Seen:
        return STATES[history[number]]

    search = Search(look, changed, most, time.monotonic() + 60)
    await search.run()
    assert len(search.known) <= most
    assert all(STATES[history[number]] is seen for number, seen in search.known.items())
    return search


@pytest.mark.parametrize("broken", range(1, 40))
async def test_the_first_broken_commit_is_found(broken: int) -> None:
    history = "x" * broken + "+" * (40 - broken)
    for changed in (list(range(40)), [0, broken - 1, 39], [broken - 1]):
        held, first = (await searched(history, sorted(set(changed)))).borders()
        if changed == [broken - 1]:
            # Nothing older changed the file: that commit added it, as far as the search may know.
            assert first == broken - 1
        else:
            assert (held, first) == (broken, broken - 1), changed


async def test_a_commit_that_changed_another_file_may_have_broken_it() -> None:
    search = await searched("xxxxxx" + "+" * 14, [2, 12, 19])
    assert search.borders() == (6, 5), "the file changed in 2 and 12, and it broke in 5"


async def test_what_never_held_is_not_said_to_have_broken() -> None:
    search = await searched("xxxxxxxx........", [0, 2, 4, 7])
    assert search.borders() == (None, 7)
    assert search.known[2] is search.known[4] is Seen.BROKEN, "those in between are tried as well"


async def test_commits_that_can_not_be_run_are_jumped_over() -> None:
    held, broken = (await searched("xxxx..++++", list(range(10)))).borders()
    assert (held, broken) == (6, 3)


async def test_one_that_held_for_a_while_is_found_between_broken_ones() -> None:
    held, broken = (await searched("xx++xxx.", list(range(8)))).borders()
    assert (held, broken) == (2, 1), "it broke again, and that is what matters today"


async def test_a_snapshot_that_holds_in_the_last_commit_is_broken_by_what_is_not_committed() -> None:
    search = await searched("+++", [0, 1, 2])
    assert search.borders() == (0, None) and len(search.known) == 1


async def test_no_more_runs_than_allowed_and_what_is_known_stands() -> None:
    search = await searched("x" * 700 + "+" * 300, list(range(1000)), most=5)
    held, broken = search.borders()
    assert broken is not None and broken <= 699 and (held is None or held >= 700)
    assert len(search.known) == 5


async def test_no_run_begins_after_the_time() -> None:
    async def look(number: int) -> Seen:
        raise AssertionError(number)

    search = Search(look, [0, 1], MOST_RUNS, time.monotonic() - 1)
    search.known[0] = Seen.BROKEN
    await search.run()
    assert search.borders() == (None, 0)


def test_the_sentence_says_what_was_seen_and_no_more() -> None:
    broken, held = (
        Commit("a" * 40, "2026-03-02T10:00:00+01:00", "Round up"),
        Commit("b" * 40, "2026-03-01T", "Before"),
    )
    assert DefectHistory(Past.BROKEN_SINCE, broken, held, 0, 4).sentence == (
        "Broken since commit aaaaaaaaaaaa (2026-03-02, Round up)."
    )
    assert "at the latest; it held in bbbbbbbbbbbb (2026-03-01, Before), and 2 commits" in (
        DefectHistory(Past.BROKEN_SINCE, broken, held, 2, 4).sentence
    )
    never = DefectHistory(Past.NEVER_HELD, broken, None, 0, 3).sentence
    assert (
        never.startswith("Never held in 3 commits that were tried") and "perhaps the documentation is wrong" in never
    )
