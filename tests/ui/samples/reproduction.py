"""A reproduction as the engine tells it: going on, with every test agreeing, and with differences."""

from __future__ import annotations

from typing import Any

from qverify_desktop.domain.reproduction import MEANINGS, Outcome, ReproductionRequest
from qverify_desktop.engine.reproduction_view import empty_view

ID = "d1m8hanm9qvfem"
BUNDLE = "/home/ada/r1m8hak6v8wx1r.qvevidence.zip"
PINNED = "sha256:" + "2291063e9e86" + "0" * 52
USED = "sha256:" + "c3d2da3e7ce6" + "0" * 52


def compared(name: str, target: str, state: str = "agrees", **more: Any) -> dict[str, Any]:
    passed = {"agrees": 5, "differs": 0, "not_run": 0}[state]
    return {
        "id": f"tests/qverify/test_qv_{target.rpartition('/')[2].partition('.')[0]}.py::{name}",
        "language": "python",
        "target": target,
        "verdict": "accepted",
        "state": state,
        "was": "passed 5 of 5",
        "now": "passed 5 of 5" if passed else "",
        "why": "",
        "code": f"def {name}():\n    observed = {target.rpartition('::')[2]}(10, 5)\n    assert observed == 2\n",
        "passed": passed,
        "failed": 0,
        "steady": True,
        "call": f"{target.rpartition('::')[2]}(10, 5)",
        "expected": "2",
        **more,
    }


def _tests() -> list[dict[str, Any]]:
    targets = {
        "page_bounds": ("first_page", "last_page_is_shorter", "refuses_page_0"),
        "compact": ("runs_become_ranges", "of_nothing"),
        "missing": ("between_1_and_5", "one_volume"),
    }
    found = [
        compared(f"test_{name}_{case}", f"shelf/ranges.py::{name}")
        for name, cases in targets.items()
        for case in cases
    ]
    ended = "failed 5 of 5, gave 3"
    defect = compared(
        "test_page_count_promise_2", "shelf/ranges.py::page_count", verdict="suspected", was=ended, now=ended
    )
    return [*found, defect | {"passed": 0, "failed": 5}]


def view(outcome: str = "reproduced", **more: Any) -> dict[str, Any]:
    """A finished reproduction."""
    base: dict[str, Any] = dict(empty_view(ID, ReproductionRequest(BUNDLE, "/home/ada/shelf")))
    meaning, limit = MEANINGS[Outcome(outcome)]
    tests = _tests()
    same = outcome != "differs"
    image = {
        "language": "python",
        "runtime": "python",
        "pinned": PINNED,
        "used": PINNED if same else USED,
        "same": same,
        "sentence": "",
        "remedy": "",
    }
    sentence = f"{len(tests)} tests executed again 5 times each, the suspected defect among them: all end as the evidence says."
    packages = [
        {"language": "python", "name": name, "then": version, "now": version, "same": True, "sentence": ""}
        for name, version in (("requests", "2.31.0"), ("idna", "3.6"), ("urllib3", "2.2.1"))
    ]
    advice: list[str] = []
    if not same:
        image["remedy"] = (
            "Where the run was made type `qverify runtimes save python.qvr python`; then here `qverify runtimes load python.qvr`."
        )
        packages[0] |= {"now": "2.32.0", "same": False, "sentence": "requests 2.31.0 then, 2.32.0 here."}
        advice = [
            f"First get the pinned image. {image['remedy']}",
            "The packages are not the run's. Give it a folder that holds those, and execute it again: until then a difference "
            "may come from them.",
        ]
        image["sentence"] = (
            "The pinned image sha256:2291063e9e86 (qverify/python:fbea71d04c7c) is not on this machine. Here is "
            "sha256:c3d2da3e7ce6 (qverify/python:d9ec60678bc1), made of another recipe (d9ec60678bc1 instead of fbea71d04c7c)."
        )
        tests[1] = compared(
            "test_page_bounds_last_page_is_shorter",
            "shelf/ranges.py::page_bounds",
            "differs",
            code="def test_page_bounds_last_page_is_shorter():\n    observed = page_bounds(3, 5, 12)\n    assert observed == (11, 12)\n",
            now="failed 5 of 5, gave (11, 15)",
            failed=5,
            call="page_bounds(3, 5, 12)",
            expected="(11, 12)",
            why="It passed then and failed here: (11, 15).",
        )
        tests[3] = compared(
            "test_compact_runs_become_ranges",
            "shelf/ranges.py::compact",
            "differs",
            now="passed 4 of 5; failed 1 of 5, gave [1, 3]",
            passed=4,
            failed=1,
            steady=False,
            why="It is not steady here: it ends in different ways from run to run. It passed then and failed here: [1, 3].",
        )
        tests[4] = compared(
            "test_compact_of_nothing",
            "shelf/ranges.py::compact",
            "not_run",
            why="Only 3 of 5 runs came to their end.",
            now="passed 3 of 5",
        )
        sentence = f"Of {len(tests)} tests: {len(tests) - 3} agree, 2 differ, 1 not run."
    states = [test["state"] for test in tests]
    original = {
        **base["original"],
        "run": "r1m8hak6v8wx1r",
        "origin": "qverify.local/66e25581a691f0cf",
        "size": 118,
        "application": "1.0.0",
        "checkpoint_sha256": "5a" * 32,
        "bundle_sha256": "6b" * 32,
        "source": "/home/grace/shelf",
        "commit": "8c41f0e2" * 5,
        "tree": "1b7d09aa" * 5,
    }
    return {
        **base,
        "original": original,
        "version": 9,
        "state": "finished",
        "grade": "UNANCHORED",
        "grades": ["UNANCHORED", "REPRODUCED"] if same else ["UNANCHORED"],
        "outcome": outcome,
        "sentence": sentence,
        "meaning": meaning,
        "limit": limit,
        "notices": ["Protection of the signing key: unprotected key."],
        "images": [image],
        "packages": packages,
        "advice": advice,
        "tests": tests,
        "agree": states.count("agrees"),
        "differ": states.count("differs"),
        "not_run": states.count("not_run"),
        "duration_ms": 21_000,
        "record": {
            "name": ID,
            "bundle": f"/home/ada/.local/share/qverify/reproductions/{ID}/{ID}.qvevidence.zip",
            "report": f"/home/ada/.local/share/qverify/reproductions/{ID}/reproduction.html",
            "verifier_key": "qverify.local/66e25581a691f0cf+e589c03f+ASauHhPGXMUtonTbImWGXwX0heaRQ//+c9bPPpj9rC6z",
            "protection": "keyring",
            "started_at": "2026-08-14T09:20:11Z",
        },
        **more,
    }


def going_on() -> dict[str, Any]:
    """In the middle of its executions."""
    base = dict(empty_view(ID, ReproductionRequest(BUNDLE, "/home/ada/shelf")))
    return {
        **base,
        "version": 4,
        "stage": "judge",
        "done": 24,
        "total": 40,
        "grade": "UNANCHORED",
        "grades": ["UNANCHORED"],
    }


def refused() -> dict[str, Any]:
    """A bundle that is not whole."""
    base = dict(empty_view(ID, ReproductionRequest(BUNDLE, "/home/ada/shelf")))
    return {
        **base,
        "state": "refused",
        "grade": "INVALID",
        "grades": ["INVALID"],
        "sentence": "The bundle is INVALID, so nothing of it was executed.",
        "problems": ["blobs/1f0a… is not what the run committed to."],
    }
