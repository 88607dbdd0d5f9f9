"""Cards of settings that the engine keeps: what a field changes is sent at once, and what is refused is said under it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import column, frame, inset, label, set_property

FIELD = 280
#: Room for the longest number with its unit.
NUMBER = 190
#: A number or text that is being typed is sent this much later.
DELAY_MS = 600

#: A row of a card: the setting's name, its title, what is said of it, and its field.
Field = tuple[str, str, str, QWidget]


class SettingsForm(QObject):
    """Fields by the name of their setting. ``changed`` is emitted with all settings after the engine took a change."""

    changed = Signal(object)

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self._desk = desk
        self.filling = False
        self.shown: dict[str, object] = {}
        self.fields: dict[str, QWidget] = {}
        self._problems: dict[str, QLabel] = {}
        self._waiting: list[QTimer] = []

    def card(self, *fields: Field) -> QWidget:
        """Rows of name, explanation and field; a problem stands below its field."""
        card = frame("card")
        grid = QGridLayout(card)
        grid.setContentsMargins(16, 12, 16, 12)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(16)
        grid.setColumnStretch(0, 1)
        for at, (id, name, explanation, field) in enumerate(fields):
            problem = label("", "small", "danger", wrap=True)
            problem.hide()
            self._problems[id] = problem
            self.fields[id] = field
            field.setAccessibleName(name)
            field.setAccessibleDescription(explanation)
            if isinstance(field, QCheckBox):
                # Without a word beside it, it ends where the other fields do.
                set_property(field, "bare", "true")
            else:
                field.setMinimumWidth(self._desk.theme.px(_least_width(field)))
                field.setMaximumWidth(self._desk.theme.px(FIELD))
            said = label(explanation, "small", "muted", wrap=True)
            said.setVisible(bool(explanation))
            grid.addLayout(column(label(name, "strong", wrap=True), said, problem, gap=2), at, 0)
            grid.addWidget(field, at, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        return card

    def switch(self, name: str) -> QCheckBox:
        field = QCheckBox()
        field.toggled.connect(lambda on: self.change(name, on))
        return field

    def number(self, name: str, least: int, most: int, unit: str = "", zero: str = "") -> QSpinBox:
        """``unit`` stands behind the number, ``zero`` in the place of the least."""
        field = inset(QSpinBox())
        field.setRange(least, most)
        field.setGroupSeparatorShown(True)
        field.setSuffix(f" {unit}" if unit else "")
        field.setSpecialValueText(zero)
        self._later(field.valueChanged, lambda: self.change(name, field.value()))
        return field

    def money(self, name: str, most_microusd: int) -> QDoubleSpinBox:
        """US dollars; the setting is in millionths of one, 0 is no limit."""
        field = inset(QDoubleSpinBox())
        field.setRange(0, most_microusd / 1_000_000)
        field.setDecimals(2)
        field.setSingleStep(0.5)
        field.setPrefix("$")
        field.setSpecialValueText(tr("No limit"))
        self._later(field.valueChanged, lambda: self.change(name, round(field.value() * 1_000_000)))
        return field

    def choice(self, name: str, choices: tuple[tuple[str, str], ...]) -> QComboBox:
        field = QComboBox()
        for value, words in choices:
            field.addItem(words, value)
        field.activated.connect(lambda: self.change(name, field.currentData()))
        return field

    def text(self, name: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(example)
        timer = self._later(field.textEdited, lambda: self.change(name, field.text().strip()))

        def ended() -> None:
            timer.stop()
            self.change(name, field.text().strip())

        field.editingFinished.connect(ended)
        return field

    def _later(self, signal: Any, send: Callable[[], object]) -> QTimer:
        timer = QTimer(self, interval=DELAY_MS, singleShot=True)
        timer.timeout.connect(send)
        signal.connect(lambda *_: None if self.filling else timer.start())
        self._waiting.append(timer)
        return timer

    def show_settings(self, settings: SettingsView) -> None:
        """Fill the fields; one that is being typed in is left alone."""
        self.filling = True
        for name, value in settings.items():
            field = self.fields.get(name)
            if field is not None:
                _fill(field, value)
        self.filling = False
        self.shown = dict(settings)

    def change(self, name: str, value: object) -> None:
        if self.filling or self.shown.get(name) == value:
            self._accepted(name)
            return

        def changed(settings: SettingsView) -> None:
            self._accepted(name)
            self.changed.emit(settings)

        def refused(error: QVerifyError) -> None:
            problem, field = self._problems[name], self.fields[name]
            problem.setText(f"{error.sentence} {error.remedy}".strip())
            problem.show()
            set_property(field, "error", "true")
            field.setAccessibleDescription(problem.text())

        changes: Mapping[str, object] = {name: value}
        self._desk.bridge.ask(self, "settings_change", changed, failed=refused, key=f"set-{name}", changes=changes)

    def _accepted(self, name: str) -> None:
        """What was refused before is no matter any more."""
        problem = self._problems.get(name)
        if problem is not None and problem.text():
            problem.setText("")
            problem.hide()
            set_property(self.fields[name], "error", "false")


def _least_width(field: QWidget) -> int:
    """Pixels, the same for all fields of one kind."""
    if isinstance(field, QLineEdit):
        return FIELD
    return NUMBER if isinstance(field, QAbstractSpinBox) else 160


def _fill(field: QWidget, value: object) -> None:
    if isinstance(field, QSpinBox):
        if not field.hasFocus():
            field.setValue(int(str(value)))
    elif isinstance(field, QDoubleSpinBox):
        if not field.hasFocus():
            field.setValue(int(str(value)) / 1_000_000)
    elif isinstance(field, QLineEdit):
        if not field.hasFocus():
            field.setText(str(value))
    elif isinstance(field, QCheckBox):
        field.setChecked(bool(value))
    elif isinstance(field, QComboBox):
        field.setCurrentIndex(max(0, field.findData(value)))
