"""What a person can do with a suspected defect: open, copy, confirm, dismiss with a note in place, take back."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QSizePolicy, QVBoxLayout

from qverify_desktop.domain.result_views import DefectView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.assertions import on_one_line
from qverify_desktop.ui.widgets.basics import Button, IconLabel, holder, row
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.words import DECISION, UNKNOWN

#: Longest note that the engine keeps.
MOST_NOTE = 2000


class NoteField(QLineEdit):
    """Enter dismisses, Escape gives it up."""

    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)


class DefectFoot(QFrame):
    """Its buttons trigger acts of the page; ``dismissed`` carries the note with which a defect is dismissed."""

    dismissed = Signal(str)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("foot")
        self.desk = desk
        theme, trigger = desk.theme, desk.actions.trigger
        self.editor = Button(
            theme, tr("Open in editor"), lambda: trigger("defects.editor"), kind="ghost", icon="external"
        )
        self.issue = Button(theme, tr("Copy as issue"), lambda: trigger("defects.issue"), kind="ghost", icon="copy")
        self._icon = IconLabel(theme)
        self._told = ElidedLabel("small", "muted", Qt.TextElideMode.ElideRight)
        self._told.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.take_back = Button(theme, tr("Take back"), lambda: trigger("defects.take_back"), kind="ghost")
        self.dismiss = Button(theme, tr("Dismiss"), lambda: trigger("defects.dismiss"), keys="D", cap=True)
        self.confirm = Button(
            theme, tr("Confirm defect"), lambda: trigger("defects.confirm"), kind="primary", keys="C", cap=True
        )
        choices = row(self.editor, self.issue, self._icon, self._told, margins=(16, 12, 24, 12))
        for button in (self.take_back, self.dismiss, self.confirm):
            choices.addWidget(button)
        self.choices = holder(choices)
        self.note = NoteField()
        self.note.setMaxLength(MOST_NOTE)
        self.note.setPlaceholderText(tr("Why? A note for later, optional"))
        self.note.setAccessibleName(tr("Why is it no defect? Optional"))
        self.note.returnPressed.connect(self._dismiss)
        self.note.given_up.connect(self.give_up)
        self.back = Button(theme, tr("Back"), self.give_up, kind="ghost")
        self.dismiss_now = Button(theme, tr("Dismiss"), self._dismiss)
        asked = row(self.note, self.back, self.dismiss_now, margins=(24, 12, 24, 12))
        asked.setStretch(0, 1)
        self.asking = holder(asked)
        self.asking.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.choices)
        layout.addWidget(self.asking)

    def show_defect(self, one: DefectView) -> None:
        """What was decided, and what is possible."""
        look = DECISION.get(one["decision"], UNKNOWN)
        decided = bool(one["decision"])
        self._icon.setVisible(decided)
        self._icon.show_icon(look.icon, look.token, look.text())
        self._told.setText(_told(one) if decided else "")
        self.take_back.setVisible(decided)
        self.dismiss.setVisible(one["decision"] != "dismissed")
        self.confirm.setVisible(one["decision"] != "confirmed")
        self.editor.set_possible(self.desk.actions["defects.editor"].reason())

    def ask_note(self) -> None:
        """Dismissing begins: the note is asked for in place."""
        self.note.clear()
        self.choices.hide()
        self.asking.show()
        self.note.setFocus()

    def give_up(self) -> None:
        """Back to the choices."""
        asked = self.asking.isVisibleTo(self)
        self.asking.hide()
        self.choices.show()
        if asked and self.isVisible():
            self.dismiss.setFocus()

    def fit(self, width: int) -> None:
        """What has no room is left to the palette; decision and judgement stay."""
        px = self.desk.theme.px
        stays = [button for button in (self.take_back, self.dismiss, self.confirm) if not button.isHidden()]
        room = width - px(48) - sum(button.sizeHint().width() + px(8) for button in stays)
        least = 0 if self._icon.isHidden() else px(120)
        for button in (self.editor, self.issue):
            room -= button.sizeHint().width() + px(8)
            button.setVisible(room >= least)

    def _dismiss(self) -> None:
        note = self.note.text().strip()
        self.give_up()
        self.dismissed.emit(note)


def _told(one: DefectView) -> str:
    if one["decision"] == "confirmed":
        return tr("Confirmed by you.")
    note = on_one_line(one["note"])
    return tr("Dismissed: {note}", note=note) if note else tr("Dismissed by you. It stays in the evidence.")
