"""What a window is told of the evidence log, its keys, its anchors and a bundle's grade. The same rules as in ``views``."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class LogLine(TypedDict):
    """One line of a run's log; ``at_ms`` since the run was started. ``kind`` is an ``EventKind`` value, ``target`` the id of
    the target that it tells of."""

    number: int
    at_ms: int
    stage: str
    text: str
    kind: str
    target: str


class LogPage(TypedDict):
    """Lines ``start`` … of a log of ``total`` lines."""

    total: int
    start: int
    lines: list[LogLine]


class LogHits(TypedDict):
    """Numbers of the log's lines in which ``words`` stand; ``complete`` is false when there are more."""

    words: str
    rows: list[int]
    complete: bool


class EventLine(TypedDict):
    """An entry of the evidence log in words."""

    index: int
    run: str
    type: str
    at: str
    words: str


class EventPage(TypedDict):
    """Entries of the log, oldest first, from place ``start`` of ``total`` that match. ``complete`` is false when a search
    looked at the newest entries only."""

    total: int
    start: int
    entries: list[EventLine]
    complete: bool


class ProofStep(TypedDict):
    """A hash beside the way to the root: ``side`` is left or right of the hash that is computed (RFC 6962, 2.1.1)."""

    side: str
    hash: str
    computed: str


class EventView(TypedDict):
    """An entry with its canonical JSON and its inclusion proof against the newest checkpoint that holds it. ``holds``: the
    entry, the path, the root and the signature were checked. Otherwise ``problem`` says what is wrong; it is empty where
    no checkpoint covers the entry yet."""

    line: EventLine
    payload: dict[str, Any]
    leaf: str
    leaf_hash: str
    proof: list[ProofStep]
    size: int
    root: str
    holds: bool
    problem: str


class CheckpointView(TypedDict):
    """A signed checkpoint (C2SP tlog-checkpoint) with the key that verifies it. ``protection`` says how the key is kept."""

    note: str
    origin: str
    size: int
    root: str
    run: str
    signed_at: str
    verifier_key: str
    protection: str


class AnchorView(TypedDict):
    """What somebody else is asked to confirm about a checkpoint. ``kind`` is time_stamp or witness, ``state`` waiting, held or refused;
    ``at`` is the confirmed time (RFC 3339), ``sentence`` why it is not held."""

    kind: str
    by: str
    state: str
    at: str
    sentence: str


class AnchorsView(TypedDict):
    """The anchors of a run's closing checkpoint of ``size`` entries (0: it has none yet). ``asked``: the settings name somebody to ask."""

    size: int
    asked: bool
    anchors: list[AnchorView]


class SigningKeyView(TypedDict):
    """A key that signs the log, or did. ``state`` is in_use, rotated or revoked; ``size`` is that of the log at the last change."""

    verifier_key: str
    id: str
    protection: str
    protected: bool
    state: str
    changed_at: str
    size: int
    reason: str


class SigningKeysView(TypedDict):
    """The log's name and its keys, the one in use first."""

    origin: str
    keys: list[SigningKeyView]


class SaidView(TypedDict):
    """What a run's entries say of it: git ids, when it was opened and closed (RFC 3339), its verdict, how many tests, and the images by
    language. Texts are printable ASCII, empty where the run does not say."""

    commit: str
    tree: str
    dirty: bool
    opened_at: str
    closed_at: str
    outcome: str
    verdict: str
    accepted: int
    refused: int
    suspected: int
    images: list[str]


class GradeView(TypedDict):
    """A verified bundle: ``meaning`` says what the grade shows, ``limit`` what it does not. ``reproduced`` is when all of it was
    executed again on this machine and agreed (RFC 3339), empty or left out where it was not;
    ``record`` what it says of a reproduction, where it is the record of one; ``confirmed`` are sentences on what holds against a key and
    a checkpoint that were given, ``said`` what the run says of itself where the bundle shows it."""

    grade: str
    valid: bool
    meaning: str
    limit: str
    problems: list[str]
    notices: list[str]
    anchors: list[dict[str, Any]]
    events: int
    checkpoint: str
    bundle: str
    run: str
    reproduced: NotRequired[str]
    record: NotRequired[str]
    confirmed: NotRequired[list[str]]
    said: NotRequired[SaidView | None]


class VerifierView(TypedDict):
    """Where the stand-alone verifier was written, and its SHA-256 in hexadecimal."""

    path: str
    sha256: str
