"""From a folder to proof: the command line over the sample repository, and the bundle in the hands of a stranger."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qverify_desktop.domain.locations import resources_root
from tests.integration.engine.killing import containers

pytestmark = pytest.mark.docker

SAMPLE = resources_root() / "resources" / "sample"


@dataclass(frozen=True)
class Run:
    """One finished ``qverify analyze --json --out``."""

    home: Path
    out: Path
    done: subprocess.CompletedProcess[str]
    document: dict[str, Any]


def qverify(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", *arguments],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=900,
    )


def fingerprint(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    before = fingerprint(SAMPLE)
    done = qverify(folder / "home", "analyze", str(SAMPLE), "--json", "--out", str(folder / "out"))
    assert fingerprint(SAMPLE) == before, "the analysed folder was written to"
    return Run(folder / "home", folder / "out", done, json.loads(done.stdout))


def test_it_exits_with_the_verdict_and_prints_one_document(run: Run) -> None:
    assert run.done.returncode == 1, run.done.stderr
    document = run.document
    assert document["exit_code"] == 1 and document["verdict"] == "defects_suspected"
    assert [language.lower() for language in document["languages"]] == ["python"]
    assert document["accepted"] == sum(t["verdict"] == "accepted" for t in document["tests"]) > 0
    assert sum(document["refused"].values()) == sum(t["verdict"] == "refused" for t in document["tests"])
    for measure in (document["coverage"]["before"], document["coverage"]["after"]):
        assert set(measure) == {"lines", "branches"}
    assert document["coverage"]["after"]["lines"] > document["coverage"]["before"]["lines"]
    assert document["mutation"]["after"] > document["mutation"]["before"]
    assert document["cost_microusd"] == 0 and document["model_s"] == 0
    assert document["duration_s"] > 0 and document["sandbox_s"] > 0
    for test in document["tests"]:
        assert {"path", "name", "label", "verdict", "reason"} <= set(test)
    schema = json.loads((resources_root() / "docs" / "analyze.schema.json").read_text())
    jsonschema.validate(document, schema)
    assert "Traceback" not in run.done.stderr and "Judge the tests" in run.done.stderr


def test_the_planted_defect_is_named_and_no_other(run: Run) -> None:
    (defect,) = run.document["suspected_defects"]
    assert (defect["file"], defect["symbol"]) == ("shelf/ranges.py", "page_count")
    assert defect["expected"] == "2" and defect["observed"] == "3"
    assert defect["call"] in defect["evidence_text"]
    assert defect["evidence_text"].splitlines()[0].strip() in (SAMPLE / "shelf" / "ranges.py").read_text()
    assert 0 < defect["confidence"] <= 1


def test_accepted_tests_report_and_bundle_lie_under_out(run: Run) -> None:
    for test in run.document["tests"]:
        if test["verdict"] == "accepted":
            assert f"def {test['name']}(" in (run.out / test["path"]).read_text()
    assert Path(run.document["report"]) == run.out / "report.html"
    assert Path(run.document["bundle"]) == run.out / f"{run.document['run']}.qvevidence.zip"
    assert "page_count" in (run.out / "report.html").read_text()


def test_a_stranger_verifies_the_bundle(run: Run, tmp_path: Path) -> None:
    done = qverify(tmp_path / "empty", "verify", run.document["bundle"], "--json")
    assert done.returncode == 0, done.stdout
    answer = json.loads(done.stdout)
    assert answer["valid"] and answer["problems"] == [] and answer["events"] > 20
    assert answer["grade"] == run.document["grade"] and answer["checkpoint"]
    assert not (tmp_path / "empty").exists()


def test_a_changed_bundle_is_not_whole(run: Run, tmp_path: Path) -> None:
    content = bytearray(Path(run.document["bundle"]).read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "changed.zip").write_bytes(content)
    assert qverify(tmp_path / "empty", "verify", str(tmp_path / "changed.zip")).returncode in (1, 2)


def test_later_commands_find_the_run(run: Run, tmp_path: Path) -> None:
    name = run.document["run"]
    listed = json.loads(qverify(run.home, "runs", "--json").stdout)["runs"]
    assert [(one["run"], one["status"], one["suspected"]) for one in listed] == [(name, "finished", 1)]
    assert json.loads(qverify(run.home, "show", name[:10], "--json").stdout) == run.document
    for format in ("html", "junit", "sarif", "markdown", "csv", "patch", "evidence"):
        target = tmp_path / "new" / f"report.{format}"
        done = qverify(run.home, "export", name, "--format", format, "-o", str(target))
        assert done.returncode == 0, done.stderr
        assert target.stat().st_size > 100
    assert (tmp_path / "new" / "report.evidence").read_bytes() == Path(run.document["bundle"]).read_bytes()


def test_no_container_is_left_and_no_file_is_readable_by_others(run: Run) -> None:
    assert containers(run.home) == []
    assert run.home.stat().st_mode & 0o077 == 0


def test_the_accepted_tests_pass_beside_the_source(run: Run, tmp_path: Path) -> None:
    """A person copies them into the repository: they run there with plain pytest."""
    import shutil

    work = tmp_path / "work"
    shutil.copytree(SAMPLE, work)
    for path in {test["path"] for test in run.document["tests"] if test["verdict"] == "accepted"}:
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(run.out / path, work / path)
    paths = sorted({test["path"] for test in run.document["tests"] if test["verdict"] == "accepted"})
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths],
        cwd=work,
        env={**os.environ, "PYTHONPATH": str(work)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:]
