"""A run of the project tidydate: 41 tests kept, 4 suspected defects, 23 refused. For tests and screenshots."""

from __future__ import annotations

from typing import Any

from qverify_desktop.domain.errors import BadInput

RUN = "r0mdk2v9q4x7ta"
SOURCE = "/home/ada/projects/tidydate"
SENTENCE = "41 tests kept and 4 suspected defects found; your tests now notice 187 of 230 mutants instead of 96."


def run_view(status: str = "finished", **changes: Any) -> dict[str, Any]:
    """The run in a list."""
    finished = status == "finished"
    return {
        "run": RUN,
        "source": SOURCE,
        "name": "tidydate",
        "status": status,
        "stage": "" if finished else "judge",
        "verdict": "defects_suspected" if finished else "",
        "sentence": SENTENCE if finished else "",
        "started_at": "2025-11-12T10:42:09Z",
        "accepted": 41 if finished else 0,
        "refused": 23 if finished else 0,
        "suspected": 4 if finished else 0,
        **changes,
    }


def measure(before: tuple[int, int], after: tuple[int, int]) -> dict[str, int]:
    return {
        "before_part": before[0],
        "before_whole": before[1],
        "after_part": after[0],
        "after_whole": after[1],
    }


def overview(status: str = "finished", **changes: Any) -> dict[str, Any]:
    """All of the run but its lists."""
    return {
        "run": run_view(status),
        "request": {"source": SOURCE, "model": "qwen2.5-coder:14b", "scope": {"kind": "all"}},
        "commit": "8c41f0e6a0d9c1b7f2f5a3b0c4d8e9f1a2b3c4d5",
        "tree": "b03f96aa51c0de17",
        "languages": ["python"],
        "image_digest": "sha256:91d0c2a4",
        "baseline": "212 tests pass",
        "notices": [],
        "targets": 18,
        "lines": measure((752, 1217), (1078, 1217)),
        "branches": measure((148, 312), (259, 312)),
        "mutants": measure((96, 230), (187, 230)),
        "duration_ms": 702_000,
        "sandbox_ms": 511_000,
        "model_ms": 164_000,
        "cost_microusd": 310_000,
        "bundle": "/home/ada/.local/share/qverify/runs/14/run.qvevidence.zip",
        "report": "/home/ada/.local/share/qverify/runs/14/report.html",
        "tests_folder": "/home/ada/.local/share/qverify/runs/14",
        "grade": "unanchored",
        "failure": {},
        **changes,
    }


def test_view(
    file: str,
    symbol: str,
    name: str,
    verdict: str = "accepted",
    reason: str = "gain",
    gain: tuple[int, int, int] = (0, 0, 0),
    **changes: Any,
) -> dict[str, Any]:
    """A test in the list; ``gain`` is lines, branches, mutants."""
    path = f"tests/qv/test_{file.rsplit('/', 1)[-1].removesuffix('.py')}_gen.py"
    return {
        "id": f"{path}::{name}",
        "file": file,
        "symbol": symbol,
        "path": path,
        "name": name,
        "verdict": verdict,
        "decided": "",
        "reason": reason,
        "label": "specification" if reason in ("gain", "contradicts_words") else "characterization",
        "origin": "model",
        "lines": gain[0],
        "branches": gain[1],
        "mutants": gain[2],
        **changes,
    }


test_view.__test__ = False  # type: ignore[attr-defined]


def _kept(file: str, symbol: str, *names: str) -> list[dict[str, Any]]:
    gains = ((3, 1, 2), (0, 2, 1), (0, 0, 1), (4, 2, 0), (2, 0, 3), (0, 1, 0), (0, 0, 4))
    return [test_view(file, symbol, f"test_{name}", gain=gains[at % 7]) for at, name in enumerate(names)]


def _refused(file: str, symbol: str, **names: str) -> list[dict[str, Any]]:
    return [test_view(file, symbol, f"test_{name}", "refused", reason) for name, reason in names.items()]


def _suspected(file: str, symbol: str, name: str) -> list[dict[str, Any]]:
    return [test_view(file, symbol, f"test_{name}", "suspected", "contradicts_words")]


