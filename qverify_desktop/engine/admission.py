"""What is refused before an analysis starts, and the interrupted run that a request goes on with."""

from __future__ import annotations

import asyncio
import functools
import json
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import read_value
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.connections import Purpose
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import delivery, policy, wire
from qverify_desktop.engine.events import RunStatus, RunSummary
from qverify_desktop.engine.machine import settled
from qverify_desktop.engine.runner import RunRecords
from qverify_desktop.repository.source import Remote, classify
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.storage.repositories import RepositoryStore


class Admission:
    """Looks at requests before anything of them is run. ``is_live`` says of a run whether this process is at it."""

    def __init__(
        self,
        home: Path,
        services: Services,
        records: RunRecords,
        repositories: RepositoryStore,
        is_live: Callable[[str], bool],
    ) -> None:
        self._home = home
        self._services = services
        self._records = records
        self._repositories = repositories
        self._is_live = is_live

    async def admitted(self, request: AnalysisRequest) -> AnalysisRequest:
        """The request with what its settings and its repository's policy decide. Raises ``BadInput`` for what can't be started,
        and like ``delivery.check_out``."""
        _check_addresses(request)
        request = await asyncio.to_thread(settled, request, self._home)
        await asyncio.to_thread(delivery.check_out, request.out)
        await asyncio.to_thread(self._check_packages, request)
        return await asyncio.to_thread(policy.decided, request, self._repositories, self._home)

    def check(self, request: AnalysisRequest) -> None:
        """Raise ``BadInput`` for what could not be started, whatever its settings say. Blocking."""
        _check_addresses(request)
        self._check_packages(request)

    async def interrupted_twin(self, request: AnalysisRequest, runs: Sequence[RunSummary]) -> str | None:
        """The newest interrupted run, of those given, of exactly this request over a source that has not changed since."""
        key = wire.request_key(request)
        for summary in runs:
            if summary.status not in (RunStatus.INTERRUPTED, RunStatus.PAUSED) or self._is_live(summary.run):
                continue
            text = await asyncio.to_thread(self._records.request, summary.run)
            if wire.request_key(wire.request_from_json(json.loads(text))) != key:
                continue
            unchanged = await in_stoppable_thread(functools.partial(self._source_is_unchanged, summary.run, request))
            return summary.run if unchanged else None
        return None

    def _source_is_unchanged(self, run: str, request: AnalysisRequest, stop: threading.Event) -> bool:
        """Compare tree hashes; a run that has taken no snapshot yet has nothing that could differ."""
        digest = self._services.journal.recorded(run, "intake")
        if digest is None:
            return True
        before = read_value(self._services.artefacts.get(digest), Snapshot)
        workspace = self._services.workspace
        workspace.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=workspace, prefix="compare-") as folder:
            try:
                now = self._services.repositories.take_snapshot(request.source, Path(folder), stop)
            except QVerifyError:
                return False
        return now.tree == before.tree and now.commit == before.commit

    def _check_packages(self, request: AnalysisRequest) -> None:
        """Refuse a folder of packages that is none, and fetching of packages or repositories where it is switched off."""
        folder = Path(request.packages)
        if request.packages and not (folder.is_absolute() and folder.is_dir()):
            what = "is a file and no folder" if folder.is_file() else "is not there"
            raise BadInput(f"The folder of packages {folder} {what}.", "Name a folder that holds them (wheels).")
        allowed = Configuration.load(home=self._home).policy
        host = _host_of_source(request.source)
        refusals = (
            allowed.refusal(Purpose.CLONE, host) if host else None,
            allowed.refusal(Purpose.INSTALL) if request.allow_install else None,
        )
        for refusal in refusals:
            if refusal is not None:
                raise BadInput(refusal.sentence, refusal.remedy)


def _host_of_source(source: str) -> str:
    """The host from which a repository would be fetched; empty for what is on this machine, or is nothing at all."""
    try:
        found = classify(source)
    except BadInput:
        return ""  # the intake says it
    return found.host if isinstance(found, Remote) else ""


def _check_addresses(request: AnalysisRequest) -> None:
    """Refuse addresses with credentials in them: they would be stored with the run."""
    if not request.source:
        raise BadInput("No folder and no URL was given.", "Name the folder to analyse.")
    for what, address in (("repository", request.source), ("model", request.api_base)):
        parts = urlsplit(address) if "://" in address else None
        if parts is not None and (parts.password or (parts.username and parts.scheme in ("http", "https"))):
            raise BadInput(
                f"The address of the {what} holds a user name or password; QVerify stores addresses and keeps secrets out.",
                "Give the address without them; git's credential helper and ssh agent are used.",
            )
