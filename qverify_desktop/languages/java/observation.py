"""Characterization: targets are called with generated inputs, and what all runs agree on becomes tests."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.examples.promises import Speaker
from qverify_desktop.languages.java.asserting import assertions
from qverify_desktop.languages.java.codebase import Codebase, takes_nothing, takes_simple_values
from qverify_desktop.languages.java.declared import declared
from qverify_desktop.languages.java.detection import uses_junit_4
from qverify_desktop.languages.java.drivers import COMMAND, FOLDER, driver_files
from qverify_desktop.languages.java.placing import test_path
from qverify_desktop.languages.java.promise_tests import may_throw, method_name
from qverify_desktop.languages.java.shapes import constants_of, shape_of
from qverify_desktop.languages.java.speaking import JavaSpeaker, Scope
from qverify_desktop.languages.java.splitting import parsed
from qverify_desktop.languages.java.suite import MEMORY_BYTES, Describe, described, environment, sources_of
from qverify_desktop.languages.java.writing import KNOWN, method, prelude
from qverify_desktop.languages.tree.source import walk
from qverify_desktop.languages.values.encoding import Unreadable, decode
from qverify_desktop.languages.values.shapes import inputs
from qverify_desktop.languages.values.value import Value

#: Calls tried a target, and in all; tests kept a target; seconds of one call and of the job.
CALLS, CALLS_IN_ALL, MOST_KEPT, CALL_S, TIMEOUT_S = 40, 6000, 8, 4, 420
_MOST_BYTES = 32 * 1024 * 1024
_MOST_RECORDS = 20_000
#: Code whose call says little in a sandbox, or would end it.
_POINTLESS = re.compile(
    r"\b(?:System\.(?:exit|in)|Runtime\.|ProcessBuilder|Thread\b|Socket|HttpClient|Files\.|new File|Random\b|Math\.random"
    r"|currentTimeMillis|nanoTime|LocalDate(?:Time)?\.now|Instant\.now|UUID\.randomUUID|Scanner)"
)
#: Exceptions that code throws to say something, by the package they are in. Others are accidents.
SAID = {
    name: f"java.lang.{name}"
    for name in (
        *("IllegalArgumentException", "IllegalStateException", "ArithmeticException", "IndexOutOfBoundsException"),
        *("UnsupportedOperationException", "NumberFormatException", "StringIndexOutOfBoundsException"),
        *("ArrayIndexOutOfBoundsException", "NegativeArraySizeException", "CloneNotSupportedException"),
    )
} | {name: place for name, place in KNOWN.items() if name.endswith("Exception")}
_MAKERS = frozenset(
    (
        *("List.of", "Set.of", "Map.of", "Map.entry", "Map.ofEntries", "Arrays.asList"),
        *("Optional.of", "Optional.empty", "OptionalInt.of"),
    )
)
_PLAIN_NODES = frozenset(
    (
        *(
            "method_invocation",
            "argument_list",
            "object_creation_expression",
            "identifier",
            "field_access",
            "unary_expression",
        ),
        *("generic_type", "type_arguments", "type_identifier", "scoped_type_identifier", "array_type", "dimensions"),
        *("array_creation_expression", "array_initializer", "integral_type", "floating_point_type", "boolean_type"),
        *("dimensions_expr", "cast_expression", "parenthesized_expression", "true", "false", "null_literal"),
        *("decimal_integer_literal", "decimal_floating_point_literal", "string_literal", "character_literal"),
        *("string_fragment", "escape_sequence"),
    )
)
_VARIATIONS = (RunVariation(0, 0, "UTC0"), RunVariation(7, 4242, "NZST-12NZDT,M9.5.0,M4.1.0/3"))


@dataclass(frozen=True)
class Observation:
    """One call and what it did: ``value`` is the encoded answer, ``raised`` an exception's name."""

    target: str
    call: str
    expected: str
    raised: str
    reached: frozenset[tuple[str, int, int]]


def observation_jobs(
    snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int, patience_s: int
) -> list[Job]:
    """Two jobs that do the same in another order and time zone; none where no target can be observed."""
    files, probes = _probes(Codebase.read(snapshot, project), targets, seed)
    return probing_jobs(project, files, probes, patience_s, described)


def probing_jobs(
    project: Project,
    files: Mapping[str, str],
    probes: Sequence[Mapping[str, Any]],
    patience_s: int,
    describe: Describe,
) -> list[Job]:
    """Jobs that run the ``probes`` (id, target, call) in ``files``, and write down what each did."""
    jobs = []
    for variation in _VARIATIONS if probes else ():
        request = {
            **sources_of(project),
            "with_tests": False,
            "generated": [describe(path, files[path]) for path in sorted(files)],
            "probes": list(probes),
            "seed": variation.order_seed,
            "test_s": min(CALL_S, patience_s),
            "deadline_s": TIMEOUT_S - 60,
        }
        overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
        overlay |= {**driver_files(), f"{FOLDER}/observe.json": json.dumps(request).encode()}
        limits = Limits(timeout_s=TIMEOUT_S, memory_bytes=MEMORY_BYTES)
        jobs.append(Job("observe", (*COMMAND, "Observe"), overlay, environment(variation), limits))
    return jobs


