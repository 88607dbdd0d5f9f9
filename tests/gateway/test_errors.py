"""A server's words are shown short, without markup and without keys."""

from __future__ import annotations

import pytest

from qverify_desktop.gateway.errors import CallFailed, failure, shown
from qverify_desktop.gateway.provider import Endpoint, Wire


@pytest.mark.parametrize(
    "text",
    ["key sk-abcdef123456", "Bearer abcdefghijkl", "token " + "a1b2" * 10, "<b>sk-proj-xyz.123</b>"],
)
def test_nothing_that_looks_like_a_key_is_shown(text: str) -> None:
    assert "…" in shown(text)
    assert not any(part in shown(text) for part in ("abcdef", "a1b2a1b2", "xyz"))


def test_words_become_one_short_line() -> None:
    line = shown("<html><script>x</script>\n\x1b[31mlong " + "word " * 400)
    assert len(line) <= 200
    assert "\n" not in line
    assert "\x1b" not in line
    assert "<" not in line


@pytest.mark.parametrize("status", [300, 400, 401, 403, 404, 408, 413, 418, 422, 429, 500, 502, 503, 529])
def test_every_status_has_a_sentence_and_a_remedy(status: int) -> None:
    endpoint = Endpoint(Wire.OPENAI, "http://127.0.0.1:1/v1", "m", True)
    error = failure(CallFailed("status", status), endpoint, 1)
    assert error.sentence.startswith("The model server at ")
    assert error.remedy
