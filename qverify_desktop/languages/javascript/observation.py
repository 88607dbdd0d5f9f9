"""Characterization: calls with generated inputs in the sandbox, and tests that keep what was seen in each of two runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tree_sitter import Node

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Parameter, Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.ecosystems import with_dependencies
from qverify_desktop.languages.javascript import styles
from qverify_desktop.languages.javascript.access import access_of, uses_modules
from qverify_desktop.languages.javascript.dialects import read_source
from qverify_desktop.languages.javascript.drivers import FOLDER, driver_files
from qverify_desktop.languages.javascript.packages import framework
from qverify_desktop.languages.javascript.placing import test_path
from qverify_desktop.languages.javascript.segments import find_definition, find_symbol
from qverify_desktop.languages.javascript.shapes import constants_of, guessed, named_types, shape_of
from qverify_desktop.languages.javascript.speaking import source_of
from qverify_desktop.languages.javascript.suite import DRIVERS, LOAD_S, environment, installed
from qverify_desktop.languages.tree.source import TreeSource
from qverify_desktop.languages.values.encoding import Unreadable, decode, encode
from qverify_desktop.languages.values.shapes import Basic, Constants, Shape, inputs
from qverify_desktop.languages.values.value import Entries, Items, Made, Number, Value

MOST_KEPT = 8
MOST_INPUTS = 120
INPUTS_IN_ALL = 12_000
TIMEOUT_S = 300
CALL_S = 3
_MOST_BYTES = 16 * 1024 * 1024
_MOST_RECORDS = 20_000
_MOST_MESSAGE = 200
#: Code whose answer depends on when, where or how often it runs, or that works on the machine.
_UNSTABLE = re.compile(
    r"\bMath\.random\b|\bDate\.now\b|\bnew Date\(\)|\bperformance\b|\bcrypto\b|\bprocess\.(?!env\.NODE_ENV)|\bchild_process\b"
    r"|\bfetch\(|\bXMLHttpRequest\b|\bsetInterval\b|\bfsp?\.|\bimport\(|\btoLocale\w*String"
)
_VARIATIONS = (RunVariation(0, 0, "UTC0"), RunVariation(0, 4242, "NPT-5:45", "C"))


def observation_jobs(
    snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int, patience_s: int
) -> list[Job]:
    """Two jobs that do the same under another time zone and seed; none where no target can be observed."""
    wanted = []
    each = max(10, min(MOST_INPUTS, INPUTS_IN_ALL // max(1, len(targets))))
    for target in targets:
        planned = _planned(snapshot, target, seed, each)
        if planned is not None:
            wanted.append(planned)
    if not wanted:
        return []
    request = {
        "targets": wanted,
        "sources": list(project.source_files),
        "most": MOST_KEPT,
        "call_s": CALL_S,
        "import_s": min(LOAD_S, patience_s),
        "deadline_s": TIMEOUT_S - 15,
    }
    overlay = driver_files("observe.cjs", "qv_observer.cjs", "qv_values.cjs", "qv_marks.cjs", *DRIVERS)
    overlay[f"{FOLDER}/observe.json"] = json.dumps(request).encode()
    return [
        with_dependencies(
            Job(
                purpose="observe",
                argv=("node", f"{FOLDER}/observe.cjs"),
                overlay=overlay,
                env={**environment(variation), "QV_SEED": str(variation.hash_seed + 1)},
                limits=Limits(timeout_s=TIMEOUT_S),
            ),
            installed(project),
        )
        for variation in _VARIATIONS
    ]


def _planned(snapshot: Snapshot, target: Target, seed: int, most: int) -> dict[str, Any] | None:
    """What a driver needs to call a target; ``None`` where it can't be called or says something else each time."""
    access = access_of(target)
    name = target.symbol.rpartition(".")[2]
    if access is None or not target.public or name == "constructor":
        return None
    source = read_source(snapshot.root, target.file)
    definition = find_definition(source, target) if isinstance(source, TreeSource) else None
    if not isinstance(source, TreeSource) or definition is None or _UNSTABLE.search(source.slice(definition.node)):
        return None
    constants = constants_of(source, definition.body)
    given = _inputs(source, definition.body, target.parameters, constants, seed, most)
    made: list[tuple[Value, ...]] = [()]
    if target.callee in ("method", "property"):
        maker = find_symbol(source, f"{target.symbol.rpartition('.')[0]}.constructor")
        if maker is not None:
            made = _inputs(source, maker.body, maker.parameters, constants, seed, 8)
    if not given or not made:
        return None
    return {
        "id": target.id,
        "file": target.file,
        "way": access.way.value,
        "symbol": target.symbol,
        "callee": target.callee,
        "inputs": [[encode(one) for one in row] for row in given],
        "made": [[encode(one) for one in row] for row in made],
    }


def _inputs(
    source: TreeSource, body: Node, parameters: Sequence[Parameter], constants: Constants, seed: int, most: int
) -> list[tuple[Value, ...]]:
    shapes: list[Shape] = []
    named = named_types(source)
    for parameter in parameters:
        shape = shape_of(parameter.annotation, named) if parameter.annotation else guessed(source, body, parameter)
        if shape.basic is Basic.OPAQUE and parameter.default is not None:
            # Left out, and so is all that comes after it.
            break
        if parameter.kind == "var_positional":
            row = shape if parameter.annotation else Shape(Basic.LIST, (Shape(Basic.ANY),))
            shapes.append(row)
            rows = [(*one[:-1], *_items(one[-1])) for one in inputs(shapes, constants, seed, most)]
            return list(dict.fromkeys(tuple(map(plain, row)) for row in rows))
        shapes.append(shape)
    return list(dict.fromkeys(tuple(map(plain, row)) for row in inputs(shapes, constants, seed, most)))


