"""A source file with its coverage, as the tests of code widgets show it."""

from __future__ import annotations

from qverify_desktop.ui.widgets.line_states import COVERED, MISSED, PARTIAL, LineState

SOURCE = '''def parse_offset(text: str) -> timedelta:
    """Return the UTC offset written in *text*.

    Accepts ``Z``, ``+HH``, ``+HHMM`` and ``+HH:MM``.
    The sign applies to the minutes as well: ``-03:30``
    is three and a half hours behind UTC.
    """
    match = _OFFSET.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a UTC offset: {text!r}")
    if match["zulu"]:
        return timedelta(0)
    hours = int(match["hours"])
    minutes = int(match["minutes"] or 0)
    return timedelta(hours=hours, minutes=minutes)


def format_offset(delta: timedelta, colon=True) -> str:
    """Write *delta* as ``+HH:MM``."""
    total = int(delta.total_seconds()) // 60
    if total == 0 and colon:
        return "Z"
    sign = "-" if total < 0 else "+"
    hours, minutes = divmod(abs(total), 60)
    if hours > 23:
        raise OverflowError(delta)
    separator = ":" if colon else ""
    return f"{sign}{hours:02}{separator}{minutes:02}"
'''
#: The file's first line here, as if the sample stood in the midst of one.
FIRST = 41
_STATES = {
    COVERED: (41, 48, 53, 54, 55, 58, 60, 62, 63, 64, 67, 68),
    PARTIAL: (49, 51, 61, 65),
    MISSED: (50, 52, 66),
}
COVERAGE = {line: LineState(state, 0 if state == MISSED else 3) for state, lines in _STATES.items() for line in lines}


def long_source(lines: int) -> str:
    """Python source of so many lines."""
    return "\n".join((SOURCE.split("\n") * (lines // 20))[:lines])
