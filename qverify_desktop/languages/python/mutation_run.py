"""Running mutants: the job for the sandbox, and reading what comes back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import Mutant, MutantOutcome, MutantStatus
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.suite import MAX_BYTES, MAX_RECORDS, environment

#: Seconds: to start and run the tests once, for each mutant, and at most.
START_S, EACH_S, MOST_S = 90, 4, 600


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["mutant"]
    mutant: Annotated[str, Field(max_length=100)]
    status: Literal["killed", "survived", "timed_out", "invalid", "not_run"]
    killed_by: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=10_000)]


def mutation_job(
    project: Project, files: Mapping[str, str], mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    named = {test.partition("::")[0] for mutant in mutants for test in tests.get(mutant.id, ())}
    request = {
        "roots": list(project.source_roots),
        "own": sorted(named - set(files)),
        "asyncio": any("async " in text for text in files.values()),
        "deadline_s": timeout - 6,
        "mutants": [
            {
                "id": mutant.id,
                "file": mutant.file,
                "start": mutant.start,
                "end": mutant.end,
                "original": mutant.original,
                "replacement": mutant.replacement,
                "tests": list(dict.fromkeys(test.partition("[")[0] for test in tests.get(mutant.id, ()))),
            }
            for mutant in mutants
        ],
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files("run_mutants.py", "qv_supervision.py"))
    overlay[f"{FOLDER}/mutants.json"] = json.dumps(request).encode()
    return Job(
        purpose="mutants",
        argv=("python", f"{FOLDER}/run_mutants.py"),
        overlay=overlay,
        env=environment(RunVariation()),
        limits=Limits(timeout_s=timeout),
    )


def read_mutation(mutants: Sequence[Mutant], result: JobResult) -> list[MutantOutcome]:
    """Read the records of ``run_mutants.py``; each mutant has one outcome, ``NOT_RUN`` where none came back."""
    content = result.artefacts.get("mutants.jsonl", b"")
    known = {mutant.id for mutant in mutants}
    found: dict[str, MutantOutcome] = {}
    for number, line in enumerate(content.split(b"\n") if len(content) <= MAX_BYTES else ()):
        if number >= MAX_RECORDS:
            break
        try:
            record = _Record.model_validate_json(line)
        except (ValidationError, ValueError, RecursionError):
            continue
        if record.mutant in known:
            found[record.mutant] = MutantOutcome(record.mutant, MutantStatus(record.status), tuple(record.killed_by))
    return [found.get(mutant.id, MutantOutcome(mutant.id, MutantStatus.NOT_RUN)) for mutant in mutants]
