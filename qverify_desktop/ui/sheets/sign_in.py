"""The sheet of the sign-in to the hosted service: a code and a QR code for another device, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from qverify_desktop.domain.errors import QVerifyError, WrongPassphrase
from qverify_desktop.domain.hosted_views import SignInView
from qverify_desktop.domain.settings_views import KeysView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, column, frame, holder, label, row, set_property
from qverify_desktop.ui.widgets.qr import QrCode
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.spinner import Spinner

_STORES = {
    "keyring": later("the keyring of this session"),
    "file": later("a file that your passphrase opens"),
    "session": later("this process, until QVerify ends"),
}


class SignInSheet(Sheet):
    """First where the sign-in is kept, then the code. Closing it ends the waiting. ``done`` is called once somebody is signed in."""

    def __init__(self, desk: Desk, done: Callable[[], object]) -> None:
        super().__init__(desk.theme, tr("Sign in to the hosted service"))
        self._desk, self._done = desk, done
        self._view: SignInView | None = None
        theme = desk.theme
        self.store = QComboBox()
        self.store.setAccessibleName(tr("Where the sign-in is kept"))
        self.store.currentIndexChanged.connect(lambda _: self._stored())
        self.passphrase = QLineEdit()
        self.passphrase.setEchoMode(QLineEdit.EchoMode.Password)
        self.passphrase.setAccessibleName(tr("Passphrase of the key file"))
        self.passphrase.returnPressed.connect(self.confirm)
        self._file = "none"
        self._passphrase = holder(column(label(tr("Passphrase of the key file"), "strong"), self.passphrase, gap=6))
        self._first = holder(
            column(
                label(
                    tr(
                        "You confirm a code on a page of the sign-in, on this or another device. QVerify never sees your password."
                    ),
                    wrap=True,
                ),
                column(label(tr("The sign-in is kept in"), "strong"), self.store, gap=6),
                self._passphrase,
                gap=16,
            )
        )
        self.code = label("", "metric", select=True)
        self.code.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.qr = QrCode(theme, side=180)
        self.address = label("", "body", wrap=True, select=True)
        self.until = label("", "small", "muted", wrap=True)
        self.key = label("", "small", "muted", wrap=True, select=True)
        self.open = Button(theme, tr("Open the page"), self._open, kind="primary", icon="external")
        self.copy = Button(theme, tr("Copy the code"), self._copy, icon="copy")
        tint = frame("sunken")
        tint.setLayout(
            column(
                self.code,
                row(None, self.qr, None),
                row(None, self.open, self.copy, None),
                gap=12,
                margins=(16, 16, 16, 16),
            )
        )
        self.spinner = Spinner(theme)
        self._second = holder(
            column(
                label(tr("Open this page and type the code, or scan it."), wrap=True),
                self.address,
                tint,
                row(self.spinner, self.until, gap=8),
                self.key,
                gap=12,
            )
        )
        self._second.hide()
        self.problem = label("", "body", "danger", wrap=True, select=True)
        self.problem.hide()
        self.body.addWidget(self._first)
        self.body.addWidget(self._second)
        self.body.addWidget(self.problem)
        self.body.addStretch(1)
        self.next = Button(theme, tr("Get a code"), self.confirm, kind="primary")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.next)
        self.closed.connect(self._closed)
        desk.bridge.ask(self, "keys", self._show_stores, failed=self._failed, key="keys")

    def first_focus(self) -> QWidget:
        return self.next

    def confirm(self) -> None:
        if self._view is not None or not self.next.isEnabled():
            return
        self.problem.hide()
        self.next.set_possible(tr("The code is being asked for."))
        self._desk.bridge.ask(
            self,
            "hosted_sign_in",
            self._show,
            failed=self._failed,
            key="sign-in",
            store=self.store.currentData() or "",
            passphrase=self.passphrase.text(),
        )

    def _show_stores(self, keys: KeysView) -> None:
        self._file = keys["file"]
        self.store.clear()
        for one in keys["stores"]:
            self.store.addItem(tr(_STORES.get(one["store"], one["sentence"])), one["store"])
        self.store.setCurrentIndex(max(0, self.store.findData(keys["usual"])))
        self._stored()

    def _stored(self) -> None:
        needed = self.store.currentData() == "file" and self._file != "open"
        self._passphrase.setVisible(needed)
        self.passphrase.setPlaceholderText(
            tr("a new one, of several words") if self._file == "none" else tr("the one that opens it")
        )

    def _show(self, view: SignInView) -> None:
        """The code, and from then on whatever becomes of it."""
        self.passphrase.clear()
        self._view = view
        if view["state"] == "waiting":
            self._first.hide()
            self._second.show()
            self.next.hide()
            self.code.setText(view["code"])
            self.address.setText(view["address"])
            self.qr.setVisible(self.qr.show_text(view["whole_address"]))
            self.until.setText(tr("Waiting for you until {when}.", when=words.clock(view["until"])))
            self.key.setText(
                tr(
                    "{service} countersigns with {key}. It is kept, and another key would be noticed.",
                    service=view["service"],
                    key=view["key"],
                )
            )
            self.open.setFocus()
            self._desk.bridge.ask(
                self, "hosted_sign_in_watch", self._show, failed=self._failed, key="watch", after=view["version"]
            )
        elif view["state"] == "done":
            self._desk.front.tell(Notice(view["sentence"], "success"))
            self._done()
            self.close_wanted.emit()
        else:
            self._view = None
            self._second.hide()
            self._first.show()
            self.next.show()
            self._say(f"{view['sentence']} {view['remedy']}".strip())

    def _failed(self, error: QVerifyError) -> None:
        self._view = None
        wrong = isinstance(error, WrongPassphrase)
        set_property(self.passphrase, "error", "true" if wrong else "false")
        self._say(f"{error.sentence} {error.remedy}".strip())
        if wrong:
            self.passphrase.setFocus()

    def _say(self, problem: str) -> None:
        self.next.set_possible("")
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))

    def _open(self) -> None:
        if self._view is not None:
            self._desk.front.open_address(self._view["whole_address"])

    def _copy(self) -> None:
        if self._view is not None:
            self._desk.front.copy(self._view["code"], tr("The code was copied."))

    def _closed(self) -> None:
        """Whoever closes it does not want to sign in any more."""
        if self._view is not None and self._view["state"] == "waiting":
            self._desk.bridge.ask(self._desk.theme, "hosted_sign_in_cancel", lambda _: None, failed=lambda _: None)
