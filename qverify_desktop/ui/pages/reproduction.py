"""A bundle executed again: how far it is, then what it came to, and every test as it ended then and here."""

from __future__ import annotations

import shutil
from collections import Counter
from functools import partial
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.reproduction import ComparedView, ReproductionView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.evidence_parts.reproduced import STATES, ComparedDetail, OutcomeBand, kind_of
from qverify_desktop.ui.widgets.basics import column, holder
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.master_detail import MasterDetail
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

#: Milliseconds between an answer and the next question; the engine waits until there is news.
PAUSE_MS = 100
_ORDER = ("differs", "flaky", "not_run", "agrees")


class ReproductionPage(Page):
    """``place.item`` is the reproduction's name."""

    leads = False

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._view: ReproductionView | None = None
        self.band = OutcomeBand(theme)
        self.model: TableModel[ComparedView] = TableModel(_columns(), key=lambda one: one["id"], parent=self)
        self.table = Table(theme, self.model, tr("Tests"), height="rich", plain=True)
        self.table.chosen.connect(self._choose)
        self.filter = FilterField(theme, tr("Filter tests"))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.table.setFocus)
        self.model.arranged.connect(self.filter.say_count)
        self.chips = FilterChips(theme, tr("Show tests that"))
        self.chips.changed.connect(self._accept)
        self.detail = ComparedDetail(theme)
        list_ = holder(column(column(self.filter, self.chips, gap=8, margins=(12, 12, 12, 6)), self.table, gap=0))
        self.split = MasterDetail(theme, desk.preferences, "reproduction", list_, self.detail, least=360)
        self.split.returned.connect(self.table.setFocus)
        self.table.opened.connect(lambda _: self.split.show_detail())
        self._shown = Shown(theme, self.split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.band)
        layout.addWidget(self._shown, 1)
        self._next = QTimer(self)
        self._next.setSingleShot(True)
        self._next.setInterval(PAUSE_MS)
        self._next.timeout.connect(self._ask)
        group = later("Evidence")
        for id_, title, run, icon, reason in (
            ("bundle", later("Back to the bundle"), self._back, "refresh", self._still_running),
            ("stop", later("Stop"), self._stop, "square-stop", self._not_running),
            ("report", later("Open report"), self._open, "report", self._no_record),
            ("save", later("Save signed record…"), self._save, "download", self._no_record),
        ):
            desk.actions.add(
                Act(f"reproduction.{id_}", title, group, run, icon=icon, place="reproduction", reason=reason)
            )

    def title(self) -> str:
        return tr("Executed again")

    def subtitle(self) -> str:
        return Path(self._view["original"]["bundle"]).name if self._view is not None else ""

    @property
    def buttons(self) -> tuple[str, ...]:
        if self._view is not None and self._view["state"] == "running":
            return ("reproduction.stop",)
        reproduced = self._view is not None and self._view["outcome"] == "reproduced"
        return (*(() if reproduced else ("reproduction.bundle",)), "reproduction.report", "reproduction.save")

    def enter(self, place: Place) -> None:
        if place.item != self.place.item:
            self._view = None
            self.filter.clear()
            self.chips.set_on(frozenset())
        super().enter(place)
        self._ask()

    def leave(self) -> None:
        self._next.stop()

    def again(self) -> None:
        self._ask()

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    # -- what goes on

    def _ask(self) -> None:
        after = self._view["version"] if self._view is not None else -1
        self.desk.bridge.ask(
            self,
            "reproduction",
            self._show,
            failed=self._failed,
            key="reproduction",
            id=self.place.item,
            after=after if self._view is not None and self._view["state"] == "running" else -1,
        )

    def _show(self, view: ReproductionView) -> None:
        ended = self._view is None or self._view["state"] != view["state"]
        self._view = view
        self.band.show_view(view)
        if view["state"] == "running":
            self._shown.show_waiting(tr("Every test runs five times, each time in a fresh sandbox."))
            self._next.start()
        elif view["tests"]:
            self._fill(view)
        else:
            self._show_nothing(view)
        if ended:
            self.retitled.emit()
        self.desk.actions.update()

    def _fill(self, view: ReproductionView) -> None:
        tests = sorted(
            view["tests"], key=lambda one: (_ORDER.index(kind_of(one)), one["verdict"] != "suspected", one["id"])
        )
        self.model.fill(tests)
        counts = Counter(kind_of(one) for one in tests)
        self.chips.show_choices(
            [
                Choice(state, STATES[state].text(), STATES[state].icon, STATES[state].token, counts[state])
                for state in _ORDER
                if counts[state]
            ]
        )
        self._shown.show_content()
        if tests and self.table.value() is None:
            self.table.choose(tests[0]["id"])

    def _show_nothing(self, view: ReproductionView) -> None:
        error = view["error"]
        words = " ".join([*view["problems"][:5], str(error.get("remedy", ""))]).strip()
        heading = tr("Nothing was executed") if view["state"] != "stopped" else tr("Stopped")
        self._shown.show_state().show_state(
            "circle-slash",
            heading,
            words or view["sentence"],
            button=(
                tr("Back to the bundle"),
                partial(self.desk.front.go, Place("bundle", item=view["original"]["bundle"])),
            ),
        )

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self._ask)

    def _choose(self, one: ComparedView | None) -> None:
        if one is not None:
            self.detail.show_test(one)

    def _accept(self, states: frozenset[str]) -> None:
        self.model.set_accepts((lambda one: kind_of(one) in states) if states else None)

    # -- acts

    def _not_running(self) -> str:
        running = self._view is not None and self._view["state"] == "running"
        return "" if running else tr("Nothing is being executed.")

    def _still_running(self) -> str:
        return tr("It is still being executed.") if self._view is None or not self._not_running() else ""

    def _back(self) -> None:
        """To the bundle, where it can be executed again with another image or packages."""
        if self._view is not None:
            self.desk.front.go(Place("bundle", item=self._view["original"]["bundle"]))

    def _no_record(self) -> str:
        there = self._view is not None and self._view["record"]["bundle"]
        return "" if there else tr("There is a record once everything was executed.")

    def _stop(self) -> None:
        self.desk.bridge.ask(self, "reproduction_stop", self._show, id=self.place.item)

    def _open(self) -> None:
        if self._view is not None:
            self.desk.front.open_path(self._view["record"]["report"])

    def _save(self) -> None:
        if self._view is None:
            return
        kept = Path(self._view["record"]["bundle"])

        def save(path: str) -> None:
            try:
                shutil.copyfile(kept, path)
            except OSError as error:
                self.desk.front.tell_error(
                    BadInput(tr("The record can't be written to {path}.", path=path), str(error.strerror or ""))
                )
                return
            self.desk.front.tell(
                Notice(tr("The signed record is saved. Hand it back to whoever made the bundle."), "success")
            )

        self.desk.front.save_as(kept.name, tr("Evidence bundles (*.qvevidence.zip)"), save)


def _about(one: ComparedView) -> str:
    return f"{tr('suspected defect')} · {one['target']}" if one["verdict"] == "suspected" else one["target"]


def _columns() -> list[Column[ComparedView]]:
    return [
        Column(
            tr("Test"),
            lambda one: one["id"].rpartition("::")[2],
            sort_key=lambda one: one["id"],
            icon=lambda one: (STATES[kind_of(one)].icon, STATES[kind_of(one)].token),
            detail=_about,
            width=180,
            stretch=3,
        ),
        Column(tr("Then"), lambda one: one["was"], token="text-muted", width=120, stretch=1, from_width=520),
        Column(
            tr("Here"),
            lambda one: one["now"] or STATES[one["state"]].text(),
            token=lambda one: "danger" if one["state"] == "differs" else "text",
            width=120,
            stretch=1,
        ),
    ]
