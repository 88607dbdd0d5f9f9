"""A bundle is executed again from the window: begun beside its grade, watched, and shown test by test."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtWidgets import QLabel

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.bundle import BundlePage
from qverify_desktop.ui.pages.reproduction import ReproductionPage
from tests.ui.samples import reproduction
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    """``opened(page, place, answers)`` gives the engine and the shown page."""

    def build(page_class, place, **answers):
        engine, desk = make(samples.answers(**answers))
        page = page_class(desk)
        page.name = place.page
        qtbot.addWidget(page)
        page.resize(1200, 800)
        page.show()
        page.enter(place)
        return engine, desk, page

    return build


PLACE = Place("reproduction", item=reproduction.ID)


def said(widget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget))


def shown(page) -> list[str]:
    model = page.model
    return [model.value_at(row)["id"].rpartition("::")[2] for row in range(model.rowCount())]


def test_what_is_reproduced_shows_both_grades_and_the_defect_first(opened, qtbot):
    _, _, page = opened(ReproductionPage, PLACE, reproduction=reproduction.view())
    qtbot.waitUntil(lambda: page.model.rowCount() == 8)
    qtbot.waitUntil(lambda: "Unanchored" in said(page.band))
    assert "Reproduced. 8 tests executed again" in said(page.band)
    assert shown(page)[0] == "test_page_count_promise_2"
    assert page.buttons == ("reproduction.report", "reproduction.save")


def test_differences_stand_first_and_the_chip_leaves_only_them(opened, qtbot):
    _, _, page = opened(ReproductionPage, PLACE, reproduction=reproduction.view("differs"))
    qtbot.waitUntil(lambda: page.model.rowCount() == 8)
    assert shown(page)[:3] == [
        "test_page_bounds_last_page_is_shorter",
        "test_compact_runs_become_ranges",
        "test_compact_of_nothing",
    ]
    qtbot.waitUntil(lambda: "made of another recipe" in said(page.band))
    assert "Reproduced" not in said(page.band)
    page.chips.set_on(frozenset({"differs"}))
    qtbot.waitUntil(lambda: page.model.rowCount() == 1)
    detail = said(page.detail)
    assert "passed 5 of 5" in detail and "failed 5 of 5, gave (11, 15)" in detail
    assert "page_bounds(3, 5, 12) gives (11, 12)" in detail
    page.chips.set_on(frozenset({"flaky"}))
    qtbot.waitUntil(lambda: shown(page) == ["test_compact_runs_become_ranges"])


def test_what_to_do_next_and_the_packages_stand_in_the_band(opened, qtbot):
    _, _, page = opened(ReproductionPage, PLACE, reproduction=reproduction.view("differs"))
    qtbot.waitUntil(lambda: "requests 2.31.0 then, 2.32.0 here." in said(page.band))
    words = said(page.band)
    assert words.index("made of another recipe") < words.index("First get the pinned image.")
    assert words.count("qverify runtimes load") == 1


def test_a_reproduction_is_followed_to_its_end(opened, qtbot):
    views = [reproduction.going_on(), reproduction.going_on(), reproduction.view()]
    engine, desk, page = opened(
        ReproductionPage, PLACE, reproduction=lambda **_: views.pop(0) if views[1:] else views[0]
    )
    qtbot.waitUntil(lambda: page.buttons == ("reproduction.stop",))
    assert "24 of 40 executions" in said(page.band) and desk.actions["reproduction.report"].reason()
    qtbot.waitUntil(lambda: page.model.rowCount() == 8)
    asked = [params["after"] for question, params in engine.asked if question == "reproduction"]
    assert asked == [-1, 4, 4]


def test_it_can_be_stopped(opened, qtbot):
    stopped = {**reproduction.going_on(), "state": "stopped", "sentence": "It was stopped."}
    engine, desk, page = opened(
        ReproductionPage, PLACE, reproduction=reproduction.going_on(), reproduction_stop=stopped
    )
    qtbot.waitUntil(lambda: page.buttons == ("reproduction.stop",))
    page.leave()
    assert desk.actions.trigger("reproduction.stop")
    qtbot.waitUntil(lambda: "It was stopped." in said(page.band))
    assert ("reproduction_stop", {"id": reproduction.ID}) in engine.asked


def test_a_bundle_that_is_not_whole_says_why(opened, qtbot):
    _, _, page = opened(ReproductionPage, PLACE, reproduction=reproduction.refused())
    qtbot.waitUntil(lambda: "Not executed" in said(page.band) and "Invalid" in said(page.band))
    assert "not what the run committed to" in said(page)


BUNDLE = Place("bundle", item="/home/ada/run.qvevidence.zip")


def test_the_source_is_asked_beside_the_grade_and_goes_to_the_engine(opened, qtbot, tmp_path):
    engine, desk, page = opened(BundlePage, BUNDLE, reproduce=reproduction.going_on())
    card = page.again_card
    qtbot.waitUntil(card.isVisible)
    assert not card.begin_button.isEnabled()
    page.key.setText("name+hash+key")
    card.source.setText(str(tmp_path))
    card.network.install.setChecked(True)
    card.begin_button.click()
    qtbot.waitUntil(lambda: any(question == "reproduce" for question, _ in engine.asked))
    (asked,) = [params for question, params in engine.asked if question == "reproduce"]
    assert asked == {
        "bundle": BUNDLE.item,
        "source": str(Path(tmp_path)),
        "public_key": "name+hash+key",
        "known_checkpoint": "",
        "other_image": False,
        "allow_install": True,
        "packages": "",
    }
    qtbot.waitUntil(lambda: ("go", (PLACE,)) in desk.front.calls)


def test_a_refusal_is_told_and_it_can_be_tried_again(opened, qtbot, tmp_path):
    _, desk, page = opened(BundlePage, BUNDLE, reproduce=BadInput("There is no such source."))
    told = []
    desk.bridge.problem.connect(told.append)
    page.again_card.source.setText(str(tmp_path))
    page.again_card.begin()
    qtbot.waitUntil(lambda: bool(told))
    assert page.again_card.begin_button.isEnabled()


def test_a_broken_bundle_offers_no_execution(opened, qtbot):
    _, _, page = opened(BundlePage, BUNDLE, evidence_grade=samples.grade(valid=False))
    qtbot.waitUntil(lambda: "Invalid" in said(page.band))
    assert not page.again_card.isVisible()


def test_what_was_reproduced_here_is_said_beside_the_ladder(opened, qtbot):
    graded = {**samples.grade(), "reproduced": "2026-08-14T09:20:11Z"}
    _, _, page = opened(BundlePage, BUNDLE, evidence_grade=graded)
    qtbot.waitUntil(lambda: "Reproduced here 14 Aug" in said(page.band))