OFFSET, CALENDAR, PARSER = "tidydate/offset.py", "tidydate/calendar.py", "tidydate/parser.py"
RELATIVE, FORMAT = "tidydate/relative.py", "tidydate/format.py"
TESTS: list[dict[str, Any]] = [
    *_kept(OFFSET, "parse_offset", "zulu_is_zero_offset", "colon_form_is_same_as_basic", "rejects_words"),
    *_refused(OFFSET, "parse_offset", parse_offset_returns="trivial"),
    *_suspected(OFFSET, "parse_offset", "sign_applies_to_minutes"),
    *_kept(OFFSET, "format_offset", "zero_is_z", "half_hours", "negative_minutes"),
    *_refused(OFFSET, "format_offset", format_offset_locale="flaky", rounds_seconds="fails"),
    *_kept(CALENDAR, "iso_week", "first_week", "last_week_of_long_year", "week_of_leap_day"),
    *_refused(CALENDAR, "iso_week", week_is_int="trivial", week_of_day_zero="outside_domain", week_again="no_gain"),
    *_suspected(CALENDAR, "iso_week", "third_of_january_2021"),
    *_kept(CALENDAR, "business_days_between", "same_day", "over_weekend", "reversed", "holiday", "long_span"),
    *_refused(
        CALENDAR, "business_days_between", huge_span="infrastructure", no_holidays="no_gain", span="not_collected"
    ),
    *_kept(CALENDAR, "easter", "of_1961", "of_2000", "of_2038"),
    *_refused(CALENDAR, "easter", easter_of_zero="outside_domain", easter_import="wrong_import"),
    *_kept(PARSER, "parse_date", "iso", "slashes", "two_digit_year", "trailing_blank", "long_month"),
    *_refused(PARSER, "parse_date", locale_month="flaky", garbage="fails", parse_twice="no_gain", dots="no_gain"),
    *_kept(PARSER, "parse_time", "noon", "midnight", "seconds", "fraction"),
    *_refused(PARSER, "parse_time", parse_time_is_time="trivial", broken="syntax"),
    *_suspected(PARSER, "parse_time", "twelve_am_is_midnight"),
    *_kept(PARSER, "expand_two_digit_year", "pivot", "below_pivot", "above_pivot", "zero", "ninety_nine"),
    *_refused(PARSER, "expand_two_digit_year", three_digits="fails", negative_year="outside_domain"),
    *_kept(
        RELATIVE,
        "parse_relative",
        "tomorrow",
        "in_two_weeks",
        "last_monday",
        "next_month",
        "ago",
        "now",
        "noon_today",
    ),
    *_refused(RELATIVE, "parse_relative", of_the_century="example_not_runnable", prose="not_a_test", twice="no_gain"),
    *_suspected(RELATIVE, "parse_relative", "last_day_of_february"),
    *_kept(FORMAT, "humanize", "seconds_ago", "yesterday", "years"),
    *_refused(FORMAT, "humanize", humanize_locale="no_gain"),
]
COLON = "tests/qv/test_offset_gen.py::test_colon_form_is_same_as_basic"

CODE = '''"""Tests of tidydate.offset, written by QVerify Desktop."""

from datetime import timedelta

import pytest

from tidydate import parse_offset


def test_zulu_is_zero_offset():
    assert parse_offset("Z") == timedelta(0)


def test_rejects_words():
    with pytest.raises(ValueError):
        parse_offset("noon")

@pytest.mark.parametrize("text", ["+05:30", "+0530"])
def test_colon_form_is_same_as_basic(text):
    expected = timedelta(hours=5, minutes=30)
    assert parse_offset(text) == expected
    assert parse_offset(f" {text} ") == expected
'''
ASSERTIONS = [
    {
        "line": 21,
        "text": "== timedelta(hours=5, minutes=30)",
        "label": "specification",
        "words": "Accepts ``Z``, ``+HH``, ``+HHMM`` and ``+HH:MM``.",
        "file": OFFSET,
        "place_line": 44,
    },
    {
        "line": 22,
        "text": "surrounding blanks are accepted",
        "label": "characterization",
        "words": "",
        "file": "",
        "place_line": 0,
    },
]


