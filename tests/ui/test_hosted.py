"""The page of the hosted service and its sheets: what is said in each state, and what each button asks of the engine."""

from __future__ import annotations

import pytest
from PySide6.QtWidgets import QLineEdit

from qverify_desktop.domain.errors import BadInput, HostedFailure, WrongPassphrase
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.bundle import BundlePage
from qverify_desktop.ui.pages.hosted import HostedPage
from qverify_desktop.ui.pages.hosted_analyses import AnalysesPart
from qverify_desktop.ui.sheets.hosted_analysis import HostedAnalysisSheet
from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet
from qverify_desktop.ui.sheets.send_run import SendRunSheet
from qverify_desktop.ui.sheets.sign_in import SignInSheet
from qverify_desktop.ui.widgets.rows import ROW
from tests.ui.samples import hosted
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def page(make, qtbot):
    """``page(answers)`` gives the engine, the desk and the page, shown and filled."""

    def build(**changes):
        engine, desk = make(samples.answers(**changes))
        made = pages.build("hosted", desk)
        assert isinstance(made, HostedPage)
        qtbot.addWidget(made)
        made.resize(1000, 900)
        made.show()
        qtbot.waitUntil(lambda: desk.bridge.is_ready)
        made.enter(Place("hosted"))
        qtbot.waitUntil(lambda: made.status is not None)
        return engine, desk, made

    return build


@pytest.fixture
def sheet(make, qtbot):
    """``sheet(kind, *words, **answers)`` gives the engine, the desk and a sheet, shown."""

    def build(kind, *words, **changes):
        engine, desk = make(samples.answers(**changes))
        qtbot.waitUntil(lambda: desk.bridge.is_ready)
        made = kind(desk, *words)
        qtbot.addWidget(made)
        made.resize(480, 800)
        made.show()
        return engine, desk, made

    return build


def told(desk):
    """The notices so far."""
    return [words[0] for name, words in desk.front.calls if name == "tell"]


def asked(engine, question):
    return [params for name, params in engine.asked if name == question]


def test_who_is_signed_in_and_what_is_on_its_way(page, qtbot):
    _, _, made = page()
    qtbot.waitUntil(lambda: len(made.queue.rows) == 4 and made.plan._card.isVisible())
    assert made.who.text() == "Ada Example, Example Ltd"
    assert "eu.hosted.example" in made.told.text() and "keyring" in made.told.text()
    assert made.key.text().endswith(hosted.KEY)
    assert made.sign_out.isVisible() and not made.sign_in.isVisible()
    rows = {one.view["stage"] or one.view["state"]: one for one in made.queue.rows.values()}
    assert "next try" in rows["waiting"].told.text() and "can't be reached" in rows["waiting"].told.text()
    assert rows["waiting"].go.toolTip() == "Try it now"
    assert "11.3 MB of 18.4 MB" in rows["sending"].told.text()
    assert (
        rows["failed"].told.text().endswith("Nothing was stored.")
        and rows["failed"].help.text() == "Send less of it…"
    )
    assert "countersigned exactly this state" in rows["done"].checked.text() and not rows["done"].bar.isVisible()


def test_what_the_service_itself_says_and_the_choice_of_its_region(page, qtbot):
    engine, _, made = page()
    qtbot.waitUntil(lambda: made.account.region.count() == 3 and made.account.region.isVisible())
    assert made.account.told.text().startswith("Confirmed by the service. This access ends 28 Nov 2026")
    names = [made.account.region.itemText(at) for at in range(3)]
    assert names == ["Europe (Frankfurt)", "United States (Ohio) (takes nothing new now)", "Asia (Tokyo)"]
    made.account.region.setCurrentIndex(2)
    made.account.region.activated.emit(2)
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_choose_region")))
    assert asked(engine, "hosted_choose_region") == [{"region": "https://ap.hosted.example"}]
    qtbot.waitUntil(lambda: len(asked(engine, "hosted_status")) > 1)


