"""The parts of a new analysis: scope, runtime, model, effort, network. Each says what stands in its way."""

from __future__ import annotations

from fnmatch import fnmatch

from PySide6.QtCore import QStringListModel, Qt, Signal
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QCompleter,
    QLineEdit,
    QRadioButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.domain.results import SEEDS
from qverify_desktop.domain.views import Choices, ModelsView, ModelView, RepositoryLook, SettingsView
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import IconLabel, column, empty, frame, label, line, row
from qverify_desktop.ui.widgets.chips import Choice, Segmented

NONE = "none"
MOST_TARGETS = 100_000
DEFAULT_TARGETS = 200


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
        self.setLayout(column(self.kind, self.ref, self.glob, self.remark, gap=6))
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
        kind = self.kind.chosen()
        if kind == "changed" and not self._git:
            return tr("Only a Git repository knows what changed.")
        if kind == "changed" and not self.ref.currentText().strip():
            return tr("Choose a branch, tag or commit.")
        if kind == "files" and not self.glob.text().strip():
            return tr("Type a pattern of file names.")
        if kind == "files" and self._files and not self._matching():
            return tr("No file matches the pattern.")
        return ""

    def _matching(self) -> int:
        pattern = self.glob.text().strip()
        return sum(fnmatch(path, pattern) for path in self._files)

    def _show(self) -> None:
        kind = self.kind.chosen()
        self.ref.setVisible(kind == "changed")
        self.glob.setVisible(kind == "files")
        if kind == "all":
            words = tr("All functions; untested, documented and public ones first.")
        elif kind == "changed":
            words = tr("Functions that differ from it.") if self._git else self.problem()
        else:
            words = self.problem() or trn("{n} file matches.", "{n} files match.", self._matching())
        self.remark.setText(words)
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
        self.setLayout(column(self.box, self.remark, gap=6))

    def show_look(self, look: RepositoryLook) -> None:
        self._look = look
        self.box.blockSignals(True)
        self.box.clear()
        for choice in look["runtimes"]:
            languages = ", ".join(name.capitalize() for name in choice["languages"])
            files = trn("{n} file", "{n} files", choice["files"]) if choice["files"] else ""
            self.box.addItem(" · ".join(part for part in (languages, files) if part), choice["runtime"])
        self.box.blockSignals(False)
        self._show()

    def remember(self, choices: Choices) -> None:
        at = self.box.findData(choices.get("runtime", ""))
        if at >= 0:
            self.box.setCurrentIndex(at)

    def chosen(self) -> str:
        return str(self.box.currentData() or "")

    def _show(self) -> None:
        known = self._look["runtimes"] if self._look is not None else []
        choice = next((one for one in known if one["runtime"] == self.chosen()), None)
        if choice is None:
            self.remark.setText("")
        elif choice["ready"]:
            self.remark.setText(tr("The sandbox image is ready."))
        else:
            self.remark.setText(tr("The sandbox image is built first; that takes about a minute."))
        self.changed.emit()


