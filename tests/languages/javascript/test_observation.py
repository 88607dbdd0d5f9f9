"""What is planned to be called with what, and what is believed of the answers of a container."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.languages.javascript.shapes import shape_of
from qverify_desktop.languages.values.shapes import Basic, Constants, possible, values
from tests.languages.javascript.reading import read

SOURCE = """\
/** @param {number} n */
export const half = (n) => n / 2;
export const called = (callback) => callback(1);
export const now = () => Date.now();
export const total = (xs) => xs.reduce((a, b) => a + b, 0);
export const shout = (text) => text.toUpperCase() + "!?";
"""


def result(*records: object) -> JobResult:
    lines = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records)
    execution = Execution("observe", "c", "i", "d", ("node",), 0, 1)
    return JobResult(execution, artefacts={"observations.jsonl": lines.encode()})


def record(value: object, **more: object) -> dict[str, object]:
    base = {"target": "a.js::half", "made": [], "arguments": [["int", "4"]], "later": False, "kind": "value"}
    return {**base, "value": value, **more}


def test_inputs_fit_the_declared_type_or_the_use(tmp_path: Path) -> None:
    language, snapshot, project, targets = read(tmp_path, {"a.js": SOURCE})
    one, other = language.observation_jobs(snapshot, project, targets, 0)
    planned = {
        entry["symbol"]: entry["inputs"] for entry in json.loads(one.overlay[".qverify/observe.json"])["targets"]
    }
    assert set(planned) == {"half", "total", "shout"}, (
        "callbacks can't be made, and the clock says something else each time"
    )
    assert all(row[0][0] in ("int", "float") for row in planned["half"])
    assert all(row[0][0] == "list" for row in planned["total"])
    assert all(isinstance(row[0], str) for row in planned["shout"]) and ["!?"] in planned["shout"]
    assert one.overlay == other.overlay and one.env != other.env


def test_only_what_two_runs_agree_on_becomes_a_test(tmp_path: Path) -> None:
    language, _, project, targets = read(tmp_path, {"a.js": SOURCE})
    first = result(record(["int", "2"]), record(["int", "3"], arguments=[["int", "6"]]))
    second = result(record(["int", "2"]), record(["int", "9"], arguments=[["int", "6"]]))
    (test,) = language.read_observations(project, targets, [first, second])
    assert (test.call, test.expected, test.name) == ("half(4)", "2", "half behaves as observed 1")
    assert language.static_problem(test) is None


def test_values_are_written_as_the_source_that_makes_them(tmp_path: Path) -> None:
    language, _, project, targets = read(tmp_path, {"a.js": SOURCE})
    seen = {
        '["made", "undefined"]': "undefined",
        '["float", "-0"]': "-0",
        '["float", "nan"]': "NaN",
        '["list", ["map", ["a b", null], ["__proto__", 1]]]': None,
        '["list", ["map", ["a b", null], ["c", true]]]': '[{ "a b": null, c: true }]',
        '["made", "Map", ["list", ["list", "k", ["int", "1"]]]]': 'new Map([["k", 1]])',
        '["made", "Date", "2020-01-31T00:00:00.000Z"]': 'new Date("2020-01-31T00:00:00.000Z")',
        '["made", "bigint", ["int", "7"]]': "7n",
        '["made", "require(\'fs\')"]': None,
        '["made", "Function", "return 1"]': None,
        '"\\u2028\\ud800"': '"\\u2028\\ud800"',
    }
    for document, expected in seen.items():
        both = [result(record(json.loads(document)))] * 2
        tests = language.read_observations(project, targets, both)
        assert [test.expected for test in tests] == ([expected] if expected else []), document


def test_what_a_container_forges_is_dropped(tmp_path: Path) -> None:
    language, _, project, targets = read(tmp_path, {"a.js": SOURCE})
    forged = result(
        "not JSON",
        "[" * 100_000,
        {"target": ["x"]},
        record(["int", "2"], target="a.js::nothing"),
        record(["int", "2); process.exit("]),
        record("x", kind="raises", name="Error }); evil(", message="m"),
        record(None, arguments={"a": 1}),
        *(record(["int", str(n)], arguments=[["int", str(n)]]) for n in range(50)),
    )
    tests = language.read_observations(project, targets, [forged, forged])
    assert len(tests) == 8 and all("evil" not in test.code and "exit" not in test.code for test in tests)


@pytest.mark.parametrize(
    ("declared", "basic"),
    [
        ("string[]", Basic.LIST),
        ("ReadonlyArray<number>", Basic.LIST),
        ("Array.<string>", Basic.LIST),
        ("[string, number]", Basic.TUPLE),
        ("Set<string>", Basic.SET),
        ("Record<string, number>", Basic.MAP),
        ("{ [key: string]: number }", Basic.MAP),
        ("{ a: number; b?: string }", Basic.CHOICE),
        ("'x' | \"y\"", Basic.CHOICE),
        ("?string", Basic.CHOICE),
        ("(a: number) => string", Basic.OPAQUE),
        ("Promise<T>", Basic.OPAQUE),
        ("SomeClass", Basic.OPAQUE),
        ("[" * 1000, Basic.OPAQUE),
        ("{" * 399, Basic.OPAQUE),
    ],
)
def test_types_have_shapes(declared: str, basic: Basic) -> None:
    shape = shape_of(declared)
    assert shape.basic is basic
    assert not possible(shape) or list(values(shape, Constants(), 1))
