"""Sheets that take the passphrase of the key file: to open it, to make it, to change it. No passphrase is kept in a widget."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import KeysView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, column, label, set_property
from qverify_desktop.ui.widgets.sheet import Sheet

#: As the engine has it: shorter ones are refused for a new file.
SHORTEST = 8

Done = Callable[[KeysView], object]


class PassphraseSheet(Sheet):
    """Silent fields, a place for what went wrong, and one act. ``done`` gets the keys once the engine has said yes."""

    def __init__(self, desk: Desk, title: str, told: str, act: str, leave: str, done: Done | None) -> None:
        super().__init__(desk.theme, title)
        self._desk, self._done = desk, done
        self.fields: list[QLineEdit] = []
        self.body.addWidget(label(told, wrap=True))
        self.problem = label("", "small", "danger", wrap=True)
        self.act = Button(desk.theme, act, self.confirm, kind="primary")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(desk.theme, leave, self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.act)

    def add_field(self, name: str) -> QLineEdit:
        field = QLineEdit()
        field.setEchoMode(QLineEdit.EchoMode.Password)
        field.setAccessibleName(name)
        field.textChanged.connect(lambda: self._say(""))
        field.returnPressed.connect(self._next)
        self.body.addLayout(column(label(name, "strong"), field, gap=6))
        self.fields.append(field)
        return field

    def end_body(self, remark: str = "") -> None:
        self.body.addWidget(self.problem)
        if remark:
            self.body.addWidget(label(remark, "small", "muted", wrap=True))
        self.body.addStretch(1)
        self._say("")

    def first_focus(self) -> QWidget:
        return self.fields[0]

    def confirm(self) -> None:
        problem = self.problem_of([field.text() for field in self.fields])
        if problem:
            self._say(problem)
        elif self.act.isEnabled():
            self.act.set_possible(tr("The key file is being opened."))
            self.send([field.text() for field in self.fields])

    def problem_of(self, typed: list[str]) -> str:
        """Why this is not sent, as a sentence."""
        return "" if all(typed) else tr("Type the passphrase.")

    def send(self, typed: list[str]) -> None:
        """Ask the engine, then ``finish`` or ``refuse``."""
        raise NotImplementedError

    def finish(self, keys: KeysView) -> None:
        self.clear()
        self.close_wanted.emit()
        if self._done is not None:
            self._done(keys)

    def refuse(self, error: QVerifyError) -> None:
        self.act.set_possible("")
        self._say(f"{error.sentence} {error.remedy}".strip())
        self.fields[0].setFocus()
        self.fields[0].selectAll()

    def clear(self) -> None:
        for field in self.fields:
            field.clear()

    def _next(self) -> None:
        """Return goes on to the next empty field, or does it."""
        empty = next((field for field in self.fields if not field.text()), None)
        if empty is not None:
            empty.setFocus()
        else:
            self.confirm()

    def _say(self, problem: str) -> None:
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        for field in self.fields:
            set_property(field, "error", "true" if problem else "false")
            field.setAccessibleDescription(problem)


class UnlockSheet(PassphraseSheet):
    """Opens the key file for as long as QVerify runs. ``problem`` says why a passphrase that was handed in did not."""

    def __init__(self, desk: Desk, problem: str = "", done: Done | None = None) -> None:
        super().__init__(
            desk,
            tr("Open the key file"),
            tr("Keys of models lie in a file that your passphrase opens. Models that need no key work without it."),
            tr("Open"),
            tr("Go on without"),
            done,
        )
        self.add_field(tr("Passphrase"))
        self.end_body(tr("You are asked once. It stays open until QVerify ends."))
        if problem:
            self._say(problem)

    def send(self, typed: list[str]) -> None:
        self._desk.bridge.ask(self, "keys_unlock", self.finish, failed=self.refuse, passphrase=typed[0])


class NewKeyFileSheet(PassphraseSheet):
    """Makes the key file with its first key."""

    def __init__(self, desk: Desk, provider: str, key: str, done: Done | None = None) -> None:
        super().__init__(
            desk,
            tr("New key file"),
            tr(
                "Keys are kept in a file of the state folder that only a passphrase opens. Nobody can open it without: there is no "
                "way back to a passphrase that is lost."
            ),
            tr("Make it"),
            tr("Cancel"),
            done,
        )
        self._provider, self._key = provider, key
        self.add_field(tr("New passphrase"))
        self.add_field(tr("The same once more"))
        self.end_body(
            tr("Several words are better than few letters: whoever copies the file can guess as often as they like.")
        )

    def problem_of(self, typed: list[str]) -> str:
        return _problem_of_new(*typed)

    def send(self, typed: list[str]) -> None:
        asked = {"provider": self._provider, "key": self._key, "store": "file", "passphrase": typed[0]}
        self._desk.bridge.do(
            self, lambda engine: engine.ask("key_set", **asked), self.finish, failed=self.refuse, key="passphrase"
        )

    def clear(self) -> None:
        super().clear()
        self._key = ""


class ChangePassphraseSheet(PassphraseSheet):
    """Gives the key file another passphrase."""

    def __init__(self, desk: Desk, done: Done | None = None) -> None:
        told = tr("The file is sealed anew. Copies of the old file still open with the old passphrase.")
        super().__init__(desk, tr("Change the passphrase"), told, tr("Change"), tr("Cancel"), done)
        self.add_field(tr("Old passphrase"))
        self.add_field(tr("New passphrase"))
        self.add_field(tr("The same once more"))
        self.end_body()

    def problem_of(self, typed: list[str]) -> str:
        return _problem_of_new(*typed[1:]) if typed[0] else tr("Type the passphrase.")

    def send(self, typed: list[str]) -> None:
        self._desk.bridge.ask(self, "keys_passphrase", self.finish, failed=self.refuse, old=typed[0], new=typed[1])


def _problem_of_new(first: str, again: str) -> str:
    if len(first) < SHORTEST:
        return tr("The passphrase is too short: it needs at least {n} characters.", n=SHORTEST)
    return "" if first == again else tr("The two passphrases differ.")
