"""The harness itself: planting, the lines of a planted place, and the pages that are made of figures."""

from __future__ import annotations

import ast
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.benchmarks.peers import report
from tests.benchmarks.peers.plantings import PLANTINGS, Planting
from tests.benchmarks.peers.subjects import SUBJECTS, lines_of, plant, strip

CODE = 'def f(x):\n    """>>> f(1)\n    2\n    """\n    y = x + 1\n    return y\n'
PLANTING = Planting("p", "pkg/m.py", "f", "    y = x + 1\n    return y", "    y = x + 1\n    return -y", "f(1)", "2")


def written(root: Path) -> Path:
    for name, text in {
        "pkg/__init__.py": "",
        "pkg/m.py": CODE,
        "tests/test_m.py": "def test_m():\n    pass\n",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_thirty_places_in_different_functions() -> None:
    assert len({(p.project, p.file, p.symbol) for p in PLANTINGS}) == len(PLANTINGS) == 30
    assert {planting.project for planting in PLANTINGS} <= {subject.name for subject in SUBJECTS}
    for planting in PLANTINGS:
        ast.parse(planting.setup)
        ast.parse(planting.example, mode="eval")
        ast.literal_eval(planting.says)


def test_every_tool_begins_from_nothing(tmp_path: Path) -> None:
    tree = strip(written(tmp_path), "pkg/*")
    assert not (tmp_path / "tests/test_m.py").exists()
    assert tree.files == ("pkg/__init__.py", "pkg/m.py")
    assert [target.symbol for target in tree.targets] == ["f"]


def test_a_planted_copy_differs_in_its_line_alone(tmp_path: Path) -> None:
    untouched = strip(written(tmp_path / "u"), "pkg/*")
    planted = plant(untouched, tmp_path / "p", "pkg/*", [PLANTING])
    assert lines_of(planted, PLANTING) == {6}
    assert (untouched.root / "pkg/m.py").read_text() == CODE


def test_a_place_that_is_not_there_stops_the_run(tmp_path: Path) -> None:
    untouched = strip(written(tmp_path / "u"), "pkg/*")
    absent = Planting("p", "pkg/m.py", "f", "x * 1", "x * 2", "f(1)", "2")
    with pytest.raises(SystemExit, match="not there exactly once"):
        plant(untouched, tmp_path / "p", "pkg/*", [absent])


def document() -> dict[str, object]:
    figures = {
        "seconds": 10.4,
        "lines": [9, 10],
        "branches": [1, 2],
        "mutants": [3, 4],
        "passed": 5,
        "accused": [],
        "problem": "",
    }
    caught = {"seconds": 1, "caught": ["f"], "frozen": [], "frozen_specification": [], "others": [], "problem": ""}
    missed = {**caught, "caught": [], "frozen": ["f"]}
    return {
        "requirement": "p==1.0",
        "tools": {"ours": figures, "pynguin": {**figures, "accused": ["t::a"]}, "ghostwriter": figures},
        "planted": {
            "plantings": [asdict(PLANTING)],
            "tools": {"ours": caught, "pynguin": missed, "ghostwriter": missed},
        },
    }


def test_the_page_tells_caught_from_frozen() -> None:
    page = report.page([document()])
    assert "| p 1.0 | QVerify, no model | 10 | 90.0 % | 50.0 % | 75.0 % | 5 | 0 |" in page
    assert "| p | `f` | `f(1)` | `2` | caught | frozen | frozen |" in page
    assert "- Pynguin 0.48: 1 in 1 of 1 projects" in page


def test_the_readme_changes_between_its_marks_only(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n")
    report.write_table(readme, [document()])
    text = readme.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "old" not in text
    assert "| p (%) | 90 / 50 / 75 | 90 / 50 / 75 | 90 / 50 / 75 |" in text
    assert "| of 1 planted contradictions caught | 1 | 0 | 0 |" in text
