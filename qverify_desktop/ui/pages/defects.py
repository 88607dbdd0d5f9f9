"""Suspected defects of a run, ranked, each with the words it contradicts; a person confirms or dismisses them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import DefectView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.models.decisions import Decisions
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.pages.defects_detail import DefectDetailPane
from qverify_desktop.ui.pages.defects_list import DefectListPane
from qverify_desktop.ui.pages.exporting import Exporter
from qverify_desktop.ui.pages.unfinished import show_unfinished
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.widgets.master_detail import MasterDetail
from qverify_desktop.ui.widgets.state_view import Shown

GROUP = later("Suspected defects")


class DefectsPage(RunPage):
    """List left, proof right. Decisions go to the engine in their order and are shown at once."""

    leads = False

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.defects: list[DefectView] = []
        self._decisions = Decisions(desk.bridge, "defect_decide", self)
        self._decisions.refused.connect(self._not_decided)
        self._decisions.settled.connect(self._settled)
        self._exporter = Exporter(self, "defects", ("sarif",), GROUP)
        self._register()
        self.list = DefectListPane(desk)
        self.detail = DefectDetailPane(desk)
        self.panes = MasterDetail(desk.theme, desk.preferences, "defects", self.list, self.detail)
        self.shown = Shown(desk.theme, self.panes)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # The window says how small it may be; what has no room is left out.
        layout.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        layout.addWidget(self.shown)
        self._asked = ("", "")
        self._wanted = ""
        self._stale = False
        self.list.chosen.connect(self._choose)
        self.list.opened.connect(self._open)
        self.list.list.opened.connect(self._read)
        self.detail.foot.dismissed.connect(self._dismiss)
        self.panes.returned.connect(self.list.list.setFocus)

    # Acts

    def _register(self) -> None:
        def act(id_: str, title: str, run: Callable[[], object], keys: str = "", icon: str = "", **more: Any) -> None:
            self.desk.actions.add(Act(f"defects.{id_}", title, GROUP, run, keys, icon, place="defects", **more))

        chosen, decided = self._none_chosen, self._not_yet
        act("confirm", later("Confirm defect"), self._confirm, "C", "check", single=True, reason=chosen)
        act("dismiss", later("Dismiss defect"), self._ask_note, "D", "x", single=True, reason=chosen)
        act("take_back", later("Take back the decision"), self._take_back, reason=decided)
        act("editor", later("Open in editor"), self._open_editor, icon="external", reason=self._no_file)
        act("issue", later("Copy as issue"), self._copy_issue, icon="copy", reason=chosen)

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("defects.export.sarif",) if self.defects and not self._exporter.reason() else ()

    def _none_chosen(self) -> str:
        return "" if self.detail.defect is not None else tr("Choose a suspected defect first.")

    def _not_yet(self) -> str:
        one = self.detail.defect
        return "" if one is not None and one["decision"] else tr("Nothing was decided about it.")

    def _no_file(self) -> str:
        one = self.detail.defect
        if one is None:
            return tr("Choose a suspected defect first.")
        return "" if one["file_on_disk"] else tr("The file is not on this machine any more.")

    # Decisions

    def _confirm(self) -> None:
        self.detail.foot.give_up()
        self._decide("confirmed")

    def _ask_note(self) -> None:
        self.panes.show_detail()
        self.detail.foot.ask_note()

    def _dismiss(self, note: str) -> None:
        self._decide("dismissed", note)
        self.list.list.setFocus()

    def _take_back(self) -> None:
        self._decide("")

    def _decide(self, decision: str, note: str = "") -> None:
        one = self.detail.defect
        if one is not None and (one["decision"], one["note"]) != (decision, note):
            self._put(self.place.run, one["id"], decision, note)

    def _put(self, run: str, id_: str, decision: str, note: str) -> None:
        """Shown at once; when the engine refuses it, what it holds is read again."""
        self._decisions.send(run=run, defect=id_, decision=decision, note=note)
        if run != self.place.run:
            return
        changed = [
            DefectView(**{**one, "decision": decision, "note": note}) if one["id"] == id_ else one
            for one in self.defects
        ]
        self._show(changed)
        if self.context is not None:
            self.context.decided.emit()

    def _not_decided(self, error: QVerifyError) -> None:
        self.desk.front.tell_error(error)
        self._ask_defects()

    # The run

    def begin_run(self) -> None:
        self._asked = ("", "")
        self.shown.show_waiting()
        self.detail.show_none()
        self.detail.forget_source()
        self.defects = []
        self.list.fill([])
        self.list.begin()

    def enter(self, place: Place) -> None:
        self._asked = ("", "")
        self._wanted = place.item
        super().enter(place)
        self._choose_wanted()

    def show_run(self) -> None:
        assert self.context is not None
        self.desk.actions.update()
        if self.context.status != "finished":
            show_unfinished(self.desk, self.shown, self.context)
            return
        self.detail.run = self.context.run
        asked = (self.context.run, self.context.status)
        if asked != self._asked:
            self._asked = asked
            self._ask_defects()

    def _ask_defects(self) -> None:
        self.desk.bridge.ask(self, "run_defects", self._take, failed=self._fail, key="defects", run=self.place.run)

    def _take(self, defects: list[DefectView]) -> None:
        self._stale = self._decisions.busy
        if self._stale:
            return
        if defects:
            self.shown.show_content()
        else:
            self._show_empty()
        self._show(defects)
        self.retitled.emit()

    def _settled(self) -> None:
        """An answer that came while decisions were on their way is asked for again."""
        if self._stale and self.context is not None:
            self._ask_defects()

    def _fail(self, error: QVerifyError) -> None:
        self.shown.show_state().show_error(error, self._ask_defects)

    def _show(self, defects: list[DefectView]) -> None:
        self.defects = defects
        self.list.fill(defects)
        self._choose_wanted()
        shown = self.detail.defect
        now = next((one for one in defects if shown is not None and one["id"] == shown["id"]), None)
        if now is not None:
            self.detail.show_defect(now)
        self.desk.actions.update()

    def _show_empty(self) -> None:
        overview = self.context.overview if self.context is not None else {}
        targets = int(overview.get("targets", 0))
        checked = trn(
            "{n} target was checked against what your documentation says.",
            "{n} targets were checked against what your documentation says.",
            targets,
        )
        words = tr("{checked} That is not proof that there are none.", checked=checked)
        go = partial(self.desk.front.go, Place("results", run=self.place.run))
        self.shown.show_state().show_state(
            "circle-check",
            tr("No suspected defects"),
            words,
            token="success",
            button=(tr("See what was checked"), go),
        )

    def _choose_wanted(self) -> None:
        if self._wanted and self.list.choose(self._wanted):
            self._wanted = ""
            self.panes.show_detail()

    def _choose(self, one: DefectView | None) -> None:
        if one is not None:
            self.detail.show_defect(one)
        else:
            self.detail.show_none(filtered=bool(self.defects))
        self.desk.actions.update()

    def _open(self, _: DefectView) -> None:
        self.panes.show_detail()

    def _read(self, _: DefectView) -> None:
        """Enter goes on into the reproducer; Escape comes back."""
        self.panes.show_detail()
        self.detail.code.setFocus()

    def _open_editor(self) -> None:
        one = self.detail.defect
        if one is not None:
            self.desk.front.open_in_editor(one["file_on_disk"], one["line"])

    def _copy_issue(self) -> None:
        one = self.detail.defect
        if one is not None:
            self.desk.front.copy(one["issue"], tr("The issue is copied as Markdown."))

    # Focus

    def focus_filter(self) -> bool:
        self.panes.show_master()
        self.list.filter.setFocus()
        self.list.filter.selectAll()
        return True

    def focus_content(self) -> None:
        self.list.list.setFocus()


__all__ = ["DefectsPage"]
