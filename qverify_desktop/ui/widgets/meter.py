"""A measure in one block: caption and change, the big number with what it was, a bar."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from qverify_desktop.domain.views import MeasureView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import label, row, set_property
from qverify_desktop.ui.widgets.charts import BeforeAfterBar
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.words import after_of, before_of, count, share, signed

GAP = 8
#: Narrowest column that a remark wraps in beside the number.
LEAST = 88


class Meter(QWidget):
    """``caption`` is translated already. It is read as one: its accessible name is the whole of it in words."""

    def __init__(self, theme: Theme, caption: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("clear")
        self.caption = label(caption, "small", "muted", wrap=True)
        self.change = label("", "strong", "muted")
        self.number = label("", "metric")
        self.remark = label("", "small", "muted", wrap=True)
        self.bar = BeforeAfterBar(theme, caption)
        self.progress = ProgressBar(theme, caption)
        self.change.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        # The remark stands on the line of the number's foot.
        self.remark.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.remark.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        head = row(self.caption, self.change)
        head.setStretch(0, 1)
        self._middle = row(self.number, self.remark)
        self._middle.setStretch(1, 1)
        layout.addLayout(head)
        layout.addLayout(self._middle)
        layout.addWidget(self.bar)
        layout.addWidget(self.progress)
        layout.addStretch(1)
        self.progress.hide()

    def show_measure(self, measure: MeasureView) -> None:
        """A measure before and after: "88.6 % from 61.8 %", and how many parts more."""
        before, after = before_of(measure), after_of(measure)
        same_whole = measure["before_whole"] == measure["after_whole"]
        gained = measure["after_part"] - measure["before_part"]
        known = before is not None and after is not None
        change = signed(gained) if known and same_whole else ""
        self.show_share(before, after, change)
        if after is not None:
            whole = tr("{part} of {whole}", part=count(measure["after_part"]), whole=count(measure["after_whole"]))
            self.setToolTip(whole)
            self.setAccessibleName(f"{self.accessibleName()}, {whole}")

    def show_share(self, before: int | None, after: int | None, change: str = "") -> None:
        """Thousandths; ``None`` is unknown. ``change`` is told already and is green when it begins with a plus."""
        remark = tr("from {share}", share=share(before)) if before is not None and after is not None else ""
        self._show(share(after), remark, change)
        self.bar.show_values(before, after)
        self.bar.show()
        self.progress.hide()

    def show_amount(self, number: str, remark: str = "", part: int = 0, whole: int = 0, tone: str = "") -> None:
        """An amount told already: "$7.35", "of $20.00 you allowed"; a ``whole`` draws a bar of ``part``."""
        self._show(number, remark, "")
        self.bar.hide()
        self.progress.setVisible(whole > 0)
        if whole > 0:
            self.progress.show_progress(part, whole)
            self.progress.set_tone(tone)

    def _show(self, number: str, remark: str, change: str) -> None:
        self.number.setText(number)
        self.remark.setText(remark)
        self.remark.setVisible(bool(remark))
        self._turn()
        self.change.setText(change)
        set_property(self.change, "tone", "success" if change.startswith("+") else "muted")
        self.setToolTip("")
        said = [self.caption.text(), number, remark, change]
        self.setAccessibleName(", ".join(part for part in said if part))

    def _turn(self) -> None:
        """The remark stands beside the number, or below it where it would become a narrow column there."""
        beside = self.width() - self.number.sizeHint().width() - GAP
        wanted = self.remark.fontMetrics().horizontalAdvance(self.remark.text())
        below = beside < min(wanted, self._theme.px(LEAST))
        direction = QBoxLayout.Direction.TopToBottom if below else QBoxLayout.Direction.LeftToRight
        if self._middle.direction() != direction:
            self._middle.setDirection(direction)
            self._middle.setSpacing(0 if below else GAP)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()
