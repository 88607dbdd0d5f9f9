"""A repository that was analyzed ten times, and two of its runs side by side, for tests and screenshots."""

from __future__ import annotations

from typing import Any

from tests.ui.samples import defects
from tests.ui.samples.results import RUN, measure, run_view

OTHER = "r0mdk1b2c3d4e5"
COMMIT = "8c41f0e6a0d9c1b7f2f5a3b0c4d8e9f1a2b3c4d5"
#: Run, start, commit, kept, refused, suspected, and lines, branches, mutants after (of 1217, 312, 230).
_RUNS = (
    (RUN, "2025-11-12T10:42:09Z", "8c41f0e6", 41, 23, 4, 1078, 259, 187),
    (OTHER, "2025-11-10T09:00:00Z", "51d0a7c2", 38, 27, 3, 1031, 240, 166),
    ("r0mdh8aaaaaaaa", "2025-11-06T16:20:44Z", "0be7719d", 36, 25, 3, 1012, 236, 158),
    ("r0mdh2aaaaaaaa", "2025-11-06T08:05:10Z", "0be7719d", 0, 0, 0, 806, 171, None),
    ("r0mdf5aaaaaaaa", "2025-10-30T17:48:31Z", "a90c3e51", 22, 31, 2, 803, 168, 121),
    ("r0mdd1aaaaaaaa", "2025-10-24T11:12:00Z", "77e2b604", 19, 28, 2, 779, 160, 117),
    ("r0mdb4aaaaaaaa", "2025-10-17T13:30:22Z", "d41f08aa", 17, 30, 1, 752, 148, 109),
    ("r0md98aaaaaaaa", "2025-10-10T10:01:57Z", "3c9e5d10", 15, 26, 0, 748, 148, 104),
    ("r0md83aaaaaaaa", "2025-10-03T09:44:03Z", "9f8b21e7", 12, 33, 0, 745, 144, 99),
)


def history() -> list[dict[str, Any]]:
    """Finished runs, newest first; mutants of one could not be measured."""
    return [_entry(*run) for run in _RUNS]


def _entry(
    run: str,
    at: str,
    commit: str,
    kept: int,
    refused: int,
    suspected: int,
    lines: int,
    branches: int,
    mutants: int | None,
) -> dict[str, Any]:
    verdict = "defects_suspected" if suspected else "nothing_suspected" if mutants else "inconclusive"
    more = {} if run == RUN else {"sentence": f"{kept} tests kept and {suspected} suspected defects found."}
    return {
        "run": run_view(
            run=run, started_at=at, accepted=kept, refused=refused, suspected=suspected, verdict=verdict, **more
        ),
        "commit": commit.ljust(40, "0"),
        "scope": "all",
        "model": "qwen2.5-coder:7b",
        "lines": measure((lines - 8 * kept, 1217), (lines, 1217)),
        "branches": measure((branches - 2 * kept, 312), (branches, 312)),
        "mutants": measure((0, 0), (0, 0)) if mutants is None else measure((mutants - 2 * kept, 230), (mutants, 230)),
        "cost_microusd": None if run == _RUNS[-1][0] else 7_700 * kept,
        "duration_ms": None if run == _RUNS[-1][0] else 17_100 * kept + 5_300,
    }


def compared() -> dict[str, Any]:
    """The newest two."""
    newer, older = history()[:2]
    found = [dict(one) for one in defects.DEFECTS]
    changes = (
        ("test_offset_gen.py::test_zulu_is_zero_offset", "", "accepted"),
        ("test_offset_gen.py::test_half_hours_east", "", "accepted"),
        ("test_offset_gen.py::test_rejects_two_signs", "refused", "accepted"),
        ("test_calendar_gen.py::test_week_one_holds_the_fourth", "", "accepted"),
        ("test_calendar_gen.py::test_days_between_is_symmetric", "", "accepted"),
        ("test_parser_gen.py::test_rejects_words", "accepted", "refused"),
        ("test_parser_gen.py::test_keeps_microseconds", "accepted", ""),
        ("test_parser_gen.py::test_noon_is_twelve", "refused", "suspected"),
        ("test_relative_gen.py::test_last_day_of_february", "suspected", "suspected"),
        ("test_relative_gen.py::test_in_a_week", "", "refused"),
    )
    return {
        "a": older,
        "b": newer,
        "sentence": "1 suspected defect is gone and 2 are new; 41 tests are kept instead of 38.",
        "tests": [
            {"test": f"tests/qv/{test}", "before": before, "after": after}
            for test, before, after in changes
            if before != after
        ],
        "defects_gone": found[:1],
        "defects_new": found[1:3],
        "defects_same": found[3:4],
    }
