"""One command in one sandbox: what is asked, under which limits, and what came back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


class SandboxKind(StrEnum):
    """What makes the sandboxes of a run. Chosen by a person; nothing falls back from one to the other."""

    DOCKER = "docker"
    BUBBLEWRAP = "bubblewrap"


class Isolation(StrEnum):
    """How well a run was locked away from the machine, as its evidence and every report of it say."""

    CONTAINER = "container"
    REDUCED = "reduced"


def isolation_of(sandbox: str) -> Isolation:
    """The isolation that a kind of sandbox gives; an empty word is a run from before there was a choice."""
    return Isolation.REDUCED if sandbox == SandboxKind.BUBBLEWRAP else Isolation.CONTAINER


@dataclass(frozen=True)
class Limits:
    """Hard limits of one execution. Bytes, seconds, counts. Enforced by the engine, never by the code inside.

    ``output_bytes`` is what is kept of the output; a command that writes more than ``flood_bytes`` is killed.
    """

    timeout_s: int = 300
    memory_bytes: int = 2 * GIB
    cpus: float = 2.0
    pids: int = 256
    tmp_bytes: int = 512 * MIB
    work_bytes: int = 1 * GIB
    file_bytes: int = 512 * MIB
    output_bytes: int = 1 * MIB
    flood_bytes: int = 2 * GIB
    artefact_bytes: int = 64 * MIB


@dataclass(frozen=True)
class Job:
    """A command to run over a snapshot. Made by a language, run by a sandbox.

    ``overlay`` are files (path relative to the work folder, ``/``) laid over the copied snapshot. ``argv`` runs in the
    work folder. Files that the command leaves in the folder named by the environment variable ``QV_OUT`` come back as
    ``JobResult.artefacts``. ``purpose`` is a short word for the evidence (``baseline``, ``judge``, ``mutants`` …).
    """

    purpose: str
    argv: tuple[str, ...]
    overlay: Mapping[str, bytes] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()
    network: bool = False


@dataclass(frozen=True)
class Execution:
    """The facts of one container's life, as they go into the evidence. Durations in milliseconds."""

    purpose: str
    container: str
    image: str
    image_digest: str
    argv: tuple[str, ...]
    exit_code: int
    duration_ms: int
    timed_out: bool = False
    oom_killed: bool = False
    output_truncated: bool = False
    network: bool = False
    container_ms: int = 0


@dataclass(frozen=True)
class JobResult:
    """What came back from a sandbox. ``output`` is the command's standard output and error, capped and decoded.

    ``problem`` is empty when the artefacts could be read back whole, otherwise a sentence (killed, timed out,
    artefacts over the cap, or not a readable archive).
    """

    execution: Execution
    output: str = ""
    artefacts: Mapping[str, bytes] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class RuntimeImage:
    """A sandbox runtime on this machine. ``digest`` is the image id (``sha256:…``), empty when it is not built.

    ``tools`` maps a tool to its version; ``differences`` says in sentences where the image departs from its recipe;
    ``isolation`` is what shuts its containers in, in a few words (``container, gVisor``), empty where nobody looked.
    ``recipe`` is the digest of what it was made of, ``layers`` SHA-256 (hex) over the digests of its layers, which are the same
    in engines that number images otherwise; both are empty where nobody looked.
    """

    runtime: str
    reference: str
    digest: str = ""
    languages: tuple[str, ...] = ()
    tools: Mapping[str, str] = field(default_factory=dict)
    differences: tuple[str, ...] = ()
    size_bytes: int = 0
    isolation: str = field(default="", compare=False)
    recipe: str = field(default="", compare=False)
    layers: str = field(default="", compare=False)


@dataclass(frozen=True)
class ImagePin:
    """The image in which a run's tests ran, as its evidence names it: see ``RuntimeImage``. Fields that were not recorded are
    empty."""

    runtime: str
    digest: str
    reference: str = ""
    recipe: str = ""
    layers: str = ""
