"""Characterization of Kotlin: functions are called with generated inputs, as ``java/observation.py`` says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.java.asserting import assertions
from qverify_desktop.languages.java.declared import Type, declared
from qverify_desktop.languages.java.drivers import FOLDER
from qverify_desktop.languages.java.observation import SAID, agreed, calls_each, is_pointless, probing_jobs
from qverify_desktop.languages.java.placing import test_path
from qverify_desktop.languages.java.promise_tests import method_name
from qverify_desktop.languages.java.shapes import constants_of
from qverify_desktop.languages.kotlin.speaking import Codebase, KotlinSpeaker
from qverify_desktop.languages.kotlin.splitting import described, parsed
from qverify_desktop.languages.kotlin.writing import KOTLIN, written
from qverify_desktop.languages.tree.source import walk
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Shape, inputs
from qverify_desktop.languages.values.value import Word

_BASIC = {
    "Int": Shape(Basic.INTEGER, most=2**31 - 1),
    "Long": Shape(Basic.INTEGER, most=2**62),
    "Short": Shape(Basic.INTEGER, most=2**15 - 1),
    "Byte": Shape(Basic.INTEGER, most=127),
    "Double": Shape(Basic.FLOAT),
    "Float": Shape(Basic.FLOAT),
    "Boolean": Shape(Basic.TRUTH),
    "Char": Shape(Basic.CHARACTER),
    "String": Shape(Basic.TEXT),
    "CharSequence": Shape(Basic.TEXT),
    "Any": Shape(Basic.ANY),
}
_ROWS = frozenset({"List", "Collection", "Iterable", "MutableList", "ArrayList", "Sequence", "Array"})
_SETS = frozenset({"Set", "MutableSet", "HashSet", "LinkedHashSet"})
_MAPS = frozenset({"Map", "MutableMap", "HashMap", "LinkedHashMap"})
_MAKERS = re.compile(r"(?:list|set|map|array|sequence|mutable\w+|hash\w+|linked\w+|\w+Array|arrayList)Of|Pair|Triple")
_PLAIN_NODES = frozenset(
    (
        *(
            "call_expression",
            "navigation_expression",
            "identifier",
            "value_arguments",
            "value_argument",
            "infix_expression",
        ),
        *(
            "number_literal",
            "float_literal",
            "string_literal",
            "string_content",
            "character_literal",
            "escape_sequence",
        ),
        *(
            "unary_expression",
            "parenthesized_expression",
            "type_arguments",
            "type_projection",
            "user_type",
            "nullable_type",
        ),
    )
)


def observation_jobs(
    snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int, patience_s: int
) -> list[Job]:
    """Two jobs that do the same in another order and time zone; none where no target can be observed."""
    codebase = Codebase.read(snapshot, project)
    files: dict[str, str] = {}
    probes: list[dict[str, Any]] = []
    most = calls_each(targets)
    for number, target in enumerate(targets):
        calls = list(dict.fromkeys(_calls(codebase, target, seed, most)))
        name = f"QvProbe{number}"
        path = f"{FOLDER}/probes/{name}.kt"
        lines = [
            f"@org.junit.jupiter.api.Test fun probe{index}() {{ qverify.Seen.value({call}) }}"
            for index, call in enumerate(calls)
        ]
        if lines:
            head = f"package {target.module}\n" if target.module else ""
            files[path] = f"{head}class {name} {{\n" + "\n".join(lines) + "\n}\n"
        probes += [
            {"id": f"{path}::probe{index}", "target": target.id, "call": call, "number": index}
            for index, call in enumerate(calls)
        ]
    return probing_jobs(project, files, probes, patience_s, described)


def _calls(codebase: Codebase, target: Target, seed: int, most: int) -> Iterator[str]:
    speaker = KotlinSpeaker(codebase)
    found, source = codebase.function(target), codebase.sources.get(target.file)
    if found is None or source is None or target.returns == "Unit" or is_pointless(source.slice(found[0].node)):
        return
    variables = speaker.variables(target)
    parameters = [one for one in target.parameters if one.kind != "var_positional"]
    shapes = [_shape(declared(one.annotation), codebase, variables) for one in parameters]
    for values in inputs(shapes, constants_of(source, [found[0].node]), seed, most):
        call = speaker.call(target, values)
        if call is not None and len(call) < 1000:
            yield call


def _shape(type_: Type, codebase: Codebase, variables: frozenset[str], depth: int = 6) -> Shape:
    if depth <= 0 or not type_.name:
        return OPAQUE
    if type_.name in variables:
        return _BASIC["Int"]
    if type_.name in _BASIC:
        return _BASIC[type_.name]
    if type_.name.endswith("Array") and type_.name.removesuffix("Array") in _BASIC:
        return Shape(Basic.LIST, (_BASIC[type_.name.removesuffix("Array")],))
    inner = tuple(_shape(one, codebase, variables, depth - 1) for one in type_.arguments)
    if type_.name in _ROWS and len(inner) == 1:
        return Shape(Basic.LIST, inner)
    if type_.name in _SETS and len(inner) == 1:
        return Shape(Basic.SET, inner)
    if type_.name in _MAPS and len(inner) == 2:
        return Shape(Basic.MAP, inner)
    if type_.name in ("Pair", "Triple") and inner:
        return Shape(Basic.TUPLE, inner)
    near = codebase.owners.get(type_.name.rpartition(".")[2], ())
    if len(near) == 1 and near[0].constants:
        return Shape(Basic.CHOICE, choices=tuple(Word(one) for one in near[0].constants[:20]))
    return OPAQUE


def read_observations(
    project: Project, targets: Sequence[Target], results: Sequence[JobResult]
) -> list[GeneratedTest]:
    """A test for each call whose outcome was the same in every job and that shows something new, in the order of the targets."""
    counts: dict[tuple[str, str], int] = {}
    tests: list[GeneratedTest] = []
    for target, one in agreed(targets, results, KotlinSpeaker(Codebase()), is_plain_call):
        if one.raised:
            place = SAID[one.raised]
            lines: list[str] | None = [f"assertThrows({place}::class.java) {{ {one.call} }}"]
            if place.startswith("java.lang."):
                lines = [f"assertThrows({one.raised}::class.java) {{ {one.call} }}"]
        else:
            lines = assertions(one.call, one.expected, declared(target.returns), syntax=KOTLIN)
        if lines is None:
            continue
        path = test_path(project, target, "Observations", ".kt")
        stem = f"{method_name(target, alone=True)}{'Throws' if one.raised else 'Observed'}"
        number = counts[path, stem] = counts.get((path, stem), 0) + 1
        code, prelude = written(project, target, f"{stem}{number}", lines)
        tests.append(
            GeneratedTest(
                path=path,
                name=f"{stem}{number}",
                code=code,
                target=target.id,
                label=Label.CHARACTERIZATION,
                origin=Origin.OBSERVATION,
                prelude=prelude,
                call=one.call,
                expected=one.expected or f"raises {one.raised}",
            )
        )
    return tests


def is_plain_call(call: str, target: Target) -> bool:
    """Whether source calls the target with plain values and does nothing else. It came back from a container, where hostile code ran."""
    if len(call) >= 1000 or "${" in call or re.search(r"(?<!\\)\$[A-Za-z{]", call):
        return False
    source = parsed(f"val o = {call}")
    declarations = (
        [one for one in walk(source.root) if one.type == "property_declaration"] if source is not None else []
    )
    if source is None or len(declarations) != 1:
        return False
    *owners, name = target.symbol.partition("(")[0].split(".")
    value = declarations[0].named_children[-1]
    if value.type != "call_expression":
        return False
    known = {*owners, name, f"`{name}`"}
    for node in walk(value):
        if node.type not in _PLAIN_NODES:
            return False
        if node.type == "call_expression":
            called = source.slice(node.named_children[0]).partition("<")[0].rpartition(".")[2]
            if called not in known and not _MAKERS.fullmatch(called):
                return False
    return True
