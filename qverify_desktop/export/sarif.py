"""SARIF 2.1.0 (OASIS Standard, 27 March 2020): suspected defects for code scanning."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any
from urllib.parse import quote

from qverify_desktop import __version__
from qverify_desktop.domain.results import RunResult, SuspectedDefect, Verdict
from qverify_desktop.export.plain_text import one_line, readable

_RULE = "QV001"
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(result: RunResult) -> bytes:
    """One run with one result for each suspected defect."""
    run: dict[str, Any] = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": f"qverify/{result.run}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the analysed repository."}}},
        "invocations": [_invocation(result)],
        "results": [_result(defect) for defect in result.defects],
        "properties": {
            "tree": result.tree,
            "verdict": result.verdict.value,
            "isolation": result.isolation.value,
        },
    }
    if result.commit and re.match(r"(https|ssh|git)://", result.origin):
        run["versionControlProvenance"] = [
            {"repositoryUri": quote(result.origin, safe=":/@?=&%[]+~"), "revisionId": result.commit}
        ]
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return (json.dumps(log, indent=2, ensure_ascii=True) + "\n").encode("ascii")


def _driver() -> dict[str, Any]:
    return {
        "name": "QVerify Desktop",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [
            {
                "id": _RULE,
                "name": "SuspectedDefect",
                "shortDescription": {"text": "The code contradicts the repository's own words."},
                "fullDescription": {
                    "text": "An example in a docstring or document of the repository was run five times in fresh sandboxes, "
                    "and the code gave another result each time."
                },
                "help": {"text": "Read the quoted words and the call: either the code or its description is wrong."},
                "defaultConfiguration": {"level": "warning"},
            }
        ],
    }


def _invocation(result: RunResult) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": result.verdict is not Verdict.INCONCLUSIVE}
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", result.started_at):
        invocation["startTimeUtc"] = result.started_at
    return invocation


def _result(defect: SuspectedDefect) -> dict[str, Any]:
    message = (
        f"Suspected defect in {one_line(defect.symbol)}: {one_line(defect.call)} gives {one_line(defect.observed)}, "
        f"but {one_line(defect.evidence.file)}:{defect.evidence.line} says {one_line(defect.expected)}."
    )
    mark = hashlib.sha256(
        "\0".join((defect.file, defect.symbol, defect.call, defect.expected)).encode("utf-8", "replace")
    )
    location = _location(defect.file, defect.line)
    location["logicalLocations"] = [{"fullyQualifiedName": readable(defect.symbol), "kind": "function"}]
    words = _location(defect.evidence.file, defect.evidence.line)
    words["physicalLocation"]["region"]["snippet"] = {"text": readable(defect.evidence.text)}
    return {
        "ruleId": _RULE,
        "ruleIndex": 0,
        "level": "warning",
        "kind": "fail",
        "rank": defect.confidence / 10,
        "message": {"text": message},
        "locations": [location],
        "relatedLocations": [{"id": 1, "message": {"text": "The repository's own words."}, **words}],
        "partialFingerprints": {"qverifyPromise/v1": mark.hexdigest()},
        "properties": {
            "call": readable(defect.call),
            "expected": readable(defect.expected),
            "observed": readable(defect.observed),
            "reproductions": defect.reproductions,
            "confidence": defect.confidence / 1000,
            **({"history": readable(defect.history.sentence)} if defect.history else {}),
        },
    }


def _location(file: str, line: int) -> dict[str, Any]:
    address = quote(file.encode("utf-8", "replace"), safe="/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": address, "uriBaseId": "SRCROOT"},
            "region": {"startLine": max(1, line)},
        }
    }
