"""A finished run once more, with the recorded answers of its model in place of the model: is the judgement the same?

The answers lie in the run's evidence. The repository is read again and must be what it was; everything is kept in a folder of
its own and thrown away, so neither log nor results change.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from qverify_desktop.analysis.ports import Artefacts, Evidence
from qverify_desktop.analysis.services import Direct, Services
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import Answer
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.results import EarlierRun, RunResult
from qverify_desktop.domain.usage_views import ReplayView
from qverify_desktop.gateway.recording import Recorded, RecordedGateway
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import EntryRow, SaltRow

#: ``analysis.workflow.analyze``.
Analyze = Callable[..., Awaitable[RunResult]]

#: Differences that are told one by one.
MOST_DIFFERENCES = 50
_ANSWERED, _FAILED = "model_answer", "model_no_answer"


def read_recording(database: Database, artefacts: Artefacts, run: str) -> list[Recorded]:
    """The questions of a run to its model, in order, out of its evidence. Blocking. Raises ``QVerifyError`` where a blob is gone
    or was changed."""
    chosen = (EntryRow.run == run) & EntryRow.type.in_((_ANSWERED, _FAILED))
    with database.reading() as session:
        entries = list(
            session.execute(select(EntryRow.index, EntryRow.type, EntryRow.leaf).where(chosen).order_by(EntryRow.seq))
        )
        joined = select(SaltRow.index, SaltRow.key, SaltRow.sha256).join(EntryRow, EntryRow.index == SaltRow.index)
        digests = {(index, key): digest for index, key, digest in session.execute(joined.where(chosen))}
    found = []
    for index, kind, leaf in entries:
        data = json.loads(leaf)["data"]

        def text(key: str, at: int = index) -> str:
            digest = digests.get((at, key))
            return artefacts.get(digest).decode("utf-8", "surrogatepass") if digest else ""

        answer = _answer(data, text("answer"), text("attempts")) if kind == _ANSWERED else None
        found.append(Recorded(str(data.get("request", "")), answer, text("sentence"), text("remedy")))
    return found


def _answer(data: dict[str, Any], text: str, attempts: str) -> Answer:
    return Answer(
        text=text,
        model=str(data.get("model", "")),
        provider=str(data.get("provider", "")),
        prompt_tokens=int(data.get("prompt_tokens", 0)),
        completion_tokens=int(data.get("completion_tokens", 0)),
        cost_microusd=int(data.get("cost_microusd", 0)),
        duration_ms=int(data.get("duration_ms", 0)),
        cached=bool(data.get("cached", 0)),
        attempts=tuple(attempts.split("\n")) if attempts else (),
    )


async def replay(
    original: RunResult, recorded: Sequence[Recorded], services: Services, analyze: Analyze, folder: Path
) -> ReplayView:
    """Analyse again below ``folder``, and compare. Raises ``BadInput`` for a run that can't be replayed, and what an analysis
    raises."""
    if original.reused is not None or original.reused_targets:
        raise BadInput(
            f"The run {original.run} took findings over from an earlier one, so its answers are not all its own.",
            "Analyse with --fresh, and replay that run.",
        )
    gateway = RecordedGateway(recorded)
    with tempfile.TemporaryDirectory(prefix="replay-", dir=folder) as name:
        place = Path(name)
        again = replace(
            services,
            gateway=gateway,
            journal=Forgotten(),
            artefacts=ArtefactStore(place / "artefacts"),
            workspace=place,
            earlier=None,
        )
        await asyncio.to_thread(_prepare, original, services, place)
        request = replace(original.request, out="", fresh=True)
        result = await analyze(original.run, request, again, Direct(), Silent())
    differences = differing(original, result)
    return ReplayView(
        run=original.run,
        same=not differences and not gateway.unknown,
        asked=gateway.asked,
        unknown=gateway.unknown,
        tests=len(original.tests),
        differences=differences[:MOST_DIFFERENCES],
        sentence=_sentence(differences, gateway),
    )


def _prepare(original: RunResult, services: Services, place: Path) -> None:
    """Look whether the repository is what it was, before anything runs, and share what was installed for it. Blocking."""
    look = place / "look"
    look.mkdir()
    snapshot = services.repositories.take_snapshot(original.request.source, look)
    shutil.rmtree(look, ignore_errors=True)
    if snapshot.tree != original.tree:
        raise BadInput(
            f"The repository is not what it was in the run {original.run}: its files have changed. Nothing was run.",
            "Check out the commit of that run, and replay again.",
        )
    installed = services.workspace / "dependencies"
    if installed.is_dir():
        (place / "dependencies").symlink_to(installed, target_is_directory=True)


def _sentence(differences: Sequence[str], gateway: RecordedGateway) -> str:
    if gateway.unknown:
        return f"{gateway.unknown} of {gateway.asked} questions are not in the recording, so the run was not replayed whole."
    if differences:
        return f"The judgement differs in {len(differences)} places."
    return f"The judgement is the same, over {gateway.asked} recorded answers."


def differing(original: RunResult, again: RunResult) -> list[str]:
    """What the two judged differently, a line each: tests by their text and verdict, defects by what was observed, the files."""
    before, after = _judged(original), _judged(again)
    lines = []
    for test in sorted(before.keys() | after.keys()):
        if before.get(test) != after.get(test):
            lines.append(f"{test}: {_told(before.get(test))} before, {_told(after.get(test))} now")
    accused = [{(d.file, d.symbol, d.call, d.expected, d.observed) for d in run.defects} for run in (original, again)]
    lines += [f"suspected defect in {one[0]}: {one[1]}, {one[2]}" for one in sorted(accused[0] ^ accused[1])]
    if dict(original.files) != dict(again.files):
        lines.append("the accepted test files are not the same byte for byte")
    return lines


def _judged(result: RunResult) -> dict[str, tuple[tuple[str, str, str], ...]]:
    found: dict[str, list[tuple[str, str, str]]] = {}
    for one in result.tests:
        found.setdefault(one.test.id, []).append((one.verdict.value, one.reason.value, one.test.code))
    return {test: tuple(sorted(judged)) for test, judged in found.items()}


def _told(judged: Iterable[tuple[str, str, str]] | None) -> str:
    return ", ".join(f"{verdict} ({reason})" for verdict, reason, _ in judged) if judged else "not there"


class Forgotten:
    """A journal of which nothing is kept: a replay adds nothing to the evidence."""

    def recorded(self, run: str, step: str) -> str | None:
        return None

    def recorded_by(self, step: str) -> list[tuple[str, str]]:
        return []

    def record(self, run: str, step: str, result: str, events: list[Evidence]) -> str:
        return result

    def checkpoint(self, run: str) -> str:
        return ""

    def sealed(self, run: str) -> EarlierRun | None:
        return None

    def bundle(self, run: str, path: Path, disclosure: Disclosure = Disclosure.FULL) -> None:
        """Nothing is left to bundle."""

    def anchor_files(self, run: str) -> frozenset[str]:
        """And nobody to confirm it."""
        return frozenset()


class Silent:
    """Nobody watches a replay."""

    def started(self, stage: Stage) -> None: ...

    def finished(self, stage: Stage, text: str) -> None: ...

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None: ...

    def target(self, stage: Stage, target: str, text: str) -> None: ...

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None: ...

    def log(self, stage: Stage, text: str) -> None: ...