def test_a_service_that_can_t_be_asked_leaves_what_is_known_here(page, qtbot):
    gone = HostedFailure("eu.hosted.example can't be reached. Nothing was sent.", "Look again later.")
    _, _, made = page(hosted_account=gone, hosted_usage=gone, hosted_analyses=gone)
    qtbot.waitUntil(lambda: "could not be asked" in made.account.told.text())
    assert made.who.text() == "Ada Example, Example Ltd" and not made.account.region.isVisible()
    # The rest of the page does not say it once more; the queue, which is kept here, stays.
    assert not made._signed_in.isVisible() and made.queue.isVisible()


def test_the_service_knows_better_who_is_signed_in(page, qtbot):
    _, _, made = page(hosted_account=hosted.account(organisation="Example Holding"))
    qtbot.waitUntil(lambda: made.who.text() == "Ada Example, Example Holding")


@pytest.mark.parametrize("offer", ["less", "sign_in"])
def test_what_helps_besides_trying_again_is_a_button(page, qtbot, offer):
    told = hosted.export(2, "failed", offer=offer, sentence="It was refused.", remedy="Type something.")
    _, desk, made = page(
        hosted_exports=lambda after=0: {"version": 4, "exports": [told]}, hosted_status=hosted.nobody()
    )
    qtbot.waitUntil(lambda: len(made.queue.rows) == 1)
    (row,) = made.queue.rows.values()
    assert row.told.text() == "It was refused." and row.help.isVisible()
    row.help.click()
    if offer == "less":
        assert isinstance(desk.front.sheet, SendRunSheet) and desk.front.sheet.contents.chosen() == "headers"
    else:
        assert isinstance(desk.front.sheet, SignInSheet)


def test_a_bundle_is_fetched_and_its_grade_told(page, qtbot):
    engine, desk, made = page()
    qtbot.waitUntil(lambda: made.analyses.model.rowCount() == 3)
    assert not made.get.isEnabled()
    made.analyses.list.setCurrentIndex(made.analyses.model.index(0, 0))
    assert "done has a bundle" in desk.actions["hosted.bundle"].reason()
    made.analyses.list.setCurrentIndex(made.analyses.model.index(1, 0))
    qtbot.waitUntil(made.get.isEnabled)
    made.get.click()
    (name, (suggestion, _, then)) = next(one for one in desk.front.calls if one[0] == "save_as")
    assert suggestion.endswith(".qvevidence.zip") and name == "save_as"
    then("/tmp/there.qvevidence.zip")
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_analysis_bundle")))
    id = hosted.analysis(2, "done")["id"]
    assert asked(engine, "hosted_analysis_bundle") == [{"id": id, "path": "/tmp/there.qvevidence.zip"}]
    qtbot.waitUntil(lambda: any("Unanchored" in notice.text for notice in told(desk)))
    told(desk)[-1].run()
    assert desk.front.calls[-1] == ("check_bundle", ("/tmp/there.qvevidence.zip",))


def test_a_bundle_that_does_not_hold_is_said(page, qtbot):
    broken = HostedFailure("The bundle does not hold: INVALID. It is kept aside in /tmp/b.zip.refused.", "Show it.")
    _, desk, made = page(hosted_analysis_bundle=broken)
    qtbot.waitUntil(lambda: made.analyses.model.rowCount() == 3)
    made.analyses.list.setCurrentIndex(made.analyses.model.index(1, 0))
    made._fetch_bundle("x", "/tmp/b.zip")
    qtbot.waitUntil(lambda: any("kept aside" in str(call) for call in desk.front.calls))
    assert not made._fetching


