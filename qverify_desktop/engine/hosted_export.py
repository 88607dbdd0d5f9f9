"""One bundle on its way to the hosted service: what is remembered of it and what is told."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from qverify_desktop.domain.hosted_views import ExportView
from qverify_desktop.engine import naming
from qverify_desktop.engine.hosted_bundle import CONTENTS
from qverify_desktop.engine.transfers import DONE, FAILED, PAUSED, RUNNING, Moving


@dataclass
class Export(Moving):
    """One bundle on its way; what is written down has no leading underscore. ``intended`` and ``exported`` name the records of the
    evidence log that say so, given beforehand so that each is written once; ``status`` is that of the last refusal. ``file`` is where
    a bundle came from that somebody brought (empty: made here), ``kept_at`` where the countersigned checkpoint was put."""

    run: str
    contents: str
    sha256: str
    queued_at: str = ""
    ended_at: str = ""
    host: str = ""
    import_id: str = ""
    attempt: int = 0
    event: str = ""
    intended: str = ""
    exported: str = ""
    status: int = 0
    grade: str = ""
    meaning: str = ""
    cosigned_at: str = ""
    report: str = ""
    checked: str = ""
    file: str = ""
    kept_at: str = ""
    _stage: str = ""
    _goes_on: bool = False
    _next: float = 0.0
    _nudge: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def id(self) -> str:
        return hashlib.sha256(f"{self.run} {self.sha256}".encode()).hexdigest()[:12]

    @property
    def key(self) -> str:
        """The idempotency key: one for a run and the digest of its bundle, another only after the service let an upload expire."""
        return f"{self.run}.{self.sha256}" + (f".{self.attempt}" if self.attempt else "")


#: What is written down of one: its fields by what they hold.
_TEXTS = tuple(one.name for one in fields(Export) if one.type == "str" and one.name[0] != "_")
_NUMBERS = tuple(one.name for one in fields(Export) if one.type == "int" and one.name[0] != "_")


def kept(one: Export) -> dict[str, Any]:
    """What is remembered of one. What goes on by itself is running, whatever stopped it."""
    entry = {name: getattr(one, name) for name in (*_TEXTS, *_NUMBERS)}
    return entry | ({"state": RUNNING} if one._goes_on and one.state == PAUSED else {})


def view(one: Export) -> ExportView:
    return {
        "export": one.id,
        "run": one.run,
        "contents": one.contents,
        "host": one.host,
        "state": one.state,
        "stage": "kept" if one.state == DONE else one._stage if one.state == RUNNING else "",
        "done": one.done,
        "total": one.total,
        "sentence": one.sentence,
        "remedy": one.remedy,
        "offer": _offer(one) if one.state == FAILED else "",
        "queued_at": one.queued_at,
        "ended_at": one.ended_at,
        "next_at": moment(one._next) if one._next else "",
        "import_id": one.import_id,
        "sha256": one.sha256,
        "grade": one.grade,
        "meaning": one.meaning,
        "cosigned_at": one.cosigned_at,
        "report": one.report,
        "checkpoint": one.kept_at if one.state == DONE else "",
        "file": one.file,
        "checked": one.checked,
    }


def read(entry: Mapping[str, Any]) -> Export:
    """An entry of the file; raises for one that is none."""
    # An older file lacks what is newer; what an entry can't do without is looked at below.
    texts = {name: str(entry.get(name, ""))[:4096] for name in _TEXTS}
    numbers = {name: max(0, int(entry.get(name, 0))) for name in _NUMBERS}
    if texts["contents"] not in CONTENTS or texts["state"] not in (RUNNING, PAUSED, FAILED, DONE):
        raise ValueError(texts["contents"])
    if not naming.is_run(texts["run"]) or len(texts["sha256"]) != 64:
        raise ValueError(texts["run"])
    one = Export(**texts, **numbers)  # type: ignore[arg-type]
    one._goes_on = one.state == RUNNING
    return one


#: What helps besides trying again, by the status of the refusal.
_OFFERS = {401: "sign_in", 413: "less"}


def _offer(one: Export) -> str:
    offer = _OFFERS.get(one.status, "")
    return "" if one.file and offer == "less" else offer


def now() -> str:
    return moment(time.time())


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
