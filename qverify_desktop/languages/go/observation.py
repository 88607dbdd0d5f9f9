"""Observation: calls of targets with generated inputs, and characterization tests of what two jobs agree on.

A job builds, for each package, a test program with a function for each target. Each call notes what it gave and whether it reached
a counter that no call before it reached. What comes back was written by a process that ran hostile code: answers are read as
values and written anew for the declared types, so nothing of a record is pasted into a test.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.go.comparing import shown
from qverify_desktop.languages.go.detection import sources
from qverify_desktop.languages.go.making import Makers, shape_of
from qverify_desktop.languages.go.placing import test_path, test_stem
from qverify_desktop.languages.go.promise_tests import compared, escaped
from qverify_desktop.languages.go.segments import package_of
from qverify_desktop.languages.go.source import functions, parse_source
from qverify_desktop.languages.go.speaking import GoSpeaker, string_text
from qverify_desktop.languages.go.suite import job_of
from qverify_desktop.languages.go.types import NamedTypes, read_type, results, type_parameters
from qverify_desktop.languages.go.writing import prelude_of
from qverify_desktop.languages.tree.source import TreeSource, line_of, walk
from qverify_desktop.languages.values.encoding import Unreadable, decode
from qverify_desktop.languages.values.notation import whole_value
from qverify_desktop.languages.values.shapes import Constants, inputs
from qverify_desktop.languages.values.value import Items, Kind, Made, Nothing, Number, Text, Value

#: Calls tried a target, and in all; tests kept a target; seconds.
CALLS = 60
CALLS_IN_ALL = 6000
MOST_KEPT = 8
TARGET_S = 10
TIMEOUT_S = 420
_MOST_BYTES = 32 * 1024 * 1024
_MOST_RECORDS = 50_000
#: Code whose call would say little in a sandbox, or differs from run to run.
_POINTLESS = re.compile(
    r"\b(?:os\.(?:Exit|Remove|RemoveAll|Rename|Create|Open|Args|Stdin|Getenv|Mkdir)|exec\.|net\.|http\.|time\.(?:Now|Sleep|Since)"
    r"|rand\.|log\.Fatal|syscall\.|unsafe\.|ioutil\.)"
)
_VARIATIONS = (RunVariation(time_zone="UTC0"), RunVariation(time_zone="NZST-12NZDT"))


@dataclass(frozen=True)
class Call:
    """One call of a target: what it is called on (empty for a function) and its arguments, as source."""

    receiver: str
    arguments: str

    def lines(self, target: Target) -> tuple[list[str], str]:
        """The statements before the call, and the call."""
        if not self.receiver:
            return [], f"{target.symbol}({self.arguments})"
        return [f"receiver := {self.receiver}"], f"receiver.{target.symbol.rpartition('.')[2]}({self.arguments})"


def observation_jobs(snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int) -> list[Job]:
    """Two jobs that do the same in another time zone; none where no target can be observed."""
    calls = planned(snapshot, project, targets, seed)
    files = _programs(targets, calls)
    if not files:
        return []
    request = {
        "task": "observe",
        "modules": list(project.source_roots),
        "files": files,
        "own_files": [],
        "sources": [],
        "coverage": True,
        "test_s": TARGET_S,
        "deadline_s": TIMEOUT_S - 15,
    }
    return [job_of(project, "observe", request, variation, TIMEOUT_S) for variation in _VARIATIONS]


def planned(snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int) -> dict[int, list[Call]]:
    """The calls of each target that can be called, by the target's number."""
    trees = sources(snapshot, project)
    named = NamedTypes.of(trees.items())
    makers = Makers.of(named, targets)
    each = max(12, min(CALLS, CALLS_IN_ALL // max(1, len(targets))))
    found = {}
    for number, target in enumerate(targets):
        source = trees.get(target.file)
        listed = list(_calls(source, target, makers, seed, each)) if source is not None else []
        if listed:
            found[number] = listed
    return found


def _calls(source: TreeSource, target: Target, makers: Makers, seed: int, most: int) -> Iterator[Call]:
    node = next((one for one in functions(source) if line_of(one) == target.line), None)
    if node is None or not results(target.returns) or _POINTLESS.search(source.slice(node)):
        return
    free = type_parameters(target.signature)
    kinds = [read_type(parameter.annotation) for parameter in target.parameters]
    if target.parameters and target.parameters[-1].kind == "var_positional":
        kinds = [*kinds, kinds[-1]]
    shapes = [shape_of(kind, makers.named, target.module, free) for kind in kinds]
    receivers = makers.receivers(target, seed) if target.callee == "method" else [""]
    if not receivers:
        return
    speaker = GoSpeaker(makers.named)
    constants = _constants(source, node)
    for index, values in enumerate(inputs(shapes, constants, seed, most)):
        arguments = speaker.arguments(target, values)
        if arguments is None:
            continue
        for receiver in receivers if not shapes else receivers[index % len(receivers) :][:1]:
            yield Call(receiver, arguments)


def _constants(source: TreeSource, function: object) -> Constants:
    integers: dict[int, None] = {}
    floats: dict[float, None] = {}
    texts: dict[str, None] = {}
    for node in walk(function):  # type: ignore[arg-type]
        if node.type not in (
            "int_literal",
            "float_literal",
            "interpreted_string_literal",
            "raw_string_literal",
            "rune_literal",
        ):
            continue
        value = whole_value(source.slice(node)) if node.end_byte - node.start_byte < 100 else None
        if isinstance(value, Number) and value.whole and len(value.text) < 16:
            integers.setdefault(int(value.text))
        elif isinstance(value, Number):
            floats.setdefault(float(value.text))
        elif isinstance(value, Text):
            texts.setdefault(value.value)
    return Constants(tuple(integers), tuple(floats), tuple(texts))


def _programs(targets: Sequence[Target], calls: Mapping[int, Sequence[Call]]) -> dict[str, str]:
    bodies: dict[tuple[str, str], list[str]] = defaultdict(list)
    for number, listed in calls.items():
        target = targets[number]
        lines = [f"func TestQvObserve{number}(t *testing.T) {{"]
        names = ", ".join(f"r{index}" for index in range(len(results(target.returns))))
        for index, call in enumerate(listed):
            before, text = call.lines(target)
            inside = "; ".join([*before, f"{names} := {text}", f"return []interface{{}}{{{names}}}"])
            place = f"{number}, {index}, {string_text(call.receiver)}, {string_text(call.arguments)}"
            lines.append(f"\tqvCall({place}, func() []interface{{}} {{ {inside} }})")
        lines.append("}")
        folder = target.file.rpartition("/")[0]
        bodies[folder, package_of(target)].append("\n".join(lines))
    files = {}
    for (folder, package), functions_ in bodies.items():
        path = f"{folder}/zz_qv_observe_test.go" if folder else "zz_qv_observe_test.go"
        text = "\n\n".join(
            [f"package {package}", 'import "testing"', 'import "math"', "var _ = math.Pi", *functions_, ""]
        )
        files[path] = text
    return files


@dataclass(frozen=True)
class _Seen:
    call: Call
    values: tuple[Value, ...]
    gained: bool


def read_observations(targets: Sequence[Target], results_: Sequence[JobResult]) -> list[GeneratedTest]:
    """Tests for the calls that all jobs agree on: first those that reached something new, then those whose answers differ."""
    constructors: dict[str, set[str]] = defaultdict(set)
    for target in targets:
        # A function's own name, and the name of a type, which converts.
        constructors[target.module].add(target.symbol.partition(".")[0])
    runs = [_seen(result, targets, constructors) for result in results_]
    if len(runs) < 2:
        return []
    agreed: dict[int, dict[int, _Seen]] = defaultdict(dict)
    for place, seen in runs[0].items():
        others = [run.get(place) for run in runs[1:]]
        if all(other is not None and (other.call, other.values) == (seen.call, seen.values) for other in others):
            agreed[place[0]][place[1]] = seen
    return [test for number in sorted(agreed) for test in _tests(targets[number], agreed[number])]


def _tests(target: Target, agreed: Mapping[int, _Seen]) -> Iterator[GeneratedTest]:
    answers: set[tuple[Value, ...]] = set()
    number = 0
    for index in sorted(agreed, key=lambda index: (not agreed[index].gained, index)):
        seen = agreed[index]
        if number >= MOST_KEPT or (seen.values in answers and not seen.gained):
            continue
        test = _test(target, seen, number + 1)
        if test is not None:
            answers.add(seen.values)
            number += 1
            yield test


def _test(target: Target, seen: _Seen, number: int) -> GeneratedTest | None:
    before, text = seen.call.lines(target)
    written = _failing(target, text, seen.values) or _giving(target, text, seen.values)
    if written is None:
        return None
    body, expected = written
    name = f"{test_stem(target)}_observed{number}"
    code = "\n".join([f"func {name}(t *testing.T) {{", *(f"\t{line}" for line in [*before, *body]), "}"])
    return GeneratedTest(
        path=test_path(target, "observed"),
        name=name,
        code=code,
        target=target.id,
        label=Label.CHARACTERIZATION,
        origin=Origin.OBSERVATION,
        prelude=prelude_of(package_of(target), code),
        call=text,
        expected=expected,
    )


def _failing(target: Target, text: str, values: Sequence[Value]) -> tuple[list[str], str] | None:
    """A test of the error that a call ends with."""
    kinds, last = results(target.returns), values[-1]
    if kinds[-1].name != "error" or not (isinstance(last, Made) and last.name == "err"):
        return None
    said = last.arguments[0] if last.arguments else None
    if not isinstance(said, Text):
        return None
    words = string_text(said.value)
    names = ", ".join([*("_" for _ in kinds[:-1]), "observed"])
    shown = string_text(f"{escaped(text)} fails with %v, want {escaped(words)}")
    body = [
        f"{names} := {text}",
        f"if observed == nil || observed.Error() != {words} {{",
        f"\tt.Errorf({shown}, observed)",
        "}",
    ]
    return body, f"error({words})"


def _giving(target: Target, text: str, values: Sequence[Value]) -> tuple[list[str], str] | None:
    """A test of the values that a call gives."""
    fallible = len(values) > 1 and results(target.returns)[-1].name == "error"
    spoken = values[:-1] if fallible else values
    value = spoken[0] if len(spoken) == 1 else Items(tuple(spoken), Kind.TUPLE)
    if fallible and not isinstance(values[-1], Nothing):
        return None
    expected = GoSpeaker(by_nature=True).answer(target, value) or shown(value)
    body = compared(target, text, expected, observed=spoken)
    return (body, expected) if body is not None else None


def _seen(
    result: JobResult, targets: Sequence[Target], constructors: Mapping[str, set[str]]
) -> dict[tuple[int, int], _Seen]:
    content = result.artefacts.get("observed.jsonl", b"")
    found: dict[tuple[int, int], _Seen] = {}
    for count, line in enumerate(content.split(b"\n") if len(content) <= _MOST_BYTES else ()):
        if count >= _MOST_RECORDS:
            break
        try:
            record = json.loads(line)
            number, index = record["target"], record["index"]
            if record["kind"] != "call" or type(number) is not int or type(index) is not int:
                continue
            target = targets[number] if 0 <= number < len(targets) else None
            values = tuple(decode(one) for one in record["values"])
            call = Call(record["receiver"], record["arguments"])
            if target is None or len(values) != len(results(target.returns)) or not values:
                continue
            if _is_plain(call, constructors[target.module]):
                found[number, index] = _Seen(call, values, record.get("gained") is True)
        except (ValueError, KeyError, TypeError, RecursionError, Unreadable):
            continue
    return found


#: Nodes of expressions that only make values.
_PLAIN = frozenset(
    [
        "source_file",
        "package_clause",
        "package_identifier",
        "var_declaration",
        "var_spec",
        "identifier",
        "expression_list",
        "call_expression",
        "argument_list",
        "composite_literal",
        "literal_value",
        "literal_element",
        "keyed_element",
        "slice_type",
        "array_type",
        "map_type",
        "pointer_type",
        "type_identifier",
        "interface_type",
        "int_literal",
        "float_literal",
        "imaginary_literal",
        "interpreted_string_literal",
        "escape_sequence",
        "interpreted_string_literal_content",
        "raw_string_literal",
        "raw_string_literal_content",
        "rune_literal",
        "true",
        "false",
        "nil",
        "unary_expression",
        "selector_expression",
        "field_identifier",
        "type_conversion_expression",
        "qualified_type",
    ]
)
_MATH = re.compile(r"math\.(?:Inf|NaN)")


def _is_plain(call: Call, constructors: set[str]) -> bool:
    """Whether a call that came back is made of literals and of the package's own constructors, and of nothing else."""
    if not isinstance(call.receiver, str) or not isinstance(call.arguments, str) or len(call.arguments) > 20_000:
        return False
    source = parse_source(f"package p\n\nvar _ = F({call.arguments})\n\nvar _ = {call.receiver or 'F()'}\n")
    if source is None or source.root.has_error or len(source.root.named_children) != 3:
        return False
    for node in walk(source.root):
        if node.type not in _PLAIN:
            return False
        if node.type == "unary_expression" and source.field(node, "operator") not in ("-", "&"):
            return False
        if node.type == "call_expression":
            name = source.field(node, "function")
            known = name == "F" or name in constructors or _MATH.fullmatch(name)
            if not known:
                return False
    return True