@pytest.mark.parametrize(
    ("stage", "button", "question"),
    [("sending", "go", "hosted_pause"), ("waiting", "go", "hosted_resume"), ("failed", "off", "hosted_drop")],
)
def test_each_button_of_the_queue(page, qtbot, stage, button, question):
    engine, _, made = page(**{question: None})
    qtbot.waitUntil(lambda: len(made.queue.rows) == 4)
    row = next(one for one in made.queue.rows.values() if stage in (one.view["stage"], one.view["state"]))
    getattr(row, button).click()
    qtbot.waitUntil(lambda: bool(asked(engine, question)))
    assert asked(engine, question) == [{"export": row.view["export"]}]


def test_a_report_is_opened_in_the_browser(page, qtbot):
    _, desk, made = page()
    qtbot.waitUntil(lambda: len(made.queue.rows) == 4)
    row = next(one for one in made.queue.rows.values() if one.view["report"])
    row.report.click()
    assert desk.front.calls[-1] == ("open_address", ("https://eu.hosted.example/imports/1",))


def test_nobody_is_signed_in_and_nothing_is_asked_over_the_network(page, qtbot):
    engine, desk, made = page(hosted_status=hosted.nobody())
    qtbot.wait(100)
    assert made.who.text() == "Nobody is signed in"
    assert not made._signed_in.isVisible()
    assert not asked(engine, "hosted_usage") and not asked(engine, "hosted_analyses")
    made.sign_in.click()
    assert isinstance(desk.front.sheet, SignInSheet)


def test_no_service_is_set(page):
    _, desk, made = page(hosted_status=hosted.nobody(configured=False))
    assert made._shown.state.heading.text() == "No hosted service is set"
    made._shown.state.button.click()
    assert desk.front.calls[-1] == ("go", (Place("settings"),))


def test_the_air_gap_says_so(page):
    closed = hosted.status(
        closed="The air gap is on, so nothing was sent to the hosted service.", remedy="Export it."
    )
    _, _, made = page(hosted_status=closed)
    assert "The air gap is on" in made.closed.text() and not made._signed_in.isVisible()


def test_a_usage_that_can_t_be_asked_says_why(page, qtbot):
    _, _, made = page(hosted_usage=HostedFailure("The hosted service failed.", "Look again later."))
    qtbot.waitUntil(lambda: made.plan.problem.text() != "")
    assert made.plan.problem.text() == "The hosted service failed. Look again later."


def test_analyses_are_labelled_and_ended_with_a_question(page, qtbot):
    engine, desk, made = page(hosted_analysis_cancel=hosted.analysis(1, "cancelled"))
    qtbot.waitUntil(lambda: made.analyses.model.rowCount() == 3)
    row = made.analyses.model.index(0, 0).data(ROW)
    assert (row.title, row.badge) == ("Billing, nightly", "hosted") and "step 4 of 9" in row.detail
    assert "31" in made.analyses.model.index(1, 0).data(ROW).detail
    made.analyses.list.choose_first()
    desk.actions.trigger("hosted.end")
    desk.front.sheet.confirm()
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_analysis_cancel")))
    assert asked(engine, "hosted_analysis_cancel") == [{"id": hosted.analysis(1, "running")["id"]}]


def test_beside_the_runs_of_this_machine_they_stand_only_where_there_are_some(make, qtbot):
    for answer, visible in ((hosted.analyses(), True), ([], False), (HostedFailure("Gone."), False)):
        _, desk = make(samples.answers(hosted_analyses=answer))
        part = AnalysesPart(desk, quiet=True)
        qtbot.addWidget(part)
        qtbot.waitUntil(lambda desk=desk: desk.bridge.is_ready)
        part.show_part()
        qtbot.wait(60)
        assert part.isVisibleTo(None) is visible
        part.hide_part()


def test_signing_out_asks_first(page, qtbot):
    engine, desk, made = page(hosted_sign_out="You are signed out, and the sign-in was revoked.")
    made.sign_out.click()
    assert not asked(engine, "hosted_sign_out")
    desk.front.sheet.confirm()
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_sign_out")))


# The sign-in


