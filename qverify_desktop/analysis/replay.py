"""The files of another revision, laid out beside the snapshot for as long as something is run over them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.project import Snapshot


@asynccontextmanager
async def files_of(
    services: Services, snapshot: Snapshot, workspace: Path, revision: str, folder: Path
) -> AsyncIterator[Snapshot]:
    """A snapshot of ``revision`` in ``folder``, gone afterwards. Raises ``BadInput`` where it can't be read."""
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    folder.parent.mkdir(exist_ok=True)
    try:
        yield await in_stoppable_thread(
            lambda stop: services.repositories.snapshot_at(snapshot, workspace, revision, folder, stop)
        )
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
