"""What the model is writing, below the targets: the end of it as plain text, while it is written."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.models.run_progress import Writing
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import column, label, row
from qverify_desktop.ui.widgets.code_text import with_escapes

#: At most this often is new text laid out.
EVERY_MS = 100
#: Lines that are shown, whatever their length.
LINES = 12


class WritingPane(QWidget):
    """Hidden while nobody writes. Text of a model is shown as it is, never as markup, with hidden characters as escapes.

    It follows the end, unless the person has scrolled up or selected something.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("surface")
        self.setProperty("pane", True)
        self._theme = theme
        self._next: Writing | None = None
        self._title = label("", "heading")
        self.text = QPlainTextEdit()
        self.text.setObjectName("code")
        self.text.setReadOnly(True)
        self.text.setUndoRedoEnabled(False)
        self.text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.text.setAccessibleName(tr("What the model writes"))
        self.setLayout(column(row(self._title, None, margins=(20, 10, 20, 0)), self.text, gap=8))
        self._later = QTimer(self, interval=EVERY_MS, singleShot=True)
        self._later.timeout.connect(self._lay_out)
        theme.changed.connect(self._measure)
        self._measure()
        self.hide()

    def show_writing(self, writing: Writing | None) -> None:
        """Show this soon; ``None`` hides the pane."""
        self._next = writing
        if writing is None:
            self._later.stop()
            self.hide()
        elif not self._later.isActive():
            self._later.start()

    def _measure(self) -> None:
        self.text.setFont(self._theme.font("code"))
        self.text.document().setDocumentMargin(self._theme.px(16))
        self.text.setMinimumHeight(self.text.fontMetrics().lineSpacing() * LINES // 3)

    def _lay_out(self) -> None:
        writing = self._next
        if writing is None:
            return
        name = with_escapes(writing.target.rpartition("::")[2] or writing.target)
        self._title.setText(
            tr("The model wrote for {name}", name=name)
            if writing.over
            else tr("The model is writing for {name}", name=name)
        )
        if not self.text.textCursor().hasSelection():
            bar = self.text.verticalScrollBar()
            above = bar.maximum() - bar.value()
            self.text.setPlainText(with_escapes(writing.text))
            bar.setValue(bar.maximum() - above)
        self.show()
