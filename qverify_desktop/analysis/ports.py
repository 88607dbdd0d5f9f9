"""What the analysis asks of the capability rooms. Implementations live in the rooms; ``composition`` joins them."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.execution import ImagePin, Job, JobResult, RuntimeImage
from qverify_desktop.domain.model import Answer as Answer
from qverify_desktop.domain.model import Asker, Masked
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Commit, Snapshot
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.domain.results import EarlierRun


class Repositories(Protocol):
    """Room ``repository``."""

    def take_snapshot(self, source: str, workspace: Path, stop: threading.Event | None = None) -> Snapshot:
        """Copy ``source`` (folder or git URL) into ``workspace``/tree; blocking, call it in a thread.

        Ends with ``Cancelled`` soon after ``stop`` is set, and with it every git process. Raises ``BadInput`` (no such folder, nothing in it, unreachable URL, refused transport) or
        ``MissingPrerequisite`` (no git, disk full).
        """

    def changed_lines(
        self, snapshot: Snapshot, workspace: Path, ref: str, stop: threading.Event | None = None
    ) -> Mapping[str, frozenset[int]]:
        """Lines of the snapshot that differ from ``ref``, by file. Raises ``BadInput`` for an unknown revision."""

    def history(self, workspace: Path, path: str, most: int, stop: threading.Event | None = None) -> list[Commit]:
        """At most ``most`` commits of the snapshot in ``workspace`` back along first parents, newest first; with ``path`` only
        those that changed that file. Empty for a folder without commits.
        """

    def change_counts(self, workspace: Path, most: int, stop: threading.Event | None = None) -> Mapping[str, int]:
        """How many of the newest ``most`` commits changed each file. Empty for a folder without commits."""

    def snapshot_at(
        self,
        snapshot: Snapshot,
        workspace: Path,
        revision: str,
        folder: Path,
        stop: threading.Event | None = None,
        *,
        patch: bytes = b"",
    ) -> Snapshot:
        """The files of another revision, with ``patch`` (``git diff --binary``) applied, in ``folder``, which must not be there.
        Raises ``BadInput`` where the revision can't be read or the patch does not apply, ``MissingPrerequisite`` where the disk is full.
        """


class Sandbox(Protocol):
    """Room ``sandbox``."""

    async def image(self, runtime: str, progress: Any = None) -> RuntimeImage:
        """The built image of a runtime, building it where it is missing (``progress`` takes lines of text).

        Raises ``MissingPrerequisite`` when there is no Docker Engine or the image can't be built.
        """

    async def pinned(self, pin: ImagePin) -> tuple[RuntimeImage | None, RuntimeImage | None]:
        """The image that a run's evidence names, where it is on this machine, and this machine's own of that runtime, where it is
        built. Nothing is built or fetched.

        Raises ``MissingPrerequisite`` when no sandbox can be had at all.
        """

    async def run(
        self, job: Job, image: RuntimeImage, source: Path, *, run: str, dependencies: Path | None = None
    ) -> JobResult:
        """Run ``job`` in a fresh container over a read-only ``source``; the container is gone when this returns.

        Code that hangs, floods or dies is a ``JobResult``; an engine that fails is ``SandboxFailure``. Cancelling the
        awaiting task kills the container.
        """


class Artefacts(Protocol):
    """Content-addressed store of room ``storage``. A digest is SHA-256 in lower-case hex."""

    def put(self, content: bytes) -> str: ...

    def get(self, digest: str) -> bytes: ...


@dataclass(frozen=True)
class Evidence:
    """One event to be logged. ``data`` is JSON without floats; ``blobs`` maps a key to content whose salted
    commitment is put into the event under that key (RFC 6962 leaf holds the commitment, the blob lies beside it)."""

    type: str
    data: Mapping[str, Any]
    blobs: Mapping[str, bytes]


class Journal(Protocol):
    """The evidence log together with the results, written in one transaction (rooms ``evidence`` and ``storage``)."""

    def recorded(self, run: str, step: str) -> str | None:
        """Digest of the step's result when it was recorded before, otherwise ``None``."""

    def recorded_by(self, step: str) -> list[tuple[str, str]]:
        """Each run that recorded a step of this name, with the digest of its result, the newest first."""

    def record(self, run: str, step: str, result: str, events: list[Evidence]) -> str:
        """Append events and the step's result digest; a step recorded before changes nothing. Answers the digest that stands."""

    def checkpoint(self, run: str) -> str:
        """Sign a checkpoint over the whole log; answers the signed note's text."""

    def sealed(self, run: str) -> EarlierRun | None:
        """The leaf that closed a run, for a later run that relies on it. ``None`` where it is not closed, or was closed under
        another signing key, or another protection of it, than the one that signs now."""

    def bundle(self, run: str, path: Path, disclosure: Disclosure = Disclosure.FULL) -> None:
        """Write the run's bundle, pinned to the checkpoint at its close."""

    def anchor_files(self, run: str) -> frozenset[str]:
        """Names of the files in the run's bundle that hold what others confirmed about its closing checkpoint, as it is now."""


class EarlierRuns(Protocol):
    """Runs of this installation (room ``storage``)."""

    def finished(self, source: str, most: int) -> list[str]:
        """At most ``most`` names of finished runs over ``source``, as it was named, newest first."""


class Gateway(Protocol):
    """Room ``gateway``: one prompt in, one answer out."""

    async def complete(self, question: Question) -> Answer:
        """Raises ``ModelFailure`` with the sentence why; cancelling closes the connection."""

    def mask(self, messages: Messages) -> Masked:
        """The messages without secrets, as ``complete`` would send them. Blocking, some milliseconds."""

    async def probe(self, model: str, api_base: str, *, asker: Asker = Asker()) -> str:
        """Empty when a model answers that ``asker`` may ask, otherwise the sentence why not."""

    def set_air_gap(self, on: bool) -> None:
        """Whether nobody outside this machine may be asked."""


class Reporter(Protocol):
    """Where stages tell a person what goes on. Never blocks, never raises."""

    def started(self, stage: Stage) -> None: ...

    def finished(self, stage: Stage, text: str) -> None: ...

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None: ...

    def target(self, stage: Stage, target: str, text: str) -> None: ...

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None:
        """The end of what a model has written for a target so far, in lines; ``over`` when it has ended. From any thread."""

    def log(self, stage: Stage, text: str) -> None: ...