def test_the_code_is_shown_and_the_sheet_closes_once_somebody_is_signed_in(sheet, qtbot):
    said: list[str] = []
    done = hosted.sign_in("done", 3, sentence="You are signed in as Ada Example of Example Ltd.")
    engine, desk, made = sheet(SignInSheet, lambda: said.append("done"), hosted_sign_in_watch=lambda after: done)
    closed = []
    made.close_wanted.connect(lambda: closed.append(True))
    qtbot.waitUntil(lambda: made.store.count() == 3)
    made.confirm()
    qtbot.waitUntil(lambda: bool(closed))
    assert asked(engine, "hosted_sign_in") == [{"store": "keyring", "passphrase": ""}]
    assert made.code.text() == "WDJB-MJHT" and made.address.text() == "https://login.example/device"
    assert made.qr._matrix and said == ["done"]
    assert desk.front.calls[-1][0] == "tell"


def test_a_refused_sign_in_says_why_and_can_be_begun_again(sheet, qtbot):
    refused = hosted.sign_in("failed", 3, sentence="The sign-in was refused.", remedy="Sign in again.")
    _, _, made = sheet(SignInSheet, lambda: None, hosted_sign_in_watch=lambda after: refused)
    qtbot.waitUntil(lambda: made.store.count() == 3)
    made.confirm()
    qtbot.waitUntil(lambda: made.problem.isVisible())
    assert made.problem.text() == "The sign-in was refused. Sign in again."
    assert made.next.isVisible() and made.next.isEnabled()


def test_a_key_file_needs_its_passphrase_before_the_code(sheet, qtbot):
    wrong = WrongPassphrase("This passphrase does not open the key file.", "Try again.")
    engine, _, made = sheet(
        SignInSheet, lambda: None, keys=samples.keys(file="locked", usual="file"), hosted_sign_in=wrong
    )
    qtbot.waitUntil(lambda: made.store.count() == 3)
    assert made.passphrase.isVisible() and made.passphrase.echoMode() is QLineEdit.EchoMode.Password
    made.passphrase.setText("something else")
    made.confirm()
    qtbot.waitUntil(lambda: made.problem.isVisible())
    assert asked(engine, "hosted_sign_in") == [{"store": "file", "passphrase": "something else"}]
    assert made.passphrase.property("error") == "true"


def test_closing_the_sheet_ends_the_waiting(sheet, qtbot):
    engine, _, made = sheet(
        SignInSheet, lambda: None, hosted_sign_in_watch=lambda after: hosted.sign_in(version=after)
    )
    qtbot.waitUntil(lambda: made.store.count() == 3)
    made._show(hosted.sign_in())
    made.closed.emit()
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_sign_in_cancel")))


# Sending


def test_what_leaves_is_shown_before_it_is_sent(sheet, qtbot):
    engine, desk, made = sheet(SendRunSheet, "r0mdk400000001", hosted_send=hosted.export(1, "running"))
    qtbot.waitUntil(lambda: made.send.isEnabled())
    assert made.where.text() == "18.4 MB go to eu.hosted.example. They become Example Ltd's."
    assert made._files.count() == 2 * len(hosted.leaving()["files"])
    made.contents._segments[1].click()
    qtbot.waitUntil(lambda: "412 kB" in made.where.text())
    assert not asked(engine, "hosted_send")
    made.confirm()
    made.confirm()
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_send")))
    assert asked(engine, "hosted_send") == [{"run": "r0mdk400000001", "contents": "redacted"}]
    qtbot.waitUntil(lambda: desk.front.calls and desk.front.calls[-1][0] == "tell")


