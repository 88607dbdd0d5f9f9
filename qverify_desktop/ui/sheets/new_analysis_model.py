"""The model of a new analysis: none, one that answers on this machine, one of the settings, or another end point."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QButtonGroup, QFrame, QLineEdit, QRadioButton, QVBoxLayout, QWidget

from qverify_desktop.domain.model import AUTO, default_host
from qverify_desktop.domain.model_views import ModelsView, ModelView
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.domain.views import Choices
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.sheets.new_analysis_parts import FieldError, Part
from qverify_desktop.ui.widgets.basics import column, empty, frame, label, row, set_property
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.painting import one_line

NONE = "none"
MOST_NAME = 200
#: Name and address of a model; ``OWN`` is the row in which both are typed.
Key = tuple[str, str]
NO_MODEL: Key = (NONE, "")
ORDER: Key = (AUTO, "")
OWN: Key = ("", "")


def host_of(base: str) -> str:
    """Host of an address, empty where it has none."""
    try:
        return urlsplit(base).hostname or ""
    except ValueError:
        return ""


def stays_here(name: str, base: str) -> bool:
    """Whether prompts for this model stay on this machine. A name that must be looked up does not count as this machine."""
    if not base:
        return default_host(name) is None
    host = host_of(base)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def problem_of_base(base: str) -> str:
    """Why an address of a model server can't be used; empty when it can, or when there is none."""
    if not base:
        return ""
    try:
        parts = urlsplit(base)
        _ = parts.port
    except ValueError:
        return tr("This is no address of a server.")
    if parts.scheme not in ("http", "https") or not parts.hostname or any(char.isspace() for char in base):
        return tr("An address begins with http:// or https:// and names a server.")
    if parts.username is not None or parts.password is not None:
        return tr("A user name or password in the address would be recorded with it. Keep the key in the settings.")
    if parts.query or parts.fragment:
        return tr("The address must not have a query or a fragment.")
    return ""


