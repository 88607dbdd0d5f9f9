"""Observation: calls of targets with generated inputs, and characterization tests of what two jobs agree on.

A job builds a program with a function for each target. Each call notes what it gave and whether it reached counters that no call of
this target reached before (LLVM's, read in the process itself). What comes back was written by a process that ran hostile code:
inputs and answers are read as values and written anew for the declared types, so nothing of a record is pasted into a test.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tree_sitter import Node

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.rust.crates import folder_of
from qverify_desktop.languages.rust.making import Makers
from qverify_desktop.languages.rust.observed_tests import Call, Observation, call_of, write_tests
from qverify_desktop.languages.rust.source import read_source
from qverify_desktop.languages.rust.speaking import string_text
from qverify_desktop.languages.rust.suite import job_of, places, written_tests
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk
from qverify_desktop.languages.values.encoding import Unreadable, decode, encode
from qverify_desktop.languages.values.shapes import Constants, inputs, possible
from qverify_desktop.languages.values.value import Value

#: Calls tried a target, and in all; seconds.
CALLS = 60
CALLS_IN_ALL = 6000
TARGET_S = 10
TIMEOUT_S = 420
_MOST_BYTES = 32 * 1024 * 1024
_MOST_RECORDS = 20_000
#: Code whose call would say little in a sandbox, or differs from run to run.
_POINTLESS = re.compile(
    r"\b(?:process::|fs::|File::|TcpStream|TcpListener|UdpSocket|stdin\(\)|env::|SystemTime|Instant::now|thread::|rand::|unsafe\b)"
)
_VARIATIONS = (RunVariation(time_zone="UTC0"), RunVariation(time_zone="NZST-12NZDT"))


def observation_jobs(snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int) -> list[Job]:
    """Two jobs that do the same in another time zone; none where no target can be observed."""
    files = _programs(snapshot, project, targets, seed)
    if not files:
        return []
    tests = written_tests(files)
    request = {
        "task": "observe",
        **places(project, tests),
        "sources": [],
        "own": False,
        "only": [],
        "expected": [],
        "seed": 0,
        "coverage": True,
        "test_s": TARGET_S,
        "deadline_s": TIMEOUT_S - 10,
    }
    return [job_of(project, "observe", request, files, variation, TIMEOUT_S) for variation in _VARIATIONS]


def _programs(snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int) -> dict[str, str]:
    makers = Makers.of(targets)
    functions: dict[str, list[str]] = defaultdict(list)
    each = max(12, min(CALLS, CALLS_IN_ALL // max(1, len(targets))))
    for number, target in enumerate(targets):
        calls = list(_calls(snapshot, target, makers, seed, each))
        if calls:
            folder = folder_of(project.source_roots, target.file)
            path = f"{folder}/tests/observe.rs" if folder else "tests/observe.rs"
            functions[path].append(_function(number, calls))
    return {path: "\n\n".join(["#![allow(unused)]", *found, ""]) for path, found in functions.items()}


def _calls(snapshot: Snapshot, target: Target, makers: Makers, seed: int, most: int) -> Iterator[Call]:
    if not target.public or target.is_async or target.symbol.count(".") > 1:
        return
    body = _body(snapshot, target)
    if body is None or _POINTLESS.search(body[0].slice(body[1])):
        return
    constants = _constants(*body)
    kinds = Call.kinds(target)
    if kinds is None:
        return
    shapes = [makers.shape(kind, constants, seed) for kind in kinds]
    if not all(possible(shape) for shape in shapes):
        return
    for arguments in inputs(shapes, constants, seed, most):
        call = call_of(target, arguments, makers)
        if call is not None:
            yield call


def _function(number: int, calls: Sequence[Call]) -> str:
    lines = ["#[test]", f"fn observe_{number}() {{"]
    lines += [f"    {line}" for line in dict.fromkeys(line for call in calls for line in call.uses)]
    for index, call in enumerate(calls):
        noted = json.dumps({"target": call.target.id, "values": [encode(one) for one in call.arguments]})
        lines.append(f"    observe!({index}, {string_text(noted)}, {{ {' '.join(call.lines)} }});")
    return "\n".join([*lines, "}"])


def _body(snapshot: Snapshot, target: Target) -> tuple[TreeSource, Node] | None:
    source = read_source(snapshot.root, target.file)
    if isinstance(source, SkippedPath):
        return None
    name = target.symbol.rpartition(".")[2]
    for node in walk(source.root):
        if node.type == "function_item" and line_of(node) == target.line and source.field(node, "name") == name:
            body = node.child_by_field_name("body")
            return (source, body) if body is not None else None
    return None


def _constants(source: TreeSource, body: Node) -> Constants:
    """Literals of the code: inputs near them reach branches that compare with them."""
    integers: dict[int, None] = {}
    floats: dict[float, None] = {}
    texts: dict[str, None] = {}
    for node in walk(body):
        text = source.slice(node)
        digits = re.match(r"\d[\d_]{0,17}", text)
        if node.type == "integer_literal" and digits:
            integers[int(digits[0].replace("_", ""))] = None
        elif node.type == "float_literal" and re.fullmatch(r"\d{1,9}\.\d{1,9}", text):
            floats[float(text)] = None
        elif node.type in ("string_literal", "char_literal") and "\\" not in text and len(text) < 60:
            texts[text[1:-1]] = None
    return Constants(tuple(integers), tuple(floats), tuple(texts))


def read_observations(
    project: Project, targets: Sequence[Target], results: Sequence[JobResult]
) -> list[GeneratedTest]:
    """A test for each call whose outcome was the same in every job, in the order of the targets."""
    if not results:
        return []
    by_id = {target.id: target for target in targets}
    makers = Makers.of(targets)
    runs = [_observed(result, by_id, makers) for result in results]
    tests: list[GeneratedTest] = []
    for target in targets:
        common = [
            one
            for key, one in runs[0].get(target.id, {}).items()
            if all(one.agrees(other.get(target.id, {}).get(key)) for other in runs[1:])
        ]
        tests += write_tests(project, target, common)
    return tests


def _observed(result: JobResult, targets: Mapping[str, Target], makers: Makers) -> dict[str, dict[int, Observation]]:
    content = result.artefacts.get("observations.jsonl", b"")
    found: dict[str, dict[int, Observation]] = defaultdict(dict)
    for number, line in enumerate(content.split(b"\n") if len(content) <= _MOST_BYTES else ()):
        if number >= _MOST_RECORDS:
            break
        one = _observation(line, targets, makers)
        if one is not None and len(found[one.call.target.id]) < CALLS:
            found[one.call.target.id].setdefault(one.number, one)
    return found


def _observation(line: bytes, targets: Mapping[str, Target], makers: Makers) -> Observation | None:
    try:
        document = json.loads(line)
        inside = document["inputs"]
        target = targets[inside["target"]]
        arguments: list[Value] = [decode(one) for one in inside["values"]]
        number, fresh, shown = document["number"], document["fresh"], document["shown"]
    except (ValueError, KeyError, TypeError, RecursionError, Unreadable):
        return None
    if not (isinstance(number, int) and isinstance(fresh, int) and 0 <= number < CALLS):
        return None
    if not (isinstance(shown, str) or shown is False):
        return None
    call = call_of(target, tuple(arguments), makers)
    return Observation(call, number, shown if isinstance(shown, str) else None, fresh) if call is not None else None