def calls_each(targets: Sequence[Target]) -> int:
    """How many calls a target is tried with."""
    return max(8, min(CALLS, CALLS_IN_ALL // max(1, len(targets))))


def is_pointless(source: str) -> bool:
    """Whether a call of the code would say little in a sandbox, or would end it."""
    return bool(_POINTLESS.search(source))


def _probes(codebase: Codebase, targets: Sequence[Target], seed: int) -> tuple[dict[str, str], list[dict[str, Any]]]:
    speaker = JavaSpeaker(codebase)
    files: dict[str, str] = {}
    probes: list[dict[str, Any]] = []
    most = calls_each(targets)
    for number, target in enumerate(targets):
        calls = list(dict.fromkeys(_calls(codebase, speaker, target, seed, most)))
        if not calls:
            continue
        name = f"QvProbe{number}"
        path = f"{FOLDER}/probes/{name}.java"
        head = f"package {target.module};\n" if target.module else ""
        lines = [
            f"@org.junit.jupiter.api.Test void probe{index}() throws Throwable {{ qverify.Seen.value({call}); }}"
            for index, call in enumerate(calls)
        ]
        text = head + f"import java.util.*;\nimport java.math.*;\nclass {name} {{\n" + "\n".join(lines) + "\n}\n"
        files[path] = text
        probes += [
            {"id": f"{path}::probe{index}", "target": target.id, "call": call, "number": index}
            for index, call in enumerate(calls)
        ]
    return files, probes


def _calls(codebase: Codebase, speaker: JavaSpeaker, target: Target, seed: int, most: int) -> Iterator[str]:
    owner, definition, source = codebase.owner(target), codebase.method(target), codebase.sources.get(target.file)
    if (
        owner is None
        or definition is None
        or source is None
        or not owner.reachable
        or declared(target.returns).name == "void"
    ):
        return
    if is_pointless(source.slice(definition.node)):
        return
    constants = constants_of(source, [definition.node])
    variables = speaker.variables(target)
    types = [declared(parameter.annotation) for parameter in target.parameters]
    shapes = [shape_of(one, codebase, target.module, variables) for one in types]
    receivers: list[tuple[str, str]] = [(owner.name, "")]
    if target.callee != "staticmethod":
        receivers = list(_receivers(codebase, speaker, target, seed))
    if not receivers:
        return
    for number, values in enumerate(inputs(shapes, constants, seed, most)):
        receiver = receivers[number % len(receivers)][0]
        call = speaker.called(target, receiver, values)
        if call is not None and len(call) < 1000:
            yield call
    if not target.parameters:
        for receiver, _ in receivers[1:]:
            call = speaker.called(target, receiver, ())
            if call is not None:
                yield call


def _receivers(codebase: Codebase, speaker: JavaSpeaker, target: Target, seed: int) -> Iterator[tuple[str, str]]:
    """Instances of the target's class, from nothing or from plain values."""
    owner = codebase.owner(target)
    if owner is None or owner.abstract:
        return
    generic = "<>" if owner.type_parameters else ""
    if owner.kind == "enum":
        yield from ((f"{owner.name}.{one}", "") for one in owner.constants[:8])
    elif takes_nothing(owner):
        yield f"new {owner.name}{generic}()", ""
    elif takes_simple_values(owner):
        source = codebase.sources[target.file]
        constants = constants_of(source, [owner.node])
        scope = Scope(target.module)
        for constructor in owner.constructors:
            types = [declared(one.annotation) for one in constructor.parameters]
            shapes = [shape_of(one, codebase, target.module, frozenset()) for one in types]
            if constructor.private:
                continue
            for values in inputs(shapes, constants, seed, 12):
                written = [speaker.write(one, type_, scope) for one, type_ in zip(values, types, strict=True)]
                if None not in written:
                    yield f"new {owner.name}{generic}({', '.join(one or '' for one in written)})", ""


def read_observations(
    project: Project, targets: Sequence[Target], results: Sequence[JobResult]
) -> list[GeneratedTest]:
    """A test for each call whose outcome was the same in every job and that shows something new, in the order of the targets."""
    counts: dict[tuple[str, str], int] = {}
    found = agreed(targets, results, JavaSpeaker(Codebase()), is_plain_call)
    return [test for target, one in found if (test := _test(project, target, one, counts)) is not None]


def agreed(
    targets: Sequence[Target], results: Sequence[JobResult], speaker: Speaker, is_plain: Callable[[str, Target], bool]
) -> list[tuple[Target, Observation]]:
    """What all jobs saw alike, at most ``MOST_KEPT`` a target, in the order of the targets.

    ``is_plain`` says whether source that came back is a call of the target with plain values.
    """
    if not results:
        return []
    by_id = {target.id: target for target in targets}
    runs = []
    for result in results:
        seen = _observations(result, by_id, speaker, is_plain)
        runs.append({(one.target, one.call): one for one in seen})
    alike: dict[str, list[Observation]] = {}
    for key, one in runs[0].items():
        others = [run.get(key) for run in runs[1:]]
        if all(
            other is not None and (other.expected, other.raised) == (one.expected, one.raised) for other in others
        ):
            alike.setdefault(one.target, []).append(one)
    return [(target, one) for target in targets for one in _chosen(alike.get(target.id, []))]


def _observations(
    result: JobResult, targets: Mapping[str, Target], speaker: Speaker, is_plain: Callable[[str, Target], bool]
) -> Iterator[Observation]:
    content = result.artefacts.get("observations.jsonl", b"")
    for line in content.split(b"\n")[:_MOST_RECORDS] if len(content) <= _MOST_BYTES else ():
        try:
            document = json.loads(line)
            if isinstance(document, dict) and document.get("kind") == "observation":
                target, call = targets.get(str(document["target"])), document["call"]
                if target is not None and isinstance(call, str) and is_plain(call, target):
                    found = _observation(document, target, call, speaker)
                    if found is not None:
                        yield found
        except (ValueError, RecursionError, TypeError, KeyError):
            continue


def _observation(document: Mapping[str, Any], target: Target, call: str, speaker: Speaker) -> Observation | None:
    raised, expected = document["raised"], ""
    if raised:
        if raised not in SAID:
            return None
    else:
        if not document["value"]:
            return None
        try:
            value: Value = decode(json.loads(document["value"]))
        except Unreadable:
            return None
        written = speaker.answer(target, value)
        if written is None or len(written) > 600:
            return None
        expected = written
    reached = frozenset(
        (str(file), int(line), int(branch))
        for file, arcs in dict(document["branches"]).items()
        for line, branch in arcs
    ) | frozenset((str(file), int(line), -1) for file, lines in dict(document["lines"]).items() for line in lines)
    return Observation(target.id, call, expected, str(raised), reached)


def is_plain_call(call: str, target: Target) -> bool:
    """Whether source calls the target with plain values and does nothing else. It came back from a container, where hostile code ran."""
    source = parsed(f"Object o = {call};") if len(call) < 1000 else None
    declarations = source.root.named_children[0].child_by_field_name("body") if source is not None else None
    if source is None or declarations is None or declarations.named_child_count != 1:
        return False
    owners, name = target.symbol.partition("(")[0].rpartition(".")[::2]
    declarator = declarations.named_children[0].child_by_field_name("declarator")
    value = declarator.child_by_field_name("value") if declarator is not None else None
    if value is None or value.type != "method_invocation" or source.field(value, "name") != name:
        return False
    for node in walk(value):
        if node.type not in _PLAIN_NODES:
            return False
        if node.type == "method_invocation" and node != value:
            if f"{source.field(node, 'object')}.{source.field(node, 'name')}" not in _MAKERS:
                return False
        elif node.type == "object_creation_expression":
            made = source.field(node, "type").partition("<")[0]
            if made != owners and made not in KNOWN:
                return False
    return True


def _chosen(observations: Sequence[Observation]) -> list[Observation]:
    """At most ``MOST_KEPT``: first those that reach something new, then those whose answer is another."""
    chosen: list[Observation] = []
    reached: set[tuple[str, int, int]] = set()
    answers: set[str] = set()
    for one in observations:
        if len(chosen) < MOST_KEPT and not one.reached <= reached:
            chosen.append(one)
            reached |= one.reached
            answers.add(one.expected or one.raised)
    for one in observations:
        if len(chosen) < MOST_KEPT and one.expected and one.expected not in answers:
            chosen.append(one)
            answers.add(one.expected)
    return [one for one in observations if one in chosen]


def _test(
    project: Project, target: Target, one: Observation, counts: dict[tuple[str, str], int]
) -> GeneratedTest | None:
    junit_4 = uses_junit_4(project)
    if one.raised:
        lines: list[str] | None = [f"assertThrows({one.raised}.class, () -> {one.call});"]
    else:
        lines = assertions(one.call, one.expected, declared(target.returns), junit_4=junit_4)
    if lines is None:
        return None
    path = test_path(project, target, "Observations")
    stem = f"{method_name(target)}{'Throws' if one.raised else 'Observed'}"
    number = counts[path, stem] = counts.get((path, stem), 0) + 1
    name = f"{stem}{number}"
    return GeneratedTest(
        path=path,
        name=name,
        code=method(name, lines, junit_4=junit_4, throws=not one.raised and may_throw(target, one.call)),
        target=target.id,
        label=Label.CHARACTERIZATION,
        origin=Origin.OBSERVATION,
        prelude=prelude(target.module, lines, junit_4=junit_4),
        call=one.call,
        expected=one.expected or f"raises {one.raised}",
    )
