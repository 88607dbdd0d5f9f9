"""Settings about the evidence log: who confirms its checkpoints, and the key that signs them."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.log_views import SigningKeysView, SigningKeyView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.pages.settings_form import SettingsForm
from qverify_desktop.ui.sheets.ask import AskSheet
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, frame, label, line, row


def anchors_card(form: SettingsForm) -> QWidget:
    """Time stamps and witnesses."""
    return form.card(
        (
            "time_stamp_authority",
            tr("Time-stamp authority"),
            tr(
                "Address that confirms when a run was closed (RFC 3161). It is sent a digest of the checkpoint and nothing else."
            ),
            form.text("time_stamp_authority", "https://tsa.example.org/tsr"),
        ),
        (
            "time_stamp_certificate",
            tr("Its certificate"),
            tr("File with the certificate that its stamps must lead to. Without one, nobody says who made a stamp."),
            form.text("time_stamp_certificate", "/path/to/authority.pem"),
        ),
        (
            "witnesses",
            tr("Witnesses"),
            tr("Who confirms that the log only grows: verifier key, space, address; commas between several."),
            form.text("witnesses", "witness.example+1a2b3c4d+Bq… https://witness.example"),
        ),
    )


class SigningKeyCard(QWidget):
    """The key in use and those before it. Changing one is asked about first, because it can't be taken back."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        theme = desk.theme
        self._list = QGridLayout()
        self._list.setHorizontalSpacing(16)
        self._list.setVerticalSpacing(8)
        self._list.setColumnStretch(2, 1)
        self.rotate = Button(theme, tr("Rotate…"), self._ask_rotate, icon="refresh", size="small")
        self.revoke = Button(theme, tr("Revoke…"), self._ask_revoke, size="small", kind="ghost")
        note = tr(
            "Rotate from time to time. Revoke where somebody else may have the key; then give the new one to those who check your evidence."
        )
        card = frame("card")
        card.setLayout(
            column(
                self._list,
                line(),
                row(self.rotate, self.revoke, None, gap=8),
                label(note, "small", "muted", wrap=True),
                gap=10,
                margins=(16, 12, 16, 12),
            )
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self._allow(False)

    def ask(self) -> None:
        """Ask which keys there are."""
        self._desk.bridge.ask(
            self, "signing_key", self.show_keys, failed=self._desk.front.tell_error, key="signing-key"
        )

    def show_keys(self, view: SigningKeysView) -> None:
        empty(self._list)
        for at, key in enumerate(view["keys"]):
            self._add_row(at, key)
        self._allow(True)

    def _add_row(self, at: int, key: SigningKeyView) -> None:
        theme, middle = self._desk.theme, Qt.AlignmentFlag.AlignVCenter
        in_use = key["state"] == "in_use"
        icon, token = ("key", "accent") if in_use else ("circle-slash", "text-muted")
        self._list.addWidget(IconLabel(theme, icon, token), at, 0, middle)
        self._list.addWidget(label(key["id"], "code", select=True), at, 1, middle)
        self._list.addWidget(label(told(key), "small", "muted", wrap=True), at, 2, middle)
        copy = Button(
            theme, tr("Copy"), partial(self._copy, key["verifier_key"]), icon="copy", size="small", kind="ghost"
        )
        copy.setAccessibleName(tr("Copy the verifier key {id}", id=key["id"]))
        self._list.addWidget(copy, at, 3, middle)

    def _copy(self, text: str) -> None:
        self._desk.front.copy(text, tr("The verifier key is copied."))

    def _allow(self, on: bool) -> None:
        self.rotate.setEnabled(on)
        self.revoke.setEnabled(on)

    def _ask_rotate(self) -> None:
        sentences = (
            tr("A new key signs the log from now on."),
            tr(
                "The old one signs the entry that says so, and is then deleted. Whoever trusts the old key can follow to the new one."
            ),
        )
        act = partial(self._change, "signing_key_rotate", tr("A new key signs the log."))
        self._desk.front.open_sheet(
            AskSheet(self._desk.theme, tr("Rotate the signing key"), sentences, tr("Rotate"), act)
        )

    def _ask_revoke(self) -> None:
        sentences = (
            tr("The log says for ever that this key may be in other hands."),
            tr(
                "A new key signs from now on. Nobody can follow to it from the old one: give it to those who check your evidence, by another "
                "way than the evidence itself."
            ),
        )
        act = partial(self._change, "signing_key_revoke", tr("The key is revoked; a new one signs the log."))
        sheet = AskSheet(self._desk.theme, tr("Revoke the signing key"), sentences, tr("Revoke"), act, danger=True)
        self._desk.front.open_sheet(sheet)

    def _change(self, question: str, said: str) -> None:
        self._allow(False)

        def done(view: SigningKeysView) -> None:
            self.show_keys(view)
            self._desk.front.tell(Notice(said, "success"))

        def failed(error: object) -> None:
            self._allow(True)
            self._desk.front.tell_error(error)  # type: ignore[arg-type]

        self._desk.bridge.ask(self, question, done, failed=failed, key="signing-key")


def told(key: SigningKeyView) -> str:
    """What is known of one key."""
    when = words.moment(key["changed_at"]) if key["changed_at"] else ""
    if key["state"] == "in_use":
        kept = tr("in the keyring") if key["protected"] else tr("unprotected: a file that only you may read")
        return (
            tr("Has signed the log since {when}, {kept}.", when=when, kept=kept)
            if when
            else tr("Signs the log, {kept}.", kept=kept)
        )
    said = tr("Revoked {when}", when=when) if key["state"] == "revoked" else tr("Rotated {when}", when=when)
    return f"{said}: {key['reason']}" if key["reason"] else said
