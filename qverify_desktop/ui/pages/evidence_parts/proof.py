"""What stands right of the log: the chosen entry with its proof, or the checkpoint as text and QR."""

from __future__ import annotations

import json

from PySide6.QtCore import Qt
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import CheckpointView, EventView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.pages.evidence_parts.anchors import AnchorLines, paper
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, label, row
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.proof_tree import ProofTree
from qverify_desktop.ui.widgets.qr import QrCode
from qverify_desktop.ui.widgets.state_view import Shown

#: Edge of the QR code at 100 %.
QR_SIDE = 220


class ProofPane(QWidget):
    """``show_entry`` asks for an entry's proof, ``show_checkpoint`` for the checkpoint."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("surface")
        self._desk = desk
        theme = desk.theme
        self._event: EventView | None = None
        self._checkpoint: CheckpointView | None = None
        self._run = ""
        self.which = Segmented(
            theme,
            tr("What is shown"),
            [Choice("entry", tr("Entry and proof")), Choice("checkpoint", tr("Checkpoint"))],
        )
        self.which.changed.connect(lambda _: self._turn())
        self._words = label("", "heading", wrap=True, select=True)
        self._holds_icon = IconLabel(theme, "circle-check", "success")
        self._holds = label("", "body", wrap=True)
        self.tree = ProofTree(theme)
        self.tree.copied.connect(lambda text: desk.front.copy(text, tr("The hash is copied.")))
        self.payload = CodeView(theme, tr("Entry as canonical JSON"))
        self.payload.setMinimumHeight(theme.px(180))
        copy = Button(theme, tr("Copy JSON"), self._copy_payload, icon="copy", size="small")
        holds = row(self._holds_icon, self._holds, gap=8)
        holds.setStretch(1, 1)
        entry = QWidget()
        entry.setObjectName("page")
        entry.setLayout(
            column(
                self._words,
                holds,
                self.tree,
                row(label(tr("Entry"), "heading"), None, copy),
                self.payload,
                gap=12,
                margins=(20, 16, 20, 20),
            )
        )
        self._entry = Shown(theme, _scrolled(entry))
        self._entry.show_state().show_state(
            "evidence",
            tr("No entry is chosen"),
            tr("Choose one in the list: its proof shows that it stands in the signed log, and where."),
        )
        self._signed = Shown(theme, _scrolled(self._build_checkpoint()))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(row(self.which, None, margins=(20, 10, 20, 6)))
        layout.addWidget(self._entry, 1)
        layout.addWidget(self._signed, 1)
        self._turn()

    def _build_checkpoint(self) -> QWidget:
        theme = self._desk.theme
        self._about = label("", "body", wrap=True, select=True)
        self.anchors = AnchorLines(self._desk)
        self.qr = QrCode(theme, side=QR_SIDE)
        self.note = QPlainTextEdit()
        self.note.setObjectName("code")
        self.note.setReadOnly(True)
        self.note.setFont(theme.font("code"))
        self.note.setAccessibleName(tr("Checkpoint"))
        self.note.setMaximumHeight(theme.px(150))
        self._key = label("", "code", "muted", wrap=True, select=True)
        copy = Button(theme, tr("Copy checkpoint"), self._copy_note, icon="copy", size="small")
        key = Button(theme, tr("Copy verifier key"), self._copy_key, icon="key", size="small")
        paper = Button(theme, tr("Print…"), self._print, icon="print", size="small")
        inside = QWidget()
        inside.setObjectName("page")
        advice = tr(
            "Keep it where nobody can change it: on paper, in a mail to yourself, at a notary. A later bundle is checked against it "
            "with --known-checkpoint."
        )
        inside.setLayout(
            column(
                self._about,
                self.anchors,
                row(copy, key, paper, None),
                self.note,
                row(self.qr, None),
                label(tr("Verifier key"), "heading"),
                self._key,
                label(advice, "small", "muted", wrap=True),
                None,
                gap=12,
                margins=(20, 16, 20, 20),
            )
        )
        return inside

    # -- entry

    def show_entry(self, index: int) -> None:
        """Ask for the proof of an entry; -1 for none."""
        if index < 0:
            return
        if self._event is None:
            self._entry.show_waiting()
        self._desk.bridge.ask(self, "evidence_event", self._show, failed=self._failed, key="event", index=index)

    def _failed(self, error: QVerifyError) -> None:
        self._event = None
        self._entry.show_state().show_error(error)

    def _show(self, event: EventView) -> None:
        self._event = event
        self._words.setText(event["line"]["words"])
        if event["holds"]:
            self._holds_icon.show_icon("circle-check", "success", tr("Proven"))
            told = tr(
                "Entry {n} stands in the signed log of {size} entries.",
                n=event["line"]["index"],
                size=f"{event['size']:,}",
            )
        elif event["problem"]:
            self._holds_icon.show_icon("square-x", "danger", tr("Not proven"))
            told = event["problem"]
        else:
            self._holds_icon.show_icon("triangle-alert", "warning", tr("Not signed yet"))
            told = tr("No signed checkpoint covers this entry yet. One is signed when the run ends.")
        self._holds.setText(told)
        self.tree.show_event(event)
        self.payload.show_code(json.dumps(event["payload"], indent=2, ensure_ascii=False, sort_keys=True), "json")
        self._entry.show_content()

    def _copy_payload(self) -> None:
        if self._event is not None:
            self._desk.front.copy(self._event["leaf"], tr("The entry is copied as it was hashed."))

    # -- checkpoint

    def show_run(self, run: str) -> None:
        """Whose checkpoint is shown: a run's closing one, or with an empty name the newest."""
        self._run, self._checkpoint, self._event = run, None, None
        self.anchors.show_run("")
        if self.which.chosen() == "checkpoint":
            self._ask_checkpoint()

    def _turn(self) -> None:
        entry = self.which.chosen() == "entry"
        self._entry.setVisible(entry)
        self._signed.setVisible(not entry)
        if not entry and self._checkpoint is None:
            self._ask_checkpoint()

    def _ask_checkpoint(self) -> None:
        self._desk.bridge.ask(
            self,
            "evidence_checkpoint",
            self._show_checkpoint,
            failed=self._no_checkpoint,
            key="checkpoint",
            run=self._run,
        )

    def _no_checkpoint(self, error: QVerifyError) -> None:
        self._signed.show_state().show_error(error, self._ask_checkpoint)

    def _show_checkpoint(self, view: CheckpointView) -> None:
        self._checkpoint = view
        when = words.moment(view["signed_at"])
        self._about.setText(
            tr(
                "{size} entries, signed {when}. {protection}.",
                size=f"{view['size']:,}",
                when=when,
                protection=view["protection"].capitalize(),
            )
        )
        self.note.setPlainText(view["note"])
        self._key.setText(view["verifier_key"])
        self.qr.setVisible(self.qr.show_text(view["note"]))
        self.anchors.show_run(self._run)
        self._signed.show_content()

    def _copy_note(self) -> None:
        if self._checkpoint is not None:
            self._desk.front.copy(self._checkpoint["note"], tr("The checkpoint is copied."))

    def _copy_key(self) -> None:
        if self._checkpoint is not None:
            self._desk.front.copy(self._checkpoint["verifier_key"], tr("The verifier key is copied."))

    def _print(self) -> None:
        """The checkpoint as text and QR code on paper, through the desktop's own dialog."""
        if self._checkpoint is None:
            return
        view = self._checkpoint
        printer = QPrinter()
        dialog = QPrintDialog(printer, self)

        def go() -> None:
            paper(view).print_(printer)

        dialog.accepted.connect(go)
        dialog.finished.connect(dialog.deleteLater)
        # The inherited form that takes no receiver; the stubs know only the other one.
        QDialog.open(dialog)


def _scrolled(inside: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(inside)
    return area
