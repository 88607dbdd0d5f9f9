"""Who else confirmed a checkpoint, and why not where nobody did; and the sheet of paper that does it with no network."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QUrl
from PySide6.QtGui import QColor, QImage, QTextDocument
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import AnchorsView, AnchorView, CheckpointView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, empty, label, row
from qverify_desktop.ui.widgets.qr import QUIET, matrix_of

#: Pixels of one module of the QR code on paper: sharp at any size that a printer makes of it.
_MODULE = 8
_ICONS = {
    "held": ("circle-check", "success"),
    "waiting": ("clock", "text-muted"),
    "refused": ("triangle-alert", "warning"),
}


class AnchorLines(QWidget):
    """A line for each service that was asked about the closing checkpoint of a run; nothing where nobody is set to ask."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._run = ""
        self._lines = QVBoxLayout(self)
        self._lines.setContentsMargins(0, 0, 0, 0)
        self._lines.setSpacing(6)
        self.again = Button(desk.theme, tr("Ask now"), self.ask_again, icon="refresh", size="small")
        self.hide()

    def show_run(self, run: str) -> None:
        """Ask about the run's checkpoint; an empty name is the whole log, which has none of its own."""
        if run != self._run:
            self.hide()
        self._run = run
        if run:
            self._desk.bridge.ask(
                self, "evidence_anchors", self._show, failed=lambda _: self.hide(), key="anchors", run=run
            )

    def ask_again(self) -> None:
        """Have those confirm it who did not so far."""
        self._desk.bridge.ask(
            self, "evidence_anchor", self._show, failed=self._not_asked, key="anchors", run=self._run
        )

    def _not_asked(self, error: QVerifyError) -> None:
        self._desk.front.tell_error(error)

    def _show(self, view: AnchorsView) -> None:
        self.again.setParent(None)
        empty(self._lines)
        for anchor in view["anchors"]:
            icon, token = _ICONS.get(anchor["state"], _ICONS["waiting"])
            line = row(
                IconLabel(self._desk.theme, icon, token), label(told(anchor), "body", wrap=True, select=True), gap=8
            )
            line.setStretch(1, 1)
            self._lines.addLayout(line)
        missing = view["asked"] and (not view["anchors"] or any(one["state"] != "held" for one in view["anchors"]))
        if view["asked"] and not view["anchors"]:
            self._lines.addWidget(
                label(tr("Nobody was asked to confirm this checkpoint yet."), "body", "muted", wrap=True)
            )
        if missing:
            self._lines.addLayout(row(self.again, None))
        self.again.setVisible(missing)
        self.setVisible(bool(view["anchors"]) or view["asked"])


def told(anchor: AnchorView) -> str:
    """One line about one service."""
    stamp = anchor["kind"] == "time_stamp"
    when, by = words.moment(anchor["at"]) if anchor["at"] else "", anchor["by"]
    if anchor["state"] == "held":
        if stamp:
            return tr("Time-stamped on {when} by {by}.", when=when, by=by)
        return tr("Cosigned on {when} by the witness {by}.", when=when, by=by)
    if anchor["state"] == "waiting":
        said = tr("Time stamp: still to come.") if stamp else tr("Witness {by}: still to come.", by=by)
    else:
        said = tr("No time stamp.") if stamp else tr("Not cosigned by the witness {by}.", by=by)
    return f"{said} {anchor['sentence']}".strip()


def paper(view: CheckpointView) -> QTextDocument:
    """A checkpoint to print: as text, as a QR code of the same text, and what it is good for."""
    document = QTextDocument()
    image = qr_image(view["note"])
    if image is not None:
        document.addResource(QTextDocument.ResourceType.ImageResource, QUrl("checkpoint-qr"), image)
    title = tr("Checkpoint of an evidence log")
    why = tr(
        "Keep this sheet where nobody can change it. Type or scan the text into a file; whoever verifies evidence of this log later "
        "gives the file with --known-checkpoint, and sees whether the log was only ever extended since."
    )
    about = tr("{size} entries, signed {when}.", size=f"{view['size']:,}", when=view["signed_at"])
    picture = '<p><img src="checkpoint-qr" width="260" height="260"></p>' if image is not None else ""
    document.setHtml(
        '<html><body style="color:#000; font-family: sans-serif; font-size: 10pt">'
        f"<h2>{escape(title)}</h2><p>{escape(about)}</p>"
        f'<pre style="font-family: monospace; font-size: 8pt; white-space: pre-wrap">{escape(view["note"])}</pre>{picture}'
        f"<h3>{escape(tr('Verifier key'))}</h3>"
        f'<pre style="font-family: monospace; font-size: 8pt; white-space: pre-wrap">{escape(view["verifier_key"])}</pre>'
        f"<p>{escape(why)}</p></body></html>"
    )
    return document


def qr_image(text: str) -> QImage | None:
    """Black on white with the quiet zone, ``None`` for a text that no code holds."""
    matrix = matrix_of(text)
    if matrix is None:
        return None
    side = len(matrix) + 2 * QUIET
    image = QImage(side, side, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y, line in enumerate(matrix):
        for x, black in enumerate(line):
            if black:
                image.setPixelColor(x + QUIET, y + QUIET, QColor("black"))
    return image.scaled(side * _MODULE, side * _MODULE)
