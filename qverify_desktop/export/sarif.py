"""SARIF 2.1.0 (OASIS Standard, 27 March 2020): suspected defects for code scanning."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from qverify_desktop import __version__
from qverify_desktop.domain.report import NOTHING_MORE, Judged, Supplement
from qverify_desktop.domain.results import RunResult, SuspectedDefect, Verdict
from qverify_desktop.export.plain_text import one_line, readable

_RULE = "QV001"
_HELP = (
    "Read the quoted words and the call: either the code or its description is wrong, and a person decides which. "
    "Mend the code where the words are what is meant. Correct the words where the code is. Dismiss the finding in QVerify "
    "Desktop, with the reason, where both are right; it stays listed as suppressed. The run's evidence bundle holds the test "
    "that shows the contradiction and every execution of it."
)
_HELP_MARKDOWN = (
    "Read the quoted words and the call: **either the code or its description is wrong**, and a person decides which.\n\n"
    "- Mend the code where the words are what is meant.\n"
    "- Correct the words where the code is.\n"
    "- Dismiss the finding in QVerify Desktop, with the reason, where both are right; it stays listed as suppressed.\n\n"
    "The run's evidence bundle holds the test that shows the contradiction and every execution of it."
)
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif(result: RunResult, supplement: Supplement = NOTHING_MORE) -> bytes:
    """One run with one result for each suspected defect. What a person dismissed stays in it, suppressed (section 3.27.23)."""
    run: dict[str, Any] = {
        "tool": {"driver": _driver()},
        "automationDetails": {"id": f"qverify/{result.run}"},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the analysed repository."}}},
        "invocations": [_invocation(result)],
        "results": [_result(defect, supplement.judged.get(defect.id)) for defect in result.defects],
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
                "help": {"text": _HELP, "markdown": _HELP_MARKDOWN},
                "defaultConfiguration": {"level": "warning"},
                "properties": {
                    "tags": ["correctness", "documentation"],
                    "precision": "high",
                    "problem.severity": "warning",
                },
            }
        ],
    }


def _invocation(result: RunResult) -> dict[str, Any]:
    invocation: dict[str, Any] = {"executionSuccessful": result.verdict is not Verdict.INCONCLUSIVE}
    if re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", result.started_at):
        invocation["startTimeUtc"] = result.started_at
    return invocation


def _result(defect: SuspectedDefect, judged: Judged | None) -> dict[str, Any]:
    message = (
        f"Suspected defect in {_told(defect.symbol)}: {_told(defect.call)} gives {_told(defect.observed)}, "
        f"but [{_link_text(defect.evidence.file)}:{defect.evidence.line}](1) says {_told(defect.expected)}."
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
        # Code scanning knows a finding again by the second name only, and would make it of the text of the line: two defects of
        # one function would be one, and a changed signature another.
        "partialFingerprints": {
            "qverifyPromise/v1": defect.fingerprint,
            "primaryLocationLineHash": f"{defect.fingerprint}:1",
        },
        "suppressions": _suppressions(judged),
        "properties": {
            "call": readable(defect.call),
            "expected": readable(defect.expected),
            "observed": readable(defect.observed),
            "reproductions": defect.reproductions,
            "confidence": defect.confidence / 1000,
            **({"history": readable(defect.history.sentence)} if defect.history else {}),
            **({"decision": judged.decision} if judged else {}),
        },
    }


def _told(text: str) -> str:
    """A text of the repository in a message. ``[text](target)`` in it would be a link (section 3.11.6): ``calls[0](1)`` is none."""
    return one_line(text).replace("](", "] (")


def _link_text(text: str) -> str:
    """Square brackets in the text of a link are escaped (section 3.11.6)."""
    return re.sub(r"([\[\]\\])", r"\\\1", one_line(text))


def _suppressions(judged: Judged | None) -> list[dict[str, Any]]:
    """An empty list says that it is not suppressed; without one nothing would be said."""
    if judged is None or judged.decision != "dismissed":
        return []
    why = one_line(judged.note, 2000) or "A person dismissed it in QVerify Desktop."
    return [{"kind": "external", "status": "accepted", "justification": why}]


def _location(file: str, line: int) -> dict[str, Any]:
    address = quote(file.encode("utf-8", "replace"), safe="/")
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": address, "uriBaseId": "SRCROOT"},
            "region": {"startLine": max(1, line)},
        }
    }
