"""The parts of a new analysis: scope, runtime, effort, network (``new_analysis_model`` has the model). Each says what stands
in its way."""

from __future__ import annotations

from fnmatch import fnmatch
from html import escape
from pathlib import Path

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QCompleter,
    QDoubleSpinBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from qverify_desktop.domain.project import language_title
from qverify_desktop.domain.results import BUDGETS, SEEDS, TIME_BUDGETS
from qverify_desktop.domain.views import Choices, RepositoryLook
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, inset, label, row, set_property
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.painting import one_line

MOST_TARGETS = 100_000
DEFAULT_TARGETS = 200
#: What the engine says of an image that a start would build (its remedy is for a terminal).
NOT_BUILT = "qverify runtimes build"
#: The same of a root file system, which comes out of an engine or a file.
NOT_IMPORTED = "qverify runtimes import"
#: What it says of one that is used without a container engine.
REDUCED = "reduced isolation"
#: Source files that the engine names at most; a count over them says "at least" then.
MOST_FILES = 5_000


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


class ScopePart(Part):
    """Everything, what changed since a ref, or files by a pattern."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._files: list[str] = []
        self.kind = Segmented(
            desk.theme,
            tr("Scope"),
            [
                Choice("all", tr("Everything")),
                Choice("changed", tr("Changed since")),
                Choice("files", tr("Chosen files")),
            ],
            height=32,
        )
        self.kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.kind.changed.connect(lambda _: self._show())
        self.ref = QComboBox()
        self.ref.setEditable(True)
        self.ref.setAccessibleName(tr("Branch, tag or commit"))
        self.ref.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.ref.editTextChanged.connect(lambda _: self._show())
        self.ref.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.glob = QLineEdit()
        self.glob.setPlaceholderText("src/**/*.py")
        self.glob.setAccessibleName(tr("Pattern of file names"))
        self.glob.textChanged.connect(lambda _: self._show())
        self.remark = label("", "small", "muted", wrap=True)
        self._wrong_ref, self._wrong_glob = FieldError(self.ref), FieldError(self.glob)
        self.setLayout(column(self.kind, self.ref, self._wrong_ref, self.glob, self._wrong_glob, self.remark, gap=6))
        self._git = False
        self._show()

    def show_look(self, look: RepositoryLook) -> None:
        """Refs and files of the repository."""
        self._git, self._files = look["git"] or not look["files"], look["source_files"]
        self.ref.blockSignals(True)
        self.ref.clear()
        self.ref.addItems(look["refs"])
        completer = QCompleter(QStringListModel(look["refs"], self), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.ref.setCompleter(completer)
        self.ref.setCurrentIndex(-1)
        self.ref.setEditText(next((ref for ref in look["refs"] if ref != look["branch"]), ""))
        self.ref.blockSignals(False)
        self._show()

    def remember(self, choices: Choices) -> None:
        """Another repository begins with its own choices, not with what was typed for the one before."""
        kind, _, rest = choices.get("scope", "all").partition(":")
        if kind == "changed" and rest and self._git:
            self.ref.setEditText(rest)
        if kind == "files" and rest:
            self.glob.setText(rest)
        self.kind.choose(kind if kind != "changed" or self._git else "all")
        self._show()

    def text(self) -> str:
        """As the command line takes it."""
        kind = self.kind.chosen()
        return {"all": "all", "changed": f"changed:{self.ref.currentText().strip()}"}.get(
            kind, f"files:{self.glob.text().strip()}"
        )

    def problem(self) -> str:
        return self._missing() or self._wrong()

    def _missing(self) -> str:
        """What is still to be typed."""
        kind = self.kind.chosen()
        if kind == "changed" and self._git and not self.ref.currentText().strip():
            return tr("Choose a branch, tag or commit.")
        if kind == "files" and not self.glob.text().strip():
            return tr("Type a pattern of file names.")
        return ""

    def _wrong(self) -> str:
        """What can't be as it was typed."""
        kind = self.kind.chosen()
        if kind == "changed" and not self._git:
            return tr("Only a Git repository knows what changed.")
        if kind == "changed" and self.ref.currentText().strip().startswith("-"):
            return tr("No branch, tag or commit begins with a hyphen.")
        if kind == "files" and self._files and self.glob.text().strip() and not self._matching():
            return tr("No source file matches the pattern.")
        return ""

    def _matching(self) -> int:
        pattern = self.glob.text().strip()
        return sum(fnmatch(path, pattern) for path in self._files)

    def _count(self) -> str:
        if not self._files:
            return tr("The files are known when the repository is fetched.")
        found = self._matching()
        if len(self._files) >= MOST_FILES:
            return trn("At least {n} file matches.", "At least {n} files match.", found)
        return trn("{n} file matches.", "{n} files match.", found)

    def _show(self) -> None:
        kind, wrong = self.kind.chosen(), self._wrong()
        self.ref.setVisible(kind == "changed")
        self.glob.setVisible(kind == "files")
        self._wrong_ref.say(wrong if kind == "changed" else "")
        self._wrong_glob.say(wrong if kind == "files" else "")
        if kind == "all":
            words = tr("All functions; untested, documented and public ones first.")
        elif kind == "changed":
            words = self._missing() or tr(
                "Functions that differ from it and their callers, and calls that are answered otherwise."
            )
        else:
            words = self._missing() or self._count()
        self.remark.setText(words)
        self.remark.setVisible(not wrong)
        self.changed.emit()


