"""The evidence log in words: every type that is recorded has a sentence; nothing hostile gets through."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import qverify_desktop
from qverify_desktop.engine.questions.event_words import _WORDS, words_of

PACKAGE = Path(qverify_desktop.__file__).parent


def recorded_types() -> set[str]:
    """Types of events that the source makes: literals given to ``record``, ``Evidence``, ``_log`` and ``record_about``."""
    found = set()
    for path in (*PACKAGE.glob("analysis/*.py"), *PACKAGE.glob("engine/**/*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            which = {"record": 0, "Evidence": 0, "_log": 1, "record_about": 2}.get(name)
            if which is not None and len(node.args) > which and isinstance(node.args[which], ast.Constant):
                found.add(str(node.args[which].value))
    return found


def test_every_type_that_is_recorded_has_words() -> None:
    types = recorded_types()
    assert {"run_opened", "judgement", "model_prompt", "decision", "written", "run_closed"} <= types
    assert {"saved", "settings_changed"} <= types
    assert not types - set(_WORDS)


SENTENCES = [
    (
        "person_answered",
        {"reply": "go_on", "budget": "run", "spent_microusd": 410_000, "limit_microusd": 500_000},
        "Asked with $0.41 of the run's $0.50 spent, the person answered: go on.",
    ),
    (
        "person_answered",
        {"reply": "stop", "budget": "month", "spent_microusd": 0, "limit_microusd": 5_000_000},
        "Asked with $0.00 of the month's $5.00 spent, the person answered: finish without models that cost something.",
    ),
    (
        "run_opened",
        {"model": "gpt-4.1", "cloud": "allowed", "scope": "all", "seed": 0},
        "The run is opened with the model gpt-4.1, which may be elsewhere, scope all, seed 0.",
    ),
    (
        "run_opened",
        {"model": "auto", "cloud": "local_only", "scope": "all", "seed": 0},
        "The run is opened with the model auto, on this machine only, scope all, seed 0.",
    ),
    (
        "run_opened",
        {"application": "1", "scope": "all", "model": "none", "seed": 7},
        "The run is opened without a model, scope all, seed 7.",
    ),
    (
        "run_opened",
        {"kind": "decision", "about": "r1"},
        "A record about the run r1 begins: decision.",
    ),
    (
        "snapshot",
        {"commit": "8c41f0e6a0d9aaaa", "files": 61, "dirty": True},
        "Snapshot of 61 files at commit 8c41f0e6a0d9 and uncommitted changes.",
    ),
    ("snapshot", {"commit": "", "files": 1}, "Snapshot of 1 file of a folder without commits."),
    (
        "execution",
        {"container": "a028fd34ac1cff", "purpose": "baseline", "exit_code": 0, "duration_ms": 4321, "network": False},
        "Container a028fd34ac1c ran for baseline without network: exit code 0 after 4.3 s.",
    ),
    (
        "execution",
        {"purpose": "judge", "timed_out": True, "oom_killed": True, "duration_ms": 60_000, "network": True},
        "Container  ran for judge with network: timed out and ran out of memory after 60.0 s.",
    ),
    (
        "judgement",
        {"test": "t.py::test_a", "verdict": "accepted", "label": "specification", "gain": {"lines": 3, "mutants": 1}},
        "test_a is accepted: gains 3 lines, 1 mutant (specification).",
    ),
    (
        "judgement",
        {"test": "t.py::test_a", "verdict": "refused", "label": "characterization", "reason": "not_stable"},
        "test_a is refused: not stable (characterization).",
    ),
    ("mutation", {"mutants": 230, "killed": 187, "survived": 43}, "230 mutants run: 187 killed, 43 survived."),
    (
        "suspected_defect",
        {"symbol": "f", "file": "a.py", "reproductions": 5},
        "Suspected defect in f (a.py), 5 of 5 times.",
    ),
    (
        "verdict",
        {
            "verdict": "nothing_suspected",
            "accepted": 2,
            "suspected": 0,
            "lines_before": [1, 9],
            "lines_after": [8, 9],
        },
        "Verdict nothing suspected: 2 tests kept, 0 defects suspected, lines 1 to 8 of 9.",
    ),
    (
        "decision",
        {"kind": "test", "decision": "taken_back", "count": 2, "about": "r1"},
        "A person decided about tests (2) of the run r1: taken back.",
    ),
    (
        "saved",
        {"format": "evidence-redacted", "bytes": 4096, "sha256": "0" * 64, "about": "r1"},
        "A person saved the run r1 as evidence redacted (4096 bytes).",
    ),
    ("run_opened", {"kind": "settings_changed"}, "A record begins: settings_changed."),
    (
        "settings_changed",
        {"values": {"air_gap": True, "run_budget_microusd": 5}, "texts": ["model"], "model": {}},
        "Settings changed: air_gap true, run_budget_microusd 5, model.",
    ),
    ("run_closed", {"outcome": "inconclusive", "entries": 9}, "The run is closed: inconclusive, 9 entries."),
    ("made_up_later", {"x": 1}, "made up later"),
]


@pytest.mark.parametrize(("type", "data", "sentence"), SENTENCES)
def test_an_entry_is_a_sentence(type, data, sentence) -> None:
    assert words_of(type, data) == sentence


@pytest.mark.parametrize("data", [None, [], 5, "x", {"gain": 5}, {"duration_ms": "soon"}, {"lines_before": []}])
@pytest.mark.parametrize("type", sorted(_WORDS))
def test_data_that_is_not_as_expected_never_raises(type, data) -> None:
    told = words_of(type, data)
    assert told and told.isprintable()


@pytest.mark.parametrize("type", sorted(_WORDS))
def test_data_that_was_too_large_is_not_told_as_nothing(type) -> None:
    """Otherwise a huge list of mutants would read as none at all."""
    assert "more than an entry holds" in words_of(type, {"oversize": {"commitment": "", "bytes": 99_999}})


def test_words_of_a_repository_stay_one_short_printable_line() -> None:
    told = words_of("baseline", {"sentence": "red\x1b[2J\n\u202egreen " + "x" * 100_000})
    assert told.isprintable() and len(told) <= 1000 and told.startswith("red")
