"""Suspected defects as issues, and as tests that are expected to fail."""

from __future__ import annotations

from dataclasses import replace

from markdown_it import MarkdownIt

from qverify_desktop.domain.testing import Quote
from qverify_desktop.export.formats import FORMATS
from qverify_desktop.export.issue import issue, issues
from tests.export import values


def test_an_issue_says_what_contradicts_what_and_since_when() -> None:
    text = issues(values.result()).decode()
    assert text.startswith("## `page_count(10, 5)` contradicts `shelf/ranges.py:13`\n")
    assert "```\n>>> page_count(10, 5)\n2\n```" in text, "the words as they stand there"
    for part in ("Expected:\n\n```\n2\n```", "Observed:\n\n```\n3\n```", "fails 5 of 5"):
        assert part in text, part
    assert "def test_words(): ..." in text and "Broken since commit 666666666666 \\(2026-01-01, Round up\\)." in text
    assert (
        "Confidence: 95 of 100. In the benchmark 63 of 71 accusations of this form were right. Code: `shelf/ranges.py:8`"
        in text
    )


def test_an_issue_can_not_break_out_of_its_places() -> None:
    defect = replace(
        values.defect("t"), observed="```\n# heading", evidence=Quote("a\n\n# b", "f", 1), call="c\n# d", history=None
    )
    text = issue(defect, "x = '````'\n", "run\n```\n")
    assert "````\n```\n# heading\n````" in text and "`````\nx = '````'\n`````" in text
    tokens = MarkdownIt("commonmark").parse(text)
    headings = [tokens[at + 1].content for at, token in enumerate(tokens) if token.type == "heading_open"]
    assert headings == ["`c # d` contradicts `f:1`"], "those of the repository stand in fences"
    assert {"a\n\n# b\n", "c\n# d\n"} <= {token.content for token in tokens if token.type == "fence"}


def test_nothing_of_the_repository_is_markup_in_an_issue() -> None:
    trap = "<img src=x>![x](https://example.org)[y](https://example.org) `` **b**"
    one = values.result().defects[0]
    assert one.history is not None and one.history.commit is not None
    past = replace(one.history, commit=replace(one.history.commit, subject=trap))
    defect = replace(one, call=trap, file=trap, evidence=Quote(trap, trap, 1), history=past)
    tokens = MarkdownIt("commonmark").parse(issue(defect, trap, trap))
    kinds = {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}
    assert not {"html_inline", "html_block", "image", "link_open", "strong_open"} & kinds


def test_hostile_and_empty_results_are_written_too() -> None:
    assert issues(values.empty()) == b"No defect is suspected.\n"
    assert "\u202e" not in issues(values.hostile()).decode()
    assert FORMATS["expected-failures"](values.empty()) == b""


def test_expected_failures_are_a_patch_of_new_files() -> None:
    result = replace(values.result(), expected_failures={"tests/test_x.py": "import pytest\n"})
    patch = FORMATS["expected-failures"](result).decode()
    assert "+++ b/tests/test_x.py" in patch and "+import pytest" in patch
