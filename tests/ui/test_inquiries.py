"""A run that asks the person: the banner above its progress, and the word wherever else the person is."""

from __future__ import annotations

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import EventKind, RunEvent
from qverify_desktop.ui import pages
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.preferences import Preferences
from tests.screenshots.scenes import LIVE, _going_on
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    """``opened(open, **answers)``: the progress page of a live run; ``open`` is the list that the engine answers from."""

    def build(open_now, **answers):
        def answer(run, name, reply):
            open_now[:] = [one for one in open_now if one["name"] != name]

        engine, desk = make(
            samples.answers(**{"inquiries": lambda: list(open_now), "inquiry_answer": answer, **answers})
        )
        engine.events = list(_going_on())
        page = pages.build("progress", desk)
        qtbot.addWidget(page)
        page.resize(1232, 776)
        page.show()
        page.enter(Place("progress", run=LIVE))
        qtbot.waitUntil(lambda: page.context is not None and bool(page.context.overview))
        return engine, desk, page

    return build


def replies(engine):
    return [params for name, params in engine.asked if name == "inquiry_answer"]


def test_nothing_is_shown_where_nothing_is_asked(opened, qtbot):
    engine, _, page = opened([samples.inquiry("another run")])
    qtbot.waitUntil(lambda: "inquiries" in dict(engine.asked))
    qtbot.wait(50)
    assert not page.inquiry.isVisible()


@pytest.mark.parametrize(("press", "reply"), [("go_on", "go_on"), ("stop", "stop")])
def test_the_banner_says_the_figures_and_sends_the_answer(opened, qtbot, press, reply):
    engine, _, page = opened([samples.inquiry(LIVE)])
    qtbot.waitUntil(page.inquiry.isVisible)
    assert page.inquiry.words.text().startswith("The budget of this run is nearly spent.")
    assert page.inquiry.figures.text() == "$0.41 of $0.50 spent; the next call may cost up to $0.0123."
    assert page.inquiry.go_on.text() == "Go on, up to $0.50"
    qtbot.waitUntil(lambda: page._sentence.text() == "Waiting for your answer")
    getattr(page.inquiry, press).click()
    assert not page.inquiry.go_on.isEnabled(), "one answer"
    qtbot.waitUntil(lambda: not page.inquiry.isVisible())
    assert replies(engine) == [{"run": LIVE, "name": "budget.run.500000", "reply": reply}]


def test_the_next_question_follows_and_the_month_is_named(opened, qtbot):
    month = {**samples.inquiry(LIVE, budget="month", spent_microusd=0, limit_microusd=5_000_000), "name": "month"}
    _, _, page = opened([samples.inquiry(LIVE), month])
    qtbot.waitUntil(page.inquiry.isVisible)
    page.inquiry.go_on.click()
    qtbot.waitUntil(lambda: page.inquiry.words.text().startswith("This month's budget"))
    assert page.inquiry.go_on.text() == "Go on, up to $5.00" and page.inquiry.go_on.isEnabled()
    assert page.inquiry.figures.text().startswith("$0.00 of $5.00 spent")


def test_it_comes_and_goes_with_what_the_run_tells(opened, qtbot):
    open_now = []
    _, _, page = opened(open_now)
    qtbot.wait(50)
    open_now.append(samples.inquiry(LIVE))
    page.hear(RunEvent(LIVE, 900, EventKind.INQUIRY, text="Spend it?"))
    qtbot.waitUntil(page.inquiry.isVisible)
    open_now.clear()
    page.hear(RunEvent(LIVE, 901, EventKind.INQUIRY))
    qtbot.waitUntil(lambda: not page.inquiry.isVisible())


def test_cancel_cancels_the_run(opened, qtbot):
    engine, _, page = opened([samples.inquiry(LIVE)])
    qtbot.waitUntil(page.inquiry.isVisible)
    page.inquiry.cancel_wanted.emit()
    qtbot.waitUntil(lambda: ("cancel", {"args": (LIVE,)}) in engine.asked)
    assert replies(engine) == []


def test_an_answer_that_came_too_late_shows_what_is_asked_now(opened, qtbot):
    _, desk, page = opened(
        [samples.inquiry(LIVE)], inquiry_answer=BadInput("Nothing is asked in the run now; it was answered already.")
    )
    said = []
    desk.bridge.problem.connect(said.append)
    qtbot.waitUntil(page.inquiry.isVisible)
    page.inquiry.go_on.click()
    qtbot.waitUntil(lambda: bool(said) and page.inquiry.go_on.isEnabled())


def test_a_question_that_is_no_budget_is_shown_in_its_own_words(opened, qtbot):
    _, _, page = opened([{**samples.inquiry(LIVE), "facts": {}, "sentence": "Go on?\u202e\n"}])
    qtbot.waitUntil(page.inquiry.isVisible)
    assert page.inquiry.words.text().startswith("Go on?") and "\u202e" not in page.inquiry.words.text()
    assert page.inquiry.go_on.text() == "Go on"


def test_a_window_says_once_that_a_run_waits_and_leads_there(make, qtbot):
    engine, desk = make(samples.answers(inquiries=[samples.inquiry(LIVE)]))
    engine.events = list(_going_on())
    window = Window(desk.theme, desk.bridge, Preferences(None))
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    qtbot.waitUntil(lambda: bool(window._asked))
    window._ask_news()
    qtbot.wait(100)
    told = [one.notice for one in window.toasts.notices if "waits for your answer" in one.notice.text]
    assert len(told) == 1 and told[0].act == "Answer"
    told[0].run()
    assert window.place == Place("progress", run=LIVE)
