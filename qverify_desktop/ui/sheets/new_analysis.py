"""The sheet of a new analysis: one sheet, no steps. The foot says what will happen and what it costs before Start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QFileDialog, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.model import AUTO, CloudPolicy
from qverify_desktop.domain.model_views import ModelsView
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.domain.views import Choices, CloudView, RepositoryLook
from qverify_desktop.ui.drops import is_url
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.sheets.new_analysis_cloud import CloudPart
from qverify_desktop.ui.sheets.new_analysis_hosted import RunHosted
from qverify_desktop.ui.sheets.new_analysis_model import NONE, ModelPart, host_of
from qverify_desktop.ui.sheets.new_analysis_parts import BudgetPart, EffortPart, NetworkPart
from qverify_desktop.ui.sheets.new_analysis_scope import RuntimePart, ScopePart
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, holder, label, row, set_property
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.scroll_body import ScrollBody
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.state_view import StateView
from qverify_desktop.ui.widgets.words import money

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
        self.cloud = CloudPart(desk)
        self.preview = Button(desk.theme, tr("Show what would be sent"), self._preview, kind="link", icon="eye")
        self.budget = BudgetPart(desk)
        self.effort = EffortPart(desk)
        self.network = NetworkPart(desk)
        self._parts = QGridLayout()
        self._parts.setContentsMargins(0, 0, 0, 0)
        self._parts.setHorizontalSpacing(16)
        self._parts.setVerticalSpacing(20)
        self._parts.setColumnStretch(1, 1)
        self._parts.setColumnMinimumWidth(0, desk.theme.px(88))
        self._words: dict[QWidget, QWidget] = {}
        for at, (name, part) in enumerate(
            (
                (tr("Scope"), self.scope),
                (tr("Runtime"), self.runtime),
                (tr("Model"), self.model),
                (tr("Prompts"), self.cloud),
                (tr("Budget"), self.budget),
                (tr("Effort"), self.effort),
                (tr("Network"), self.network),
            )
        ):
            word = label(name, "body", "muted", wrap=True)
            word.setContentsMargins(0, 6, 0, 0)
            self._words[part] = word
            self._parts.addWidget(word, at, 0, Qt.AlignmentFlag.AlignTop)
            self._parts.addWidget(part, at, 1)
            part.changed.connect(self._say)
        self.model.extras.addWidget(self.preview, 0, Qt.AlignmentFlag.AlignLeft)
        self._form = holder(self._parts)
        self._state = StateView(desk.theme)
        self._build_body()
        self.body.addLayout(column(row(self.source, choose, gap=8), facts, gap=8))
        self.body.addWidget(self._form)
        self.body.addWidget(self._state, 100)
        self.body.addStretch(1)
        self.hosted = RunHosted(desk, self, lambda: self.source.text().strip())
        self.body.addWidget(self.hosted, 0, Qt.AlignmentFlag.AlignLeft)
        self._promise = label("", "strong", wrap=True)
        self._leaves = label("", "small", "muted", wrap=True)
        self.start_button = Button(
            desk.theme, tr("Start analysis"), self.confirm, kind="primary", keys="Ctrl+Return", cap=True
        )
        self.foot.addLayout(column(self._promise, self._leaves, gap=0), 1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost", keys="Esc"))
        self.foot.addWidget(self.start_button)
        self._show_no_source()
        desk.bridge.ask(self, "models", self._show_models, failed=self._no_models)
        desk.bridge.ask(self, "settings", self._show_settings)
        if source:
            self._look()

    def _build_body(self) -> None:
        """A body that is as high as its labels wrap, so that it scrolls only where it must."""
        margins = self.body.contentsMargins()
        self.body = QVBoxLayout()
        self.body.setContentsMargins(margins)
        self.body.setSpacing(16)
        self.area.setWidget(ScrollBody(self.body, "clear"))

    def _show_state(self) -> StateView:
        self._form.hide()
        self._state.show()
        return self._state

    def _show_form(self) -> None:
        self._state.hide()
        self._form.show()

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

    def _preview(self) -> None:
        """What the chosen model would be sent, over this sheet."""
        from qverify_desktop.ui.sheets.preview import PreviewSheet

        if self.look is not None:
            self.desk.front.open_sheet(PreviewSheet(self.desk, self.request()))

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
            packages=self.network.packages(),
            budget_microusd=self.spend(),
            time_budget_s=self.effort.seconds(),
            fresh=self.effort.fresh(),
            cloud=self.cloud.policy().value if self.cloud.asked() else "",
        )

    def spend(self) -> int:
        """The budget, for a model that costs something."""
        return self.budget.microusd() if self._goes_to() else 0

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
            "packages": self.network.packages(),
            "runtime": self.runtime.chosen(),
            "budget_microusd": self.budget.microusd(),
            "time_budget_s": self.effort.seconds(),
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
        self.cloud.forget()
        source = self.source.text().strip()
        self._say()
        if not source:
            self._show_no_source()
            return
        self._mark("")
        self._remark.setText("")
        self._facts.setText(tr("It is being looked at."))
        self.desk.bridge.ask(self, "repository_look", self._show_look, failed=self._failed, key="look", source=source)

    def _show_no_source(self) -> None:
        self._mark("")
        self._clear_facts()
        self._show_state().show_state(
            "folder",
            tr("Which repository?"),
            tr("Choose a folder, or type the address of a Git repository. Nothing in it is changed or run here."),
            button=(tr("Choose folder…"), self._choose_folder),
        )
        self._say()

    def _mark(self, problem: str) -> None:
        """The field of the source is wrong; the sentence itself stands in the sheet."""
        set_property(self.source, "error", "true" if problem else "false")
        self.source.setAccessibleDescription(problem)

    def _clear_facts(self) -> None:
        self._facts.setText("")
        self._icon.hide()

    def _failed(self, error: QVerifyError) -> None:
        self._clear_facts()
        self._show_state().show_error(error, self._look)
        self._say()

    def _show_look(self, look: RepositoryLook) -> None:
        if look["problem"]:
            self._clear_facts()
            self._mark(look["problem"])
            self._show_state().show_state(
                "triangle-alert",
                tr("This can't be analyzed"),
                one_line(look["problem"]),
                token="warning",
                button=(tr("Choose folder…"), self._choose_folder),
                ghost=(tr("Look again"), self._look),
            )
            self._say()
            return
        self.look = look
        self._icon.show()
        self._icon.show_icon("branch" if look["git"] else "folder", "text-muted")
        self._facts.setText(_facts(look))
        remembered = look["remembered"]
        self._remark.setText(tr("As chosen the last time") if remembered else "")
        self.scope.show_look(look)
        self.runtime.show_look(look)
        for part in (self.scope, self.runtime, self.model, self.budget, self.effort, self.network):
            part.remember(remembered)
        self._show_form()
        self._ask_policy()
        self._say()
        if self.isVisible() and not self.source.hasFocus():
            self.start_button.setFocus()

    def _ask_policy(self, model: str = AUTO) -> None:
        """What was decided for the repository, and where the person's order leads; where that can't be read, the first alone."""
        self.desk.bridge.ask(
            self,
            "repository_cloud",
            self._show_policy,
            failed=self._no_order if model == AUTO else None,
            key="cloud",
            source=self.source.text().strip(),
            model=model,
            api_base="",
        )

    def _show_policy(self, view: CloudView) -> None:
        self.model.show_order(view["order"], view["hosts"])
        self.cloud.show_kept(CloudPolicy(view["cloud"]))

    def _no_order(self, _: QVerifyError) -> None:
        self._ask_policy(NONE)

    # Models and foot

    def _show_models(self, models: ModelsView) -> None:
        self.model.show_models(models)
        self._say()

    def _no_models(self, error: QVerifyError) -> None:
        self.model.show_models({"models": [], "sentence": error.sentence, "remedy": error.remedy})

    def _show_settings(self, settings: SettingsView) -> None:
        self.model.show_settings(settings)
        self._say()

    def _say(self) -> None:
        """The foot: targets, what leaves this machine, what it costs; and whether Start is possible."""
        self.cloud.show_hosts(self.model.hosts(), self.model.is_order())
        goes_to = self._goes_to()
        self.preview.setVisible(self.look is not None and self.model.chosen()[0] != NONE)
        self.preview.set_possible(self.scope.problem() or self.model.problem())
        for part, needed in ((self.cloud, self.cloud.asked()), (self.budget, bool(goes_to))):
            for one in (part, self._words[part]):
                one.setVisible(needed)
        reason = self._reason()
        self.start_button.set_possible(reason)
        if reason:
            self._promise.setText(reason)
            self._leaves.setText("")
            self._leaves.hide()
            return
        self._leaves.show()
        targets = self.effort.targets()
        at_most = trn("At most {n} target", "At most {n} targets", targets)
        cost = tr("at the price of your provider") if goes_to else tr("free")
        if self.spend():
            cost = tr("at the price of your provider until {budget} are spent", budget=money(self.spend()))
        self._promise.setText(f"{at_most}, {cost}")
        self._leaves.setText(self._what_leaves())

    def _goes_to(self) -> tuple[str, ...]:
        """Hosts that would be asked: none where the person's order is kept to this machine."""
        stays = self.model.is_order() and self.cloud.policy() is CloudPolicy.LOCAL_ONLY
        return () if stays else self.model.hosts()

    def foot_words(self) -> str:
        """What stands before Start."""
        return f"{self._promise.text()} {self._leaves.text()}".strip()

    def _what_leaves(self) -> str:
        """Everything that goes out, or that nothing does."""
        leaves = []
        if hosts := self._goes_to():
            leaves.append(
                tr(
                    "The source of each target, its documentation and its generated tests go to {host}.",
                    host=one_line(", ".join(hosts)),
                )
            )
        if self.network.allow_install():
            leaves.append(tr("The names of missing packages go to the package index."))
        text = self.source.text().strip()
        if is_url(text) and not text.startswith("file://"):
            host = host_of(text) or text.partition("@")[2].partition(":")[0]
            leaves.append(tr("The repository is fetched from {host}.", host=one_line(host)))
        return " ".join(one for one in leaves if one) or tr("Nothing leaves this machine.")

    def _reason(self) -> str:
        checks: list[Callable[[], str]] = [
            self.scope.problem,
            self.runtime.problem,
            self.model.problem,
            self.cloud.problem,
        ]
        if self.look is None:
            return tr("Choose a repository first.")
        return next((problem for check in checks if (problem := check())), "")


def _facts(look: RepositoryLook) -> str:
    parts = [one_line(look["name"])]
    if look["git"]:
        parts.append(one_line(look["branch"]) or tr("no branch checked out"))
    if look["files"]:
        parts.append(trn("{n} file", "{n} files", look["files"]))
        parts.append(trn("{n} in a known language", "{n} in a known language", len(look["source_files"])))
    elif not Path(look["source"]).exists():
        parts.append(tr("it is fetched when the analysis starts"))
    return " · ".join(parts)
