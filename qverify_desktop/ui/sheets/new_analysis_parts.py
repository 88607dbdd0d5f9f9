"""The parts of a new analysis: effort, budget, network (``new_analysis_scope`` has scope and runtime, ``new_analysis_model`` the
model). Each says what stands in its way."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QSpinBox,
    QWidget,
)

from qverify_desktop.domain.results import BUDGETS, SEEDS, TIME_BUDGETS
from qverify_desktop.domain.views import Choices
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, inset, label, row, set_property

MOST_TARGETS = 100_000
DEFAULT_TARGETS = 200


class FieldError(QLabel):
    """The line below a field: what is wrong with it, which the field itself shows and speaks too."""

    def __init__(self, field: QWidget) -> None:
        super().__init__()
        self._field = field
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setProperty("type", "small")
        self.setProperty("tone", "danger")
        self.hide()

    def say(self, problem: str) -> None:
        """Empty when the field is in order."""
        self.setText(problem)
        self.setVisible(bool(problem))
        set_property(self._field, "error", "true" if problem else "false")
        self._field.setAccessibleDescription(problem)


class Part(QWidget):
    """A group of fields. ``changed`` is emitted when the foot must say something else."""

    changed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.desk = desk

    def remember(self, choices: Choices) -> None:
        """Fill the fields as they were chosen the last time."""

    def problem(self) -> str:
        """Why the analysis can't start, empty when this part is in order."""
        return ""


class EffortPart(Part):
    """How many targets, for how long, the seed, and whether what has not changed is analysed again."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.number = inset(QSpinBox())
        self.number.setRange(1, MOST_TARGETS)
        self.number.setValue(DEFAULT_TARGETS)
        self.number.setPrefix(tr("at most") + " ")
        self.number.setSuffix(" " + tr("targets"))
        self.number.setAccessibleName(tr("Number of targets"))
        self.number.valueChanged.connect(lambda _: self.changed.emit())
        self.seed_field = inset(QSpinBox())
        self.seed_field.setRange(SEEDS[0], 2**31 - 1)
        self.seed_field.setPrefix(tr("seed") + " ")
        self.seed_field.setAccessibleName(tr("Seed"))
        said = label(tr("The same seed gives the same tests."), "small", "muted", wrap=True)
        fields = row(self.number, self.seed_field, gap=8)
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        self.minutes = inset(QSpinBox())
        self.minutes.setRange(0, TIME_BUDGETS[1] // 60)
        self.minutes.setPrefix(tr("at most") + " ")
        self.minutes.setSuffix(" " + tr("minutes"))
        self.minutes.setSpecialValueText(tr("No time limit"))
        self.minutes.setAccessibleName(tr("Time budget in minutes"))
        self.again = QCheckBox(tr("Analyze again what has not changed"))
        self.again.setAccessibleDescription(tr("Off: findings of earlier runs are taken over where nothing changed."))
        self.setLayout(column(fields, said, self.minutes, self.again, gap=6))

    def remember(self, choices: Choices) -> None:
        self.number.setValue(choices.get("max_targets", DEFAULT_TARGETS))
        self.seed_field.setValue(choices.get("seed", 0))
        self.minutes.setValue(choices.get("time_budget_s", 0) // 60)

    def seconds(self) -> int:
        """The time budget; 0 for no limit."""
        return self.minutes.value() * 60

    def fresh(self) -> bool:
        return self.again.isChecked()

    def targets(self) -> int:
        return self.number.value()

    def seed(self) -> int:
        return self.seed_field.value()


class BudgetPart(Part):
    """What may be spent on a model that costs something; nothing is the default and sets no limit."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.amount = inset(QDoubleSpinBox())
        self.amount.setRange(0, BUDGETS[1] / 1_000_000)
        self.amount.setDecimals(2)
        self.amount.setSingleStep(0.5)
        self.amount.setPrefix(tr("at most") + " $")
        self.amount.setSpecialValueText(tr("No limit"))
        self.amount.setAccessibleName(tr("Budget in US dollars"))
        self.amount.valueChanged.connect(lambda _: self.changed.emit())
        said = tr(
            "You are asked before it is nearly spent, and it is never passed. The tests written by then are judged."
        )
        self.amount.setAccessibleDescription(said)
        self.setLayout(column(self.amount, label(said, "small", "muted", wrap=True), gap=6))

    def remember(self, choices: Choices) -> None:
        self.amount.setValue(choices.get("budget_microusd", 0) / 1_000_000)

    def microusd(self) -> int:
        """In millionths of a US dollar; 0 for no limit."""
        return round(self.amount.value() * 1_000_000)


class NetworkPart(Part):
    """Tests never have a network; whether missing dependencies may be fetched before."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        sure = row(
            IconLabel(desk.theme, "lock", "text-muted"), label(tr("Tests never have a network."), wrap=True), gap=8
        )
        sure.setStretch(1, 1)
        self.install = QCheckBox(tr("Allow installing dependencies"))
        self.install.toggled.connect(lambda _: self._show())
        self._said = label("", "small", "muted", wrap=True)
        self._said.setContentsMargins(24, 0, 0, 0)
        self.folder = QLineEdit()
        self.folder.setPlaceholderText(tr("or a folder of packages (wheels), without network"))
        self.folder.setAccessibleName(tr("Folder of packages"))
        self.folder.textChanged.connect(lambda _: self._show())
        choose = Button(desk.theme, tr("Choose folder…"), self._choose, icon="folder-open")
        choose.setAccessibleName(tr("Choose folder of packages"))
        line = row(self.folder, choose, gap=8)
        line.setStretch(0, 1)
        self.setLayout(column(sure, self.install, self._said, line, gap=6))
        self._show()

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("Choose the folder of packages"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.folder.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _show(self) -> None:
        self.install.setEnabled(not self.packages())
        if self.packages():
            words = tr(
                "From the folder: packages that the sandbox lacks are installed out of it, in a container of their own, "
                "with no network."
            )
        elif self.allow_install():
            words = tr(
                "On: packages that the sandbox lacks are fetched from the package index, in a container of their own, "
                "before the tests. The index sees their names."
            )
        else:
            words = tr("Off: what needs a package that the sandbox lacks is named in the report and not tested.")
        self._said.setText(words)
        self.install.setAccessibleDescription(words)
        self.changed.emit()

    def remember(self, choices: Choices) -> None:
        self.install.setChecked(choices.get("allow_install", False))
        self.folder.setText(choices.get("packages", ""))

    def allow_install(self) -> bool:
        """Whether packages may be fetched with network; a folder of them makes that needless."""
        return self.install.isChecked() and not self.packages()

    def packages(self) -> str:
        """The folder of packages as an absolute path, or nothing."""
        typed = self.folder.text().strip()
        return str(Path(typed).expanduser().absolute()) if typed else ""
