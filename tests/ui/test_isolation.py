"""A run that was made without a container engine is marked on every page that says what it came to; others are not."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QComboBox, QLabel

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.widgets.isolation import IsolationBadge
from tests.ui.samples import results, window
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui


def overview(sandbox: str) -> dict:
    """The sample's overview, of a run that asked for this sandbox."""
    found = results.answers()["run_overview"]
    found = found(run=RUN) if callable(found) else found
    return {**found, "request": {**found["request"], "sandbox": sandbox}}


@pytest.fixture
def opened(make, qtbot):
    """``opened(name, sandbox)`` gives the page ``name`` when the run is shown."""

    def build(name, sandbox):
        _, desk = make({**results.answers(), "run_overview": overview(sandbox)})
        page = pages.build(name, desk)
        qtbot.addWidget(page)
        page.resize(1232, 776)
        page.show()
        page.enter(Place(name, run=RUN))
        qtbot.waitUntil(lambda: page.context is not None and bool(page.context.overview))
        return page

    return build


@pytest.mark.parametrize("name", ["results", "report", "progress"])
@pytest.mark.parametrize("sandbox", ["bubblewrap", "docker", ""])
def test_the_badge_stands_where_the_run_is_told(opened, qtbot, name, sandbox):
    page = opened(name, sandbox)
    (mark,) = page.findChildren(IsolationBadge)
    reduced = sandbox == "bubblewrap"
    qtbot.waitUntil(lambda: mark.isVisible() == reduced)
    assert mark.badge.text() == "Reduced isolation" == mark.badge.accessibleName()
    assert mark.badge.property("tone") == "warning"
    assert "without a container engine" in mark.badge.toolTip() == mark.badge.accessibleDescription()


@pytest.mark.parametrize(("sandbox", "words"), [("bubblewrap", "reduced (bubblewrap)"), ("docker", "containers")])
def test_the_reports_facts_name_it(opened, qtbot, sandbox, words):
    page = opened("report", sandbox)
    qtbot.waitUntil(lambda: words in [one.text() for one in page.findChildren(QLabel)])


def test_the_settings_offer_it_and_send_the_choice(make, qtbot):
    answers = window.answers()
    engine, desk = make(answers)
    page = pages.build("settings", desk)
    qtbot.addWidget(page)
    page.show()
    page.enter(Place("settings"))
    field = page.fields["sandbox"]
    assert isinstance(field, QComboBox)
    qtbot.waitUntil(lambda: bool(page.form.shown))
    assert field.currentData() == "docker"
    engine.answers["settings_change"] = lambda changes: {**answers["settings"], **changes}
    field.setCurrentIndex(field.findData("bubblewrap"))
    field.activated.emit(field.currentIndex())
    qtbot.waitUntil(lambda: ("settings_change", {"changes": {"sandbox": "bubblewrap"}}) in engine.asked)
    qtbot.waitUntil(lambda: page.form.shown["sandbox"] == "bubblewrap")
    engine.answers["settings_change"] = BadInput("Given by the environment.")
    field.setCurrentIndex(field.findData("docker"))
    field.activated.emit(field.currentIndex())
    qtbot.waitUntil(lambda: "Given by the environment." in [one.text() for one in page.findChildren(QLabel)])
