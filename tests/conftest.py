"""pytest parses source too, where it shows a failure, and so does whatever formats a traceback meanwhile: one at a time, for the
reason that ``languages/syntax.py`` gives. Otherwise one failing test could end the whole session."""

import ast
from typing import Any

from qverify_desktop.languages.syntax import one_at_a_time

_parse = ast.parse


def _parse_alone(*words: Any, **named: Any) -> Any:
    with one_at_a_time():
        return _parse(*words, **named)


ast.parse = _parse_alone
