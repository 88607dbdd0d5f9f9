"""The hosted service of all tests (``tests/conftest.py``), emptied for each test of its client, and a state folder that is set up for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hosted_service.service import HostedService


@pytest.fixture
def hosted(standing_service: HostedService) -> HostedService:
    """The service with nothing in it."""
    standing_service.reset()
    return standing_service


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither settings nor proxies of the person who runs the tests."""
    for name in ("AIR_GAP", "ALLOW_HOSTED", "HOSTED_REGIONS", "HOSTED_CA_FILE", "HOSTED_KEY", "HOSTED_ISSUER"):
        monkeypatch.delenv(f"QVERIFY_{name}", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def home(tmp_path: Path, hosted: HostedService) -> Path:
    """A state folder whose settings name the service."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    settings = f'hosted_regions = "{hosted.url}"\nhosted_ca_file = "{hosted.ca}"\n'
    (folder / "settings.toml").write_text(settings, "utf-8")
    return folder
