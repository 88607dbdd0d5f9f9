"""What has not changed is not analysed again, and gives the same findings as if it were."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.evidence.verify import verify_bundle
from tests.integration.analysis.command import Repository, analyse
from tests.integration.analysis.test_fixed import entries

pytestmark = pytest.mark.docker

SAMPLE = resources_root() / "resources" / "sample"
SAME = ("verdict", "sentence", "tests", "counts", "suspected_defects", "targets", "accepted", "refused")


def findings(document: dict[str, Any]) -> dict[str, Any]:
    return {name: document[name] for name in SAME}


def relied_on(document: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [e["data"]["relies_on"] for e in entries(document["bundle"], "entries.jsonl") if e["type"] == kind]


def ran(document: dict[str, Any]) -> int:
    return sum(entry["type"] == "execution" for entry in entries(document["bundle"], "entries.jsonl"))


def test_an_unchanged_repository_takes_under_a_tenth_and_says_the_same(tmp_path: Path) -> None:
    folder, home = tmp_path / "sample", tmp_path / "home"
    shutil.copytree(SAMPLE, folder)
    first = analyse(home, folder)
    assert first["reused"] == {"run": None, "targets": 0}
    second = analyse(home, folder)
    assert second["reused"] == {"run": first["run"], "targets": first["targets"]}
    assert findings(second) == findings(first)
    assert second["duration_s"] < first["duration_s"] / 10 and ran(second) == 0
    assert [one["run"] for one in relied_on(second, "reused")] == [first["run"]]
    assert any("taken over" in notice for notice in second["notices"])
    third = analyse(home, folder)
    assert third["reused"]["run"] == first["run"], "a run that only took over is not where anything was found"
    assert third["notices"] == second["notices"]
    answer = verify_bundle(Path(third["bundle"]))
    assert (answer["grade"], answer["problems"]) == ("UNANCHORED", [])
    for more in (["--seed", "7"], ["--fresh"]):
        other = analyse(home, folder, *more)
        assert other["reused"] == {"run": None, "targets": 0} and ran(other) > 5, more
    (home / "signing.key").unlink(missing_ok=True)
    for key in home.rglob("*signing*"):
        key.unlink()
    assert analyse(home, folder)["reused"] == {"run": None, "targets": 0}, "the key is another one now"


def test_only_what_changed_is_analysed_again(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    for path in SAMPLE.rglob("*"):
        if path.is_file():
            place = repository.folder / path.relative_to(SAMPLE)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
    repository.commit("Begin")
    home = tmp_path / "home"
    first = analyse(home, repository.folder)
    changed = repository.folder / "shelf" / "ranges.py"
    changed.write_text(changed.read_text() + "\n\ndef double(number: int) -> int:\n    return 2 * number\n")
    repository.commit("Add a function")
    second = analyse(home, repository.folder)
    alone = analyse(tmp_path / "another", repository.folder)
    assert second["reused"]["run"] is None
    kept = {test["target"] for test in second["tests"] if not test["target"].startswith("shelf/ranges.py")}
    assert second["reused"]["targets"] >= len(kept) > 3
    assert {one["run"] for one in relied_on(second, "targets_reused")} == {first["run"]}
    for name, value in findings(alone).items():
        assert second[name] == value, name
    assert second["sandbox_s"] < alone["sandbox_s"]
    assert verify_bundle(Path(second["bundle"]))["problems"] == []
    third = analyse(home, repository.folder, "--scope", "files:shelf/*.py")
    assert third["reused"]["targets"] == third["targets"], "each from the run that analysed it"
    assert {one["run"] for one in relied_on(third, "targets_reused")} == {first["run"], second["run"]}


def test_a_time_budget_stops_between_batches_and_the_next_run_goes_on(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    text = '"""Numbers."""\n'
    for number in range(40):
        text += f'\n\ndef add_{number}(value: int) -> int:\n    """Add.\n\n    >>> add_{number}(1)\n    {number + 1}\n    """\n'
        text += f"    return value + {number}\n"
    repository.commit("Begin", __init__="", numbers=text)
    home = tmp_path / "home"
    first = analyse(home, repository.folder, "--time-budget", "1")
    assert any("25 of 40 functions were not looked at" in notice for notice in first["notices"])
    assert len({test["target"] for test in first["tests"]}) == 15
    whole = analyse(home, repository.folder)
    assert len({test["target"] for test in whole["tests"]}) == 40
