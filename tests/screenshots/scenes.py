"""What is photographed: every page and state, over the answers that the tests use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QScrollArea

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.domain.progress import EventKind, RunEvent, Stage
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Notice, Place
from qverify_desktop.ui.pages.hosted import HostedPage
from qverify_desktop.ui.sheets.hosted_analysis import HostedAnalysisSheet
from qverify_desktop.ui.sheets.preview import PreviewSheet
from qverify_desktop.ui.sheets.sign_in import SignInSheet
from tests.ui.samples import hosted, reproduction
from tests.ui.samples import window as samples
from tests.ui.samples.results import OFFSET, RUN, SOURCE, run_view

LARGE, SMALL = (1440, 900), (1024, 720)


@dataclass(frozen=True)
class Scene:
    """``act`` is done after ``place`` is shown. ``events`` are what a live run tells."""

    name: str
    place: Place
    answers: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = LARGE
    act: Callable[[Window], object] | None = None
    themes: tuple[str, ...] = ("light", "dark")
    events: tuple[RunEvent, ...] = ()


def _sign_in(window: Window) -> None:
    """The code is shown."""
    window.registry.trigger("hosted.sign-in")
    sheet = window.findChild(SignInSheet)
    assert sheet is not None
    QTimer.singleShot(200, sheet.confirm)


def _to_the_end(window: Window) -> None:
    """What is below is seen."""
    for area in window.findChildren(QScrollArea):
        bar = area.verticalScrollBar()
        bar.setValue(bar.maximum())


def _ask_sign_in(window: Window) -> None:
    window.registry.trigger("hosted.sign-in")


def _analyze_there(window: Window) -> None:
    window.registry.trigger("hosted.analyze")
    sheet = window.findChild(HostedAnalysisSheet)
    assert sheet is not None
    sheet.source.setText("/home/ada/billing")


def _fetch_bundle(window: Window) -> None:
    page = window.findChild(HostedPage)
    assert page is not None
    page.analyses.list.choose(hosted.analysis(2, "done")["id"])
    page._fetch_bundle(hosted.analysis(2, "done")["id"], "/home/ada/Documents/billing.qvevidence.zip")


EXPIRED = hosted.sign_in(
    "failed", 3, sentence="The code expired before it was confirmed. Nobody is signed in.", remedy="Sign in again."
)
LOCAL = {
    "refusal": "It was decided that nothing of this repository leaves this machine, so nothing was sent.",
    "remedy": "Allow it for this repository first, if that is meant.",
}
GONE = HostedFailure(
    "eu.hosted.example can't be reached. Nothing was sent.",
    "Try again later; what stands in the queue is tried again by itself.",
)
CLOSED = "The air gap is on, so nothing was sent to the hosted service."
NOTHING = {"run_list": [], "repositories": []}
LIVE = "r0mdk4aaaaaaaa"


def _going_on() -> tuple[RunEvent, ...]:
    """A run in the middle of its judging."""
    events: list[RunEvent] = []

    def tell(kind: EventKind, stage: Stage, at_ms: int, **more: Any) -> None:
        events.append(RunEvent(LIVE, len(events) + 1, kind, stage, at_ms=at_ms, **more))

    told = (
        (Stage.INTAKE, 2_100, "61 files at 8c41f0e, 2 files as patch"),
        (Stage.DETECT, 3_000, "Python: 14 source files, 9 test files"),
        (Stage.IMAGE, 3_900, "qverify/python"),
        (Stage.DEPENDENCIES, 9_000, "Nothing is missing"),
        (Stage.BASELINE, 41_000, "The existing suite is green: 212 passed."),
        (Stage.TARGETS, 42_000, "18 of 96 functions in scope"),
        (Stage.GENERATE, 140_000, "68 candidates: 30 from the repository's own words, 38 from the model"),
    )
    at = 0
    for stage, end, text in told:
        tell(EventKind.STAGE_STARTED, stage, at)
        tell(EventKind.STAGE_FINISHED, stage, end, text=text)
        at = end
    for number, name in enumerate(("parse_date", "parse_time", "parse_offset", "iso_week", "now_utc", "humanize")):
        target = f"tidydate/{'parser' if number < 3 else 'calendar'}.py::{name}"
        tell(EventKind.TARGET, Stage.GENERATE, at, target=target, text=f"{number + 2} tests written")
    tell(
        EventKind.TARGET,
        Stage.TRIAGE,
        at,
        target="tidydate/parser.py::parse_offset",
        text="1 suspected defect, 3 kept, 2 refused",
    )
    tell(EventKind.STAGE_STARTED, Stage.JUDGE, at)
    tell(EventKind.PROGRESS, Stage.JUDGE, 260_000, done=118, total=230, text="118 of 230 mutants run")
    return tuple(events)


def _to_the_keys(window: Any) -> None:
    """Scroll to the keys of models."""
    area = window.page.findChild(QScrollArea)
    area.verticalScrollBar().setValue(window.page.keys.y() - 60)


def _to_the_checkpoint(window: Any) -> None:
    window.page.log.proof.which.choose("checkpoint")
    window.page.log.proof._turn()


def _to_the_end(window: Any) -> None:
    bar = window.page.findChild(QScrollArea).verticalScrollBar()
    bar.setValue(bar.maximum())


def _to(window: Any, card: Any) -> None:
    """Scroll to a card of the settings."""
    area = window.page.findChild(QScrollArea)
    area.verticalScrollBar().setValue(card.y() - 420)


SCENES = (
    Scene("home", Place("home"), {"doctor_checks": samples.checks_ready()}, events=_going_on()),
    Scene("home-small", Place("home"), size=SMALL, events=_going_on()),
    Scene("home-first-run", Place("home"), NOTHING),
    Scene("drag-over", Place("home"), act=lambda w: w._veil.show_over(w.rect())),
    Scene("runs", Place("runs")),
    Scene("environment", Place("environment")),
    Scene("new-analysis", Place("home"), act=lambda w: w.front.new_analysis(SOURCE)),
    Scene(
        "new-analysis-cloud",
        Place("home"),
        {
            "repository_look": lambda source: (
                samples.look(source)
                | {"remembered": {"model": "gpt-4.1", "api_base": "https://models.example.org/v1"}}
            )
        },
        act=lambda w: w.front.new_analysis(SOURCE),
        size=(1440, 1200),
    ),
    Scene("preview", Place("home"), act=lambda w: w.front.open_sheet(PreviewSheet(w.desk, AnalysisRequest(SOURCE)))),
    Scene("git-url", Place("home"), act=lambda w: w.registry.trigger("git-url"), themes=("light",)),
    Scene("progress", Place("progress", run=LIVE), events=_going_on()),
    Scene(
        "progress-inquiry",
        Place("progress", run=LIVE),
        {"inquiries": [samples.inquiry(LIVE)]},
        events=_going_on(),
    ),
    Scene("progress-small", Place("progress", run=LIVE), events=_going_on(), size=SMALL, themes=("dark",)),
    Scene(
        "cancelled",
        Place("progress", run=RUN),
        {
            "run_overview": lambda run: (
                samples.results.overview("cancelled")
                | {"run": run_view("cancelled", sentence="The run was cancelled. What it finished is recorded.")}
            )
        },
        themes=("light",),
    ),
    Scene("results", Place("results", run=RUN), themes=("light", "dark", "high-contrast")),
    Scene("results-small", Place("results", run=RUN), size=SMALL, themes=("dark",)),
    Scene("review", Place("results", run=RUN), act=lambda w: w.registry.trigger("results.review")),
    Scene("defects", Place("defects", run=RUN)),
    Scene("source", Place("source", run=RUN, item=f"{OFFSET}:48")),
    Scene("run-evidence", Place("run-evidence", run=RUN)),
    Scene(
        "run-evidence-anchored",
        Place("run-evidence", run=RUN),
        {
            "evidence_grade": samples.anchored(),
            "evidence_anchors": samples.anchors("held", "held", "waiting", "refused"),
        },
        act=lambda w: _to_the_checkpoint(w),
    ),
    Scene("settings-log", Place("settings"), act=lambda w: _to(w, w.page.signing)),
    Scene("report", Place("report", run=RUN)),
    Scene("report-formats", Place("report", run=RUN), act=lambda w: _to_the_end(w)),
    Scene("evidence", Place("evidence")),
    Scene("bundle", Place("bundle", item="/home/ada/run.qvevidence.zip")),
    Scene(
        "bundle-invalid",
        Place("bundle", item="/home/ada/run.qvevidence.zip"),
        {"evidence_grade": samples.grade(valid=False)},
        themes=("light",),
    ),
    Scene("reproduction", Place("reproduction", item=reproduction.ID), {"reproduction": reproduction.view()}),
    Scene(
        "reproduction-differs",
        Place("reproduction", item=reproduction.ID),
        {"reproduction": reproduction.view("differs")},
    ),
    Scene(
        "reproduction-running",
        Place("reproduction", item=reproduction.ID),
        {"reproduction": reproduction.going_on()},
        themes=("light",),
    ),
    Scene(
        "reproduction-refused",
        Place("reproduction", item=reproduction.ID),
        {"reproduction": reproduction.refused()},
        size=SMALL,
        themes=("dark",),
    ),
    Scene("models", Place("models")),
    Scene(
        "models-fetching",
        Place("models"),
        {
            "model_transfers": samples.transfers(
                samples.transfer("qwen3-coder:30b", "running", 7_430_000_000, 19_000_000_000),
                samples.transfer(
                    "gemma3:12b",
                    "paused",
                    2_100_000_000,
                    8_149_190_199,
                    sentence="Paused. What was fetched is kept.",
                    remedy="Go on with it whenever you like.",
                ),
                samples.transfer(
                    "llama4:scout",
                    "paused",
                    310_000_000,
                    67_000_000_000,
                    held=True,
                    sentence="It needs at least 67.5 GB of memory, and this machine has 33.4 GB. It was stopped before more of it came.",
                    remedy="Go on with it all the same, or take a smaller model.",
                ),
                samples.transfer(
                    "nobody",
                    "failed",
                    0,
                    0,
                    sentence="There is no model 'nobody' in the library that Ollama fetches from.",
                    remedy="Check its name; the model's page in the library says which sizes there are.",
                ),
            )
        },
    ),
    Scene("models-remove", Place("models"), act=lambda w: w.registry.trigger("models.remove"), themes=("light",)),
    Scene("usage", Place("usage")),
    Scene("hosted", Place("hosted"), size=(1440, 1100)),
    Scene(
        "hosted-refused",
        Place("hosted"),
        {"hosted_exports": lambda after=0: hosted.refused_exports()},
        size=(1440, 1100),
    ),
    Scene(
        "hosted-offline", Place("hosted"), dict.fromkeys(("hosted_account", "hosted_analyses", "hosted_usage"), GONE)
    ),
    Scene("hosted-plan", Place("hosted"), act=_to_the_end, size=SMALL),
    Scene("hosted-closed", Place("hosted"), {"hosted_status": hosted.status(closed=CLOSED, remedy="Export it.")}),
    Scene("hosted-locked", Place("hosted"), {"hosted_status": hosted.nobody(locked=True)}),
    Scene("hosted-nobody", Place("hosted"), {"hosted_status": hosted.nobody()}),
    Scene("hosted-none", Place("hosted"), {"hosted_status": hosted.nobody(configured=False)}),
    Scene("hosted-sign-in", Place("hosted"), {"hosted_status": hosted.nobody()}, act=_sign_in),
    Scene("hosted-sign-in-first", Place("hosted"), {"hosted_status": hosted.nobody()}, act=_ask_sign_in),
    Scene(
        "hosted-sign-in-failed",
        Place("hosted"),
        {"hosted_status": hosted.nobody(), "hosted_sign_in_watch": lambda after: EXPIRED},
        act=_sign_in,
    ),
    Scene(
        "hosted-send-refused",
        Place("run-evidence", run=RUN),
        {"hosted_leaving": lambda run, contents: hosted.leaving(run, contents, **LOCAL)},
        act=lambda w: w.registry.trigger("evidence.send"),
    ),
    Scene(
        "hosted-analyze-refused",
        Place("hosted"),
        {"hosted_source": lambda source: {**hosted.source(source), **LOCAL}},
        act=_analyze_there,
    ),
    Scene("hosted-bundle", Place("hosted"), act=_fetch_bundle),
    Scene("hosted-send", Place("run-evidence", run=RUN), act=lambda w: w.registry.trigger("evidence.send")),
    Scene("hosted-analyze", Place("hosted"), act=lambda w: w.registry.trigger("hosted.analyze")),
    Scene("settings", Place("settings")),
    Scene("settings-models", Place("settings"), act=_to_the_keys),
    Scene("key-file", Place("home"), {"keys": samples.keys(file="locked", keys=[])}),
    Scene("history", Place("repository", item=SOURCE)),
    Scene("compare", Place("compare", run=RUN, item=samples.OTHER)),
    Scene("palette", Place("results", run=RUN), act=lambda w: w.open_palette()),
    Scene("shortcuts", Place("home"), act=lambda w: w.registry.trigger("shortcuts"), themes=("light",)),
    Scene("closing", Place("home"), act=lambda w: w.close(), themes=("light",)),
    Scene(
        "error",
        Place("runs"),
        {
            "run_list": BadInput(
                "The database is damaged. It was left as it is; exported bundles stay valid.",
                "Restore it from a backup.",
            )
        },
        themes=("light",),
    ),
    Scene(
        "toast",
        Place("home"),
        act=lambda w: w.front.tell(
            Notice("tidydate: 4 suspected defects. 41 of 68 tests were kept.", "warning", "Show", lambda: None)
        ),
        themes=("light",),
    ),
)