def mutant(line: int, original: str, replacement: str, status: str = "killed", file: str = OFFSET) -> dict[str, Any]:
    return {
        "id": f"{file}:{line}:{replacement}",
        "file": file,
        "line": line,
        "operator": "constant",
        "original": original,
        "replacement": replacement,
        "status": status,
    }


MUTANTS = [
    mutant(54, 'int(match["minutes"] or 0)', "or 1"),
    mutant(55, "hours=hours", "hours=0"),
    mutant(48, "text.strip()", "text", "survived"),
    mutant(51, 'if match["zulu"]', 'if not match["zulu"]'),
    mutant(55, "minutes=minutes", "minutes=0"),
]
STEPS = ("parses", "asserts", "passes", "5 of 5", "gains")
REFUSED_AT = {"syntax": 0, "not_a_test": 0, "trivial": 1, "flaky": 3, "no_gain": 4, "gain": 5}
SENTENCES = {
    "gain": "It passed five of five and reaches or notices something that no test did before.",
    "trivial": "It asserts nothing that could fail.",
    "flaky": "It did not end the same way five times out of five.",
    "no_gain": "It reaches no new line or branch and notices no new mutant.",
    "contradicts_words": "The code contradicts the repository's own words.",
}


def detail(test: dict[str, Any]) -> dict[str, Any]:
    """One test with everything that is known."""
    at = REFUSED_AT.get(test["reason"], 2)
    states = ["done" if i < at else "refused" if i == at else "open" for i in range(5)]
    flaky = "Order and locale were varied: 4 of 5 passed, the run with the locale de_DE failed."
    found: dict[str, Any] = {
        "test": test,
        "sentence": SENTENCES.get(
            test["reason"], "It fails, and its expectation is not in the repository's own words."
        ),
        "detail": flaky if test["reason"] == "flaky" else "",
        "code": CODE,
        "first_line": 18,
        "last_line": 22,
        "language": "python",
        "assertions": ASSERTIONS,
        "killed": MUTANTS if test["reason"] == "gain" else [],
        "gained_lines": [47, 48, 54] if test["lines"] else [],
        "steps": [[name, state] for name, state in zip(STEPS, states, strict=True)],
    }
    if test["id"] != COLON:
        code = f'def {test["name"]}():\n    assert {test["symbol"]}("…")\n'
        line = {**ASSERTIONS[1], "line": 2, "text": f'{test["symbol"]}("…")'}
        found |= {"code": code, "first_line": 1, "last_line": 2, "assertions": [line]}
    return found


DIFF = """diff --git a/tests/qv/test_offset_gen.py b/tests/qv/test_offset_gen.py
new file mode 100644
--- /dev/null
+++ b/tests/qv/test_offset_gen.py
@@ -0,0 +1,22 @@
""" + "".join(f"+{line}\n" for line in CODE.splitlines())


def answers(status: str = "finished", tests: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Answers of a scripted engine. Decisions are kept, so that a test that is asked for again has them."""
    held = {test["id"]: test for test in (TESTS if tests is None else tests)}

    def run_test(run: str, test: str) -> Any:
        return detail(held[test]) if test in held else BadInput(f"The run {run} has no test {test!r}.")

    def decide(run: str, tests: list[str], decision: str) -> None:
        for id_ in tests:
            held[id_] = {**held[id_], "decided": decision}

    def write(run: str, form: str, place: str) -> dict[str, Any]:
        sentences = {
            "branch": f"The branch {place} has one commit more with 5 test files. Your work tree is as it was.",
            "patch": f"The patch adds 5 test files. Apply it with: git apply {place}",
            "worktree": f"5 test files written into {SOURCE}. Nothing that was there was changed.",
        }
        return {"form": form, "place": place or SOURCE, "files": [], "sentence": sentences[form]}

    return {
        "run_overview": lambda run: overview(status),
        "run_tests": lambda run: list(held.values()),
        "run_test": run_test,
        "tests_decide": decide,
        "run_diff": {"text": DIFF, "files": ["tests/qv/test_offset_gen.py"]},
        "run_write": write,
        "export": None,
    }
