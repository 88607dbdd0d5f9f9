"""What bubblewrap and all below it get of our environment: nothing, read from /proc while they run."""

from __future__ import annotations

import asyncio
import os

import pytest

from qverify_desktop.domain.key_variables import KEY_VARIABLES
from tests.integration.bubblewrap.conftest import Run
from tests.test_child_environment import CANARY, Watcher


async def test_no_process_of_a_sandbox_gets_a_key(python: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in KEY_VARIABLES:
        monkeypatch.setenv(name, f"{CANARY}-{name}")
    watcher = Watcher(os.getpid())
    try:
        result = await python("import os, time; time.sleep(1); print(sorted(os.environ))")
    finally:
        await asyncio.to_thread(watcher.end)
    assert result.execution.exit_code == 0
    assert "API_KEY" not in result.output
    assert {"bwrap", "python3"} & watcher.names, watcher.names
    assert watcher.leaked == set()
