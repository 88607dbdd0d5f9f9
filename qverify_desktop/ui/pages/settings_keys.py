"""Keys of models on the settings page: which there are and where, setting, replacing and removing one. A key is never shown."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QLineEdit, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import KeysView, KeyView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.sheets.passphrase import ChangePassphraseSheet, NewKeyFileSheet, UnlockSheet
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, frame, label, line, row, set_property

#: Providers by the name under which their keys are kept; any other name is the host of an end point.
PROVIDERS = {
    "openai": "OpenAI",
    "anthropic": "Anthropic",
    "azure": "Azure OpenAI",
    "ollama": "Ollama",
    "": later("Any end point"),
}
STORES = {
    "environment": later("environment variable"),
    "session": later("until QVerify ends"),
    "keyring": later("keyring"),
    "file": later("key file"),
}
EXPLAINED = {
    "session": later("It is kept only until QVerify ends."),
    "keyring": later("It is kept in the keyring of this session."),
    "file": later("It is kept in a file that only your passphrase opens."),
}


class KeysCard(QWidget):
    """A list of keys without the keys, and a row that takes one."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._keys: KeysView | None = None
        theme = desk.theme
        self._list = QGridLayout()
        self._list.setHorizontalSpacing(16)
        self._list.setVerticalSpacing(8)
        self._list.setColumnStretch(2, 1)
        self._file = label("", "small", "muted", wrap=True)
        self._file_act = Button(theme, "", self._on_file, size="small")
        self.provider = QComboBox()
        self.provider.setEditable(True)
        self.provider.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        for name, title in PROVIDERS.items():
            self.provider.addItem(tr(title), name)
        self.provider.setMinimumWidth(theme.px(170))
        self.provider.setAccessibleName(tr("Provider or host"))
        typed = self.provider.lineEdit()
        if typed is not None:  # what is typed has a name of its own to a screen reader
            typed.setAccessibleName(tr("Provider or host"))
        self.key = QLineEdit()
        self.key.setEchoMode(QLineEdit.EchoMode.Password)
        self.key.setPlaceholderText(tr("Paste a key"))
        self.key.setAccessibleName(tr("API key"))
        self.key.textChanged.connect(lambda: self._allow())
        self.key.returnPressed.connect(self.store)
        self.place = QComboBox()
        self.place.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.place.setAccessibleName(tr("Where the key is kept"))
        self.place.activated.connect(lambda: self._explain())
        self.store_button = Button(theme, tr("Store"), self.store, size="small")
        self._said = label("", "small", "muted", wrap=True)
        fields = row(self.provider, self.key, self.place, self.store_button, gap=8)
        fields.setStretch(1, 1)
        note = tr("Type the host of an end point to keep a key for it alone.")
        card = frame("card")
        self._line = line()
        file_row = row(self._file, self._file_act, gap=16)
        file_row.setStretch(0, 1)
        card.setLayout(
            column(
                self._list,
                file_row,
                self._line,
                fields,
                self._said,
                label(note, "small", "muted", wrap=True),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self._allow()

    def ask(self) -> None:
        """Ask which keys there are."""
        self._desk.bridge.ask(self, "keys", self.show_keys, failed=self._failed, key="keys")

    def show_keys(self, keys: KeysView) -> None:
        self._keys = keys
        empty(self._list)
        for at, one in enumerate(keys["keys"]):
            self._add_row(at, one)
        if not keys["keys"]:
            self._list.addWidget(label(tr("No key is known here."), "body", "muted"), 0, 0, 1, 3)
        chosen = self.place.currentData() or keys["usual"]
        self.place.clear()
        for store in ("keyring", "file", "session"):
            if any(one["store"] == store for one in keys["stores"]):
                self.place.addItem(_upper(tr(STORES[store])), store)
        self.place.setCurrentIndex(max(0, self.place.findData(chosen)))
        self._show_file(keys)
        self._explain()

    def _add_row(self, at: int, one: KeyView) -> None:
        theme, top = self._desk.theme, Qt.AlignmentFlag.AlignVCenter
        name = name_of(one["provider"])
        where = tr(STORES.get(one["store"], one["store"]))
        ending = tr("ends in {ending}", ending=one["ending"]) if one["ending"] else ""
        told = ", ".join(part for part in (where, ending) if part)
        if not one["counts"]:
            told = tr("{told}; not used, another one goes before it", told=told)
        self._list.addWidget(IconLabel(theme, "key" if one["counts"] else "circle-slash"), at, 0, top)
        self._list.addWidget(label(name, "strong"), at, 1, top)
        self._list.addWidget(label(told, "small", "muted", wrap=True), at, 2, top)
        if one["store"] == "environment":
            self._list.addWidget(
                label(tr("set outside QVerify"), "small", "muted"), at, 3, 1, 2, top | Qt.AlignmentFlag.AlignRight
            )
            return
        replace = Button(theme, tr("Replace"), partial(self._replace, one), size="small", kind="ghost")
        remove = Button(theme, tr("Remove"), partial(self._remove, one), size="small", kind="ghost")
        replace.setAccessibleName(tr("Replace the key for {name}", name=name))
        remove.setAccessibleName(tr("Remove the key for {name}", name=name))
        self._list.addWidget(replace, at, 3, top)
        self._list.addWidget(remove, at, 4, top)

    def _show_file(self, keys: KeysView) -> None:
        state = keys["file"]
        if state == "locked":
            self._file.setText(tr("The key file is locked, so none of its keys is used or listed."))
            self._file_act.say(tr("Open…"))
        elif state == "open":
            self._file.setText(tr("The key file is open until QVerify ends."))
            self._file_act.say(tr("Change passphrase…"))
        self._file.setVisible(state != "none")
        self._file_act.setVisible(state != "none")

    def _on_file(self) -> None:
        if self._keys is not None and self._keys["file"] == "locked":
            self._desk.front.open_sheet(UnlockSheet(self._desk, done=self.show_keys))
        else:
            self._desk.front.open_sheet(ChangePassphraseSheet(self._desk, self._passphrase_changed))

    def _passphrase_changed(self, keys: KeysView) -> None:
        self.show_keys(keys)
        self._desk.front.tell(Notice(tr("The key file has its new passphrase."), "success"))

    # -- storing and removing

    def store(self) -> None:
        """Send what was typed; a key file that is not there or not open comes first."""
        key = self.key.text().strip()
        if not key or self._keys is None:
            return
        provider, store = self._provider(), str(self.place.currentData())
        if store == "file" and self._keys["file"] == "none":
            self._desk.front.open_sheet(NewKeyFileSheet(self._desk, provider or "any", key, self._stored))
        elif store == "file" and self._keys["file"] == "locked":
            self._desk.front.open_sheet(UnlockSheet(self._desk, done=lambda _: self._send(provider, key, store)))
        else:
            self._send(provider, key, store)

    def _send(self, provider: str, key: str, store: str) -> None:
        asked = {"provider": provider or "any", "key": key, "store": store}
        self._desk.bridge.do(
            self, lambda engine: engine.ask("key_set", **asked), self._stored, failed=self._failed, key="store"
        )

    def _stored(self, keys: KeysView) -> None:
        self.key.clear()
        self.show_keys(keys)
        self._desk.front.tell(Notice(tr("The key is stored. It is never shown."), "success"))

    def _replace(self, one: KeyView) -> None:
        self.provider.setCurrentIndex(self.provider.findData(one["provider"]))
        if self.provider.currentIndex() < 0:
            self.provider.setEditText(one["provider"])
        self.place.setCurrentIndex(max(0, self.place.findData(one["store"])))
        self._explain()
        self.key.setFocus()

    def _remove(self, one: KeyView) -> None:
        self._desk.bridge.ask(
            self,
            "key_remove",
            self.show_keys,
            failed=self._failed,
            key="remove",
            provider=one["provider"] or "any",
            store=one["store"],
        )

    def _failed(self, error: QVerifyError) -> None:
        self._say(f"{error.sentence} {error.remedy}".strip(), "danger")

    def _provider(self) -> str:
        """The name under which the key is kept: of the list where the text is one of it, otherwise a host."""
        text = self.provider.currentText().strip()
        at = self.provider.findText(text, Qt.MatchFlag.MatchFixedString)
        return str(self.provider.itemData(at)) if at >= 0 else text.lower()

    def _allow(self) -> None:
        self.store_button.set_possible("" if self.key.text().strip() else tr("Paste a key first."))
        if self.key.text() and self._said.property("tone") == "danger":
            self._explain()

    def _explain(self) -> None:
        """Say what the chosen store is."""
        chosen = str(self.place.currentData())
        self._say(tr(EXPLAINED[chosen]) if chosen in EXPLAINED else "", "muted")

    def _say(self, text: str, tone: str) -> None:
        self._said.setText(text)
        self._said.setVisible(bool(text))
        set_property(self._said, "tone", tone)
        set_property(self.key, "error", "true" if tone == "danger" else "false")
        self.key.setAccessibleDescription(text)


def name_of(provider: str) -> str:
    """What a provider is called; a host by its own name."""
    return tr(PROVIDERS[provider]) if provider in PROVIDERS else provider


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
