"""What is said beside an entry: proven, not signed yet, or what does not hold; and how much of a log was searched."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLabel

from qverify_desktop.ui.pages.evidence_parts.log_view import LogView
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    """``opened(**answers)`` gives the view of the whole log with its newest entry chosen."""

    def build(**answers):
        _, desk = make(samples.answers(**answers))
        view = LogView(desk, "evidence")
        qtbot.addWidget(view)
        view.resize(1200, 700)
        view.show()
        view.open("")
        qtbot.waitUntil(lambda: view.proof._event is not None)
        return view

    return build


def said(view) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel) if label.isVisible() and label.text()]


CHANGED = "The entry on this disk is not the one that was signed."


@pytest.mark.parametrize(
    ("facts", "icon", "words"),
    [
        ({}, "Proven", "stands in the signed log"),
        ({"holds": False}, "Not signed yet", "No signed checkpoint covers this entry yet."),
        ({"holds": False, "problem": CHANGED}, "Not proven", CHANGED),
    ],
)
def test_an_entry_says_whether_it_is_proven(opened, facts, icon, words):
    view = opened(evidence_event=lambda index: {**samples.event(index), **facts})
    assert any(words in text for text in said(view))
    assert view.proof._holds_icon.accessibleName() == icon


@pytest.mark.parametrize(("complete", "count"), [(True, "4,212 entries"), (False, "4,212 entries among the newest")])
def test_a_search_of_the_newest_entries_only_says_so(opened, complete, count):
    pages = samples.entries()
    view = opened(evidence_log=lambda **asked: {**pages(**asked), "complete": complete})
    assert count in said(view) or count.replace(",", "") in said(view)
