"""Who confirmed a checkpoint, on the evidence pages; the sheet of paper; the signing key and those settings."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QLabel, QPushButton

from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.bundle import BundlePage
from qverify_desktop.ui.pages.evidence_parts.anchors import paper, qr_image
from qverify_desktop.ui.pages.evidence_parts.log_view import LogView
from qverify_desktop.ui.pages.run_evidence import RunEvidencePage
from qverify_desktop.ui.pages.settings import SettingsPage
from qverify_desktop.ui.sheets.ask import AskSheet
from qverify_desktop.ui.widgets.qr import QUIET, matrix_of
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui


def said(view) -> list[str]:
    return [label.text() for label in view.findChildren(QLabel) if label.isVisible() and label.text()]


@pytest.fixture
def pane(make, qtbot):
    """``pane(run, **answers)`` gives the view of a log with its checkpoint shown."""

    def build(run=RUN, **answers):
        engine, desk = make(samples.answers(**answers))
        view = LogView(desk, "run-evidence")
        qtbot.addWidget(view)
        view.resize(1200, 800)
        view.show()
        view.open(run)
        view.proof.which.choose("checkpoint")
        view.proof._turn()
        qtbot.waitUntil(lambda: view.proof._checkpoint is not None)
        return engine, view

    return build


def test_each_service_has_its_line(pane, qtbot):
    _, view = pane(evidence_anchors=samples.anchors("held", "held", "waiting", "refused"))
    qtbot.waitUntil(view.proof.anchors.isVisible)
    lines = said(view.proof.anchors)
    assert any(line.startswith("Time-stamped on") and samples.AUTHORITY in line for line in lines)
    assert any(line.startswith("Cosigned on") and samples.WITNESS in line for line in lines)
    assert any("still to come" in line and "air gap" in line for line in lines)
    assert any("another history" in line for line in lines)
    assert view.proof.anchors.again.isVisible()


def test_who_was_asked_is_asked_again_by_the_button(pane, qtbot):
    engine, view = pane(evidence_anchors=samples.anchors("waiting"), evidence_anchor=samples.anchors("held"))
    qtbot.waitUntil(view.proof.anchors.isVisible)
    view.proof.anchors.again.click()
    qtbot.waitUntil(lambda: any(line.startswith("Time-stamped on") for line in said(view.proof.anchors)))
    assert not view.proof.anchors.again.isVisible()
    assert ("evidence_anchor", {"run": RUN}) in engine.asked


def test_nothing_is_said_where_nobody_is_set_to_ask(pane, qtbot):
    _, view = pane()
    qtbot.wait(50)
    assert not view.proof.anchors.isVisible()
    _, view = pane(run="", evidence_anchors=samples.anchors("held"))
    qtbot.wait(50)
    assert not view.proof.anchors.isVisible(), "the newest checkpoint of the log is no run's"


def test_the_sheet_of_paper_holds_the_text_and_the_same_text_as_a_code(qapp):
    view = samples.checkpoint()
    text = paper(view).toPlainText().replace("\N{NO-BREAK SPACE}", " ")
    for line in view["note"].splitlines():
        assert line in text
    assert view["verifier_key"] in text and "--known-checkpoint" in text
    image, matrix = qr_image(view["note"]), matrix_of(view["note"])
    assert image is not None and matrix is not None
    module = image.width() // (len(matrix) + 2 * QUIET)
    for y, line in enumerate(matrix):
        for x, black in enumerate(line):
            colour = image.pixelColor((x + QUIET) * module + 1, (y + QUIET) * module + 1)
            assert colour == QColor("black" if black else "white")
    assert qr_image("x" * 5000) is None


def test_a_bundle_is_graded_against_whom_the_person_names(make, qtbot):
    engine, desk = make(samples.answers())
    asked = []

    async def verify(bundle, **named):
        asked.append(named)
        return samples.anchored()

    engine.verify = verify
    page = BundlePage(desk)
    qtbot.addWidget(page)
    page.show()
    page.enter(Place("bundle", item="/home/ada/run.qvevidence.zip"))
    page.authority.setText("/home/ada/tsa.pem")
    page.witness.setText("w+1+a w+2+b")
    page.verify()
    qtbot.waitUntil(lambda: bool(asked) and any(line.startswith("Cosigned on") for line in said(page.band)))
    assert [str(file) for file in asked[0]["tsa_certificates"]] == ["/home/ada/tsa.pem"]
    assert asked[0]["witnesses"] == ["w+1+a", "w+2+b"]
    assert any(line.startswith("Time-stamped on") for line in said(page.band))


@pytest.fixture
def settings(make, qtbot):
    engine, desk = make(
        samples.answers(signing_key_rotate=samples.signing_keys(), signing_key_revoke=samples.signing_keys())
    )
    page = SettingsPage(desk)
    qtbot.addWidget(page)
    page.show()
    page.enter(Place("settings"))
    qtbot.waitUntil(page.signing.rotate.isEnabled)
    return engine, desk, page


def test_the_keys_of_the_log_are_listed(settings):
    _, _, page = settings
    lines = said(page.signing)
    assert any(line.startswith("Has signed the log since") and "in the keyring" in line for line in lines)
    assert any(line.startswith("Revoked") and "stolen" in line for line in lines)
    assert any(line.startswith("Rotated") for line in lines)


@pytest.mark.parametrize(("button", "question"), [("rotate", "signing_key_rotate"), ("revoke", "signing_key_revoke")])
def test_a_change_of_the_key_is_asked_about_first(settings, qtbot, button, question):
    engine, desk, page = settings
    getattr(page.signing, button).click()
    sheet = desk.front.sheet
    assert isinstance(sheet, AskSheet)
    qtbot.addWidget(sheet)
    assert not any(asked == question for asked, _ in engine.asked), "nothing is changed before"
    sheet.confirm()
    qtbot.waitUntil(lambda: any(asked == question for asked, _ in engine.asked))
    qtbot.waitUntil(page.signing.rotate.isEnabled)


def test_services_are_settings_like_any_other(settings):
    _, _, page = settings
    for name in ("time_stamp_authority", "time_stamp_certificate", "witnesses"):
        assert page.fields[name].accessibleName()
    assert [button for button in page.signing.findChildren(QPushButton) if "e589c03f" in button.accessibleName()]


def test_the_verifier_is_saved_for_somebody_without_qverify(make, qtbot, tmp_path):
    file = tmp_path / "verify.py"
    view = {"path": str(file), "sha256": "ab" * 32}
    engine, desk = make(samples.answers(evidence_verifier=view))
    page = RunEvidencePage(desk)
    qtbot.addWidget(page)
    assert desk.actions.trigger("evidence.verifier")
    name, (suggestion, pattern, then) = desk.front.calls[-1]
    assert (name, suggestion, pattern) == ("save_as", "verify.py", "*.py")
    then(str(file))
    qtbot.waitUntil(lambda: desk.front.calls[-1][0] == "tell")
    assert engine.asked[-1] == ("evidence_verifier", {"file": str(file)})
    assert "abababababababab…" in desk.front.calls[-1][1][0].text


def test_a_bundle_says_what_its_run_says_and_what_holds(make, qtbot):
    engine, desk = make(
        samples.answers(evidence_grade={**samples.grade(), "confirmed": ["It extends the checkpoint."]})
    )
    page = BundlePage(desk)
    qtbot.addWidget(page)
    page.show()
    page.enter(Place("bundle", item="/home/ada/run.qvevidence.zip"))
    qtbot.waitUntil(page.said.isVisible)
    told = said(page.said)
    assert samples.said()["commit"] in told and "41 accepted, 7 refused, 2 of suspected defects" in told
    assert any(line.endswith("(with uncommitted changes)") for line in told)
    assert "It extends the checkpoint." in said(page.band)
    engine.answers["evidence_grade"] = samples.grade(valid=False)
    page.verify()
    qtbot.waitUntil(lambda: not page.said.isVisible())
