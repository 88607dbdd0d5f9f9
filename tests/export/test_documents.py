"""The JSON documents keep the contract of the command line."""

from __future__ import annotations

import copy
import json
from typing import Any

import jsonschema
import pytest

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.results import Reason, RunResult, TestVerdict, Verdict
from qverify_desktop.domain.testing import Label, Origin
from qverify_desktop.evidence.verify import MEANINGS
from qverify_desktop.export.document import analyze_document
from tests.export import values


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((resources_root() / "docs" / f"{name}.schema.json").read_text("utf-8"))
    jsonschema.Draft202012Validator.check_schema(loaded)
    return loaded


def valid(document: Any, name: str) -> bool:
    return bool(jsonschema.Draft202012Validator(schema(name)).is_valid(document))


@pytest.mark.parametrize(
    "result", [values.result(), values.hostile(), values.empty()], ids=["honest", "hostile", "empty"]
)
def test_every_result_gives_a_valid_document(result: RunResult) -> None:
    document = analyze_document(result, "/out/r.bundle", "/out/report.html", "UNANCHORED")
    jsonschema.validate(json.loads(json.dumps(document)), schema("analyze"))


def test_the_fields_of_the_contract() -> None:
    document = analyze_document(values.result(), "/out/r.bundle", "/out/report.html", "UNANCHORED")
    assert document["run"] == "r-1"
    assert (document["verdict"], document["exit_code"], document["languages"]) == ("defects_suspected", 1, ["python"])
    assert (document["accepted"], document["refused"]) == (1, {"no_gain": 2, "flaky": 1})
    assert document["coverage"] == {
        "before": {"lines": 0.5, "branches": None},
        "after": {"lines": 0.9, "branches": None},
    }
    assert document["mutation"] == {"before": 0.125, "after": 0.75}
    found = document["suspected_defects"]
    wanted = {
        "file": "shelf/ranges.py",
        "symbol": "page_count",
        "call": "page_count(10, 5)",
        "expected": "2",
        "observed": "3",
        "evidence_text": ">>> page_count(10, 5)\n2",
        "confidence": 0.95,
    }
    assert len(found) == 1
    assert wanted.items() <= found[0].items()
    assert {"path": values.PATH, "name": "test_other", "label": "characterization", "verdict": "refused"}.items() <= (
        document["tests"][2].items()
    )
    assert document["tests"][2]["reason"] == "no_gain"
    assert (document["cost_microusd"], document["duration_s"], document["sandbox_s"], document["model_s"]) == (
        1500,
        61.5,
        60,
        0,
    )
    assert (document["bundle"], document["report"], document["grade"]) == (
        "/out/r.bundle",
        "/out/report.html",
        "UNANCHORED",
    )
    assert document["out"] == "/out"


@pytest.mark.parametrize("verdict", list(Verdict))
def test_exit_codes(verdict: Verdict) -> None:
    result = RunResult("r", values.empty().request, verdict, "s", "o", None, "t")
    assert (
        analyze_document(result, "", "", "")["exit_code"]
        == {
            "nothing_suspected": 0,
            "defects_suspected": 1,
            "inconclusive": 4,
        }[verdict.value]
    )


def test_the_schema_knows_every_word_of_the_domain() -> None:
    definitions = schema("analyze")["$defs"]
    assert set(definitions["reason"]["enum"]) == {reason.value for reason in Reason}
    kinds = definitions["test"]["properties"]
    assert set(kinds["label"]["enum"]) == {label.value for label in Label}
    assert set(kinds["origin"]["enum"]) == {origin.value for origin in Origin}
    assert set(kinds["verdict"]["enum"]) == {verdict.value for verdict in TestVerdict}
    assert set(definitions["finished"]["properties"]["verdict"]["enum"]) == {verdict.value for verdict in Verdict}


@pytest.mark.parametrize(
    "field", ["run", "verdict", "exit_code", "refused", "coverage", "mutation", "tests", "bundle", "grade"]
)
def test_the_schema_misses_a_field_that_is_gone(field: str) -> None:
    document = analyze_document(values.result(), "b", "r", "UNANCHORED")
    assert valid(document, "analyze")
    del document[field]
    assert not valid(document, "analyze")


def test_the_schema_refuses_wrong_values() -> None:
    good = analyze_document(values.result(), "b", "r", "UNANCHORED")
    for path, wrong in (
        (("coverage", "before", "lines"), 50),
        (("mutation", "after"), "0.5"),
        (("suspected_defects", 0, "confidence"), 950),
        (("refused", "because"), 1),
        (("tests", 0, "reason"), "because"),
        (("accepted",), -1),
    ):
        document: Any = copy.deepcopy(good)
        place = document
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = wrong
        assert not valid(document, "analyze"), path


def test_unfinished_runs_and_errors_have_their_own_form() -> None:
    unfinished = {
        "run": "r",
        "status": "running",
        "source": "x",
        "started_at": "",
        "stage": "judge",
        "sentence": "",
        "exit_code": 4,
    }
    assert valid(unfinished, "analyze")
    error = {"kind": "BadInput", "sentence": "There is no folder x.", "remedy": "", "exit_code": 2}
    assert valid({"exit_code": 2, "error": error}, "analyze")
    assert valid({**unfinished, "status": "failed", "error": error, "exit_code": 2}, "analyze")
    assert not valid({"exit_code": 2}, "analyze")


def test_verification() -> None:
    good = {"grade": "UNANCHORED", "valid": True, "problems": [], "events": 12, "checkpoint": "note", "meaning": "…"}
    jsonschema.validate(good, schema("verify"))
    bad = {**good, "grade": "INVALID", "valid": False, "problems": ["A leaf was changed."]}
    jsonschema.validate(bad, schema("verify"))
    assert not valid({**good, "valid": False}, "verify")
    assert not valid({**bad, "valid": True}, "verify")
    assert not valid({**bad, "problems": []}, "verify")
    assert set(MEANINGS) <= set(schema("verify")["properties"]["grade"]["enum"])