class ModelPart(Part):
    """No model, one that answers on this machine, or another end point."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._models: list[ModelView] = []
        self._settings: SettingsView | None = None
        self._wanted: tuple[str, str] | None = None
        self._group = QButtonGroup(self)
        self._group.idClicked.connect(lambda _: self._show())
        self._list = QVBoxLayout()
        self._list.setContentsMargins(12, 8, 12, 8)
        self._list.setSpacing(8)
        card = frame("card")
        card.setLayout(self._list)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name of the model"))
        self.name.setAccessibleName(tr("Name of the model"))
        self.base = QLineEdit()
        self.base.setPlaceholderText("http://127.0.0.1:8080/v1")
        self.base.setAccessibleName(tr("Address of an OpenAI-compatible server"))
        for field in (self.name, self.base):
            field.textChanged.connect(lambda _: self.changed.emit())
        self._own = QWidget()
        self._own.setObjectName("clear")
        self._own.setLayout(row(self.name, self.base, gap=8))
        self.remark = label("", "small", "muted", wrap=True)
        self.setLayout(column(card, self._own, self.remark, gap=6))
        self._fill()

    def show_models(self, models: ModelsView) -> None:
        self._models = models["models"]
        self.remark.setText(f"{models['sentence']} {models['remedy']}".strip())
        self._fill()

    def show_settings(self, settings: SettingsView) -> None:
        self._settings = settings
        if self._wanted is None and settings["model"]:
            self._wanted = (settings["model"], settings["api_base"])
        self._fill()

    def remember(self, choices: Choices) -> None:
        if "model" in choices:
            self._wanted = (choices["model"], choices.get("api_base", ""))
        self._fill()

    def _fill(self) -> None:
        """A row per choice; what was wanted before is chosen when it is there."""
        for button in self._group.buttons():
            self._group.removeButton(button)
        empty(self._list)
        self._row(0, tr("No model"), tr("Examples in docs, type hints, properties, observed behavior"), tr("Free"))
        for at, model in enumerate(self._models, 1):
            local = model["place"] == "local"
            said = tr("On this machine") if local else tr("Elsewhere; prompts leave this machine")
            self._row(at, model["name"], said, tr("Free") if local else tr("Its price"))
        own = len(self._models) + 1
        self._row(own, tr("Another end point"), tr("Any OpenAI-compatible server"), "")
        self._choose(own)

    def _row(self, id: int, title: str, said: str, side: str) -> None:
        if id:
            self._list.addWidget(line())
        button = QRadioButton(title)
        button.setAccessibleDescription(said)
        self._group.addButton(button, id)
        words = label(said, "small", "muted", wrap=True)
        words.setContentsMargins(24, 0, 0, 0)
        inside = QWidget()
        inside.setObjectName("clear")
        inside.setLayout(column(row(button, None, label(side, "small", "muted")), words, gap=0))
        self._list.addWidget(inside)

    def _choose(self, own: int) -> None:
        wanted, base = self._wanted or (NONE, "")
        at = next(
            (i for i, one in enumerate(self._models, 1) if one["name"] == wanted and one["api_base"] == base), None
        )
        if at is None:
            at = 0 if wanted in ("", NONE) or not base else own
        if at == own:
            self.name.setText(wanted)
            self.base.setText(base)
        self._group.button(at).setChecked(True)
        self._show()

    def _show(self) -> None:
        self._own.setVisible(self._group.checkedId() == len(self._models) + 1)
        self.changed.emit()

    def chosen(self) -> tuple[str, str]:
        """Name and API base as the engine takes them."""
        id_ = self._group.checkedId()
        if id_ <= 0:
            return NONE, ""
        if id_ <= len(self._models):
            model = self._models[id_ - 1]
            return model["name"], model["api_base"]
        return self.name.text().strip(), self.base.text().strip()

    def problem(self) -> str:
        name, base = self.chosen()
        if name == NONE:
            return ""
        if not name:
            return tr("Type the name of the model.")
        if self._settings is not None and self._settings["air_gap"] and base and not self._is_local(base):
            return tr("Air gap is on: only a model on this machine may be asked.")
        return ""

    def _is_local(self, base: str) -> bool:
        known = next((one for one in self._models if one["api_base"] == base), None)
        if known is not None:
            return known["place"] == "local"
        return any(f"//{host}" in base for host in ("127.", "localhost", "[::1]"))

    def cost(self) -> str:
        """What it costs, as a person says it."""
        name, base = self.chosen()
        if name == NONE or not base or self._is_local(base):
            return tr("free")
        return tr("at the price of your provider")

    def leaves(self) -> str:
        """What leaves this machine."""
        name, base = self.chosen()
        if name == NONE:
            return tr("Nothing leaves this machine.")
        if not base or self._is_local(base):
            return tr("Prompts stay on this machine.")
        return tr("Signatures, docstrings and test style go to {base}.", base=base)


class EffortPart(Part):
    """How many targets, and the seed."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._targets = QSpinBox()
        self._targets.setRange(1, MOST_TARGETS)
        self._targets.setValue(DEFAULT_TARGETS)
        self._targets.setPrefix(tr("at most") + " ")
        self._targets.setSuffix(" " + tr("targets"))
        self._targets.setAccessibleName(tr("Number of targets"))
        self._targets.valueChanged.connect(lambda _: self.changed.emit())
        self._seed = QSpinBox()
        self._seed.setRange(SEEDS[0], 2**31 - 1)
        self._seed.setPrefix(tr("seed") + " ")
        self._seed.setAccessibleName(tr("Seed"))
        said = label(tr("The same seed gives the same tests."), "small", "muted", wrap=True)
        fields = row(self._targets, self._seed, gap=8)
        fields.setStretch(0, 3)
        fields.setStretch(1, 2)
        self.setLayout(column(fields, said, gap=6))

    def remember(self, choices: Choices) -> None:
        self._targets.setValue(choices.get("max_targets", DEFAULT_TARGETS))
        self._seed.setValue(choices.get("seed", 0))

    def targets(self) -> int:
        return self._targets.value()

    def seed(self) -> int:
        return self._seed.value()


class NetworkPart(Part):
    """Tests never have a network; whether missing dependencies may be fetched before."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        sure = row(
            IconLabel(desk.theme, "lock", "text-muted"), label(tr("Tests never have a network."), wrap=True), gap=8
        )
        sure.setStretch(1, 1)
        self._install = QCheckBox(tr("Fetch missing packages in a container of its own"))
        self._install.toggled.connect(lambda _: self.changed.emit())
        said = label(
            tr("Off: what needs a package that the sandbox lacks is named in the report and not tested."),
            "small",
            "muted",
            wrap=True,
        )
        said.setContentsMargins(24, 0, 0, 0)
        self.setLayout(column(sure, self._install, said, gap=6))

    def remember(self, choices: Choices) -> None:
        self._install.setChecked(choices.get("allow_install", False))

    def allow_install(self) -> bool:
        return self._install.isChecked()
