"""Text of a repository in Markdown (CommonMark): it is shown and does nothing."""

from __future__ import annotations

import re

from qverify_desktop.export.plain_text import one_line


def prose(text: str) -> str:
    """Every mark that Markdown could read as its own is escaped (CommonMark 2.4: any ASCII punctuation may be)."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|!~&@:])", r"\\\1", one_line(text, 2000))


def code_span(text: str, most: int = 300) -> str:
    """``one_line`` as a code span of Markdown, whose fence is longer than any run of backticks inside (CommonMark 6.1)."""
    flat = one_line(text, most)
    if not flat:
        return "(empty)"
    fence = "`" * (longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def longest_run(text: str) -> int:
    """Backticks that stand together at most."""
    return max((len(run) for run in re.findall("`+", text)), default=0)