class RuntimePart(Part):
    """What was detected, and whether its image is there."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._look: RepositoryLook | None = None
        self.box = QComboBox()
        self.box.setAccessibleName(tr("Runtime"))
        self.box.currentIndexChanged.connect(lambda _: self._show())
        self.remark = label("", "small", "muted", wrap=True)
        self._icon = IconLabel(desk.theme, size=12)
        said = row(self._icon, self.remark, gap=6)
        said.setStretch(1, 1)
        self._others = label("", "small", "muted", wrap=True)
        self._others.hide()
        self.setLayout(column(self.box, said, self._others, gap=6))

    def show_look(self, look: RepositoryLook) -> None:
        self._look = look
        self.box.blockSignals(True)
        self.box.clear()
        others = []
        for choice in look["runtimes"]:
            parts = [", ".join(map(language_title, choice["languages"]))]
            parts += [trn("{n} file", "{n} files", choice["files"])] if choice["files"] else []
            if choice["analysable"]:
                self.box.addItem(" · ".join(parts), choice["runtime"])
            else:
                others.append(parts[0])
                self.box.addItem(" · ".join([*parts, tr("not analysable yet")]), "")
                self._disable(self.box.count() - 1, choice["sentence"])
        self.box.blockSignals(False)
        self._others.setText(tr("Found too, but not analysable yet: {languages}.", languages="; ".join(others)))
        self._others.setVisible(bool(others) and len(others) < len(look["runtimes"]))
        self._show()

    def remember(self, choices: Choices) -> None:
        at = self.box.findData(choices.get("runtime") or None)
        if at >= 0:
            self.box.setCurrentIndex(at)

    def chosen(self) -> str:
        return str(self.box.currentData() or "")

    def _disable(self, at: int, why: str) -> None:
        # It may name folders of the repository, whose names must not be read as markup.
        self.box.setItemData(at, f"<qt>{escape(one_line(why))}</qt>", Qt.ItemDataRole.ToolTipRole)
        self.box.setItemData(at, one_line(why), Qt.ItemDataRole.AccessibleDescriptionRole)
        model = self.box.model()
        if isinstance(model, QStandardItemModel):
            model.item(at).setEnabled(False)

    def _show(self) -> None:
        known = self._look["runtimes"] if self._look is not None else []
        choice = next((one for one in known if one["runtime"] == self.chosen() and one["analysable"]), None)
        if choice is None:
            self.remark.setText("")
            self._icon.hide()
        elif choice["ready"] and REDUCED in choice["sentence"]:
            self.remark.setText(
                tr(
                    "Reduced isolation: the settings choose bubblewrap, without a container engine. The run is marked."
                )
            )
            self._icon.show_icon("triangle-alert", "warning", tr("Warning"))
            self._icon.show()
        elif choice["ready"]:
            ready = tr("The sandbox image is ready.")
            self.remark.setText(tr("Detected by its files. {ready}", ready=ready) if choice["files"] else ready)
            self._icon.show_icon("check", "success", tr("Ready"))
            self._icon.show()
        else:
            building = tr("The sandbox image is built first; that takes about a minute.")
            importing = tr(
                "bubblewrap has no root file system yet. A start takes it from Docker where that runs; Environment says how "
                "to bring it in as a file."
            )
            signs = {NOT_BUILT: building, NOT_IMPORTED: importing}
            said = next((words for sign, words in signs.items() if sign in choice["sentence"]), choice["sentence"])
            self.remark.setText(said or building)
            self._icon.show_icon("triangle-alert", "warning", tr("Warning"))
            self._icon.show()
        self.changed.emit()


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
