"""Models: what answers now, which one new analyses use, and what may leave this machine for which purpose."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import ModelsView, ModelView, SettingsView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.pages.connections import ConnectionsTable
from qverify_desktop.ui.widgets.basics import Button, column, frame, label, row
from qverify_desktop.ui.widgets.rows import Row, RowList, RowModel
from qverify_desktop.ui.widgets.state_view import Shown

WIDEST = 900
NONE = "none"


class ModelsPage(Page):
    """The list of models with what is used now, then the table of connections."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._settings: SettingsView | None = None
        self._sentence = label("", "verdict", wrap=True)
        self._remark = label("", "body", "muted", wrap=True, select=True)
        self.model: RowModel[ModelView] = RowModel(
            self._told, key=lambda one: (one["name"], one["api_base"]), parent=self
        )
        self.list = RowList(theme, self.model, tr("Models"))
        self.list.opened.connect(lambda _: desk.actions.trigger("models.use"))
        self.list.chosen.connect(lambda _: desk.actions.update())
        self._shown = Shown(theme, self.list)
        self._shown.setMinimumHeight(theme.px(180))
        self.connections = ConnectionsTable(desk, self._show_settings)
        connections = frame("card")
        connections.setLayout(column(self.connections, margins=(16, 12, 16, 12)))
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMaximumWidth(theme.px(WIDEST))
        settings = Button(
            theme, tr("Settings"), lambda: desk.front.go(Place("settings")), icon="settings", size="small"
        )
        inside.setLayout(
            column(
                self._sentence,
                self._remark,
                self._shown,
                8,
                row(label(tr("What may leave this machine"), "heading"), None, settings),
                connections,
                None,
                gap=12,
                margins=(24, 20, 24, 24),
            )
        )
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        group = later("Models")
        for act in (
            Act("models.refresh", later("Look again"), group, self.ask, icon="refresh"),
            Act("models.none", later("Use no model"), group, self._use_none, icon="circle-slash"),
            Act("models.use", later("Use this model"), group, self._use, icon="check", reason=self._cant_use),
        ):
            act.place = "models"
            desk.actions.add(act)

    def title(self) -> str:
        return tr("Models")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("models.refresh", "models.none", "models.use")

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.ask()

    def again(self) -> None:
        self.ask()

    def focus_content(self) -> None:
        self.list.setFocus()

    def ask(self) -> None:
        """Ask what answers now."""
        self.desk.bridge.ask(self, "settings", self._show_settings, key="settings")
        self.desk.bridge.ask(self, "models", self._show, failed=self._failed, key="models")

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self.ask)

    def _show(self, models: ModelsView) -> None:
        if not models["models"]:
            self._shown.show_state().show_state(
                "model",
                tr("No model answers"),
                f"{models['sentence']} {models['remedy']}",
                button=(tr("Look again"), self.ask),
            )
            return
        self.model.fill(models["models"])
        if self.list.value() is None:
            self.list.choose_first()
        self._shown.show_content()

    def _show_settings(self, settings: SettingsView) -> None:
        self._settings = settings
        name = settings["model"]
        if name in ("", NONE):
            self._sentence.setText(tr("New analyses use no model."))
            self._remark.setText(
                tr(
                    "Tests come from the repository's own words, from types and from observed behavior. That is free and needs no network."
                )
            )
        else:
            self._sentence.setText(tr("New analyses use {model}.", model=name))
            where = settings["api_base"] or tr("Ollama on this machine")
            self._remark.setText(tr("Asked at: {where}. Its tests meet the same judge as all others.", where=where))
        self.model.fill(list(self.model.values))
        self.connections.show_settings(settings)
        self.desk.actions.update()

    def _told(self, model: ModelView) -> Row:
        used = self._used(model)
        local = model["place"] == "local"
        where = tr("on this machine") if local else tr("elsewhere: prompts leave this machine")
        remark = tr("used for new analyses") if used else ""
        return Row(
            icon="circle-check" if used else "model",
            token="success" if used else "text-muted",
            title=model["name"],
            remark=remark,
            detail=f"{model['provider']}, {where}",
        )

    def _used(self, model: ModelView) -> bool:
        settings = self._settings
        return bool(settings and settings["model"] == model["name"] and settings["api_base"] == model["api_base"])

    def _cant_use(self) -> str:
        model = self.list.value()
        if model is None:
            return tr("Choose a model in the list.")
        return tr("It is used already.") if self._used(model) else ""

    def _use(self) -> None:
        model = self.list.value()
        if model is not None:
            self._change(model["name"], model["api_base"])

    def _use_none(self) -> None:
        self._change(NONE, "")

    def _change(self, model: str, base: str) -> None:
        changes = {"model": model, "api_base": base}
        self.desk.bridge.ask(self, "settings_change", self._show_settings, key="change", changes=changes)
