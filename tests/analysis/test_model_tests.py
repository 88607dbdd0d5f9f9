"""The flow of questions about one target: what is asked again, what is kept, what the evidence gets. No container here:
the answers of the sandbox are records as its driver writes them, read by the real reader."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.analysis.model_tests import (
    ModelOutcome,
    ModelUnavailable,
    write_for_survivors,
    write_model_tests,
)
from qverify_desktop.analysis.reading import MOST_TESTS, answer_path, read_answer
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.execution import Execution, Job, JobResult
from qverify_desktop.domain.model import Answer, Asker, Masked, Purpose
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.question import Question
from qverify_desktop.domain.results import AnalysisRequest, Reason
from qverify_desktop.domain.testing import Label, Mutant
from qverify_desktop.gateway.masking import mask
from qverify_desktop.languages.python.language import PythonLanguage

LANGUAGE = PythonLanguage()
SOURCE = 'def pages(n: int) -> int:\n    """Pages.\n\n    >>> pages(10)\n    2\n    """\n    return n // 5\n'
TARGET = Target("python", "pkg/text.py", "pkg.text", "pages", 1, 7, 7, "def pages(n: int) -> int", "Pages.")
PROJECT = Project("python", "python", ("",), ("pkg/__init__.py", "pkg/text.py"), ())
HEADER = "from pkg.text import pages\n\n\n"

Verdict = Callable[[str], dict[str, object]]


class Model:
    """Answers in order; a ``ModelFailure`` among them is raised."""

    def __init__(self, *answers: str | ModelFailure) -> None:
        self.answers = list(answers)
        self.prompts: list[str] = []
        #: Messages of each question, in their roles.
        self.asked: list[list[dict[str, str]]] = []
        #: Questions in which the body is hidden, and what is said to them.
        self.second: list[str] = []
        self.expectations: str | list[str] | ModelFailure = "I can't tell."

    async def complete(self, question: Question) -> Answer:
        prompt = "\n".join(m["content"] for m in question.messages)
        if question.purpose == Purpose.SECOND_OPINION:
            self.second.append(prompt)
            if isinstance(self.expectations, ModelFailure):
                raise self.expectations
            said = self.expectations
            said = said[len(self.second) - 1] if isinstance(said, list) else said
            return Answer(said, question.model, "scripted", 10, 5, 0, 0)
        self.asked.append(question.messages)
        self.prompts.append(prompt)
        answer = self.answers[min(len(self.prompts), len(self.answers)) - 1]
        if isinstance(answer, ModelFailure):
            raise answer
        return Answer(answer, question.model, "scripted", 10, 5, 7, 11)

    def mask(self, messages: list[dict[str, str]]) -> Masked:
        return mask(messages)

    async def probe(self, model: str, api_base: str, *, asker: Asker = Asker()) -> str:
        return ""


def reports(verdict: Verdict) -> Callable[[Job], object]:
    """A sandbox whose driver reports each test as ``verdict`` of its source says."""

    async def run(job: Job) -> JobResult:
        records: list[dict[str, object]] = []
        for test in json.loads(job.overlay[next(p for p in job.overlay if p.endswith("suite.json"))])["expected"]:
            told = verdict(job.overlay[test.partition("::")[0]].decode())
            kind = {"kind": "collect_error", "file": test.partition("::")[0]} if "error" in told else {"kind": "test"}
            if "error" in told:
                records.append({**kind, "message": told["error"]})
            else:
                records.append({**kind, "test": test, "duration_ms": 1, **told})
        execution = Execution(job.purpose, "c" * 64, "image", "sha256:0", job.argv, 0, 5)
        content = "\n".join(json.dumps(record) for record in records).encode()
        return JobResult(execution, "", {"suite.jsonl": content})

    return run


def passes(source: str) -> dict[str, object]:
    return {"status": "passed"}


def by_words(source: str) -> dict[str, object]:
    if "invented" in source:
        return {"error": "ImportError: cannot import name 'invented'"}
    if "== 99" in source or "== 2\n" in source:
        return {"status": "failed", "raised": "AssertionError", "in_test": True, "message": "assert 1 == 99"}
    if "explode" in source:
        return {"status": "failed", "raised": "ZeroDivisionError", "message": "boom", "frames": ["pkg/text.py:7"]}
    return {"status": "passed"}


async def run(
    tmp_path: Path, model: Model, verdict: Verdict = by_words, rounds: int = 3, left: int | None = None
) -> ModelOutcome:
    (tmp_path / "pkg").mkdir(exist_ok=True)
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40, files=("pkg/__init__.py", "pkg/text.py"))
    project = PROJECT
    request = AnalysisRequest("origin", model="m", api_base="http://model.invalid")
    return await write_model_tests(
        TARGET,
        snapshot,
        project,
        LANGUAGE,
        model,
        reports(verdict),
        request,
        rounds=rounds,  # type: ignore[arg-type]
        left=left,
    )


def test_of(name: str, expression: str) -> str:
    return f"def test_{name}():\n    assert {expression}\n\n\n"


test_of.__test__ = False  # type: ignore[attr-defined]


async def test_passing_tests_need_one_question(tmp_path: Path) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(10) == 3')}```")
    outcome = await run(tmp_path, model)
    assert [t.name for t in outcome.tests] == ["test_pages_a"]
    assert (
        outcome.tests[0].path
        == answer_path(LANGUAGE, PROJECT, TARGET, 0)
        == "tests/qverify/test_qv_pkg_text_pages_model.py"
    )
    assert (outcome.cost_microusd, outcome.model_ms, len(outcome.executions)) == (7, 11, 1)
    assert outcome.executions[0].purpose == "model"
    assert ">>> pages(10)" in model.prompts[0]
    assert "return n // 5" in model.prompts[0]


async def test_the_good_are_kept_while_the_others_are_asked_about(tmp_path: Path) -> None:
    first = f"{HEADER}from pkg.text import invented\n{test_of('a', 'pages(1) == 0')}{test_of('b', 'invented(pages(1)) == 0')}"
    second = f"{HEADER}{test_of('pages_b', 'pages(1) == 0')}"
    model = Model(f"```python\n{first}```", f"```python\n{second}```")
    outcome = await run(tmp_path, model)
    assert sorted(t.name for t in outcome.tests) == ["test_pages_a", "test_pages_b"]
    assert outcome.refused == ()
    assert len(model.prompts) == 2
    assert "cannot import name 'invented'" in model.prompts[1]
    assert "test_pages_a" not in model.asked[1][-1]["content"]
    assert [(e.type, e.data["round"], e.data["purpose"]) for e in outcome.evidence] == [
        ("model_prompt", 0, "generate"),
        ("model_answer", 0, "generate"),
        ("model_prompt", 0, "second_opinion"),
        ("model_answer", 0, "second_opinion"),
        ("model_prompt", 1, "repair"),
        ("model_answer", 1, "repair"),
    ]
    assert outcome.evidence[4].data["template"] == "repair 2, data 1"
    assert outcome.evidence[5].blobs["answer"].decode() == f"```python\n{second}```"
    assert outcome.cost_microusd == 14


@pytest.mark.parametrize(("left", "asked"), [(7, 1), (8, 2), (None, 3)])
async def test_the_repair_ends_when_the_budget_is_spent(tmp_path: Path, left: int | None, asked: int) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}{test_of('b', 'pages(1) == 99')}```")
    outcome = await run(tmp_path, model, rounds=2, left=left)
    assert (len(model.prompts), outcome.cost_microusd) == (asked, 7 * asked)
    assert "test_pages_a" in [t.name for t in outcome.tests], "what was won before stays"
    assert ("budget is used up" in " ".join(outcome.notices)) == (left is not None)


async def test_rounds_end_and_each_leftover_has_its_reason(tmp_path: Path) -> None:
    answer = (
        f"```python\n{HEADER}from pkg.text import invented\n{test_of('name', 'invented(pages(1)) == 0')}"
        f"{test_of('value', 'pages(1) == 99')}{test_of('explode', 'pages(0) == 1')}```"
    )
    model = Model(answer)
    outcome = await run(tmp_path, model, rounds=2)
    assert len(model.prompts) == 3
    assert ["value" in t.name for t in outcome.tests] == [True]
    assert {(r.test.name.split("_")[2], r.reason) for r in outcome.refused} == {
        ("name", Reason.WRONG_IMPORT),
        ("explode", Reason.FAILS),
    }
    assert all(r.detail for r in outcome.refused)


async def test_a_test_that_agrees_with_the_words_is_not_asked_about_though_it_fails(tmp_path: Path) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages( 10 ) == 2')}```")
    outcome = await run(tmp_path, model)
    assert len(model.prompts) == 1
    assert outcome.tests[0].label is Label.SPECIFICATION
    assert outcome.tests[0].quote is not None
    assert outcome.tests[0].quote.text.startswith(">>> pages(10)")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("I would rather not.", Reason.NOT_A_TEST),
        ("```python\ndef helper():\n    pass\n```", Reason.NOT_A_TEST),
        ("```python\ndef test_a(:\n```", Reason.SYNTAX),
        (f"```python\n{HEADER}{test_of('a', 'True')}```", Reason.TRIVIAL),
    ],
)
async def test_answers_without_a_test_are_refused_unseen(tmp_path: Path, answer: str, reason: Reason) -> None:
    model = Model(answer)
    outcome = await run(tmp_path, model)
    assert outcome.tests == ()
    assert [r.reason for r in outcome.refused] == [reason]
    assert outcome.refused[0].detail
    assert outcome.executions == ()
    # What can't be read at all is asked for once more; a tautology was read, and says what the model can do.
    assert len(model.prompts) == (1 if reason is Reason.TRIVIAL else 2)


async def test_no_answer_at_all_is_typed_and_keeps_the_prompt(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await run(tmp_path, Model(ModelFailure("It is down.", "Start it.")))
    assert (caught.value.sentence, caught.value.remedy) == ("It is down.", "Start it.")
    assert [e.type for e in caught.value.evidence] == ["model_prompt", "model_no_answer"]
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.sentence == "It is down."


async def test_a_failure_while_mending_keeps_what_was_won(tmp_path: Path) -> None:
    answer = f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}{test_of('b', 'pages(1) == 99')}```"
    outcome = await run(tmp_path, Model(answer, ModelFailure("It is down.")))
    assert len(outcome.tests) == 2
    assert outcome.notices == ("The repair of tests for pages ended early: It is down.",)


async def test_a_sandbox_that_says_nothing_is_infrastructure_and_not_the_models_fault(tmp_path: Path) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}```")

    async def silent(job: Job) -> JobResult:
        execution = Execution(job.purpose, "c" * 64, "image", "sha256:0", job.argv, 137, 5, timed_out=True)
        return JobResult(execution, problem="It ran into the time limit.")

    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    outcome = await write_model_tests(
        TARGET,
        Snapshot("origin", "name", str(tmp_path), "0" * 40, files=("pkg/text.py",)),
        Project("python", "python", ("",), ("pkg/text.py",), ()),
        LANGUAGE,
        model,
        silent,
        AnalysisRequest("origin", model="m"),
    )
    assert [r.reason for r in outcome.refused] == [Reason.INFRASTRUCTURE]
    assert len(model.prompts) == 1


def test_a_model_that_repeats_itself_is_cut_off() -> None:
    source = HEADER + "".join(test_of(f"t{n}", f"pages({n}) == {n}") for n in range(MOST_TESTS + 5))
    tests, refused = read_answer(f"```python\n{source}```", "t.py", TARGET, LANGUAGE)
    assert len(tests) == MOST_TESTS
    assert str(MOST_TESTS + 5) in refused[0].detail


@pytest.mark.parametrize("symbol", ["Slug.make", "größe", "x" * 500, "__init__"])
def test_every_target_has_a_file_name(symbol: str) -> None:
    path = answer_path(LANGUAGE, PROJECT, replace(TARGET, symbol=symbol), 2)
    assert path.startswith("tests/qverify/test_qv_pkg_text")
    assert path.endswith("_model_2.py")
    assert path.isascii()
    assert len(path) < 200


async def test_prose_is_asked_about_once_more_and_no_oftener(tmp_path: Path) -> None:
    model = Model("I would rather not.", f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}```")
    outcome = await run(tmp_path, model)
    assert [t.name for t in outcome.tests] == ["test_pages_a"]
    assert outcome.refused == ()
    assert "only prose" in model.asked[1][-1]["content"]
    assert model.asked[1][-2] == {"role": "assistant", "content": "I would rather not."}


async def test_a_fresh_conversation_begins_when_the_error_repeats(tmp_path: Path) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(1) == 99')}```")
    await run(tmp_path, model, rounds=3)
    assert [len(messages) for messages in model.asked] == [2, 4, 2, 2], "question, talk, and anew while it repeats"
    assert "return n // 5" in model.prompts[2], "what is asked anew says everything again"
    assert "return n // 5" not in model.asked[1][-1]["content"], "a talk says nothing twice"


@pytest.mark.parametrize(("base", "rounds"), [("http://model.invalid", 3), ("http://127.0.0.1:11434", 5)])
async def test_a_model_on_this_machine_has_more_rounds(tmp_path: Path, base: str, rounds: int) -> None:
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(1) == 99')}```")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40, files=("pkg/text.py",))
    request = AnalysisRequest("origin", model="m", api_base=base)
    await write_model_tests(TARGET, snapshot, PROJECT, LANGUAGE, model, reports(by_words), request)  # type: ignore[arg-type]
    assert len(model.prompts) == 1 + rounds


async def test_a_model_that_mends_its_expectation_leaves_an_event(tmp_path: Path) -> None:
    wrong = f"```python\n{HEADER}{test_of('a', 'pages(1) == 99')}```"
    right = f"```python\n{HEADER}{test_of('pages_a', 'pages(1) == 0')}```"
    outcome = await run(tmp_path, Model(wrong, right))
    changes = [e for e in outcome.evidence if e.type == "expectation_changed"]
    assert [(e.data["by"], e.blobs["before"], e.blobs["after"]) for e in changes] == [("repair", b"99", b"0")]
    assert [(t.expected, t.label) for t in outcome.tests] == [("0", Label.CHARACTERIZATION)]


SURVIVOR = Mutant("m1", "pkg/text.py", 7, "arithmetic", 0, 1, "n // 5", "n // 6", TARGET.id)


async def asked_about_survivors(tmp_path: Path, *answers: str | ModelFailure) -> tuple[Model, ModelOutcome]:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40, files=("pkg/text.py",))
    model, request = Model(*answers), AnalysisRequest("origin", model="m")
    survivors = [SURVIVOR, *(replace(SURVIVOR, id=f"m{n}", original=f"n // {n}") for n in range(20, 30))]
    outcome = await write_for_survivors(
        TARGET,
        snapshot,
        PROJECT,
        LANGUAGE,
        model,
        reports(by_words),
        request,
        survivors,  # type: ignore[arg-type]
    )
    return model, outcome


async def test_survivors_are_shown_once_and_three_at_most(tmp_path: Path) -> None:
    answer = f"```python\n{HEADER}{test_of('six', 'pages(6) == 1')}{test_of('off', 'pages(1) == 99')}```"
    model, outcome = await asked_about_survivors(tmp_path, answer)
    assert len(model.prompts) == 1, "no repair"
    assert "line 7: 'n // 5' becomes 'n // 6'" in model.prompts[0]
    assert model.prompts[0].count("becomes 'n // 6'") == 3
    assert sorted(t.name for t in outcome.tests) == ["test_pages_off", "test_pages_six"], "the judge decides"
    assert {t.path for t in outcome.tests} == {answer_path(LANGUAGE, PROJECT, TARGET, "s")}


@pytest.mark.parametrize("answer", ["They make no difference.", ModelFailure("It is down.")])
async def test_a_model_that_has_nothing_to_say_of_survivors_leaves_nothing_behind(
    tmp_path: Path, answer: str | ModelFailure
) -> None:
    _, outcome = await asked_about_survivors(tmp_path, answer)
    assert (outcome.tests, outcome.refused) == ((), ())
    assert bool(outcome.notices) == isinstance(answer, ModelFailure)
