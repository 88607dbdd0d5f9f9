"""pytest parses source too, where it shows a failure, and so does whatever formats a traceback meanwhile: one at a time, for the
reason that ``languages/syntax.py`` gives. Otherwise one failing test could end the whole session."""

import ast
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

from qverify_desktop.languages.syntax import one_at_a_time

_parse = ast.parse


def _parse_alone(*words: Any, **named: Any) -> Any:
    with one_at_a_time():
        return _parse(*words, **named)


ast.parse = _parse_alone


class Rooms(LoadScopeScheduling):  # type: ignore[misc]
    """Which tests one worker runs one after the other: those that share the display, those that share the container engine, and
    those of one file. The largest such room is begun first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if file.startswith(("tests/ui/", "tests/e2e/")):
            return "display"
        return "containers" if file.startswith("tests/integration/") else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Rooms:
    return Rooms(config, log)
