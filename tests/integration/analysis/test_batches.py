"""Where nothing is gained the analysis stops trying hard, and still holds the repository's own words to the code."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qverify_desktop import composition
from qverify_desktop.analysis import batches
from qverify_desktop.analysis.services import Direct
from qverify_desktop.analysis.workflow import analyze
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine.lock import HomeLock
from tests.benchmarks.detect.running import Quiet

pytestmark = pytest.mark.docker


def repository(folder: Path) -> None:
    """Eight functions that their tests hold firmly, and behind them one that contradicts its words."""
    (folder / "pages").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "pages" / "__init__.py").write_text("")
    firm = "".join(f'def number_{n}() -> int:\n    """A number."""\n    return {n}\n\n\n' for n in range(10, 18))
    (folder / "pages" / "a.py").write_text(firm)
    loose = 'def zero() -> int:\n    """Nothing.\n\n    >>> zero()\n    0\n    """\n    return 1\n'
    (folder / "pages" / "z.py").write_text(loose)
    tests = "from pages import a, z\n\n\n"
    tests += "".join(f"def test_{n}():\n    assert a.number_{n}() == {n}\n\n\n" for n in range(10, 18))
    (folder / "tests" / "test_pages.py").write_text(
        tests + "def test_zero():\n    assert isinstance(z.zero(), int)\n"
    )


async def analysed(home: Path, request: AnalysisRequest) -> RunResult:
    home.mkdir()
    lock = HomeLock(home)
    assert lock.acquire()
    parts = await asyncio.to_thread(composition.build, home, lock)
    try:
        return await analyze("r-batches", request, parts.services, Direct(), Quiet())
    finally:
        await parts.dispose()
        lock.release()


async def test_two_batches_without_gain_leave_only_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "BATCH", 2)
    repository(tmp_path / "library")
    result = await analysed(tmp_path / "home", AnalysisRequest(str(tmp_path / "library")))
    assert result.targets == 9 and result.accepted == ()
    assert any("of 5 further ones only the repository's own words were tried" in notice for notice in result.notices)
    assert [defect.symbol for defect in result.defects] == ["zero"]
