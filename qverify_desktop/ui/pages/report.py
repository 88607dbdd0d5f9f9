"""The report of a run: what was looked at and with what, what must be known about it, and the files it can be taken away as."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFormLayout, QGridLayout, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.execution import Isolation, isolation_of
from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.pages.evidence_parts.verifier import save_verifier
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, frame, holder, label, row
from qverify_desktop.ui.widgets.isolation import IsolationBadge
from qverify_desktop.ui.widgets.state_view import Shown

#: Format, file name's end, title, what it is for.
FORMATS = (
    (
        "html",
        ".html",
        later("Report to read"),
        later("One file for a browser, with every verdict and its reason. Needs no network."),
    ),
    (
        "patch",
        ".patch",
        later("Patch"),
        later("The accepted tests for git apply. Nothing else of the repository is touched."),
    ),
    ("junit", ".xml", later("JUnit XML"), later("For the test view of a build server.")),
    ("sarif", ".sarif", later("SARIF"), later("Suspected defects for code scanning of a forge or an editor.")),
    ("markdown", ".md", later("Markdown"), later("For a pull request or a wiki.")),
    ("csv", ".csv", later("CSV"), later("All tests as a table.")),
    ("issues", ".md", later("Issues"), later("Each suspected defect as the text of an issue, with a reproducer.")),
    (
        "expected-failures",
        ".patch",
        later("Tests expected to fail"),
        later("The tests of the suspected defects, marked so that a suite stays green until the code is mended."),
    ),
    (
        "evidence",
        ".qvevidence.zip",
        later("Evidence bundle"),
        later("What a stranger needs to check the run offline."),
    ),
    (
        "evidence-redacted",
        ".qvevidence.zip",
        later("Evidence without contents"),
        later("Every event with its proof, and no source, prompt or output: these are committed to and not shown."),
    ),
    (
        "evidence-headers",
        ".qvevidence.zip",
        later("Evidence, headers only"),
        later("That the run was announced, how it ended and that none is hidden; not what happened in between."),
    ),
)
VERIFIER = (
    later("The verifier"),
    later("One Python file with which somebody who has no QVerify checks the evidence."),
)
WIDEST = 900


class ReportPage(RunPage):
    """Facts of the run at the top, then one row per format with a button that saves it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._facts = QFormLayout()
        self._facts.setHorizontalSpacing(24)
        self._facts.setVerticalSpacing(8)
        self._facts.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self._notices = QVBoxLayout()
        self._notices.setSpacing(8)
        self._remarks = holder(self._notices)
        self._sentence = label("", "verdict", wrap=True, select=True)
        self.isolation = IsolationBadge(desk.theme)
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMaximumWidth(desk.theme.px(WIDEST))
        inside.setLayout(self._build())
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self._shown = Shown(desk.theme, area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        desk.actions.add(
            Act(
                "report.open",
                later("Open the report"),
                later("Report"),
                self._open,
                icon="external",
                place="report",
                reason=lambda: "" if self._finished() else tr("The run has no report yet."),
            )
        )

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("report.open",)

    def _build(self) -> QVBoxLayout:
        facts = frame("card")
        facts.setLayout(column(self._facts, margins=(16, 12, 16, 12)))
        formats = frame("card")
        grid = QGridLayout(formats)
        grid.setContentsMargins(16, 12, 12, 12)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(0, 1)
        self.save_buttons: dict[str, Button] = {}
        offered = [(format, title, purpose, partial(self._save, format)) for format, _, title, purpose in FORMATS]
        offered.append(("verifier", *VERIFIER, partial(save_verifier, self.desk, self)))
        for at, (format, title, purpose, save) in enumerate(offered):
            told = column(label(tr(title), "strong"), label(tr(purpose), "small", "muted", wrap=True), gap=0)
            grid.addLayout(told, at, 0)
            button = Button(self.desk.theme, tr("Save…"), save, icon="download", size="small")
            button.setAccessibleName(tr("Save {format}", format=tr(title)))
            self.save_buttons[format] = button
            grid.addWidget(button, at, 1, Qt.AlignmentFlag.AlignVCenter)
        return column(
            self._sentence,
            self.isolation,
            8,
            self._remarks,
            label(tr("What was looked at"), "heading"),
            facts,
            8,
            label(tr("Take it away"), "heading"),
            formats,
            None,
            gap=12,
            margins=(24, 20, 24, 24),
        )

    def begin_run(self) -> None:
        self._shown.show_waiting()

    def show_run(self) -> None:
        if not self._finished():
            self._shown.show_state().show_state(
                "report",
                tr("No report yet"),
                tr("The report is written when the run is finished. What is found until then stands under Progress."),
            )
            self.desk.actions.update()
            return
        assert self.context is not None
        overview: RunOverview = self.context.overview  # type: ignore[assignment]
        self._sentence.setText(overview["run"]["sentence"])
        self.isolation.show_request(overview["request"])
        while self._facts.rowCount():
            self._facts.removeRow(0)
        for name, value in facts_of(overview):
            told = label(value, wrap=True, select=True)
            self._facts.addRow(label(name, "body", "muted"), told)
        self._show_notices(overview["notices"])
        self._shown.show_content()
        self.desk.actions.update()

    def _show_notices(self, notices: list[str]) -> None:
        empty(self._notices)
        self._remarks.setVisible(bool(notices))
        for notice in notices:
            made = frame("tint")
            made.setProperty("tone", "warning")
            icon = IconLabel(self.desk.theme, "triangle-alert", "warning", words=tr("Notice"))
            words_ = label(notice, wrap=True, select=True)
            made.setLayout(row(icon, words_, gap=12, margins=(12, 8, 12, 8)))
            made.layout().setStretch(1, 1)  # type: ignore[union-attr]
            self._notices.addWidget(made)

    def _finished(self) -> bool:
        return self.context is not None and self.context.status == "finished"

    def _open(self) -> None:
        if self.context is not None and self.context.overview:
            self.desk.front.open_path(str(self.context.overview["report"]))

    def _save(self, format: str) -> None:
        if self.context is None:
            return
        run = self.context.run
        name = str(self.context.overview["run"]["name"])
        end = next(end for known, end, _, _ in FORMATS if known == format)
        suggestion = f"{Path(name).name}-{run[:12]}{end}"
        self.desk.front.save_as(suggestion, f"*{end}", self._saver(run, format))

    def _saver(self, run: str, format: str) -> Callable[[str], None]:
        def save(path: str) -> None:
            self.desk.bridge.do(self, lambda engine: engine.export(run, format, Path(path)), self._saved)

        return save

    def _saved(self, path: Path) -> None:
        folder = str(path.parent)
        words_ = tr("Saved: {path}", path=str(path))
        show = partial(self.desk.front.open_path, folder)
        self.desk.front.tell(Notice(words_, "success", tr("Open folder"), show))


def facts_of(overview: RunOverview) -> list[tuple[str, str]]:
    """Names and values for the head of the report; what is not known is left out."""
    request = overview["request"]
    scope = request.get("scope", {})
    parts = {"all": tr("everything"), "changed": tr("changed since {ref}"), "files": tr("files {glob}")}
    told = parts.get(str(scope.get("kind", "all")), "").format(ref=scope.get("ref", ""), glob=scope.get("glob", ""))
    model = str(request.get("model", "none"))
    reduced = isolation_of(str(request.get("sandbox", ""))) is Isolation.REDUCED
    pairs = [
        (tr("Source"), overview["run"]["source"]),
        (tr("Commit"), overview["commit"]),
        (tr("Tree"), overview["tree"]),
        (tr("Scope"), told),
        (tr("Languages"), ", ".join(overview["languages"])),
        (tr("Model"), tr("none") if model == "none" else model),
        (tr("Existing tests"), overview["baseline"]),
        (tr("Targets"), f"{overview['targets']:,}"),
        (tr("Sandbox image"), overview["image_digest"]),
        (tr("Isolation"), tr("reduced (bubblewrap)") if reduced else tr("containers")),
        (tr("Took"), _took(overview)),
        (tr("Cost"), words.money(overview["cost_microusd"])),
        (tr("Evidence"), overview["grade"]),
    ]
    return [(name, value) for name, value in pairs if value]


def _took(overview: RunOverview) -> str:
    return tr(
        "{all}, of it {sandbox} in containers and {model} waiting for the model",
        all=words.duration(overview["duration_ms"]),
        sandbox=words.duration(overview["sandbox_ms"]),
        model=words.duration(overview["model_ms"]),
    )
