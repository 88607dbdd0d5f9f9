"""Bundles on their way to the hosted service: a row each with its bytes, what goes on, and the buttons to pause, go on and take it off."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import ExportsView, ExportView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.sheets.send_run import SendRunSheet
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.watching import Watching
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import (
    Button,
    IconButton,
    IconLabel,
    badge,
    column,
    frame,
    label,
    row,
    set_property,
)
from qverify_desktop.ui.widgets.progress import ProgressBar

CONTENTS = {"full": later("in full"), "redacted": later("redacted"), "headers": later("headers only")}
_STAGES = {
    "making": later("Making the bundle"),
    "announcing": later("Announcing it"),
    "sending": later("Sending"),
    "checking": later("The service is checking it"),
    "waiting": later("Waiting"),
}
_LOOKS = {
    "running": ("upload", "accent-text"),
    "paused": ("pause", "warning"),
    "failed": ("triangle-alert", "danger"),
    "done": ("shield-check", "success"),
}
_TONES = {"paused": "paused", "failed": "danger", "done": "success"}

#: What a button says for what the engine offers.
_OFFERS = {"sign_in": later("Sign in…"), "less": later("Send less of it…")}

Act = Callable[[str, ExportView], object]


class ExportRow(QWidget):
    """One bundle. ``act`` is called with pause, resume, drop, report, run, or what is offered to help (sign_in, less)."""

    def __init__(self, theme: Theme, view: ExportView, act: Act) -> None:
        super().__init__()
        self.setObjectName("clear")
        self._act, self.view = act, view
        self.icon = IconLabel(theme)
        self.name = Button(theme, "", lambda: act("run", self.view), kind="link")
        self.badge = badge("")
        self.told = label("", "small", "muted", wrap=True, select=True)
        self.checked = label("", "small", "muted", wrap=True, select=True)
        self.bar = ProgressBar(theme, view["run"])
        self.go = IconButton(theme, "pause", tr("Pause"), self._go)
        self.report = Button(
            theme, tr("Look at it there"), lambda: act("report", self.view), icon="external", size="small"
        )
        self.help = Button(theme, "", lambda: act(self.view["offer"], self.view), size="small")
        self.off = IconButton(theme, "x", tr("Take it off the list"), lambda: act("drop", self.view))
        line = row(self.icon, self.name, self.badge, None, self.help, self.report, self.go, self.off)
        self.setLayout(column(line, self.bar, self.told, self.checked, gap=4, margins=(0, 0, 0, 4)))
        self.show_view(view)

    def show_view(self, view: ExportView) -> None:
        self.view = view
        state, waiting = view["state"], view["stage"] == "waiting"
        icon, token = ("clock", "warning") if waiting else _LOOKS.get(state, _LOOKS["paused"])
        self.icon.show_icon(icon, token)
        self.name.say(view["run"])
        self.badge.setText(tr(CONTENTS.get(view["contents"], view["contents"])))
        self.told.setText(told_of(view))
        set_property(self.told, "tone", "danger" if state == "failed" else "muted")
        self.checked.setText(view["checked"])
        self.checked.setVisible(state == "done")
        self.bar.show_progress(view["done"], view["total"])
        self.bar.set_tone("paused" if waiting else _TONES.get(state, ""))
        self.bar.setVisible(state != "done" and view["total"] > 0)
        self.go.setVisible(state != "done")
        self.go.set_icon("refresh" if waiting or state == "failed" else "pause" if state == "running" else "play")
        self.go.say(_go_words(view))
        self.report.setVisible(bool(view["report"]))
        self.help.setVisible(bool(view["offer"]))
        self.help.say(tr(_OFFERS.get(view["offer"], "")))
        self.off.setVisible(state != "running" or waiting)

    def _go(self) -> None:
        view = self.view
        self._act("pause" if view["state"] == "running" and view["stage"] != "waiting" else "resume", view)


def told_of(view: ExportView) -> str:
    """One line on where it stands."""
    counted = tr(
        "{done} of {total}", done=words.decimal_bytes(view["done"]), total=words.decimal_bytes(view["total"])
    )
    if view["state"] == "done":
        return tr(
            "{host} has it since {when} and found it {grade}.",
            host=view["host"],
            when=words.moment(view["ended_at"]),
            grade=view["grade"].capitalize(),
        )
    if view["state"] != "running":
        # A remedy that is a button needs no command beside it.
        said = view["sentence"] if view["offer"] else f"{view['sentence']} {view['remedy']}".strip()
        return f"{counted}. {said}" if view["total"] and view["done"] else said
    parts = [tr(_STAGES.get(view["stage"], view["stage"])), view["host"]]
    if view["stage"] == "sending":
        parts.append(counted)
    if view["stage"] in ("waiting", "checking") and view["sentence"]:
        parts.append(view["sentence"])
    if view["next_at"]:
        parts.append(tr("next try {when}", when=words.moment(view["next_at"])))
    return " · ".join(part for part in parts if part)


def _go_words(view: ExportView) -> str:
    if view["stage"] == "waiting":
        return tr("Try it now")
    return {"running": tr("Pause"), "failed": tr("Try again")}.get(view["state"], tr("Go on"))


class QueuePart(QWidget):
    """The queue while its page is shown, newest first."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clear")
        self._desk = desk
        self._watching = Watching(self, desk.bridge, "hosted_exports", self._show)
        self.rows: dict[str, ExportRow] = {}
        self.none = label(
            tr("Nothing was sent. A finished run is sent from its evidence, after you saw what would leave."),
            "body",
            "muted",
            wrap=True,
        )
        self._card = frame("card")
        self._card.setAccessibleName(tr("Sent and on its way"))
        self._layout = QVBoxLayout(self._card)
        self._layout.setContentsMargins(16, 12, 16, 12)
        self._layout.setSpacing(12)
        self._card.hide()
        self.setLayout(column(self.none, self._card, gap=8))

    def show_part(self) -> None:
        self._watching.start()

    def hide_part(self) -> None:
        self._watching.stop()

    def _show(self, view: ExportsView) -> None:
        self.show_all(view["exports"])

    def show_all(self, views: list[ExportView]) -> None:
        wanted = {view["export"] for view in views}
        for name in [name for name in self.rows if name not in wanted]:
            gone = self.rows.pop(name)
            gone.hide()
            gone.deleteLater()
        for view in views:
            one = self.rows.get(view["export"])
            if one is None:
                one = self.rows[view["export"]] = ExportRow(self._desk.theme, view, self._act)
                self._layout.insertWidget(0, one)
            else:
                one.show_view(view)
        self.none.setVisible(not views)
        self._card.setVisible(bool(views))

    def _act(self, what: str, view: ExportView) -> None:
        if what == "report":
            self._desk.front.open_address(view["report"])
            return
        if what == "run":
            self._desk.front.go(Place("run-evidence", run=view["run"]))
            return
        if what == "sign_in":
            self._desk.actions.trigger("hosted.sign-in")
            return
        if what == "less":
            self._desk.front.open_sheet(SendRunSheet(self._desk, view["run"], contents="headers"))
            return
        question = {"pause": "hosted_pause", "resume": "hosted_resume", "drop": "hosted_drop"}[what]
        self._desk.bridge.ask(self, question, lambda _: self._looked(), failed=self._failed, export=view["export"])

    def _looked(self) -> None:
        self._watching.look()

    def _failed(self, error: QVerifyError) -> None:
        self._desk.front.tell(Notice(f"{error.sentence} {error.remedy}".strip(), "warning"))
        self._looked()
