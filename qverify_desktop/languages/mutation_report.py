"""Mutants on their way into a container and back: what a driver is asked, and reading what it answers.

A driver answers one JSON record a line in ``mutants.jsonl``: ``{"kind": "mutant", "mutant": id, "status":
"killed|survived|timed_out|invalid|not_run", "killed_by": [test id…]}``. Hostile code ran beside it, so records that do not fit
are dropped, and a mutant with no record was not run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.execution import JobResult
from qverify_desktop.domain.testing import Mutant, MutantOutcome, MutantStatus
from qverify_desktop.languages.report import MAX_BYTES, MAX_RECORDS

#: Name of the artefact.
REPORT = "mutants.jsonl"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["mutant"]
    mutant: Annotated[str, Field(max_length=100)]
    status: Literal["killed", "survived", "timed_out", "invalid", "not_run"]
    killed_by: Annotated[list[Annotated[str, Field(max_length=2000)]], Field(max_length=10_000)]


def described(mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The mutants with the tests to run for each, as a driver reads them from JSON. Offsets are bytes of the file."""
    return [
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
    ]


def read_mutation(mutants: Sequence[Mutant], result: JobResult) -> list[MutantOutcome]:
    """Each mutant has one outcome, ``NOT_RUN`` where none came back."""
    content = result.artefacts.get(REPORT, b"")
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
