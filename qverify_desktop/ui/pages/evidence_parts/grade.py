"""The band that says how a bundle is graded, what that shows and what it does not, and where the grade stands on the ladder."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout

from qverify_desktop.domain.log_views import AnchorView, GradeView
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.pages.evidence_parts.anchors import told
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, column, empty, frame, label, row
from qverify_desktop.ui.widgets.flow import FlowLayout
from qverify_desktop.ui.widgets.words import GRADE, UNKNOWN, when

#: Notices that are shown; a bundle has few, unless somebody made it have many.
MOST_NOTICES = 6
#: The ladder from the bottom, with what each step means in a few words.
LADDER = (
    ("invalid", later("not whole")),
    ("diverged", later("two histories")),
    ("unanchored", later("whole and signed")),
    ("timestamped", later("older than a time stamp")),
    ("witnessed", later("seen by others")),
)


class GradeBand(QFrame):
    """Shape, sentence, limit, problems, ladder."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("band")
        self._theme = theme
        self._icon = IconLabel(theme, "shield-hollow", "text-muted", 24)
        self.sentence = label("", "verdict", wrap=True, select=True)
        self.limit = label("", "body", "muted", wrap=True, select=True)
        self._problems = QVBoxLayout()
        self._problems.setSpacing(4)
        self._ladder = FlowLayout(gap=8)
        words = column(self.sentence, self.limit, self._problems, gap=4)
        top = row(self._icon, words, gap=16)
        top.setStretch(1, 1)
        top.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        self.setLayout(column(top, self._ladder, gap=12, margins=(24, 16, 24, 12)))
        self.show_none("")

    def show_grade(self, grade: GradeView) -> None:
        """A verified bundle."""
        key = grade["grade"].lower()
        look = GRADE.get(key, UNKNOWN)
        self._icon.show_icon(look.icon, look.token, look.text())
        events = trn("{n} event", "{n} events", grade["events"])
        self.sentence.setText(f"{look.text()}. {grade['meaning']}")
        self.limit.setText(f"{grade.get('record', '')} {grade['limit']} {events}.".strip())
        empty(self._problems)
        for anchor in grade["anchors"]:
            if anchor["counts"]:
                shown: AnchorView = {**anchor, "state": "held", "sentence": ""}  # type: ignore[typeddict-item]
                self._problems.addWidget(label(told(shown), "body", wrap=True, select=True))
        for sentence in grade.get("confirmed", ()):
            self._problems.addWidget(label(sentence, "body", "success", wrap=True, select=True))
        for problem in grade["problems"][:20]:
            self._problems.addWidget(label(problem, "body", "danger", wrap=True, select=True))
        for notice in grade["notices"][:MOST_NOTICES]:
            self._problems.addWidget(label(notice, "small", "muted", wrap=True, select=True))
        self._show_ladder(key)
        if grade.get("reproduced"):
            self._show_reproduced(grade["reproduced"])

    def _show_reproduced(self, at: str) -> None:
        """Beside the ladder, because it is no step of it: all of it was executed again on this machine."""
        step = frame("tint")
        step.setProperty("tone", "success")
        words = tr("Reproduced here {when}", when=when(at))
        step.setLayout(
            row(
                IconLabel(self._theme, "shield-check", "success", words=words),
                label(words, "strong"),
                gap=6,
                margins=(8, 4, 8, 4),
            )
        )
        step.setToolTip(tr("Every accepted test and every suspected defect ended again as the evidence says."))
        self._ladder.addWidget(step)

    def show_none(self, why: str) -> None:
        """No grade yet, and why."""
        self._icon.show_icon("shield-hollow", "text-muted", tr("No grade"))
        self.sentence.setText(tr("No grade yet."))
        self.limit.setText(why)
        empty(self._problems)
        self._show_ladder("")

    def _show_ladder(self, reached: str) -> None:
        empty(self._ladder)
        for name, words in LADDER:
            look = GRADE[name]
            step = frame("tint" if name == reached else "clear")
            step.setProperty("tone", "accent")
            inside = row(
                IconLabel(self._theme, look.icon, look.token if name == reached else "text-muted", words=look.text()),
                label(look.text(), "strong" if name == reached else "small", "" if name == reached else "muted"),
                gap=6,
                margins=(8, 4, 8, 4),
            )
            step.setLayout(inside)
            step.setToolTip(tr(words))
            step.setAccessibleName(f"{look.text()}: {tr(words)}")
            self._ladder.addWidget(step)
