"""Models: what answers now, which one new analyses use, and what may leave this machine for which purpose."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.model_views import ModelsView, ModelView, StoredModelsView, StoredModelView
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.connections import ConnectionsTable
from qverify_desktop.ui.pages.models_fetch import FetchPart
from qverify_desktop.ui.pages.models_told import told_of
from qverify_desktop.ui.sheets.ask import AskSheet
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, column, frame, label, row
from qverify_desktop.ui.widgets.rows import Row, RowList, RowModel
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown

WIDEST = 900
#: Rows of the list that are seen without scrolling in it, and the height of a state in its place.
MOST_ROWS, STATE = 8, 180
NONE = "none"


class ModelsPage(Page):
    """The list of models with what is used now, then the table of connections."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._settings: SettingsView | None = None
        self._stored: dict[tuple[str, str], StoredModelView] = {}
        self._sentence = label("", "verdict", wrap=True)
        self._remark = label("", "body", "muted", wrap=True, select=True)
        self.model: RowModel[ModelView] = RowModel(
            self._told, key=lambda one: (one["name"], one["api_base"]), parent=self
        )
        self.list = RowList(theme, self.model, tr("Models"))
        self.list.opened.connect(lambda _: desk.actions.trigger("models.use"))
        self.list.chosen.connect(lambda _: desk.actions.update())
        self._shown = Shown(theme, self.list)
        self.model.arranged.connect(self._measure)
        theme.changed.connect(self._measure)
        self.fetch = FetchPart(desk)
        self.fetch.came.connect(self.ask)
        self.remove = Button(
            theme, tr("Remove…"), lambda: desk.actions.trigger("models.remove"), icon="x", size="small"
        )
        desk.actions.changed.connect(lambda: self.remove.set_possible(self._cant_remove()))
        self.connections = ConnectionsTable(desk, self._show_settings)
        connections = frame("card")
        connections.setLayout(column(self.connections, margins=(16, 12, 16, 12)))
        settings = Button(
            theme, tr("Settings"), lambda: desk.front.go(Place("settings")), icon="settings", size="small"
        )
        inside = ScrollBody(
            column(
                self._sentence,
                self._remark,
                self._shown,
                row(None, self.remove),
                row(label(tr("Get a model"), "heading"), None),
                self.fetch,
                8,
                row(label(tr("What may leave this machine"), "heading"), None, settings),
                connections,
                None,
                gap=12,
                margins=(24, 20, 24, 24),
            )
        )
        inside.setMaximumWidth(theme.px(WIDEST))
        area = scrolling(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        group = later("Models")
        for act in (
            Act("models.refresh", later("Look again"), group, self.ask, icon="refresh"),
            Act("models.none", later("Use no model"), group, self._use_none, icon="circle-slash"),
            Act(
                "models.remove", later("Remove this model…"), group, self._remove, icon="x", reason=self._cant_remove
            ),
            Act("models.import", later("Import a model from a file…"), group, self.fetch.choose_file, icon="file"),
            Act(
                "models.import-folder",
                later("Import a folder of models…"),
                group,
                self.fetch.choose_folder,
                icon="folder",
            ),
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
        self.fetch.show_part()
        if place.item:
            self.fetch.ask_import(place.item)

    def leave(self) -> None:
        self.fetch.hide_part()

    def again(self) -> None:
        self.ask()

    def focus_content(self) -> None:
        self.list.setFocus()

    def _measure(self) -> None:
        """The list is as high as its rows, up to some; the page scrolls as a whole."""
        rows = self.model.rowCount()
        high = self.list.height_of_all() * min(rows, MOST_ROWS) // rows if rows else 0
        state = self._shown.currentWidget() is self._shown.state or not rows
        self._shown.setFixedHeight(self.desk.theme.px(STATE) if state else high)
        self.remove.setVisible(not state)

    def ask(self) -> None:
        """Ask what answers now."""
        self.desk.bridge.ask(self, "settings", self._show_settings, key="settings")
        self.desk.bridge.ask(self, "models", self._show, failed=self._failed, key="models")
        # Without it the list only says less.
        self.desk.bridge.ask(self, "stored_models", self._show_stored, failed=lambda _: None, key="stored")

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self.ask)
        self._measure()

    def _show(self, models: ModelsView) -> None:
        if not models["models"]:
            self._shown.show_state().show_state(
                "model",
                tr("No model answers"),
                f"{models['sentence']} {models['remedy']}",
                button=(tr("Look again"), self.ask),
            )
            self.model.fill([])
            self._measure()
            return
        self.model.fill(models["models"])
        if self.list.value() is None:
            self.list.choose_first()
        self._shown.show_content()
        self._measure()

    def _show_stored(self, stored: StoredModelsView) -> None:
        self._stored = {(one["name"], one["api_base"]): one for one in stored["models"]}
        self.model.fill(list(self.model.values))
        self.desk.actions.update()

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
        return told_of(model, self._of(model), used=self._used(model))

    def _of(self, model: ModelView | None) -> StoredModelView | None:
        """What its server says of a model, where that is an Ollama."""
        return self._stored.get((model["name"], model["api_base"].rstrip("/"))) if model else None

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
        if model is None:
            return
        stored = self._of(model)
        if stored is None or not stored["warning"]:
            self._change(model["name"], model["api_base"])
            return
        self.desk.front.open_sheet(
            AskSheet(
                self.desk.theme,
                tr("Use {model}?", model=model["name"]),
                (
                    tr("It won't fit into this machine's memory."),
                    stored["sentence"],
                    tr("It may answer very slowly, not at all, or bring the machine to a standstill."),
                ),
                tr("Use it all the same"),
                lambda: self._change(model["name"], model["api_base"]),
            )
        )

    def _cant_remove(self) -> str:
        model = self.list.value()
        if model is None:
            return tr("Choose a model in the list.")
        return "" if self._of(model) else tr("Only models of an Ollama server can be removed here.")

    def _remove(self) -> None:
        """Ask first: it has to be fetched anew."""
        model = self.list.value()
        stored = self._of(model)
        if model is None or stored is None:
            return
        used = (tr("New analyses use it; they would find no model."),) if self._used(model) else ()
        self.desk.front.open_sheet(
            AskSheet(
                self.desk.theme,
                tr("Remove {model}?", model=model["name"]),
                (
                    tr(
                        "Its files ({size}) are deleted from the server's disk.",
                        size=words.decimal_bytes(stored["bytes"]),
                    ),
                    *used,
                    tr("To use it again it has to be fetched or imported anew. Runs and their evidence stay."),
                ),
                tr("Remove"),
                lambda: self._delete(stored),
                danger=True,
            )
        )

    def _delete(self, stored: StoredModelView) -> None:
        def gone(_: object) -> None:
            self.desk.front.tell(Notice(tr("{model} was removed.", model=stored["name"]), "success"))
            self.ask()

        self.desk.bridge.ask(
            self, "model_delete", gone, key="delete", name=stored["name"], api_base=stored["api_base"]
        )

    def _use_none(self) -> None:
        self._change(NONE, "")

    def _change(self, model: str, base: str) -> None:
        changes = {"model": model, "api_base": base}
        self.desk.bridge.ask(self, "settings_change", self._show_settings, key="change", changes=changes)
