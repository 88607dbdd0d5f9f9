"""The report of a reproduction: whole in one file, the same bytes each time, and deaf to what stands in a bundle."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from qverify_desktop.domain.reproduction import Outcome
from qverify_desktop.engine.reproduction_view import document_of
from qverify_desktop.export.reproduction import reproduction_html
from tests.ui.samples import reproduction

HOSTILE = "</code><script>alert(1)</script><img src=x onerror=alert(1)>\u202e"


def document(outcome: str = "reproduced", **more: Any) -> dict[str, Any]:
    return document_of(reproduction.view(outcome, **more))  # type: ignore[arg-type]


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_has_a_page_of_the_same_bytes(outcome: Outcome) -> None:
    page = reproduction_html(document(outcome.value))
    assert page == reproduction_html(document(outcome.value)) and page.startswith(b"<!DOCTYPE html>")
    assert ("REPRODUCED" in page.decode()) == (outcome is not Outcome.DIFFERS)  # as the sample has it


def test_what_differs_stands_first_with_both_endings() -> None:
    page = reproduction_html(document("differs")).decode()
    assert page.index("What differs") < page.index("failed 5 of 5, gave (11, 15)") < page.index("The others")
    assert "flaky here" in page and "2.32.0" in page and page.index("What to do next") < page.index("What differs")
    assert "made of another recipe" in page and "6b" * 32 in page and "1b7d09aa" * 5 in page


def test_nothing_of_a_bundle_acts_on_the_page() -> None:
    fields = dict.fromkeys(("target", "was", "now", "why", "code", "call", "expected"), HOSTILE)
    tests = [
        reproduction.compared(f"test_{HOSTILE}", "a", state) | fields for state in ("agrees", "differs", "not_run")
    ]
    packages = [{"language": "x", "name": HOSTILE, "then": HOSTILE, "now": "", "same": False, "sentence": HOSTILE}]
    view = reproduction.view(
        "differs", tests=tests, packages=packages, advice=[HOSTILE], notices=[HOSTILE], sentence=HOSTILE
    )
    view["original"] = dict.fromkeys(view["original"], HOSTILE)
    tags = Tags()
    page = reproduction_html(document_of(view)).decode()  # type: ignore[arg-type]
    tags.feed(page)
    names = {name for name, _ in tags.found}
    assert not names & {"script", "img", "iframe", "object", "link", "form"} and "\u202e" not in page
    assert not any(key.startswith("on") or key in ("href", "src") for _, attrs in tags.found for key in attrs)
