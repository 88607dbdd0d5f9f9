"""One service for all tests of this folder; each begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hosted_service.sending import Desktop
from tests.hosted_service.service import HostedService, hosted_service


@pytest.fixture(scope="session")
def standing_service() -> Iterator[HostedService]:
    with hosted_service() as service:
        yield service


@pytest.fixture
def service(standing_service: HostedService) -> Iterator[HostedService]:
    """An empty service without faults. What a replica said on its standard error fails the test."""
    standing_service.reset()
    standing_service.said()
    yield standing_service
    assert standing_service.said() == ""


@pytest.fixture
def client(service: HostedService) -> Iterator[httpx.Client]:
    """Signed in, at the balancer: each request goes to the other replica."""
    with service.http() as client:
        yield client


@pytest.fixture
def desktop(tmp_path: Path) -> Iterator[Desktop]:
    desktop = Desktop(tmp_path / "desktop")
    yield desktop
    desktop.close()
