"""Joins window and engine: acts, menus, palette, news of runs, tray and closing. The frame itself is ``shell``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import KeysView, SettingsView
from qverify_desktop.domain.usage_views import CallsInDoubtView
from qverify_desktop.domain.views import InquiryView, RepositoryView, RunView
from qverify_desktop.ui import acts
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.drops import of_paths
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Notice, Place
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.sheets.closing import ClosingSheet
from qverify_desktop.ui.sheets.passphrase import UnlockSheet
from qverify_desktop.ui.shell import Shell
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.palette import Entry, Palette
from qverify_desktop.ui.widgets.words import look_of_run, moment

#: News of runs are asked for at most this often.
NEWS_MS = 400
LIVE = ("queued", "running")


def _not_known(_error: QVerifyError) -> None:
    """An owner of an older version does not know the question."""


class Window(Shell):
    """The whole window. ``quitting`` is emitted when it may end."""

    quitting = Signal()

    def __init__(self, theme: Theme, bridge: EngineBridge, preferences: Preferences) -> None:
        super().__init__(theme, bridge, preferences)
        self.listed: list[RunView] = []
        self._seen: dict[str, str] = {}
        self._asked: set[tuple[str, str]] = set()
        self._repositories: list[RepositoryView] = []
        self._tray: QSystemTrayIcon | None = None
        self._menu: QMenu | None = None
        self._waiting: list[str] = []
        self._asked_passphrase = False
        acts.register(self)
        self.bind_acts()
        self.palette_ = Palette(theme, self, self._gather)
        self._news = QTimer(self, interval=NEWS_MS, singleShot=True)
        self._news.timeout.connect(self._ask_news)
        bridge.ready.connect(self._ready)
        bridge.unavailable.connect(self._unavailable)
        bridge.problem.connect(self.front.tell_error)
        bridge.changed.connect(self._changed)
        bridge.handed_over.connect(self._handed_over)
        self.closing.connect(self._close)
        self.rail.menu_wanted.connect(self._pop_menu)
        self.go(Place("home"))

    # -- the engine's news

    def open_sources(self, sources: Sequence[str]) -> None:
        """Open folders, URLs or bundles; before the engine is up they wait for it."""
        if self.bridge.is_ready:
            self.take(of_paths(list(sources)))
        else:
            self._waiting.extend(sources)

    def _ready(self) -> None:
        self._ask_news()
        self.bridge.ask(self, "doctor_checks", self._show_health)
        self.bridge.ask(self, "settings", self._show_network)
        self.page.enter(self.place)
        if self.sheets.sheet is None:
            self.page.focus_content()
        self.bridge.ask(self, "calls_in_doubt", self._tell_doubts, failed=_not_known)
        self.bridge.ask(self, "keys", self._ask_passphrase, failed=_not_known)
        waiting, self._waiting = self._waiting, []
        if waiting:
            self.take(of_paths(waiting))

    def _tell_doubts(self, found: CallsInDoubtView) -> None:
        """Once: calls that were open when QVerify ended before."""
        if found["calls"]:
            told = trn(
                "{n} call to {where} was open when QVerify ended and may have been charged. Budgets count it so.",
                "{n} calls to {where} were open when QVerify ended and may have been charged. Budgets count them so.",
                found["calls"],
                where=", ".join(sorted(found["where"])),
            )
            self.front.tell(Notice(told, "warning", tr("Show usage"), lambda: self.go(Place("usage"))))

    def _ask_passphrase(self, keys: KeysView) -> None:
        """Once per start; where something else is open already, it waits for the person."""
        if keys["file"] != "locked" or self._asked_passphrase:
            return
        self._asked_passphrase = True

        def ask() -> None:
            self.front.open_sheet(UnlockSheet(self.desk, keys["problem"]))

        if self.sheets.sheet is None:
            ask()
        else:
            told = tr("The key file is locked, so none of its keys is used.")
            self.front.tell(Notice(told, "info", tr("Open…"), ask))

    def _unavailable(self, error: QVerifyError) -> None:
        self.status.health.say(tr("The engine is not running"), "square-x", "danger", error.sentence)
        self.front.tell_error(error)

    def _changed(self, run: str) -> None:
        self.runs.changed(run)
        if not self._news.isActive():
            self._news.start()

    def _ask_news(self) -> None:
        self.bridge.ask(self, "run_list", self._show_runs, key="news")
        self.bridge.ask(self, "repositories", self._show_repositories, key="repositories")
        self.bridge.ask(self, "inquiries", self._show_inquiries, failed=lambda _: None, key="inquiries")

    def _show_runs(self, runs: list[RunView]) -> None:
        self.listed = runs
        live = [run for run in runs if run["status"] in LIVE]
        self.rail.set_remark("runs", trn("{n} running", "{n} running", len(live)) if live else "")
        self.running_run = live[0]["run"] if live else ""
        self.status.running.say(
            tr("{name}: {stage}", name=live[0]["name"], stage=live[0]["stage"] or tr("queued")) if live else "",
            "ring-arc",
            "accent-text",
        )
        for run in runs:
            before = self._seen.get(run["run"])
            if before in LIVE and run["status"] not in LIVE:
                self._tell_end(run)
            self._seen[run["run"]] = run["status"]
        self.page.refresh("")

    def _tell_end(self, run: RunView) -> None:
        """A toast, and a message of the desktop when the window is not looked at."""
        look = look_of_run(run)
        kind = "success" if look.token == "success" else "warning"
        text = f"{run['name']}: {run['sentence'] or look.text()}"
        if self.place.run != run["run"] or not self.isActiveWindow():
            place = Place("results" if run["status"] == "finished" else "progress", run=run["run"])
            self.front.tell(Notice(text, kind, tr("Show"), lambda: self.go(place)))
        tray = self._tray_icon()
        if tray is not None and not self.isActiveWindow():
            tray.showMessage("QVerify", text)

    def _show_inquiries(self, inquiries: list[InquiryView]) -> None:
        """A run that waits for an answer says so wherever the person is, once."""
        waiting = {(one["run"], one["name"]): one for one in inquiries}
        for key in waiting.keys() - self._asked:
            place = Place("progress", run=key[0])
            text = tr("A run waits for your answer: {question}", question=waiting[key]["sentence"])
            if self.place != place:
                self.front.tell(Notice(text, "warning", tr("Answer"), partial(self.go, place)))
            tray = self._tray_icon()
            if tray is not None and not self.isActiveWindow():
                tray.showMessage("QVerify", text)
        self._asked = set(waiting)

    def _show_repositories(self, repositories: list[RepositoryView]) -> None:
        self._repositories = repositories
        self.rail.show_pinned([one for one in repositories if one["pinned"]])

    def _show_health(self, checks: list[dict[str, object]]) -> None:
        bad = [check for check in checks if check["state"] != "ok"]
        if any(check["state"] == "blocking" for check in bad):
            self.status.health.say(tr("Something is missing"), "square-x", "danger", str(bad[0]["sentence"]))
        elif bad:
            remarks = trn("Ready, {n} remark", "Ready, {n} remarks", len(bad))
            self.status.health.say(remarks, "triangle-alert", "warning", str(bad[0]["sentence"]))
        else:
            self.status.health.say(tr("Ready"), "circle-check", "success")

    def _show_network(self, settings: SettingsView) -> None:
        if settings["air_gap"]:
            self.status.network.say(tr("Network: none (air gap)"), "airgap")
        else:
            hosted = bool(settings["hosted_regions"])
            words_ = tr("Network: models and hosted service") if hosted else tr("Network: model calls only")
            self.status.network.say(words_, "globe", tip=tr("Tests never have a network."))

    def _handed_over(self, sources: list[str]) -> None:
        self.show_again()
        if sources:
            self.open_sources(sources)

    # -- view

    def open_palette(self) -> None:
        self.palette_.open()

    def _gather(self) -> Iterator[Entry]:
        for act in self.registry:
            if act.id == "palette" or (act.place and act.place != self.place.page):
                continue
            yield Entry(act.words(), tr(act.group), act.run, act.keys, act.icon or "command", act.reason())
        for repository in self._repositories:
            place = Place("repository", item=repository["source"])
            yield Entry(
                repository["name"],
                tr("Repository"),
                partial(self.go, place),
                icon="folder",
                detail=repository["source"],
            )
        for run in self.listed[:200]:
            place = Place("run", run=run["run"])
            look = look_of_run(run)
            title = tr("Run of {name}", name=run["name"])
            detail = f"{look.text()}, {moment(run['started_at'])}"
            yield Entry(title, tr("Run"), partial(self.go, place), icon=look.icon, detail=detail)

    def _pop_menu(self) -> None:
        """The menu below its button; it is made anew, because pages add acts."""
        if self._menu is not None:
            self._menu.deleteLater()
        self._menu = self._make_menu()
        self._menu.popup(self.rail.menu.mapToGlobal(self.rail.menu.rect().bottomLeft()))

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        groups: dict[str, QMenu] = {}
        for act in self.registry:
            if act.place:
                continue
            if act.group not in groups:
                groups[act.group] = menu.addMenu(tr(act.group))
            groups[act.group].addAction(self.registry.action(act.id))
        self.registry.update()
        return menu

    # -- closing and the tray

    def _close(self) -> None:
        """Ask the engine what runs now: the list on the screen may be half a second old."""
        if not self.bridge.is_ready:
            self.quitting.emit()
            return
        self.bridge.ask(self, "run_list", self._close_over, failed=lambda _: self.quitting.emit(), key="closing")

    def _close_over(self, runs: list[RunView]) -> None:
        live = [run for run in runs if run["status"] in LIVE]
        if not live:
            self.quitting.emit()
            return
        if self.sheets.sheet is not None and isinstance(self.sheets.sheet, ClosingSheet):
            return
        keep = self._into_tray if self._tray_icon() is not None else None
        self.front.open_sheet(ClosingSheet(self.theme, len(live), self.quitting.emit, keep))

    def _tray_icon(self) -> QSystemTrayIcon | None:
        if self._tray is None and QSystemTrayIcon.isSystemTrayAvailable():
            self._tray = QSystemTrayIcon(self.theme.icon("shield-check", "accent-text", 24), self)
            self._tray.setToolTip("QVerify")
            self._tray.activated.connect(self.show_again)
            self._tray.messageClicked.connect(self.show_again)
            menu = QMenu(self)
            menu.addAction(tr("Show the window"), self.show_again)
            menu.addAction(tr("Stop and close"), self.quitting.emit)
            self._tray.setContextMenu(menu)
        return self._tray

    def _into_tray(self) -> None:
        if self._tray is not None:
            self._tray.show()
            self.hide()

    def show_again(self) -> None:
        """From the tray or another start: on screen and in front."""
        self.show()
        self.raise_()
        self.activateWindow()