class ModelRow(QFrame):
    """One choice: a radio button, its words, what it means, what it costs. A press anywhere in it chooses it."""

    chosen = Signal()

    def __init__(self, key: Key, title: str, said: str, side: str) -> None:
        super().__init__()
        self.key = key
        self.said = said
        self.setObjectName("choice")
        self.radio = QRadioButton()
        self.radio.setAccessibleName(title)
        self.radio.setAccessibleDescription(f"{said}, {side}" if side else said)
        self.radio.toggled.connect(self._show)
        self.radio.installEventFilter(self)
        self._title = ElidedLabel("body")
        self._title.setText(title)
        words = column(self._title, label(said, "small", "muted", wrap=True), gap=2)
        inside = row(self.radio, words, label(side, "small", "muted"), gap=8, margins=(8, 6, 12, 6))
        inside.setStretch(1, 1)
        self.setLayout(inside)

    def refuse(self, reason: str) -> None:
        """It can't be chosen now."""
        self.setEnabled(not reason)
        self.setToolTip(reason)

    def _show(self, on: bool) -> None:
        set_property(self, "on", "true" if on else "false")
        set_property(self._title, "type", "strong" if on else "body")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton and self.isEnabled():
            self.radio.setFocus(Qt.FocusReason.MouseFocusReason)
            self.radio.click()
        super().mousePressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The ring is drawn around the row: around a bare circle it would be hard to see."""
        if event.type() in (QEvent.Type.FocusIn, QEvent.Type.FocusOut):
            set_property(self, "focused", "true" if event.type() is QEvent.Type.FocusIn else "false")
        return False


class ModelPart(Part):
    """What a person pressed stays chosen; until then what was used the last time, and else no model."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._models: list[ModelView] = []
        self._air_gap = False
        self._order: tuple[str, ...] = ()
        self._order_hosts: tuple[str, ...] = ()
        self._default: Key | None = None
        self._remembered: Key | None = None
        self._pressed: Key | None = None
        self._waiting, self._said = True, ""
        self.rows: dict[Key, ModelRow] = {}
        self._group = QButtonGroup(self)
        self._group.buttonClicked.connect(lambda _: self._press())
        self._list = QVBoxLayout()
        self._list.setContentsMargins(4, 4, 4, 4)
        self._list.setSpacing(2)
        card = frame("card")
        card.setLayout(self._list)
        self.name = QLineEdit()
        self.name.setPlaceholderText(tr("Name of the model"))
        self.name.setAccessibleName(tr("Name of the model"))
        self.name.setMaxLength(MOST_NAME)
        self.base = QLineEdit()
        self.base.setPlaceholderText("http://127.0.0.1:8080/v1")
        self.base.setAccessibleName(tr("Address of an OpenAI-compatible server"))
        self._error = FieldError(self.base)
        for field in (self.name, self.base):
            field.textChanged.connect(lambda _: self._show())
        fields = row(self.name, self.base, gap=8)
        self._own = QWidget()
        self._own.setObjectName("clear")
        self._own.setLayout(column(fields, self._error, gap=4))
        self.remark = label("", "small", "muted", wrap=True)
        #: Below the choice: what else can be done with the chosen model.
        self.extras = column()
        self.setLayout(column(card, self._own, self.remark, self.extras, gap=6))
        self._fill()

    # What the engine says

    def show_models(self, models: ModelsView) -> None:
        self._models, self._waiting = models["models"], False
        self._said = f"{models['sentence']} {models['remedy']}".strip()
        self._fill()

    def show_settings(self, settings: SettingsView) -> None:
        self._air_gap = settings["air_gap"]
        self._default = (settings["model"], settings["api_base"]) if settings["model"] not in ("", NONE) else None
        self._fill()

    def show_order(self, names: Sequence[str], hosts: Sequence[str]) -> None:
        """The person's end points in their order, and the hosts elsewhere among them."""
        if (tuple(names), tuple(hosts)) != (self._order, self._order_hosts):
            self._order, self._order_hosts = tuple(names), tuple(hosts)
            self._fill()

    def remember(self, choices: Choices) -> None:
        self._remembered = (choices["model"], choices.get("api_base", "")) if "model" in choices else None
        self._pressed = None
        self._fill()

    # The rows

    def _fill(self) -> None:
        focused = next((key for key, one in self.rows.items() if one.radio.hasFocus()), None)
        for button in self._group.buttons():
            self._group.removeButton(button)
        empty(self._list)
        self.rows = {}
        self._row(
            NO_MODEL, tr("No model"), tr("Examples in docs, type hints, properties, observed behavior"), tr("Free")
        )
        for model in self._models:
            local = model["place"] == "local"
            key = (model["name"], model["api_base"])
            said = tr("On this machine")
            if not local:
                said = tr("Elsewhere, at {host}; prompts leave this machine", host=host_of(model["api_base"]))
            made = self._row(key, one_line(model["name"]), said, tr("Free") if local else tr("Its price"))
            if self._air_gap and not local:
                made.refuse(tr("Air gap is on: only a model on this machine may be asked."))
        if self._order:
            said = tr("The first that answers: {names}", names=one_line(", ".join(self._order)))
            self._row(ORDER, tr("Your order of models"), said, tr("Its price") if self._order_hosts else tr("Free"))
        self._row(
            OWN, tr("Another end point"), tr("Any OpenAI-compatible server, azure/DEPLOYMENT, or anthropic/MODEL"), ""
        )
        self._choose()
        if focused in self.rows:
            self.rows[focused].radio.setFocus()

    def _row(self, key: Key, title: str, said: str, side: str) -> ModelRow:
        made = ModelRow(key, title, said, side)
        self.rows[key] = made
        self._group.addButton(made.radio)
        self._list.addWidget(made)
        return made

    def _choose(self) -> None:
        wanted = self._pressed or self._remembered or self._default or NO_MODEL
        found = self.rows.get(wanted)
        if found is None and wanted[1] and wanted[0] != NONE:
            self.name.setText(wanted[0])
            self.base.setText(wanted[1])
            found = self.rows[OWN]
        lost = found is None or not found.isEnabled()
        (self.rows[NO_MODEL] if found is None or lost else found).radio.setChecked(True)
        self._say(wanted[0] if lost else "")
        self._show()

    def _say(self, lost: str) -> None:
        said = tr("Models on this machine are being looked for.") if self._waiting else self._said
        if lost and self._air_gap:
            said = tr("{model} was chosen before. Air gap is on, so it is not asked.", model=one_line(lost))
        elif lost and not self._waiting:
            said = f"{tr('{model} was chosen before and does not answer now.', model=one_line(lost))} {said}"
        words = said.strip()
        self.remark.setText(words)
        self.remark.setVisible(bool(words))

    def _press(self) -> None:
        self._pressed = self._key()
        if self._pressed == OWN:
            self.name.setFocus()
        self._show()

    def _key(self) -> Key:
        return next((key for key, one in self.rows.items() if one.radio.isChecked()), NO_MODEL)

    def _show(self) -> None:
        own = self._key() == OWN
        self._own.setVisible(own)
        self._error.say(self._problem_of_own() if own else "")
        self.changed.emit()

    # What is chosen

    def chosen(self) -> Key:
        """Name and address as the engine takes them."""
        key = self._key()
        return (self.name.text().strip(), self.base.text().strip()) if key == OWN else key

    def problem(self) -> str:
        if self._key() != OWN:
            return ""
        if not self.name.text().strip():
            return tr("Type the name of the model.")
        return self._problem_of_own()

    def _problem_of_own(self) -> str:
        """What is wrong with what was typed; an empty field is not wrong yet."""
        name, base = self.chosen()
        problem = problem_of_base(base)
        if not problem and name and self._air_gap and not stays_here(name, base):
            return tr("Air gap is on: only a model on this machine may be asked.")
        return problem

    def hosts(self) -> tuple[str, ...]:
        """Hosts outside this machine that prompts for the chosen model go to."""
        key = self.chosen()
        if key == ORDER:
            return self._order_hosts
        if key == NO_MODEL or stays_here(*key):
            return ()
        name, base = key
        return (host_of(base) if base else default_host(name) or "",)

    def is_order(self) -> bool:
        return self.chosen() == ORDER
