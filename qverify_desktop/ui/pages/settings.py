"""Settings: how the window looks and acts (kept in the window's own file) and how analyses run (kept by the engine)."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.ui import language, motion
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.connections import ConnectionsTable
from qverify_desktop.ui.pages.settings_form import SettingsForm
from qverify_desktop.ui.pages.settings_hosted import hosted_card
from qverify_desktop.ui.pages.settings_keys import KeysCard
from qverify_desktop.ui.pages.settings_log import SigningKeyCard, anchors_card
from qverify_desktop.ui.pages.settings_models import answers_card, budget_card, network_card
from qverify_desktop.ui.pages.settings_order import OrderCard
from qverify_desktop.ui.theme import SYSTEM, ZOOMS
from qverify_desktop.ui.widgets.basics import Button, column, frame, label, row
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling

WIDEST = 860
THEMES = (
    (SYSTEM, later("As the system")),
    ("light", later("Light")),
    ("dark", later("Dark")),
    ("high-contrast", later("High contrast")),
)


class SettingsPage(Page):
    """Cards of settings. A change applies at once; what the engine refuses stands under its field and changes nothing."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._filling = False
        self.form = SettingsForm(desk, self)
        self.form.changed.connect(self._show)
        self.fields = self.form.fields
        self.keys = KeysCard(desk)
        self.order = OrderCard(desk)
        self.signing = SigningKeyCard(desk)
        inside = ScrollBody(
            column(
                label(tr("Window"), "heading"),
                self._window_card(),
                8,
                label(tr("Analyses"), "heading"),
                self._analyses_card(),
                8,
                label(tr("Network and models"), "heading"),
                network_card(self.form),
                8,
                label(tr("Keys of models"), "heading"),
                self.keys,
                8,
                label(tr("Order of models"), "heading"),
                self.order,
                8,
                label(tr("Budgets"), "heading"),
                budget_card(self.form),
                8,
                label(tr("Answers of models"), "heading"),
                answers_card(self.form),
                8,
                label(tr("Hosted service"), "heading"),
                hosted_card(self.form),
                8,
                label(tr("Confirmed by others"), "heading"),
                anchors_card(self.form),
                8,
                label(tr("Signing key"), "heading"),
                self.signing,
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
        inside.setMaximumWidth(desk.theme.px(WIDEST))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(inside))

    def title(self) -> str:
        return tr("Settings")

    def enter(self, place: Place) -> None:
        super().enter(place)
        self._show_window()
        self.desk.bridge.ask(self, "settings", self._show, key="settings")
        self.keys.ask()
        self.order.ask()
        self.signing.ask()

    def focus_content(self) -> None:
        self.fields["theme"].setFocus()

    # -- cards

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
        return self.form.card(
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
        form = self.form
        return form.card(
            (
                "containers",
                tr("Containers at once"),
                tr("More are quicker and need more memory: up to 2 GiB each."),
                form.number("containers", 1, 64),
            ),
            (
                "patience_s",
                tr("Patience"),
                tr("Seconds after which one test or one import counts as hung."),
                form.number("patience_s", 1, 600),
            ),
            (
                "sandbox",
                tr("Sandbox"),
                tr(
                    "What locks tests away. bubblewrap needs no Docker and isolates less: every run made so is marked."
                ),
                form.choice(
                    "sandbox", (("docker", tr("Docker")), ("bubblewrap", tr("bubblewrap, reduced isolation")))
                ),
            ),
            (
                "gvisor",
                tr("gVisor"),
                tr(
                    "Where the Docker Engine has gVisor, containers get a kernel of their own: stronger, several times slower."
                ),
                form.switch("gvisor"),
            ),
            (
                "docker_host",
                tr("Docker host"),
                tr("Empty for the engine of this machine. Takes effect when QVerify starts the next time."),
                form.text("docker_host", "unix:///var/run/docker.sock"),
            ),
            (
                "editor",
                tr("Editor"),
                tr("Command that opens a file at a line, such as: code -g {file}:{line}"),
                form.text("editor", "code -g {file}:{line}"),
            ),
        )

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
        self.form.show_settings(settings)
        self.connections.show_settings(settings)
        self._home_path.setText(settings["home"])

    def _open_home(self) -> None:
        self.desk.front.open_path(self._home_path.text())


def _act_of(theme: str) -> str:
    return "contrast" if theme == "high-contrast" else theme
