"""What a reproduction came to: the band with its grades, and one test as it ended then and here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.reproduction import ComparedView, ReproductionView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, column, empty, frame, holder, label, row, set_property
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.words import GRADE, UNKNOWN, Look

STATES: Mapping[str, Look] = {
    "agrees": Look("circle-check", "success", later("agrees")),
    "differs": Look("diamond-alert", "danger", later("differs")),
    "flaky": Look("triangle-alert", "warning", later("flaky here")),
    "not_run": Look("circle-slash", "text-muted", later("not run")),
}
OUTCOMES: Mapping[str, Look] = {
    "reproduced": Look("shield-check", "success", later("Reproduced")),
    "other_environment": Look("triangle-alert", "warning", later("Agrees in another environment")),
    "differs": Look("diamond-alert", "danger", later("Differs")),
    "partly": Look("triangle-alert", "warning", later("Executed in part")),
    "nothing": Look("circle-slash", "text-muted", later("Nothing executed")),
}
#: What is said of a stage while it goes on.
STAGES: Mapping[str, str] = {
    "": later("The bundle is being copied."),
    "verify": later("Every entry and every proof is being checked."),
    "intake": later("The source is being read."),
    "detect": later("The source is being read."),
    "image": later("The pinned image is being looked for."),
    "dependencies": later("Packages are being looked for."),
    "judge": later("The tests are being executed."),
}
_ENDS: Mapping[str, Look] = {
    "refused": Look("octagon-x", "invalid", later("Not executed")),
    "failed": Look("square-x", "danger", later("Not executed")),
    "stopped": Look("square-stop", "warning", later("Stopped")),
}
#: Notices that stand in the band.
MOST_NOTICES = 4


def kind_of(one: ComparedView) -> str:
    """The state of a test, where one that ends differently from run to run here is told from one that has changed."""
    return "flaky" if one["state"] == "differs" and not one["steady"] else one["state"]


class OutcomeBand(QFrame):
    """Shape, sentence, what it shows and what it does not, grades; while it goes on how far it is."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("band")
        self._theme = theme
        self._icon = IconLabel(theme, "ring-arc", "accent-text", 24)
        self.sentence = label("", "verdict", wrap=True, select=True)
        self.meaning = label("", "body", "muted", wrap=True, select=True)
        self.progress = ProgressBar(theme, tr("Executed"))
        self._notices = QVBoxLayout()
        self._notices.setSpacing(2)
        self._grades = row(gap=8)
        words = column(self.sentence, self.meaning, self.progress, self._notices, gap=6)
        top = row(self._icon, words, gap=16)
        top.setStretch(1, 1)
        top.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        self.setLayout(column(top, self._grades, gap=12, margins=(24, 16, 24, 12)))

    def show_view(self, view: ReproductionView) -> None:
        """The reproduction as it stands."""
        running = view["state"] == "running"
        look = _ENDS.get(view["state"]) or OUTCOMES.get(view["outcome"], UNKNOWN)
        if running:
            self._icon.show_icon("ring-arc", "accent-text", tr("Running"))
            self.sentence.setText(tr(STAGES.get(view["stage"], STAGES["judge"])))
        else:
            self._icon.show_icon(look.icon, look.token, look.text())
            self.sentence.setText(f"{look.text()}. {view['sentence']}")
        counted = tr("{done} of {total} executions", done=view["done"], total=view["total"]) if view["total"] else ""
        self.meaning.setText(counted if running else f"{view['meaning']} {view['limit']}".strip())
        self.meaning.setVisible(bool(self.meaning.text()))
        self.progress.setVisible(running)
        self.progress.show_progress(view["done"], view["total"])
        self._show_notices(view)
        self._show_grades(view)

    def _show_notices(self, view: ReproductionView) -> None:
        empty(self._notices)
        if view["state"] == "running":
            return
        told = [*dict.fromkeys(one["sentence"] for one in (*view["images"], *view["packages"]) if one["sentence"])]
        self._say(told, "body")
        self._say([one for one in view["notices"] if one not in told], "small", "muted")
        for words in view["advice"][:MOST_NOTICES]:
            icon = IconLabel(self._theme, "arrow-right", "accent-text", words=tr("Next step"))
            line = row(icon, label(words, "strong", wrap=True, select=True), gap=8)
            line.setStretch(1, 1)
            line.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
            self._notices.addLayout(line)

    def _say(self, notices: Sequence[str], *look: str) -> None:
        left = len(notices) - MOST_NOTICES
        more = [tr("and {count} more, in the report", count=left)] if left > 0 else []
        for words in (*notices[:MOST_NOTICES], *more):
            self._notices.addWidget(label(words, *look, wrap=True, select=True))

    def _show_grades(self, view: ReproductionView) -> None:
        """The verifier's grade and, where it is earned, the reproduction's beside it."""
        empty(self._grades)
        for name in view["grades"]:
            reproduced = name == "REPRODUCED"
            look = OUTCOMES["reproduced"] if reproduced else GRADE.get(name.lower(), UNKNOWN)
            step = frame("tint")
            step.setProperty("tone", "success" if reproduced else "accent")
            step.setLayout(
                row(
                    IconLabel(self._theme, look.icon, look.token, words=look.text()),
                    label(look.text(), "strong"),
                    gap=6,
                    margins=(8, 4, 8, 4),
                )
            )
            self._grades.addWidget(step)
        self._grades.addStretch(1)


