"""Who is asked once more about mutants that survived, and which of them are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qverify_desktop.analysis.generate import Allowance, Candidates, from_survivors
from qverify_desktop.analysis.mutation import RunMutant
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import Mutant, MutantOutcome, MutantStatus
from tests.analysis.test_budget import ANSWER, Store, steps_over
from tests.analysis.test_model_tests import HEADER, SOURCE, TARGET, Model, test_of

OTHER = replace(TARGET, symbol="other")


def mutant(
    number: int, line: int, status: MutantStatus = MutantStatus.SURVIVED, target: Target = TARGET
) -> RunMutant:
    changed = Mutant(f"m{number}", target.file, line, "x", 0, 1, f"old {number}", f"new {number}", target.id)
    return RunMutant(changed, ("t",), MutantOutcome(changed.id, status))


async def asked(
    tmp_path: Path,
    model: Model,
    mutants: Sequence[RunMutant],
    tested: set[str],
    budget: int = 0,
    store: Store | None = None,
) -> Candidates:
    (tmp_path / "pkg").mkdir(exist_ok=True)
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    files = ("pkg/__init__.py", "pkg/text.py")
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40, files=files)
    steps = steps_over(tmp_path, model, budget, store or Store())
    project = Project("python", "python", ("",), files, ())
    return await from_survivors(steps, snapshot, project, [TARGET, OTHER], mutants, tested, Allowance(2), "python.0")


def killing() -> Model:
    return Model(f"```python\n{HEADER}{test_of('six', 'pages(6) == 1')}```")


async def test_three_survivors_of_different_lines_are_shown(tmp_path: Path) -> None:
    model = killing()
    killed = mutant(9, 2, MutantStatus.KILLED)
    mutants = [killed, mutant(1, 7), mutant(2, 7), mutant(3, 8), mutant(4, 9)]
    found = await asked(tmp_path, model, mutants, {TARGET.id})
    assert [t.name for t in found.tests] == ["test_pages_six"]
    shown = [n for n in (1, 2, 3, 4, 9) if f"'old {n}' becomes" in model.prompts[0]]
    assert shown == [1, 3, 4]


async def test_only_targets_with_good_tests_of_the_model_and_survivors_are_asked_about(tmp_path: Path) -> None:
    model = killing()
    mutants = [mutant(1, 7), mutant(2, 7, target=OTHER), mutant(3, 7, MutantStatus.KILLED)]
    await asked(tmp_path, model, mutants, {OTHER.id})
    assert len(model.prompts) == 1
    assert "`other`" in model.prompts[0]
    assert (await asked(tmp_path, killing(), mutants, set())) == Candidates()
    assert (await asked(tmp_path, killing(), mutants[2:], {TARGET.id})) == Candidates()


async def test_it_ends_with_the_budget_and_with_a_model_that_fails(tmp_path: Path) -> None:
    mutants = [mutant(1, 7), mutant(2, 7, target=OTHER)]
    both = {TARGET.id, OTHER.id}
    model = killing()
    await asked(tmp_path, model, mutants, both, budget=ANSWER)
    assert len(model.prompts) == 1
    model = Model(ModelFailure("It is down."))
    found = await asked(tmp_path, model, mutants, both)
    assert len(model.prompts) == 1
    assert "It is down." in found.notices[0]


async def test_what_was_paid_before_a_restart_is_not_asked_again(tmp_path: Path) -> None:
    store, mutants = Store(), [mutant(1, 7)]
    first = await asked(tmp_path, killing(), mutants, {TARGET.id}, store=store)
    model = killing()
    assert await asked(tmp_path, model, mutants, {TARGET.id}, store=store) == first
    assert model.prompts == []
