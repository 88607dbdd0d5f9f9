"""How things are told: times, amounts, shares, statuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.domain.results import TestVerdict, Verdict
from qverify_desktop.domain.testing import Label, MutantStatus
from qverify_desktop.ui.theme import THEMES, colours_of, tokens
from qverify_desktop.ui.widgets import painting, words

NOW = datetime(2025, 11, 22, 12, 0, tzinfo=UTC)  # a Saturday
BERLIN = timezone(timedelta(hours=1))
TABLES = {
    name: getattr(words, name)
    for name in ("RUN_STATUS", "VERDICT", "TEST", "LABEL", "DECISION", "GRADE", "MUTANT", "COVERAGE", "CHECK")
}


@pytest.mark.parametrize(
    ("iso", "told"),
    [
        ("2025-11-22T11:59:30Z", "just now"),
        ("2025-11-22T12:00:30Z", "just now"),
        ("2025-11-22T11:55:00Z", "5 min ago"),
        ("2025-11-22T08:10:00+00:00", "3 h ago"),
        ("2025-11-22T11:55:00", "5 min ago"),
        ("", ""),
        ("no time", ""),
    ],
)
def test_ago(iso, told):
    assert words.ago(iso, NOW) == told


@pytest.mark.parametrize(
    ("iso", "told"),
    [
        ("2025-11-22T10:42:00Z", "today 11:42"),
        ("2025-11-21T23:30:00Z", "today 00:30"),
        ("2025-11-21T10:00:00Z", "yesterday"),
        ("2025-11-17T10:00:00Z", "Mon"),
        ("2025-11-15T10:00:00Z", "15 Nov"),
        ("2024-11-30T10:00:00Z", "30 Nov 2024"),
        ("2025-11-23T10:00:00Z", "23 Nov"),
        ("", ""),
    ],
)
def test_day(iso, told):
    assert words.day(iso, NOW, BERLIN) == told


def test_whole_times():
    assert words.moment("2025-11-22T10:54:09Z", UTC) == "22 Nov 2025, 10:54:09 UTC"
    assert words.clock("2025-11-22T10:54:09Z", BERLIN) == "11:54:09"
    assert words.moment("") == words.clock("never") == ""


@pytest.mark.parametrize(
    ("ms", "told"),
    [
        (0, "0 ms"),
        (90, "90 ms"),
        (1600, "1.6 s"),
        (9949, "9.9 s"),
        (9950, "10 s"),
        (29_400, "29 s"),
        (59_949, "60 s"),
        (60_000, "1 min 0 s"),
        (702_000, "11 min 42 s"),
        (7_500_000, "2 h 5 min"),
        (-5, "0 ms"),
    ],
)
def test_duration(ms, told):
    assert words.duration(ms) == told


@pytest.mark.parametrize(("ms", "told"), [(9_999, "0:09"), (378_000, "6:18"), (3_753_000, "1:02:33"), (-1, "0:00")])
def test_elapsed(ms, told):
    assert words.elapsed(ms) == told


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (886, 1000, "88.6 %"),
        (0, 0, "unknown"),
        (0, 10, "0.0 %"),
        (10, 10, "100.0 %"),
        (99_999, 100_000, "99.9 %"),
        (1, 100_000, "0.1 %"),
        (187, 230, "81.3 %"),
    ],
)
def test_percent(part, whole, told):
    assert words.percent(part, whole) == told


@pytest.mark.parametrize(
    ("before", "after", "told", "token"),
    [
        (618, 886, "+26.8", "success"),
        (647, 644, "−0.3", "text-muted"),
        (500, 500, "0.0", "text-muted"),
        (None, 500, "", "text-muted"),
        (500, None, "", "text-muted"),
    ],
)
def test_change(before, after, told, token):
    assert words.change(before, after) == told
    assert words.change_token(before, after) == token


@pytest.mark.parametrize(("n", "told"), [(326, "+326"), (-3, "−3"), (0, "0"), (12_000, "+12,000")])
def test_signed(n, told):
    assert words.signed(n) == told


@pytest.mark.parametrize(
    ("microusd", "told"),
    [
        (0, "free"),
        (310_000, "$0.31"),
        (7_700, "$0.0077"),
        (96_000, "$0.10"),
        (1_204_500_000, "$1,204.50"),
        (12, "under $0.0001"),
    ],
)
def test_money(microusd, told):
    assert words.money(microusd) == told


@pytest.mark.parametrize(
    ("n", "told"),
    [
        (0, "0 B"),
        (912, "912 B"),
        (4300, "4.2 KiB"),
        (209_715_200, "200 MiB"),
        (10_522_669_875, "9.8 GiB"),
        (5 << 40, "5.0 TiB"),
    ],
)
def test_bytes(n, told):
    assert words.bytes_(n) == told


@pytest.mark.parametrize(("n", "told"), [(604, "604"), (9_999, "9,999"), (12_345, "12.3 k"), (9_840_000, "9.84 M")])
def test_large(n, told):
    assert words.large(n) == told


def test_hashes():
    assert words.short_hash("sha256:91d0aabbccdd") == "91d0aabb"
    assert words.short_hash("") == ""
    assert words.grouped_hash("c90f5d2a7714e3b80a61ffff") == "c90f 5d2a 7714 e3b8 0a61"


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("RUN_STATUS", RunStatus),
        ("VERDICT", Verdict),
        ("TEST", TestVerdict),
        ("LABEL", Label),
        ("MUTANT", MutantStatus),
        ("GRADE", ("invalid", "diverged", "unanchored", "timestamped", "witnessed")),
        ("CHECK", ("ok", "warning", "blocking")),
        ("COVERAGE", ("covered", "partial", "missed")),
    ],
)
def test_every_status_has_a_look(table, values):
    assert {str(value) for value in values} <= set(TABLES[table])


@pytest.mark.parametrize("table", TABLES)
def test_looks_are_of_tokens_that_exist_and_have_a_word(table):
    for look in TABLES[table].values():
        assert look.text()
        assert all(look.token in colours_of(theme) for theme in THEMES)


SHAPES = {
    "accepted": ("TEST", "accepted"),
    "refused": ("TEST", "refused"),
    "suspected-defect": ("TEST", "suspected"),
    "flaky": ("TEST", "flaky"),
    "failed": ("RUN_STATUS", "failed"),
    "cancelled": ("RUN_STATUS", "cancelled"),
    "running": ("RUN_STATUS", "running"),
    "queued": ("RUN_STATUS", "queued"),
    "covered": ("COVERAGE", "covered"),
    "partial": ("COVERAGE", "partial"),
    "missed": ("COVERAGE", "missed"),
    "mutant-killed": ("MUTANT", "killed"),
    "mutant-survived": ("MUTANT", "survived"),
    "grade-invalid": ("GRADE", "invalid"),
    "grade-diverged": ("GRADE", "diverged"),
    "grade-unanchored": ("GRADE", "unanchored"),
    "grade-timestamped": ("GRADE", "timestamped"),
    "grade-witnessed": ("GRADE", "witnessed"),
}


@pytest.mark.parametrize(("shape", "place"), SHAPES.items())
def test_shapes_are_those_of_the_tokens(shape, place):
    assert TABLES[place[0]][place[1]].icon == tokens()["shape"][shape]


def test_cancelled_is_amber_not_red():
    assert words.RUN_STATUS["cancelled"].token == "warning"


def test_a_finished_run_shows_its_verdict_and_any_other_its_status():
    run = {"status": "finished", "verdict": "defects_suspected"}
    assert words.look_of_run(run).icon == "diamond-alert"
    assert words.look_of_run({**run, "status": "cancelled"}).icon == "square-stop"
    assert words.look_of_run({"status": "newer than this window", "verdict": ""}) is words.UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "decided", "reason", "word"),
    [
        ("accepted", "", "gain", "kept"),
        ("accepted", "refused", "gain", "refused"),
        ("refused", "accepted", "no_gain", "kept"),
        ("refused", "", "flaky", "flaky"),
        ("suspected", "", "contradicts_words", "suspected defect"),
    ],
)
def test_a_persons_decision_goes_first(verdict, decided, reason, word):
    assert words.look_of_test(verdict, decided, reason).text() == word


@pytest.mark.parametrize("name", sorted({look.icon for table in TABLES.values() for look in table.values()}))
def test_every_shape_can_be_drawn(theme, canvas, still, name):
    made = canvas(16, 16)
    made.paint(lambda painter: painting.icon(painter, theme, name, "danger", 0, 0))
    assert made.has(theme.colour("danger"))
