"""What a run asks the person, above its progress: nothing covers the window, and the run waits until it is answered."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import InquiryView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, label, row
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.words import money


class InquiryBanner(QWidget):
    """The oldest open question of one run with its three answers. ``cancel_wanted``: the person would rather end the run."""

    cancel_wanted = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self.run = ""
        self.inquiry: InquiryView | None = None
        self.setObjectName("clear")
        tint = frame("tint")
        tint.setProperty("tone", "warning")
        icon = IconLabel(desk.theme, "coin", "warning")
        self.words = label("", "strong", wrap=True)
        self.figures = label("", "small", wrap=True)
        self.go_on = Button(desk.theme, "", partial(self._answer, "go_on"), kind="primary")
        self.stop = Button(desk.theme, tr("Finish without models"), partial(self._answer, "stop"))
        self.stop.setAccessibleDescription(
            tr("Models that cost something are asked no more in this run. What is there is judged and reported.")
        )
        cancel = Button(desk.theme, tr("Cancel run"), self.cancel_wanted.emit, kind="ghost")
        told = row(icon, column(self.words, self.figures, gap=2), gap=12)
        told.setStretch(1, 1)
        told.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
        tint.setLayout(
            column(
                told,
                row(self.go_on, self.stop, cancel, None, gap=8, margins=(28, 0, 0, 0)),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )
        self.setLayout(column(tint, margins=(24, 12, 24, 12)))
        self.hide()

    def show_run(self, run: str) -> None:
        """Ask what this run wants to know now."""
        if run != self.run:
            self._show([])
        self.run = run
        self.desk.bridge.ask(self, "inquiries", self._show, failed=lambda _: None, key="inquiries")

    @property
    def asks(self) -> bool:
        return self.inquiry is not None

    def _show(self, inquiries: list[InquiryView]) -> None:
        before = self.inquiry
        self.inquiry = next((one for one in inquiries if one["run"] == self.run), None)
        self.setVisible(self.inquiry is not None)
        if self.inquiry is None or self.inquiry == before:
            return
        facts = self.inquiry["facts"]
        limit = facts.get("limit_microusd", 0)
        if isinstance(limit, int) and limit:
            month = facts.get("budget") == "month"
            self.words.setText(
                tr("This month's budget is nearly spent. The next call waits for your answer.")
                if month
                else tr("The budget of this run is nearly spent. The next call waits for your answer.")
            )
            spent, estimate = (int(facts.get(key, 0)) for key in ("spent_microusd", "estimate_microusd"))
            self.figures.setText(
                tr(
                    "{spent} of {limit} spent; the next call may cost up to {estimate}.",
                    spent=money(spent) if spent else "$0.00",
                    limit=money(limit),
                    estimate=money(estimate),
                )
            )
            self.go_on.say(tr("Go on, up to {limit}", limit=money(limit)))
        else:
            self.words.setText(one_line(self.inquiry["sentence"]))
            self.figures.setText("")
            self.go_on.say(tr("Go on"))
        self.figures.setVisible(bool(self.figures.text()))
        self._allow("")
        self.setAccessibleName(self.words.text())
        self.setAccessibleDescription(self.figures.text())

    def _answer(self, reply: str) -> None:
        if self.inquiry is None:
            return
        self._allow(tr("Your answer is being written down."))
        self.desk.bridge.ask(
            self,
            "inquiry_answer",
            lambda _: self.show_run(self.run),
            failed=self._failed,
            run=self.run,
            name=self.inquiry["name"],
            reply=reply,
        )

    def _allow(self, reason: str) -> None:
        for one in (self.go_on, self.stop):
            one.set_possible(reason)

    def _failed(self, error: QVerifyError) -> None:
        """Somebody else was faster, or the run ended: what is open now is shown."""
        self.desk.bridge.problem.emit(error)
        self._allow("")
        self.show_run(self.run)
