"""Observation: jobs that call targets with generated inputs, and characterization tests of what two of them agree on.

What comes back was written by processes that ran hostile code. Every record is checked against the grammar of programs and
outcomes; literals are read with ``ast.literal_eval`` and written anew, names must be identifiers of the project's modules,
so nothing of a record is ever pasted into a test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.python.codebase import Codebase, module_name
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.observed_programs import OPERATORS, SHARED, Observation, read_observation
from qverify_desktop.languages.python.observed_tests import Writer
from qverify_desktop.languages.python.seeds import known_calls, module_seeds

#: Programs tried a target, programs kept, seconds of computing a target, seconds in all.
CALLS = 2000
LEAST_CALLS = 300
#: Programs tried in all, shared by the targets: the budget is a count, so that a seed gives the same on any machine.
CALLS_IN_ALL = 120_000
MOST_KEPT = 8
TARGET_S = 4.0
#: Seconds that importing a module may take.
IMPORT_S = 25
TIMEOUT_S = 600
_MOST_BYTES = 32 * 1024 * 1024
_MOST_RECORDS = 20_000
_DRIVERS = (
    "observe.py",
    "qv_supervision.py",
    "qv_inputs.py",
    "qv_pools.py",
    "qv_programs.py",
    "qv_reading.py",
    "qv_facts.py",
    "qv_trial.py",
)
#: Code whose call would say little in a sandbox, or would end it. The container is the boundary; this saves time.
_POINTLESS = re.compile(
    r"\b(?:os\.(?:system|exec\w*|kill|fork|remove|unlink|rmdir|makedirs|mkdir|chdir|_exit)|subprocess\.|shutil\.|socket\."
    r"|sys\.exit|requests\.|urlopen|httpx\.|smtplib|signal\.|threading\.Thread|multiprocessing)"
    r"|(?<![\w.])(?:input|open|exit|quit|breakpoint|exec|eval)\("
)
_SPECIAL = frozenset(("__init__", "__call__", "__enter__", "__exit__", *OPERATORS))
_VARIATIONS: tuple[Mapping[str, str], ...] = (
    {"PYTHONHASHSEED": "0", "TZ": "UTC"},
    {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Auckland"},
)


def observation_jobs(
    snapshot: Snapshot, project: Project, targets: Sequence[Target], seed: int, patience_s: int = IMPORT_S
) -> list[Job]:
    """Two jobs that do the same under another hash seed and time zone; none where no target can be observed."""
    codebase = Codebase.read(snapshot, project, targets)
    wanted = [target for target in targets if _is_observable(target, codebase)]
    if not wanted:
        return []
    calls = known_calls(snapshot, project, codebase, wanted)
    request = {
        "seed": seed,
        "roots": list(project.source_roots),
        "modules": sorted(codebase.modules),
        "files": sorted(codebase.by_file),
        "targets": [
            {"id": t.id, "module": t.module, "symbol": t.symbol, "callee": t.callee, "calls": calls[t.id]}
            for t in wanted
        ],
        "seeds": module_seeds(snapshot, project, codebase),
        "shared": [list(entry) for entry in SHARED],
        "operators": dict(OPERATORS),
        "producers": _producers(targets),
        "calls": max(LEAST_CALLS, min(CALLS, CALLS_IN_ALL // len(wanted))),
        "most": MOST_KEPT,
        "target_s": TARGET_S,
        "import_s": min(IMPORT_S, patience_s),
        "deadline_s": TIMEOUT_S - 20,
    }
    overlay = {**driver_files(*_DRIVERS), f"{FOLDER}/observe.json": json.dumps(request).encode()}
    return [
        Job(
            purpose="observe",
            argv=("python", f"{FOLDER}/observe.py"),
            overlay=overlay,
            env={"PYTHONUTF8": "1", "LC_ALL": "C.UTF-8", **variation},
            limits=Limits(timeout_s=TIMEOUT_S),
        )
        for variation in _VARIATIONS
    ]


def _producers(targets: Sequence[Target]) -> dict[str, list[list[str]]]:
    """Public functions by the name of the class they say they return: another way to an instance than its constructor."""
    found: dict[str, list[list[str]]] = {}
    for target in targets:
        plain = target.callee in ("function", "staticmethod", "classmethod") and not target.is_async
        if plain and target.public and not target.symbol.rpartition(".")[2].startswith("_"):
            names = re.findall(r"[A-Za-z_]\w*", target.returns)
            if names and names[-1][:1].isupper() and "[" not in target.returns:
                found.setdefault(names[-1], []).append([target.module, target.symbol])
    return found


def _is_observable(target: Target, codebase: Codebase) -> bool:
    *_, name = target.symbol.split(".")
    if any(part.startswith("_") for part in target.symbol.split(".")[:-1]):
        return False
    if name.startswith("_") and name not in _SPECIAL:
        return False
    definition = codebase.definition(target)
    source = codebase.by_file.get(target.file)
    if definition is None or source is None:
        return False
    text = "\n".join(source.text.split("\n")[definition.lineno - 1 : definition.end_lineno])
    return not _POINTLESS.search(text)


def read_observations(
    project: Project, targets: Sequence[Target], results: Sequence[JobResult]
) -> list[GeneratedTest]:
    """A test for each program whose outcome was the same in every job, in the order of the targets."""
    if not results:
        return []
    modules = frozenset(module_name(path, project.source_roots) for path in project.source_files) | {
        target.module for target in targets
    }
    by_id = {target.id: target for target in targets}
    runs = [dict(_observations(result, modules, by_id)) for result in results]
    writer = Writer(project)
    tests: list[GeneratedTest] = []
    order = {target.id: position for position, target in enumerate(targets)}
    for key in sorted(runs[0], key=lambda item: order[item[0]]):
        common: Observation | None = runs[0][key]
        for other in runs[1:]:
            common = common.agreed(other[key]) if common is not None and key in other else None
        if common is not None:
            test = writer.test(by_id[key[0]], common)
            if test is not None:
                tests.append(test)
    return tests


def _observations(
    result: JobResult, modules: frozenset[str], targets: Mapping[str, Target]
) -> Iterator[tuple[tuple[str, str], Observation]]:
    content = result.artefacts.get("observations.jsonl", b"")
    if len(content) > _MOST_BYTES:
        return
    counts: dict[str, int] = {}
    for number, line in enumerate(content.split(b"\n")):
        if number >= _MOST_RECORDS:
            return
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if not isinstance(document, dict) or document.get("kind") != "observation":
            continue
        target = targets.get(document["target"]) if isinstance(document.get("target"), str) else None
        if target is None or counts.get(target.id, 0) >= MOST_KEPT:
            continue
        try:
            observation = read_observation(document, target, modules)
        except RecursionError:
            continue
        if observation is not None:
            counts[target.id] = counts.get(target.id, 0) + 1
            yield (target.id, observation.key), observation
