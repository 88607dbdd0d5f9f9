"""pytest parses source too, where it shows a failure, and so does whatever formats a traceback meanwhile: one at a time, for the
reason that ``languages/syntax.py`` gives. Otherwise one failing test could end the whole session."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from qverify_desktop.languages.syntax import one_at_a_time

if TYPE_CHECKING:
    from tests.hosted_service.service import HostedService

_parse = ast.parse


def _parse_alone(*words: Any, **named: Any) -> Any:
    with one_at_a_time():
        return _parse(*words, **named)


ast.parse = _parse_alone


class Rooms(LoadScopeScheduling):  # type: ignore[misc]
    """Which tests one worker runs one after the other: those that share the display, those that share the container engine,
    those that share the hosted service, and those of one file. The largest such room is begun first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith(("tests/ui/", "tests/e2e/")):
            return "display"
        if file.startswith("tests/hosted"):  # the service of docs/hosted-api.yaml, and its client's tests
            return "hosted"
        return "containers" if file.startswith("tests/integration/") else file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder that is not there yet."""
    return tmp_path / "home"


@pytest.fixture(scope="session")
def standing_service() -> Iterator["HostedService"]:
    """The hosted service of ``tests/hosted_service``: the same for all that need one, started when the first does."""
    from tests.hosted_service.service import hosted_service

    with hosted_service() as service:
        yield service


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    return Rooms(config, log)