class ComparedDetail(QWidget):
    """One test: what happened, how it ended then and here, and its source."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("surface")
        self._icon = IconLabel(theme, size=16)
        self.name = label("", "heading", wrap=True, select=True)
        self.target = label("", "small", "muted", wrap=True, select=True)
        self.why = label("", "body", wrap=True, select=True)
        self.was = label("", "body", wrap=True, select=True)
        self.now = label("", "strong", wrap=True, select=True)
        self.expected = label("", "body", wrap=True, select=True)
        self._expected_title = label(tr("Expected"), "body", "muted")
        ends = QGridLayout()
        ends.setContentsMargins(0, 0, 0, 0)
        ends.setHorizontalSpacing(16)
        ends.setVerticalSpacing(4)
        titles = (self._expected_title, label(tr("Then"), "body", "muted"), label(tr("Here"), "body", "muted"))
        for line, (title, value) in enumerate(zip(titles, (self.expected, self.was, self.now), strict=True)):
            ends.addWidget(title, line, 0, Qt.AlignmentFlag.AlignTop)
            ends.addWidget(value, line, 1)
        ends.setColumnStretch(1, 1)
        self._ends = frame("sunken")
        self._ends.setLayout(column(ends, margins=(12, 8, 12, 8)))
        self.code = CodeView(theme, tr("Code of the test"))
        head = row(self._icon, column(self.name, self.target, gap=2), gap=8)
        head.setStretch(1, 1)
        head.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        self._content = holder(column(head, self.why, self._ends, self.code, gap=10, margins=(16, 12, 16, 12)))
        self._content.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._content)

    def show_test(self, one: ComparedView) -> None:
        look = STATES[kind_of(one)]
        self._icon.show_icon(look.icon, look.token, look.text())
        self.name.setText(one["id"].rpartition("::")[2])
        self.target.setText(f"{one['target']} · {one['id'].rpartition('::')[0]}")
        self.why.setText(one["why"] or tr("It ended each time as the evidence says."))
        gives = tr("{call} gives {value}", call=one["call"], value=one["expected"]) if one["expected"] else ""
        self.expected.setText(gives)
        for part in (self.expected, self._expected_title):
            part.setVisible(bool(gives))
        self.was.setText(one["was"] or tr("The bundle does not say."))
        self.now.setText(one["now"] or tr("It was not run."))
        set_property(self.now, "tone", "danger" if one["state"] == "differs" else "")
        self.code.show_code(one["code"], one["language"])
        self._content.show()
