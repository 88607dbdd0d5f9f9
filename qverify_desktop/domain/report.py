"""What a report shows beside the run's result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qverify_desktop.domain.details import FileDetails
from qverify_desktop.domain.result_views import HistoryEntry


@dataclass(frozen=True)
class Seal:
    """What the verifier said of the run's bundle: its grade, the sentence what that means and does not, and the closing
    checkpoint (C2SP signed note), which is worth keeping apart from the bundle."""

    grade: str
    meaning: str
    checkpoint: str = ""


@dataclass(frozen=True)
class Judged:
    """What a person decided about a suspected defect: ``confirmed`` or ``dismissed``, when (RFC 3339 UTC), and why."""

    decision: str
    at: str = ""
    note: str = ""


@dataclass(frozen=True)
class Supplement:
    """``sources`` are the files of the run's targets with their coverage; ``history`` the finished runs of the repository up
    to this one, newest first; ``left_out`` says in sentences what could not be read. ``judged`` and ``commands`` (what shows the
    defect) are by ``SuspectedDefect.id``.
    """

    sources: tuple[FileDetails, ...] = ()
    seal: Seal | None = None
    history: tuple[HistoryEntry, ...] = ()
    judged: Mapping[str, Judged] = field(default_factory=dict)
    commands: Mapping[str, str] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


#: A report of the result alone.
NOTHING_MORE = Supplement()
