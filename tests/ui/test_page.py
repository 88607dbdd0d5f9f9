"""The first page in each of its states, as a person would meet it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, Stage
from qverify_desktop.ui.pages.analysis import AnalysisPage
from qverify_desktop.ui.theme import apply_theme, load_theme
from qverify_desktop.ui.widgets.drop import dropped_source

pytestmark = pytest.mark.ui

DOCUMENT = {
    "run": "r1",
    "verdict": "defects_suspected",
    "sentence": "1 suspected defect, in pages. 3 of 5 tests were kept; line coverage 50 % to 90 %.",
    "accepted": 3,
    "refused": {"no_gain": 2},
    "coverage": {"before": {"lines": 0.5, "branches": None}, "after": {"lines": 0.9, "branches": 1.0}},
    "mutation": {"before": None, "after": 0.75},
    "grade": "UNANCHORED",
    "suspected_defects": [
        {
            "file": "pkg/text.py",
            "symbol": "pages",
            "line": 3,
            "call": "pages(10)",
            "expected": "2",
            "observed": "3",
            "evidence_text": ">>> pages(10)\n2",
            "confidence": 0.95,
        }
    ],
}


@pytest.fixture(params=["light", "dark", "high-contrast"])
def page(request, qtbot):
    theme = load_theme(request.param)
    apply_theme(QApplication.instance(), theme)
    page = AnalysisPage(theme)
    qtbot.addWidget(page)
    page.resize(1180, 700)
    page.show()
    return page


def event(number: int, kind: EventKind, stage: Stage | None = None, text: str = "", **more) -> RunEvent:
    return RunEvent("r1", number, kind, stage, text, at_ms=number * 1000, **more)


def test_a_run_ticks_through_its_stages(page, qtbot):
    page.set_state("idle", "Ready.")
    assert page.drop.isVisible()
    page.begin("/home/me/pkg")
    assert not page.drop.isVisible()
    assert page.cancel_button.isVisible()
    page.apply(event(1, EventKind.STAGE_STARTED, Stage.INTAKE))
    assert page.stages.rows[0].state == "now"
    page.apply(event(2, EventKind.STAGE_FINISHED, Stage.INTAKE, "12 files"))
    assert (page.stages.rows[0].state, page.stages.rows[0].text) == ("done", "12 files")
    assert page.progress.value() == 1
    qtbot.waitUntil(lambda: "12 files" in page.log.toPlainText(), timeout=2000)


def test_the_verdict_stands_in_a_sentence_with_its_defect(page):
    page.begin("/home/me/pkg")
    page.show_document(DOCUMENT)
    assert page.verdict.text() == DOCUMENT["sentence"]
    detail = page.defect_detail.toPlainText()
    for words in (">>> pages(10)", "pages(10)", "2", "3"):
        assert words in detail
    assert page.report_button.isVisible()
    assert page.bundle_button.isVisible()
    assert not page.cancel_button.isVisible()


def test_cancelled_is_amber_and_can_be_resumed(page):
    page.begin("/home/me/pkg")
    page.apply(event(1, EventKind.STAGE_STARTED, Stage.BASELINE))
    page.apply(event(2, EventKind.STATUS, status=RunStatus.CANCELLED))
    row = next(r for r in page.stages.rows if r.stage is Stage.BASELINE)
    assert row.state == "cancelled"
    assert page.resume_button.isVisible()
    assert "Cancelled" in page.verdict.text()


def test_a_failure_says_what_happened(page):
    page.begin("/home/me/pkg")
    page.apply(event(1, EventKind.STATUS, text="Docker stopped answering.", status=RunStatus.FAILED))
    assert page.verdict.text() == "Docker stopped answering."


def test_a_flood_of_events_is_shown_in_batches(page, qtbot):
    page.begin("/home/me/pkg")
    for number in range(5000):
        page.apply(event(number, EventKind.LOG, Stage.JUDGE, f"line {number}"))
    qtbot.waitUntil(lambda: "line 4999" in page.log.toPlainText(), timeout=5000)


def test_every_button_has_words(page):
    for widget in page.findChildren(QAbstractButton):
        assert widget.text() or widget.accessibleName(), widget


def test_views_have_accessible_names(page):
    for widget in (page.stage_view, page.defect_view, page.log, page.defect_detail, page.progress):
        assert isinstance(widget, QWidget)
        assert widget.accessibleName()


def test_what_may_be_dropped(tmp_path):
    folder, file = QMimeData(), QMimeData()
    folder.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    (tmp_path / "a.txt").write_text("")
    file.setUrls([QUrl.fromLocalFile(str(tmp_path / "a.txt"))])
    assert dropped_source(folder) == str(tmp_path)
    assert dropped_source(file) == ""
    for text, wanted in (
        ("https://example.org/a/b.git\n", "https://example.org/a/b.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("ext::sh -c evil", ""),
        ("some words", ""),
    ):
        mime = QMimeData()
        mime.setText(text)
        assert dropped_source(mime) == wanted
