from __future__ import annotations

import ast
from pathlib import Path

from qverify_desktop.domain.testing import Mutant, MutantStatus
from qverify_desktop.languages.mutants import mutated
from qverify_desktop.languages.mutation_report import read_mutation
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.mutation import mutants
from qverify_desktop.languages.python.mutation_run import mutation_job
from tests.languages.python.driving import run_job
from tests.languages.python.repositories import snapshot_of

MODULE = '''\
"""Füße."""
def f(x, y=3):
    """Doc 1 < 2."""
    total = 0
    for i in range(x):
        if i % 2 == 0 and i > y or not x:
            total += i * 2
        elif i in (5, 7):
            total -= 1
        else:
            continue
    if total < 0:
        raise ValueError("bad 12")
    name = "ü" if x else ""
    print(name)
    while total > 100:
        total -= 10
    return total
'''
EVERY = frozenset(range(1, 200))


def found_in(root: Path, files, lines=EVERY, most=1000):
    snapshot = snapshot_of(root, files)
    project = detect(snapshot)
    assert project is not None
    return [m for t in find_targets(snapshot, project) for m in mutants(snapshot, t, lines, most)], project


def test_each_mutant_is_one_valid_change_of_the_file(tmp_path: Path) -> None:
    found, _ = found_in(tmp_path, {"m.py": MODULE})
    content = MODULE.encode()
    assert len(found) > 25
    assert len({m.id for m in found}) == len(found)
    for mutant in found:
        assert content[mutant.start : mutant.end].decode() == mutant.original
        changed = mutated(content, mutant).decode()
        assert changed != MODULE
        ast.parse(changed)
        assert mutant.line == content[: mutant.start].count(b"\n") + 1
        assert "Doc" not in mutant.original
        assert mutant.operator == "raise" or "12" not in mutant.original
    pairs = {(m.operator, m.original, m.replacement) for m in found}
    assert {
        ("relational", "==", "!="), ("relational", ">", ">="), ("logical", "and", "or"), ("logical", "or", "and"),
        ("negation", "not x", "bool(x)"), ("arithmetic", "%", "//"), ("arithmetic", "+=", "-="),
        ("membership", "in", "not in"), ("constant", "2", "3"), ("constant", "2", "1"), ("text", '"ü"', '""'),
        ("text", '""', '"XX"'), ("return", "total", "None"), ("call", "print(name)", "pass"),
        ("raise", 'raise ValueError("bad 12")', "pass"), ("loop", "continue", "break"),
    } <= pairs  # fmt: skip


def test_a_choice_is_spread_and_the_same_each_time(tmp_path: Path) -> None:
    found, _ = found_in(tmp_path, {"m.py": MODULE}, most=8)
    assert len(found) == 8
    assert len({m.operator for m in found}) == 8
    assert found == found_in(tmp_path, {"m.py": MODULE}, most=8)[0]
    some, _ = found_in(tmp_path, {"m.py": MODULE}, lines=frozenset({6}))
    assert {m.line for m in some} == {6}
    assert found_in(tmp_path, {"m.py": MODULE}, lines=frozenset())[0] == []


def test_offsets_hold_behind_a_byte_order_mark_and_other_encodings_have_none(tmp_path: Path) -> None:
    code = "def f(é):\n    return é + 1\n"
    found, _ = found_in(tmp_path / "bom", {"m.py": b"\xef\xbb\xbf" + code.encode()})
    content = b"\xef\xbb\xbf" + code.encode()
    assert {content[m.start : m.end].decode() for m in found} == {"+", "1", "é + 1"}
    assert all(m.original == content[m.start : m.end].decode() for m in found)
    assert found_in(tmp_path / "latin", {"m.py": b"# coding: latin-1\n" + code.encode("latin-1")})[0] == []


def test_mutants_meet_their_tests(tmp_path: Path) -> None:
    """Outside a container: the repository is written here."""
    module = (
        "def f(x):\n    while x > 3:\n        x -= 1\n    return x\n\n\ndef g():\n    return 1\n\n\nLIMIT = g() + 1\n"
    )
    found, project = found_in(tmp_path, {"pkg/__init__.py": "", "pkg/m.py": module, "tests/test_own.py": (
        "from pkg.m import f\n\n\ndef test_own():\n    assert f(2) == 2\n")})  # fmt: skip
    generated = {
        "tests/qv/test_new.py": "import os\nfrom pkg.m import f\n\n\ndef test_new():\n    assert f(9) == 3\n\n\n"
        "def test_red():\n    assert f(9) == 4\n\n\ndef test_exits():\n    if f(3) is None:\n        os._exit(1)\n"
    }
    names = [
        "tests/test_own.py::test_own",
        *(f"tests/qv/test_new.py::{n}" for n in ("test_new", "test_red", "test_exits")),
    ]
    job = mutation_job(project, generated, found, {m.id: names for m in found})
    outcomes = {o.mutant: o for o in read_mutation(found, run_job(job, tmp_path))}
    by = {(m.line, m.operator, m.replacement): outcomes[m.id] for m in found}
    assert by[(3, "arithmetic", "+=")].status is MutantStatus.TIMED_OUT
    assert by[(3, "arithmetic", "+=")].killed_by == ("tests/qv/test_new.py::test_new",)
    assert by[(2, "constant", "4")].killed_by == ("tests/qv/test_new.py::test_new",)
    assert by[(4, "return", "None")].status is MutantStatus.KILLED
    assert set(by[(4, "return", "None")].killed_by) == {
        "tests/test_own.py::test_own", "tests/qv/test_new.py::test_new", "tests/qv/test_new.py::test_exits",
    }  # fmt: skip
    assert by[(3, "constant", "2")].status is MutantStatus.SURVIVED
    # ``g`` gives None, so that the module can't be imported any more.
    assert by[(8, "return", "None")].status is MutantStatus.INVALID
    assert by[(8, "constant", "2")].status is MutantStatus.SURVIVED
    assert (tmp_path / "pkg/m.py").read_text() == module


def test_forged_and_missing_records_are_not_run() -> None:
    from qverify_desktop.domain.execution import Execution, JobResult

    mutant = Mutant("a" * 16, "m.py", 1, "constant", 0, 1, "1", "2")
    execution = Execution("mutants", "", "", "", (), 0, 0)
    for content in (b"", b"\xff\n{", b'{"kind":"mutant","mutant":"other","status":"killed","killed_by":[]}',
                    b'{"kind":"mutant","mutant":"' + b"a" * 16 + b'","status":"great","killed_by":[]}'):  # fmt: skip
        (outcome,) = read_mutation([mutant], JobResult(execution, "", {"mutants.jsonl": content}))
        assert outcome.status is MutantStatus.NOT_RUN