def plain(value: Value) -> Value:
    """A value as JavaScript has it: ``1.0`` is the same number as ``1``."""
    if isinstance(value, Number) and not value.whole and value.text.endswith(".0"):
        return Number(value.text[:-2], True)
    if isinstance(value, Items):
        return replace(value, items=tuple(map(plain, value.items)))
    if isinstance(value, Entries):
        return Entries(tuple((key, plain(one)) for key, one in value.pairs))
    return replace(value, arguments=tuple(map(plain, value.arguments))) if isinstance(value, Made) else value


def _items(value: Value) -> tuple[Value, ...]:
    return value.items if isinstance(value, Items) else (value,)


@dataclass(frozen=True)
class _Seen:
    """One call and what it came to, as source text; ``kind`` is ``value``, ``given`` (what became of the first argument)
    or ``raises`` (``expected`` is the error's name, ``message`` its text)."""

    made: tuple[str, ...]
    arguments: tuple[str, ...]
    kind: str
    expected: str
    message: str = ""
    later: bool = False


def read_observations(
    project: Project, targets: Sequence[Target], results: Sequence[JobResult]
) -> list[GeneratedTest]:
    """A test for each call that came to the same in every job, in the order of the targets."""
    if not results:
        return []
    by_id = {target.id: target for target in targets}
    runs = [_read(result, by_id) for result in results]
    runner = framework(project)
    tests: list[GeneratedTest] = []
    for target in targets:
        others = [set(run.get(target.id, ())) for run in runs[1:]]
        agreed = [seen for seen in runs[0].get(target.id, ()) if all(seen in other for other in others)]
        for number, seen in enumerate(dict.fromkeys(agreed[:MOST_KEPT]), start=1):
            test = _test(project, target, seen, number, runner)
            if test is not None:
                tests.append(test)
    return tests


def _read(result: JobResult, targets: Mapping[str, Target]) -> dict[str, list[_Seen]]:
    content = result.artefacts.get("observations.jsonl", b"")
    found: dict[str, list[_Seen]] = {}
    for number, line in enumerate(content.split(b"\n") if len(content) <= _MOST_BYTES else ()):
        if number >= _MOST_RECORDS:
            break
        try:
            document = json.loads(line)
            target = targets.get(document["target"])
            seen = _seen(document)
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if target is not None and seen is not None and len(found.setdefault(target.id, [])) < MOST_KEPT:
            found[target.id].append(seen)
    return found


def _seen(document: dict[str, Any]) -> _Seen | None:
    """Raises ``ValueError``, ``KeyError``, ``TypeError`` for what is no record of an observation."""
    made = [source_of(one) for one in _decoded(document["made"])]
    arguments = [source_of(one) for one in _decoded(document["arguments"])]
    kind, later = document["kind"], document["later"] is True
    if kind == "raises":
        name, message = str(document["name"])[:100], str(document["message"])
        if not re.fullmatch(r"[A-Za-z_$][\w$]{0,80}", name, re.ASCII) or len(message) > _MOST_MESSAGE:
            return None
        expected: str | None = name
    else:
        message = ""
        expected = source_of(decode(document["value"])) if kind in ("value", "given") else None
    if expected is None or any(one is None for one in (*made, *arguments)):
        return None
    return _Seen(
        tuple(one for one in made if one is not None),
        tuple(one for one in arguments if one is not None),
        kind,
        expected,
        message,
        later,
    )


def _decoded(rows: object) -> Iterator[Value]:
    if not isinstance(rows, list) or len(rows) > 50:
        raise Unreadable("no arguments")
    return (decode(one) for one in rows)


def _test(project: Project, target: Target, seen: _Seen, number: int, runner: str) -> GeneratedTest | None:
    access = access_of(target)
    if access is None:
        return None
    path = test_path(project, target, "observed")
    call, lines = _call(target, access.expression, seen)
    if seen.kind == "raises":
        lines.append(styles.raises(runner, call, seen.expected, seen.message, is_async=seen.later))
    elif seen.kind == "given":
        lines += [f"{'await ' if seen.later else ''}{call};", styles.equal(runner, "given", seen.expected)]
    else:
        check = styles.equal if seen.expected[:1] in "[{" or seen.expected.startswith("new ") else styles.same
        lines += [
            f"const observed = {'await ' if seen.later else ''}{call};",
            check(runner, "observed", seen.expected),
        ]
    title = f"{target.symbol} behaves as observed {number}"
    prelude = [
        *styles.needs(runner, target, path, asserts=True, written=False),
        access.statement(target.file, path, modules=uses_modules(target, runner)),
    ]
    return GeneratedTest(
        path=path,
        name=title,
        code=styles.framed(title, lines, is_async=seen.later),
        target=target.id,
        label=Label.CHARACTERIZATION,
        origin=Origin.OBSERVATION,
        prelude=tuple(prelude),
        call=call,
        expected=seen.expected,
    )


def _call(target: Target, expression: str, seen: _Seen) -> tuple[str, list[str]]:
    """The call, and the statements before it."""
    lines = []
    arguments = list(seen.arguments)
    if seen.kind == "given":
        lines.append(f"const given = {arguments[0]};")
        arguments[0] = "given"
    name = expression
    if target.callee in ("method", "property"):
        owner, _, member = expression.rpartition(".")
        lines.append(f"const subject = new {owner}({', '.join(seen.made)});")
        name = f"subject.{member}"
    return (name if target.callee == "property" else f"{name}({', '.join(arguments)})"), lines