def test_a_bundle_that_was_brought_is_sent_as_it_is(make, qtbot):
    file = "/media/stick/run.qvevidence.zip"
    engine, desk = make(
        samples.answers(
            evidence_grade={**samples.grade(), "valid": True},
            hosted_leaving=lambda bundle: hosted.leaving(contents="redacted"),
            hosted_send=hosted.export(1, "running", file=file),
        )
    )
    page = BundlePage(desk)
    qtbot.addWidget(page)
    page.show()
    assert not desk.actions.trigger("bundle.send")
    page.enter(Place("bundle", item=file))
    qtbot.waitUntil(lambda: desk.actions.trigger("bundle.send"))
    made = desk.front.sheet
    made.show()
    qtbot.waitUntil(lambda: made.send.isEnabled())
    assert not made.contents.isVisible()
    made.confirm()
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_send")))
    assert asked(engine, "hosted_send") == [{"bundle": file}]
    made.deleteLater()


def test_what_the_policy_keeps_here_can_t_be_sent(sheet, qtbot):
    kept = hosted.leaving(refusal="Nothing of this repository leaves this machine.", remedy="Allow it first.")
    engine, _, made = sheet(SendRunSheet, "r0mdk400000001", hosted_leaving=lambda run, contents: kept)
    qtbot.waitUntil(lambda: made.problem.isVisible())
    assert made.problem.text() == "Nothing of this repository leaves this machine. Allow it first."
    made.confirm()
    qtbot.wait(50)
    assert not made.send.isEnabled() and not asked(engine, "hosted_send")


def test_a_refused_send_stays_open_with_its_sentence(sheet, qtbot):
    _, _, made = sheet(
        SendRunSheet, "r0mdk400000001", hosted_send=BadInput("Too many bundles are in the queue.", "Take some off.")
    )
    qtbot.waitUntil(lambda: made.send.isEnabled())
    made.confirm()
    qtbot.waitUntil(lambda: made.problem.isVisible())
    assert made.problem.text() == "Too many bundles are in the queue. Take some off."
    assert made.send.isEnabled()


# An analysis that runs there


def test_one_sheet_begins_one_analysis(sheet, qtbot):
    engine, _, made = sheet(
        HostedAnalysisSheet, "/home/ada/billing", lambda: None, hosted_analyze=HostedFailure("It failed.")
    )
    qtbot.waitUntil(lambda: made.begin.isEnabled())
    assert "https://git.example.org/acme/billing.git" in made.told.text()
    assert made.notice.text().startswith("Changes that are not committed")
    made.confirm()
    qtbot.waitUntil(lambda: made.problem.isVisible())
    made.confirm()
    qtbot.waitUntil(lambda: len(asked(engine, "hosted_analyze")) == 2)
    first, second = asked(engine, "hosted_analyze")
    assert first == second and len(first["key"]) == 32
    assert (first["source"], first["commit"]) == ("/home/ada/billing", hosted.source("")["commit"])


def test_without_a_commit_nothing_begins(sheet, qtbot):
    found = hosted.source("https://git.example.org/a/b") | {"commit": ""}
    _, _, made = sheet(
        HostedAnalysisSheet, "https://git.example.org/a/b", lambda: None, hosted_source=lambda source: found
    )
    qtbot.waitUntil(lambda: made._found is not None)
    assert made.begin.toolTip() == "Give the full id of a commit."


def test_a_new_analysis_can_run_there_instead(sheet, qtbot):
    _, desk, made = sheet(NewAnalysisSheet, "/home/ada/billing")
    qtbot.waitUntil(lambda: made.hosted.isVisible())
    closed = []
    made.close_wanted.connect(lambda: closed.append(True))
    made.hosted.click()
    assert closed and desk.front.calls[-1] == ("go", (Place("hosted", item="/home/ada/billing"),))


def test_where_nobody_is_signed_in_it_is_not_offered(sheet, qtbot):
    engine, _, made = sheet(NewAnalysisSheet, "/home/ada/billing", hosted_status=hosted.nobody())
    qtbot.waitUntil(lambda: bool(asked(engine, "hosted_status")))
    qtbot.wait(50)
    assert not made.hosted.isVisible()
