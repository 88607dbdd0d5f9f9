"""Settings: how the window looks and acts (kept in the window's own file) and how analyses run (kept by the engine)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import SettingsView
from qverify_desktop.ui import language, motion
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.connections import ConnectionsTable
from qverify_desktop.ui.theme import SYSTEM, ZOOMS
from qverify_desktop.ui.widgets.basics import Button, column, frame, inset, label, row, set_property

WIDEST = 860
FIELD = 280
THEMES = (
    (SYSTEM, later("As the system")),
    ("light", later("Light")),
    ("dark", later("Dark")),
    ("high-contrast", later("High contrast")),
)
#: A number or text that is being typed is sent this much later.
DELAY_MS = 600


class SettingsPage(Page):
    """Cards of settings. A change applies at once; what the engine refuses stands under its field and changes nothing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._filling = False
        self._problems: dict[str, QLabel] = {}
        self._shown: dict[str, object] = {}
        self.fields: dict[str, QWidget] = {}
        inside = QWidget()
        inside.setObjectName("page")
        inside.setMaximumWidth(desk.theme.px(WIDEST))
        inside.setLayout(
            column(
                label(tr("Window"), "heading"),
                self._window_card(),
                8,
                label(tr("Analyses"), "heading"),
                self._analyses_card(),
                8,
                label(tr("Network and models"), "heading"),
                self._network_card(),
                8,
                label(tr("What may connect"), "heading"),
                self._connections_card(),
                8,
                label(tr("Where things lie"), "heading"),
                self._places_card(),
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

    def title(self) -> str:
        return tr("Settings")

    def enter(self, place: Place) -> None:
        super().enter(place)
        self._show_window()
        self.desk.bridge.ask(self, "settings", self._show, key="settings")

    def focus_content(self) -> None:
        self.fields["theme"].setFocus()

    # -- cards

    def _card(self, *fields: tuple[str, str, str, QWidget]) -> QWidget:
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
                field.setMinimumWidth(self.desk.theme.px(FIELD if isinstance(field, QLineEdit) else 160))
                field.setMaximumWidth(self.desk.theme.px(FIELD))
            said = label(explanation, "small", "muted", wrap=True)
            said.setVisible(bool(explanation))
            grid.addLayout(column(label(name, "strong", wrap=True), said, problem, gap=2), at, 0)
            grid.addWidget(field, at, 1, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        return card

    def _window_card(self) -> QWidget:
        theme, zoom, speech = QComboBox(), QComboBox(), QComboBox()
        for name, title in THEMES:
            theme.addItem(tr(title), name)
        for step in ZOOMS:
            zoom.addItem(f"{round(step * 100)} %", step)
        speech.addItem(tr("As the system"), "")
        for code, name in language.languages().items():
            speech.addItem(name, code)
        theme.activated.connect(lambda: self.desk.actions.trigger(f"theme.{_act_of(theme.currentData())}"))
        zoom.activated.connect(lambda: self.desk.front.use_zoom(zoom.currentData()))
        speech.activated.connect(lambda: self._use_language(speech.currentData()))
        letters, still = QCheckBox(), QCheckBox()
        letters.toggled.connect(partial(self._remember, "single-letters"))
        still.toggled.connect(partial(self._remember, "reduced-motion"))
        still.toggled.connect(motion.reduce)
        return self._card(
            ("theme", tr("Theme"), "", theme),
            ("zoom", tr("Zoom"), tr("Ctrl and plus or minus change it anywhere."), zoom),
            ("language", tr("Language"), tr("Takes effect when QVerify starts the next time."), speech),
            (
                "letters",
                tr("Single-letter shortcuts"),
                tr("A and R, C and D in lists. Never in text fields."),
                letters,
            ),
            ("motion", tr("Reduced motion"), tr("Nothing slides or turns."), still),
        )

    def _analyses_card(self) -> QWidget:
        gvisor = QCheckBox()
        gvisor.toggled.connect(lambda on: self._change("gvisor", on))
        return self._card(
            (
                "containers",
                tr("Containers at once"),
                tr("More are quicker and need more memory: up to 2 GiB each."),
                self._number("containers", 1, 64),
            ),
            (
                "patience_s",
                tr("Patience"),
                tr("Seconds after which one test or one import counts as hung."),
                self._number("patience_s", 1, 600),
            ),
            (
                "sandbox",
                tr("Sandbox"),
                tr(
                    "What locks tests away. bubblewrap needs no Docker and isolates less: every run made so is marked."
                ),
                self._choice(
                    "sandbox", (("docker", tr("Docker")), ("bubblewrap", tr("bubblewrap, reduced isolation")))
                ),
            ),
            (
                "gvisor",
                tr("gVisor"),
                tr(
                    "Where the Docker Engine has gVisor, containers get a kernel of their own: stronger, several times slower."
                ),
                gvisor,
            ),
            (
                "docker_host",
                tr("Docker host"),
                tr("Empty for the engine of this machine. Takes effect when QVerify starts the next time."),
                self._text("docker_host", "unix:///var/run/docker.sock"),
            ),
            (
                "editor",
                tr("Editor"),
                tr("Command that opens a file at a line, such as: code -g {file}:{line}"),
                self._text("editor", "code -g {file}:{line}"),
            ),
        )

    def _network_card(self) -> QWidget:
        self._key = QLineEdit()
        self._key.setEchoMode(QLineEdit.EchoMode.Password)
        self._save_key = Button(self.desk.theme, tr("Store"), self._store_key, size="small")
        self._drop_key = Button(
            self.desk.theme, tr("Remove"), partial(self._send_key, ""), size="small", kind="ghost"
        )
        holder = QWidget()
        holder.setLayout(row(self._key, self._save_key, self._drop_key, gap=4))
        air = QCheckBox()
        air.toggled.connect(lambda on: self._change("air_gap", on))
        card = self._card(
            (
                "air_gap",
                tr("Air gap"),
                tr("No model end point outside this machine is ever asked. Tests never have a network in any case."),
                air,
            ),
            (
                "model",
                tr("Model"),
                tr("Used for new analyses. Empty or none for no model."),
                self._text("model", "none"),
            ),
            (
                "api_base",
                tr("End point"),
                tr("Address of an OpenAI-compatible server. Empty for Ollama on this machine."),
                self._text("api_base", "http://127.0.0.1:8080/v1"),
            ),
            ("key", tr("API key"), "", holder),
        )
        self._key.setAccessibleName(tr("API key"))
        self._key_state = self._problems["key"]
        set_property(self._key_state, "tone", "muted")
        return card

    def _connections_card(self) -> QWidget:
        self.connections = ConnectionsTable(self.desk, self._show)
        card = frame("card")
        card.setLayout(column(self.connections, margins=(16, 12, 16, 12)))
        return card

    def _places_card(self) -> QWidget:
        self._home = Button(self.desk.theme, tr("Open folder"), self._open_home, icon="folder-open", size="small")
        self._home_path = label("", "small", "muted", wrap=True, select=True)
        self._crashes = Button(
            self.desk.theme,
            tr("Crash reports"),
            lambda: self.desk.front.go(Place("environment", item="crashes")),
            size="small",
        )
        card = frame("card")
        told = column(label(tr("State folder"), "strong"), self._home_path, gap=2)
        reports = column(
            label(tr("Crash reports"), "strong"),
            label(tr("They stay on this machine until you delete them."), "small", "muted", wrap=True),
            gap=2,
        )
        first, second = row(told, self._home, gap=24), row(reports, self._crashes, gap=24)
        first.setStretch(0, 1)
        second.setStretch(0, 1)
        card.setLayout(column(first, second, gap=16, margins=(16, 12, 16, 12)))
        return card

    def _number(self, name: str, least: int, most: int) -> QSpinBox:
        field = inset(QSpinBox())
        field.setRange(least, most)
        self._later(field.valueChanged, lambda: self._change(name, field.value()))
        return field

    def _choice(self, name: str, choices: tuple[tuple[str, str], ...]) -> QComboBox:
        field = QComboBox()
        for value, words in choices:
            field.addItem(words, value)
        field.activated.connect(lambda: self._change(name, field.currentData()))
        return field

    def _text(self, name: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setPlaceholderText(example)
        self._later(field.textEdited, lambda: self._change(name, field.text().strip()))
        field.editingFinished.connect(lambda: self._change(name, field.text().strip()))
        return field

    def _later(self, signal: Any, send: Callable[[], object]) -> None:
        timer = QTimer(self, interval=DELAY_MS, singleShot=True)
        timer.timeout.connect(send)
        signal.connect(lambda *_: None if self._filling else timer.start())

    # -- the window's own

    def _show_window(self) -> None:
        preferences = self.desk.preferences
        self._filling = True
        for id, value in (
            ("theme", preferences.text("theme", SYSTEM)),
            ("zoom", self.desk.theme.zoom),
            ("language", preferences.text("language")),
        ):
            field = self.fields[id]
            assert isinstance(field, QComboBox)
            field.setCurrentIndex(max(0, field.findData(value)))
        for id, on in (
            ("letters", preferences.flag("single-letters", True)),
            ("motion", preferences.flag("reduced-motion")),
        ):
            box = self.fields[id]
            assert isinstance(box, QCheckBox)
            box.setChecked(on)
        self._filling = False

    def _remember(self, name: str, on: bool) -> None:
        if not self._filling:
            self.desk.preferences.set(name, on)

    def _use_language(self, code: str) -> None:
        self.desk.preferences.set("language", code)
        self.desk.front.tell(Notice(tr("The language changes when QVerify starts the next time.")))

    # -- the engine's

    def _show(self, settings: SettingsView) -> None:
        self._filling = True
        for name, value in settings.items():
            field = self.fields.get(name)
            if isinstance(field, QSpinBox):
                field.setValue(int(str(value)))
            elif isinstance(field, QLineEdit) and not field.hasFocus():
                field.setText(str(value))
            elif isinstance(field, QCheckBox):
                field.setChecked(bool(value))
            elif isinstance(field, QComboBox):
                field.setCurrentIndex(max(0, field.findData(value)))
        self._filling = False
        self._shown = dict(settings)
        self.connections.show_settings(settings)
        self._home_path.setText(settings["home"])
        state = tr("A key is stored. It is never shown.") if settings["api_key_set"] else tr("No key is stored.")
        self._key_state.setText(f"{state} {settings['keyring']}".strip())
        self._key_state.show()
        self._drop_key.setVisible(settings["api_key_set"])
        self._key.clear()

    def _change(self, name: str, value: object) -> None:
        if self._filling or self._shown.get(name) == value:
            return
        problem = self._problems[name]
        field = self.fields[name]

        def changed(settings: SettingsView) -> None:
            problem.hide()
            set_property(field, "error", "false")
            self._show(settings)

        def refused(error: QVerifyError) -> None:
            problem.setText(f"{error.sentence} {error.remedy}".strip())
            problem.show()
            set_property(field, "error", "true")
            field.setAccessibleDescription(problem.text())

        self.desk.bridge.ask(
            self, "settings_change", changed, failed=refused, key=f"set-{name}", changes={name: value}
        )

    def _store_key(self) -> None:
        if self._key.text().strip():
            self._send_key(self._key.text().strip())

    def _send_key(self, key: str) -> None:
        self.desk.bridge.do(self, lambda engine: engine.ask("api_key_set", key=key), self._show, key="api-key")

    def _open_home(self) -> None:
        self.desk.front.open_path(self._home_path.text())


def _act_of(theme: str) -> str:
    return "contrast" if theme == "high-contrast" else theme
