"""The sheet of a new analysis: one sheet, no steps. The foot says what will happen and what it costs before Start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.views import Choices, ModelsView, RepositoryLook, SettingsView
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.sheets.new_analysis_parts import EffortPart, ModelPart, NetworkPart, RuntimePart, ScopePart
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, holder, label, row, set_property
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.state_view import Shown

#: A source that is typed is looked at this much later.
DELAY_MS = 400


class NewAnalysisSheet(Sheet):
    """Source at the top, then scope, runtime, model, effort and network, as the person chose them the last time."""

    def __init__(self, desk: Desk, source: str = "") -> None:
        super().__init__(desk.theme, tr("New analysis"))
        self.desk = desk
        self.look: RepositoryLook | None = None
        self._remark = label("", "small", "muted")
        self.head.insertWidget(2, self._remark)
        self.source = QLineEdit(source)
        self.source.setPlaceholderText(tr("Folder or Git URL"))
        self.source.setAccessibleName(tr("Folder or Git URL"))
        self._later = QTimer(self, interval=DELAY_MS, singleShot=True)
        self.source.textEdited.connect(lambda _: self._later.start())
        self._later.timeout.connect(self._look)
        choose = Button(desk.theme, tr("Choose folder…"), self._choose_folder, icon="folder-open")
        self._facts = label("", "small", "muted", wrap=True)
        self._icon = IconLabel(desk.theme, "folder", "text-muted")
        facts = row(self._icon, self._facts, gap=8)
        facts.setStretch(1, 1)
        self.scope = ScopePart(desk)
        self.runtime = RuntimePart(desk)
        self.model = ModelPart(desk)
        self.effort = EffortPart(desk)
        self.network = NetworkPart(desk)
        self._parts = QGridLayout()
        self._parts.setHorizontalSpacing(16)
        self._parts.setVerticalSpacing(20)
        self._parts.setColumnStretch(1, 1)
        self._parts.setColumnMinimumWidth(0, desk.theme.px(88))
        for at, (name, part) in enumerate(
            (
                (tr("Scope"), self.scope),
                (tr("Runtime"), self.runtime),
                (tr("Model"), self.model),
                (tr("Effort"), self.effort),
                (tr("Network"), self.network),
            )
        ):
            word = label(name, "body", "muted", wrap=True)
            word.setContentsMargins(0, 6, 0, 0)
            self._parts.addWidget(word, at, 0, Qt.AlignmentFlag.AlignTop)
            self._parts.addWidget(part, at, 1)
            part.changed.connect(self._say)
        content = QVBoxLayout()
        content.setContentsMargins(0, 0, 0, 0)
        content.addLayout(self._parts)
        content.addStretch(1)
        self._shown = Shown(desk.theme, holder(content))
        source_row = row(self.source, choose, gap=8)
        self.body.addLayout(column(source_row, facts, gap=8))
        self.body.addWidget(self._shown, 1)
        self._promise = label("", "strong", wrap=True)
        self._leaves = label("", "small", "muted", wrap=True)
        self.start_button = Button(
            desk.theme, tr("Start analysis"), self.confirm, kind="primary", keys="Ctrl+Return", cap=True
        )
        self.foot.addLayout(column(self._promise, self._leaves, gap=0), 1)
        self.foot.addWidget(self.start_button)
        self._show_no_source()
        desk.bridge.ask(self, "models", self._show_models, failed=self._no_models)
        desk.bridge.ask(self, "settings", self._show_settings)
        if source:
            self._look()

    def first_focus(self) -> QWidget:
        return self.start_button if self.look is not None else self.source

    def confirm(self) -> None:
        """Start, when nothing stands in the way."""
        if not self.start_button.isEnabled() or self.look is None:
            return
        request = self.request()
        self.desk.bridge.ask(
            self.desk.bridge,
            "repository_remember",
            lambda _: None,
            source=self.look["source"],
            choices=self.choices(),
        )
        self.close_wanted.emit()
        self.desk.front.start(request)

    def request(self) -> AnalysisRequest:
        """What would be asked of the engine."""
        assert self.look is not None
        model, base = self.model.chosen()
        return AnalysisRequest(
            # The text as it was typed: an address may need what its shown form leaves out.
            source=self.source.text().strip(),
            scope=Scope.parse(self.scope.text()),
            model=model,
            api_base=base,
            max_targets=self.effort.targets(),
            seed=self.effort.seed(),
            allow_install=self.network.allow_install(),
        )

    def choices(self) -> Choices:
        """What is remembered for the next time."""
        model, base = self.model.chosen()
        return {
            "scope": self.scope.text(),
            "model": model,
            "api_base": base,
            "max_targets": self.effort.targets(),
            "seed": self.effort.seed(),
            "allow_install": self.network.allow_install(),
            "runtime": self.runtime.chosen(),
        }

    # Looking at the source

    def _choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("Open the folder of a repository"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self._chosen)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _chosen(self, folder: str) -> None:
        self.source.setText(folder)
        self._look()

    def _look(self) -> None:
        self.look = None
        source = self.source.text().strip()
        self._say()
        if not source:
            self._show_no_source()
            return
        self._facts.setText(tr("It is being looked at."))
        self.desk.bridge.ask(self, "repository_look", self._show_look, failed=self._failed, key="look", source=source)

    def _show_no_source(self) -> None:
        self._facts.setText("")
        self._icon.hide()
        self._shown.show_state().show_state(
            "folder",
            tr("Which repository?"),
            tr("Choose a folder, or type the address of a Git repository. Nothing in it is changed or run here."),
        )
        self._say()

    def _failed(self, error: QVerifyError) -> None:
        self._facts.setText("")
        self._shown.show_state().show_error(error, self._look)
        self._say()

    def _show_look(self, look: RepositoryLook) -> None:
        if look["problem"]:
            self._facts.setText("")
            state = self._shown.show_state()
            state.show_state("triangle-alert", tr("This can't be analyzed"), look["problem"], token="warning")
            set_property(self.source, "error", "true")
            self.source.setAccessibleDescription(look["problem"])
            self._say()
            return
        set_property(self.source, "error", "false")
        self.source.setAccessibleDescription("")
        self.look = look
        self._icon.show()
        self._icon.show_icon("branch" if look["git"] else "folder", "text-muted")
        self._facts.setText(_facts(look))
        remembered = look["remembered"]
        self._remark.setText(tr("As chosen the last time") if remembered else "")
        self.scope.show_look(look)
        self.runtime.show_look(look)
        for part in (self.scope, self.runtime, self.model, self.effort, self.network):
            part.remember(remembered)
        self._shown.show_content()
        self._say()
        if self.isVisible() and not self.source.hasFocus():
            self.start_button.setFocus()

    # Models and foot

    def _show_models(self, models: ModelsView) -> None:
        self.model.show_models(models)
        if self.look is not None:
            self.model.remember(self.look["remembered"])
        self._say()

    def _no_models(self, error: QVerifyError) -> None:
        self.model.show_models({"models": [], "sentence": error.sentence, "remedy": error.remedy})

    def _show_settings(self, settings: SettingsView) -> None:
        self.model.show_settings(settings)
        if self.look is not None:
            self.model.remember(self.look["remembered"])
        self._say()

    def _say(self) -> None:
        """The foot: targets, what leaves this machine, what it costs; and whether Start is possible."""
        reason = self._reason()
        self.start_button.set_possible(reason)
        if reason:
            self._promise.setText(reason)
            self._leaves.setText("")
            return
        targets = self.effort.targets()
        at_most = trn("At most {n} target", "At most {n} targets", targets)
        self._promise.setText(f"{at_most}, {self.model.cost()}")
        leaves = [self.model.leaves()]
        if self.network.allow_install():
            leaves.append(tr("Missing packages are fetched before the tests."))
        self._leaves.setText(" ".join(leaves))

    def _reason(self) -> str:
        checks: list[Callable[[], str]] = [self.scope.problem, self.runtime.problem, self.model.problem]
        if self.look is None:
            return tr("Choose a repository first.")
        return next((problem for check in checks if (problem := check())), "")


def _facts(look: RepositoryLook) -> str:
    parts = [look["name"]]
    if look["git"]:
        parts.append(look["branch"] or tr("no branch checked out"))
    if look["files"]:
        parts.append(trn("{n} file", "{n} files", look["files"]))
        parts.append(trn("{n} in a known language", "{n} in a known language", len(look["source_files"])))
    elif not Path(look["source"]).exists():
        parts.append(tr("it is fetched when the analysis starts"))
    return " · ".join(parts)
