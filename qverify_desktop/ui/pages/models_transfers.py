"""Models on their way: a row each with its bytes, and the buttons to pause, go on and take it off."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.model_views import TransferView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, column, label, row, set_property
from qverify_desktop.ui.widgets.progress import ProgressBar

#: What a server's words mean, by how they begin.
_STATUS = (
    ("pulling manifest", later("Asking what belongs to it")),
    ("pulling", later("Fetching")),
    ("verifying", later("Checking the digest")),
    ("writing", later("Finishing")),
    ("reading the file", later("Reading the file")),
    ("handing the file over", later("Handing it over")),
    ("parsing", later("Reading the model")),
)
_LOOKS = {
    "running": ("download", "accent-text"),
    "paused": ("pause", "warning"),
    "failed": ("triangle-alert", "danger"),
    "done": ("circle-check", "success"),
}
_GO = {"running": later("Pause"), "failed": later("Try again")}
_TONES = {"paused": "paused", "failed": "danger", "done": "success"}
#: Seconds over which a speed is told.
SPAN = 6.0

Act = Callable[[str, TransferView], object]


class Speed:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, int]] = []

    def note(self, done: int, now: float) -> float:
        if self._seen and done < self._seen[-1][1]:
            self._seen.clear()
        self._seen = [one for one in self._seen if now - one[0] <= SPAN] + [(now, done)]
        began, before = self._seen[0]
        return (done - before) / (now - began) if now - began >= 1 else 0.0


class TransferRow(QWidget):
    """One model on its way. ``act`` is called with pause, resume, force or forget."""

    def __init__(self, theme: Theme, view: TransferView, act: Act) -> None:
        super().__init__()
        self.setObjectName("clear")
        self._act, self.view, self._speed = act, view, Speed()
        self.icon = IconLabel(theme)
        self.name = label("", "strong")
        self.told = label("", "small", "muted", wrap=True, select=True)
        self.bar = ProgressBar(theme, view["name"])
        self.go = IconButton(theme, "pause", tr("Pause"), self._go)
        self.off = IconButton(theme, "x", tr("Take it off the list"), lambda: act("forget", self.view))
        self.anyway = Button(theme, tr("Fetch it all the same"), lambda: act("force", self.view), size="small")
        line = row(self.icon, self.name, None, self.anyway, self.go, self.off)
        self.setLayout(column(line, self.bar, self.told, gap=4, margins=(0, 0, 0, 4)))
        self.show_view(view)

    def show_view(self, view: TransferView) -> None:
        self.view = view
        state = view["state"]
        icon, token = _LOOKS.get(state, _LOOKS["paused"])
        self.icon.show_icon(icon, token)
        self.name.setText(view["name"])
        self.told.setText(self._told(view))
        set_property(self.told, "tone", "danger" if state == "failed" else "muted")
        self.bar.show_progress(view["done"], view["total"])
        self.bar.set_tone(_TONES.get(state, ""))
        # What never began has no bar; what is there needs none.
        self.bar.setVisible(state == "running" or (state != "done" and view["total"] > 0))
        self.go.setVisible(state != "done" and not view["held"])
        self.go.set_icon({"running": "pause", "failed": "refresh"}.get(state, "play"))
        self.go.say(tr(_GO[state] if state in _GO else later("Go on")))
        self.off.setVisible(state != "running")
        self.anyway.setVisible(view["held"])
        self.anyway.say(tr("Fetch it all the same") if view["kind"] == "pull" else tr("Import it all the same"))

    def _go(self) -> None:
        self._act("pause" if self.view["state"] == "running" else "resume", self.view)

    def _told(self, view: TransferView) -> str:
        counted = tr(
            "{done} of {total}", done=words.decimal_bytes(view["done"]), total=words.decimal_bytes(view["total"])
        )
        if view["state"] == "done":
            return tr("It is there ({size}).", size=words.decimal_bytes(view["total"]))
        if view["state"] != "running":
            said = f"{view['sentence']} {view['remedy']}".strip()
            return f"{counted}. {said}" if view["total"] else said
        parts = [_status(view["status"])]
        if view["total"]:
            parts.append(counted)
        speed = self._speed.note(view["done"], time.monotonic())
        if speed > 0 and view["done"] < view["total"]:
            parts.append(tr("{size} a second", size=words.decimal_bytes(int(speed))))
            left = words.duration(int(1000 * (view["total"] - view["done"]) / speed))
            parts.append(tr("{time} left", time=left))
        return " · ".join(parts)


def _status(status: str) -> str:
    for begin, word in _STATUS:
        if status.startswith(begin):
            return tr(word)
    return status or tr("It begins")


class TransferList(QWidget):
    """The rows, oldest first; it is hidden while there is none."""

    def __init__(self, theme: Theme, act: Act) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.setAccessibleName(tr("Models on their way"))
        self._theme, self._act = theme, act
        self.rows: dict[str, TransferRow] = {}
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        self.hide()

    def show_all(self, views: list[TransferView]) -> bool:
        """Show these; answers whether one of them became done since."""
        came = False
        wanted = {view["transfer"] for view in views}
        for name in [name for name in self.rows if name not in wanted]:
            gone = self.rows.pop(name)
            gone.hide()
            gone.deleteLater()
        for view in views:
            one = self.rows.get(view["transfer"])
            if one is None:
                one = self.rows[view["transfer"]] = TransferRow(self._theme, view, self._act)
                self._layout.addWidget(one)
            else:
                came = came or (view["state"] == "done" and one.view["state"] != "done")
                one.show_view(view)
        self.setVisible(bool(views))
        return came
