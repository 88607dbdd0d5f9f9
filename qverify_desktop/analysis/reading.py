"""The tests in a model's answer, whatever the language, and what of it is refused before anything runs."""

from __future__ import annotations

import re
from dataclasses import replace

from qverify_desktop.analysis.answers import Names, find_source
from qverify_desktop.domain.project import Project, Target
from qverify_desktop.domain.results import JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import Language, StaticProblem

#: Tests of one answer that are looked at; a model that repeats itself writes hundreds.
MOST_TESTS = 40
#: Characters that are parsed in search of one answer's tests: dozens of tries of an honest answer, a few of a huge one.
MOST_PARSED = 800_000
#: The name under which an answer is refused as a whole.
WHOLE_ANSWER = "answer"


def answer_path(language: Language, project: Project, target: Target, number: int | str) -> str:
    """The file of a target's tests from one answer; each round has its own, so that their shared statements never mix."""
    stem = re.sub(r"\W+", "_", target.symbol, flags=re.ASCII).strip("_").lower()[:60] or "value"
    return language.test_file(project, target, f"{stem}_model{f'_{number}' if number else ''}")


def names_of(language: Language, path: str, target: Target) -> Names:
    """How answers ask the language for the tests in a text. Each text is read once, and nothing more after ``MOST_PARSED``."""
    known: dict[str, frozenset[str]] = {}

    def names(text: str) -> frozenset[str]:
        if text not in known and sum(map(len, known)) > MOST_PARSED:
            return frozenset()
        if text not in known:
            tests = language.split(text, path, target) if text.strip() else []
            known[text] = frozenset(test.name for test in tests) if isinstance(tests, list) else frozenset()
        return known[text]

    return names


def read_answer(
    text: str, path: str, target: Target, language: Language
) -> tuple[list[GeneratedTest], list[JudgedTest]]:
    """The tests of an answer that are worth running, and what is refused unseen: prose, broken source, tautologies."""
    whole = GeneratedTest(path, WHOLE_ANSWER, "", target.id, Label.CHARACTERIZATION, Origin.MODEL)
    found = find_source(text, language.fence_tags, names_of(language, path, target))
    if found.problem:
        return [], [refusal(whole, Reason.NOT_A_TEST, found.problem)]
    split = language.split(found.source, path, target)
    if isinstance(split, StaticProblem):
        return [], [refusal(replace(whole, code=found.source), split.reason, split.detail)]
    tests: list[GeneratedTest] = []
    refused: list[JudgedTest] = []
    for test in split[:MOST_TESTS]:
        problem = language.static_problem(test)
        if problem is None:
            tests.append(test)
        else:
            refused.append(refusal(test, problem.reason, problem.detail))
    if len(split) > MOST_TESTS:
        detail = f"The answer holds {len(split)} tests; only the first {MOST_TESTS} were looked at."
        refused.append(refusal(whole, Reason.NOT_A_TEST, detail))
    return tests, refused


def refusal(test: GeneratedTest, reason: Reason, detail: str) -> JudgedTest:
    """A test that is refused before the judge sees it."""
    return JudgedTest(test, TestVerdict.REFUSED, reason, detail)
