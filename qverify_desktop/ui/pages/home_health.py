"""One line that says whether this machine has what an analysis needs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import CheckView
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, label, row
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.painting import one_line

#: Checks that are told when all is well, in this order.
TOLD = ("docker", "bubblewrap", "image", "root", "model", "keyring", "disk")
#: How often "checked 2 min ago" is told anew.
MINUTE_MS = 30_000
#: Below this width (at 100 %) the line does not say when it was checked.
NARROW = 800


class HealthLine(QWidget):
    """Ready with details, ready with remarks, or what is missing; a link to the page of checks."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clear")
        self._desk, self._at = desk, ""
        self.icon = IconLabel(desk.theme, "ring-arc", "accent-text", words=tr("Running"))
        self.sentence = label(tr("The engine is starting."), "strong")
        self.detail = ElidedLabel("small", "muted", Qt.TextElideMode.ElideRight)
        self.checked = label("", "small", "muted")
        self.link = Button(desk.theme, tr("Open checks"), self._open, kind="link")
        layout = row(self.icon, self.sentence, self.detail, self.checked, self.link, gap=8)
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self._minute = QTimer(self, interval=MINUTE_MS)
        self._minute.timeout.connect(self._say_when)

    def show_checks(self, checks: Sequence[CheckView]) -> None:
        """What was found just now."""
        self._at = datetime.now(UTC).isoformat()
        missing = [check for check in checks if check["state"] == "blocking"]
        limited = [check for check in checks if check["state"] == "warning"]
        if missing:
            rest = len(missing) - 1
            more = trn("{n} more check fails.", "{n} more checks fail.", rest) if rest else ""
            told = f"{missing[0]['sentence']} {more}"
            self._say("triangle-alert", "warning", tr("Something is missing."), told, tr("Fix it"))
        elif limited:
            remarks = trn(
                "Everything needed is ready, with {n} remark.",
                "Everything needed is ready, with {n} remarks.",
                len(limited),
            )
            told = " ".join(check["sentence"] for check in limited)
            self._say("triangle-alert", "warning", remarks, told, tr("Open checks"))
        else:
            found = {check["id"]: check["sentence"] for check in checks}
            told = " ".join(found[id] for id in TOLD if id in found)
            self._say("circle-check", "success", tr("Everything needed is ready."), told, tr("Open checks"))
        self._minute.start()
        self._say_when()

    def show_error(self, error: QVerifyError) -> None:
        """Nothing could be checked."""
        self._at = ""
        sentence = tr("The checks gave no answer.")
        if not self._desk.bridge.is_ready:
            sentence = tr("The engine is not running.")
        self._say("triangle-alert", "warning", sentence, f"{error.sentence} {error.remedy}", tr("Open checks"))
        self._minute.stop()
        self._say_when()

    def set_room(self, width: int) -> None:
        self.checked.setVisible(width >= self._desk.theme.px(NARROW))

    def _say(self, icon: str, token: str, sentence: str, detail: str, link: str) -> None:
        said = tr("Ready") if token == "success" else tr("Warning")
        self.icon.show_icon(icon, token, said)
        self.sentence.setText(sentence)
        self.detail.setText(one_line(detail.strip()))
        self.link.say(link)

    def _say_when(self) -> None:
        self.checked.setText(tr("Checked {when}", when=words.ago(self._at)) if self._at else "")

    def _open(self) -> None:
        self._desk.front.go(Place("environment"))
