"""pytest parses source too, where it shows a failure, while threads of the test may still be parsing: one at a time, for the
reason that ``languages/syntax.py`` gives. Otherwise one failing test could end the whole session."""

import ast
from typing import Any

from qverify_desktop.languages.syntax import ONE_AT_A_TIME

_parse = ast.parse


def _parse_alone(*words: Any, **named: Any) -> Any:
    with ONE_AT_A_TIME:
        return _parse(*words, **named)


ast.parse = _parse_alone
