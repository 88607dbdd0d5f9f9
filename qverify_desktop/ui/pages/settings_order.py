"""The person's order of models on the settings page: what ``models.toml`` says, and what is wrong in it."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import DeploymentsView, DeploymentView
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, column, empty, frame, label, row


class OrderCard(QWidget):
    """End points in the order in which they are asked for the model ``auto``."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._path = ""
        self.movers: list[tuple[IconButton, IconButton]] = []
        theme = desk.theme
        self._told = label("", wrap=True)
        self._list = QGridLayout()
        self._list.setHorizontalSpacing(16)
        self._list.setVerticalSpacing(10)
        self._list.setColumnStretch(2, 1)
        self._problem = label("", "small", "danger", wrap=True, select=True)
        self._where = label("", "small", "muted", wrap=True, select=True)
        self.edit = Button(theme, tr("Edit file"), self._edit, icon="file", size="small")
        self.reload = Button(theme, tr("Read again"), self.ask, icon="refresh", size="small")
        foot = row(self._where, self.reload, self.edit, gap=8)
        foot.setStretch(0, 1)
        card = frame("card")
        card.setLayout(column(self._told, self._list, self._problem, foot, gap=12, margins=(16, 12, 16, 12)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(card)
        self._problem.hide()

    def ask(self) -> None:
        """Read the file again."""
        self._desk.bridge.ask(self, "deployments", self.show_order, failed=self._failed, key="order")

    def show_order(self, view: DeploymentsView) -> None:
        self._path = view["path"]
        self._where.setText(view["path"])
        self._say(view["problem"])
        self.edit.say(tr("Edit file") if view["exists"] else tr("Make the file"))
        if view["problem"]:
            self._told.setText(tr("The file can't be used. The order that was read before it counts on."))
        elif view["deployments"]:
            self._told.setText(
                tr("Where the model is auto, these are asked from top to bottom; the first that answers wins.")
            )
        else:
            self._told.setText(
                tr("Where the model is auto, end points are asked in the order of a file. None is named in it yet.")
            )
        empty(self._list)
        self.movers = []
        for at, one in enumerate(view["deployments"]):
            self._add_row(at, one, len(view["deployments"]))

    def _add_row(self, at: int, one: DeploymentView, count: int) -> None:
        theme, top = self._desk.theme, Qt.AlignmentFlag.AlignTop
        tone = "" if one["enabled"] else "muted"
        icon = "circle-slash" if not one["enabled"] else "lock" if one["place"] == "local" else "globe"
        where = tr("on this machine") if one["place"] == "local" else tr("elsewhere: prompts leave this machine")
        parts = [f"{one['wire']}, {one['model']}", one["base"], where if one["enabled"] else tr("switched off")]
        parts += [f"{purpose}: {model}" for purpose, model in one["models"].items()]
        limits = [
            trn("{n} request a minute", "{n} requests a minute", one["requests_per_minute"])
            if one["requests_per_minute"]
            else "",
            trn("{n} token a minute", "{n} tokens a minute", one["tokens_per_minute"])
            if one["tokens_per_minute"]
            else "",
            tr("{n} at once", n=one["at_once"]) if one["at_once"] else "",
        ]
        number = label(f"{at + 1}", "body", "muted")
        self._list.addWidget(number, at, 0, top)
        self._list.addWidget(IconLabel(theme, icon), at, 1, top)
        told = column(
            label(one["name"], "strong", tone, wrap=True),
            label(" · ".join(part for part in (*parts, *limits) if part), "small", "muted", wrap=True),
            gap=2,
        )
        self._list.addLayout(told, at, 2)
        if count > 1:
            up = IconButton(
                theme, "chevron-up", tr("Ask {name} earlier", name=one["name"]), partial(self._move, at, at - 1)
            )
            down = IconButton(
                theme, "chevron-down", tr("Ask {name} later", name=one["name"]), partial(self._move, at, at + 1)
            )
            up.setEnabled(at > 0)
            down.setEnabled(at < count - 1)
            self.movers.append((up, down))
            self._list.addLayout(row(up, down, gap=0), at, 3)

    def _move(self, at: int, to: int) -> None:
        """The focus stays with the end point that was moved, so that it can be moved on."""

        def moved(view: DeploymentsView) -> None:
            self.show_order(view)
            if to < len(self.movers):
                up, down = self.movers[to]
                ahead, back = (up, down) if to < at else (down, up)
                (ahead if ahead.isEnabled() else back).setFocus()

        self._desk.bridge.ask(self, "deployments_move", moved, failed=self._failed, key="move", at=at, to=to)

    def _edit(self) -> None:
        def made(view: DeploymentsView) -> None:
            self.show_order(view)
            self._desk.front.open_in_editor(view["path"], 1)

        self._desk.bridge.ask(self, "deployments_begin", made, failed=self._failed, key="begin")

    def _failed(self, error: QVerifyError) -> None:
        self._say(f"{error.sentence} {error.remedy}".strip())

    def _say(self, problem: str) -> None:
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
