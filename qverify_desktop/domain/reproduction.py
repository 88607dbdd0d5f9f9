"""A run of somebody else executed again: what its evidence claims, and what came of it here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypedDict


class Agreement(StrEnum):
    """What executing one test again came to. ``NOT_RUN``: nothing can be said, which is no difference."""

    AGREES = "agrees"
    DIFFERS = "differs"
    NOT_RUN = "not_run"


class Outcome(StrEnum):
    """What a whole reproduction came to.

    ``REPRODUCED``: every accepted test and every suspected defect ended as the evidence says, over the same source and in the
    same images with the same packages. ``OTHER_ENVIRONMENT``: the same, but in another image or with other packages. ``PARTLY``: nothing differs, not all was executed.
    ``NOTHING``: there is nothing to execute, or nothing could be.
    """

    REPRODUCED = "reproduced"
    OTHER_ENVIRONMENT = "other_environment"
    DIFFERS = "differs"
    PARTLY = "partly"
    NOTHING = "nothing"


class State(StrEnum):
    """Where a reproduction is. ``REFUSED``: the bundle is not whole, so nothing of it was executed."""

    RUNNING = "running"
    FINISHED = "finished"
    REFUSED = "refused"
    FAILED = "failed"
    STOPPED = "stopped"


#: What each outcome shows, and what it does not.
MEANINGS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.REPRODUCED: (
        "Every accepted test and every suspected defect was executed again on this machine, over the same source and in the "
        "same images with the same packages, and each ended as the evidence says.",
        "It does not show that the tests ask the right questions; coverage and mutants were not measured again.",
    ),
    Outcome.OTHER_ENVIRONMENT: (
        "Every test that was executed again ended as the evidence says, but in another image or with other packages than the run's.",
        "It is no reproduction of the run: what differs may matter for what was not tested.",
    ),
    Outcome.DIFFERS: (
        "Some tests end otherwise on this machine than the evidence says.",
        "It does not show who is right: the machine, its image, a test that is not steady, or the evidence.",
    ),
    Outcome.PARTLY: (
        "What was executed again ended as the evidence says, but not everything could be executed.",
        "Nothing follows for the tests that were not executed.",
    ),
    Outcome.NOTHING: ("Nothing was executed again.", "Nothing follows from that."),
}


@dataclass(frozen=True)
class ReproductionRequest:
    """What an auditor asks for. ``bundle`` is an absolute path; ``source`` a folder's absolute path or a git URL, as for an
    analysis. ``public_key`` and ``known_checkpoint`` are what the bundle is verified against. ``other_image`` executes in this
    machine's image where the pinned one is not here; ``packages`` and ``allow_install`` are those of ``AnalysisRequest``.
    """

    bundle: str
    source: str = ""
    public_key: str = ""
    known_checkpoint: str = ""
    other_image: bool = False
    allow_install: bool = False
    packages: str = ""
    sandbox: str = ""


@dataclass(frozen=True)
class Compared:
    """One test executed again. ``steady`` says whether it ended the same each time here; ``was`` and ``now`` say in words how it ended then and here; ``why`` says for a difference or a
    test that was not executed what happened. ``call`` and ``expected`` are source text where the test holds one call to one value. ``verdict`` is the one of the evidence (``accepted`` or ``suspected``); ``code``
    the test's source text.
    """

    id: str
    language: str
    target: str
    verdict: str
    state: Agreement
    was: str
    now: str
    why: str = ""
    code: str = ""
    passed: int = 0
    failed: int = 0
    steady: bool = True
    call: str = ""
    expected: str = ""


@dataclass(frozen=True)
class ComparedPackage:
    """A package that was installed then, here, or both: its versions, empty where there was none. ``sentence`` says what differs,
    empty where nothing does."""

    language: str
    name: str
    then: str
    now: str
    same: bool
    sentence: str = ""


@dataclass(frozen=True)
class ComparedImage:
    """The pinned image of a language beside the one that was used here; ``used`` is empty where none was. ``sentence`` says
    what differs, empty where nothing does."""

    language: str
    runtime: str
    pinned: str
    used: str = ""
    same: bool = False
    sentence: str = ""
    remedy: str = ""


class ComparedView(TypedDict):
    id: str
    language: str
    target: str
    verdict: str
    state: str
    was: str
    now: str
    why: str
    code: str
    passed: int
    failed: int
    steady: bool
    call: str
    expected: str


class ComparedPackageView(TypedDict):
    language: str
    name: str
    then: str
    now: str
    same: bool
    sentence: str


class ComparedImageView(TypedDict):
    language: str
    runtime: str
    pinned: str
    used: str
    same: bool
    sentence: str
    remedy: str


class OriginalView(TypedDict):
    """The run as its bundle names it; ``checkpoint_sha256`` is over the closing checkpoint's three lines."""

    run: str
    origin: str
    size: int
    application: str
    checkpoint_sha256: str
    bundle: str
    bundle_sha256: str
    source: str
    commit: str
    tree: str


class RecordView(TypedDict):
    """The reproduction's own signed record: its name in this installation's log, and the file to hand back."""

    name: str
    bundle: str
    report: str
    verifier_key: str
    protection: str
    started_at: str


class ReproductionView(TypedDict):
    """``docs/reproduce.schema.json``. ``packages`` are those that were installed for the run, ``advice`` what to do next where it is
    no reproduction, in sentences. ``grades`` are what the verifier and, where it is earned, the reproduction say."""

    id: str
    version: int
    state: str
    stage: str
    done: int
    total: int
    grade: str
    grades: list[str]
    outcome: str
    sentence: str
    meaning: str
    limit: str
    problems: list[str]
    notices: list[str]
    original: OriginalView
    source: str
    images: list[ComparedImageView]
    packages: list[ComparedPackageView]
    advice: list[str]
    tests: list[ComparedView]
    agree: int
    differ: int
    not_run: int
    duration_ms: int
    record: RecordView
    error: dict[str, Any]
