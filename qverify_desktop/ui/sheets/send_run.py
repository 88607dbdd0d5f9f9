"""The sheet that shows what of a run would leave this machine, and sends it once the person says so."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import ExportView, HostedStatusView, LeavingFileView, LeavingView
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, column, empty, frame, holder, label
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.state_view import Shown

#: What is in the files of a bundle, by how their names begin, in the words of the engine.
_SAYS = {
    "blobs/": later("Source passages, prompts, answers, generated tests and logs of this run"),
    "salts.jsonl": later("Salts that tie those contents to the log"),
    "entries.jsonl": later(
        "Entries of this run: names of files, functions and tests, commands, times, verdicts; no source"
    ),
    "headers.jsonl": later("That other runs were opened and closed, and when; nothing of their content"),
    "checkpoints/": later("Signed states of the log"),
    "checkpoint": later("The signed state of the log at this run's end"),
    "tile/": later("Hashes of the log"),
    "proofs/": later("Proofs that the entries are in the log"),
    "attest/": later("Signed statements about the run: commit, tree, verdict"),
    "bundle.json": later("The list of what is in the bundle"),
}
_SHOWS = {
    "full": later(
        "Whoever gets it can read the passages of source that were quoted, prompts and answers, and every generated test."
    ),
    "redacted": later(
        "Whoever gets it can read names of files, functions and tests and what became of them, and no source."
    ),
    "headers": later("Whoever gets it can read that the run was, when, and how it ended; no names and no source."),
}


class SendRunSheet(Sheet):
    """Nothing is sent by looking at it. What the policy of the repository forbids can't be sent here either."""

    def __init__(self, desk: Desk, run: str = "", contents: str = "full", bundle: str = "") -> None:
        """A run of this machine, or the file of a ``bundle``, which is sent as it is."""
        super().__init__(desk.theme, tr("Send to the hosted service"))
        self._desk, self._run, self._bundle = desk, run, bundle
        self._sending = False
        self.contents = Segmented(
            desk.theme,
            tr("How much of it"),
            [
                Choice("full", tr("In full")),
                Choice("redacted", tr("Redacted")),
                Choice("headers", tr("Headers only")),
            ],
        )
        self.contents.choose(contents)
        self.contents.changed.connect(lambda _: self._ask())
        self.contents.setHidden(bool(bundle))
        self.where = label("", "body", wrap=True, select=True)
        self.shows = label("", "body", wrap=True)
        self.digest = label("", "small", "muted", wrap=True, select=True)
        self._files = QGridLayout()
        self._files.setHorizontalSpacing(16)
        self._files.setVerticalSpacing(10)
        self._files.setColumnStretch(0, 1)
        card = frame("card")
        card.setLayout(column(self._files, margins=(16, 12, 16, 12)))
        content = column(
            self.where, label(tr("What leaves this machine"), "strong"), card, self.shows, self.digest, None, gap=12
        )
        self._shown = Shown(desk.theme, holder(content))
        self.problem = label("", "body", "danger", wrap=True, select=True)
        self.problem.hide()
        self.body.addWidget(self.contents)
        self.body.addWidget(self._shown, 1)
        self.body.addWidget(self.problem)
        self.send = Button(desk.theme, tr("Send"), self.confirm, kind="primary", icon="send", keys="Ctrl+Return")
        said = label(tr("Nothing is sent by looking at it."), "small", "muted", wrap=True)
        self.foot.addWidget(said, 1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.send)
        desk.bridge.ask(self, "hosted_status", self._show_status, failed=lambda _: None, key="status")
        self._ask()

    def first_focus(self) -> QWidget:
        return self.send if self._bundle else self.contents

    def confirm(self) -> None:
        if self._sending or not self.send.isEnabled():
            return
        self._sending = True
        self.send.set_possible(tr("It is being queued."))
        self._desk.bridge.ask(
            self,
            "hosted_send",
            self._queued,
            failed=self._refused,
            key="send",
            **self._what(),
        )

    def _what(self) -> dict[str, str]:
        return {"bundle": self._bundle} if self._bundle else {"run": self._run, "contents": self.contents.chosen()}

    def _ask(self) -> None:
        self._shown.show_waiting()
        self.problem.hide()
        self.send.set_possible(tr("It is being put together."))
        self._desk.bridge.ask(
            self,
            "hosted_leaving",
            self._show,
            failed=self._failed,
            key="leaving",
            **self._what(),
        )

    def _show_status(self, status: HostedStatusView) -> None:
        if status["configured"] and not status["signed_in"] and not status["closed"]:
            self._say(tr("Nobody is signed in. It waits in the queue until somebody is."), danger=False)

    def _show(self, view: LeavingView) -> None:
        host = view["host"] or tr("the hosted service")
        to = tr("{size} go to {host}.", size=words.decimal_bytes(view["bytes"]), host=host)
        of = tr("They become {organisation}'s.", organisation=view["organisation"]) if view["organisation"] else ""
        self.where.setText(f"{to} {of}".strip())
        self.shows.setText(tr(_SHOWS[view["contents"]]) if view["contents"] in _SHOWS else view["shows"])
        self.digest.setText(f"SHA-256 {view['sha256']}")
        empty(self._files)
        for at, one in enumerate(view["files"]):
            self._add(at, one)
        self._shown.show_content()
        self.send.set_possible(view["refusal"])
        if view["refusal"]:
            self._say(f"{view['refusal']} {view['remedy']}".strip())

    def _add(self, at: int, one: LeavingFileView) -> None:
        count = trn("{n} file", "{n} files", one["files"])
        name = label(one["name"], "strong")
        self._files.addLayout(column(name, label(_says(one), "small", "muted", wrap=True), gap=0), at, 0)
        right = (label(words.decimal_bytes(one["bytes"])), label(count, "small", "muted"))
        for number in right:
            number.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._files.addLayout(column(*right, None, gap=0), at, 1)

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self._ask)
        self.send.set_possible(error.sentence)

    def _refused(self, error: QVerifyError) -> None:
        self._sending = False
        self.send.set_possible("")
        self._say(f"{error.sentence} {error.remedy}".strip())

    def _say(self, words_: str, *, danger: bool = True) -> None:
        self.problem.setText(words_)
        self.problem.setProperty("tone", "danger" if danger else "muted")
        self.problem.setVisible(bool(words_))

    def _queued(self, view: ExportView) -> None:
        front = self._desk.front
        self.close_wanted.emit()
        front.tell(
            Notice(tr("It is on its way."), "success", tr("Show the queue"), lambda: front.go(Place("hosted")))
        )


def _says(one: LeavingFileView) -> str:
    return tr(_SAYS[one["name"]]) if one["name"] in _SAYS else one["says"]
