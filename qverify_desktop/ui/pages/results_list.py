"""The tree of a run's tests with its filter, status chips, grouping and what can be done to all that is shown."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, QPoint, Qt, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from qverify_desktop.domain.result_views import TestView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.models.results import (
    CHIPS,
    FLAKY,
    GROUPINGS,
    TestSet,
    chip_words,
    leaf,
    searched,
    status_of,
)
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconButton, column, row
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tree import Tree, TreeModel
from qverify_desktop.ui.widgets.words import TEST

_LOOK_OF_CHIP = {"kept": "accepted", "refused": "refused", "suspected": "suspected", "flaky": "flaky"}
#: Acts on all tests that the tree shows.
ALL = ("results.accept_all", "results.refuse_all", "results.take_back_all")


class TestListPane(QWidget):
    """``chosen`` gives the test that became current (``None`` for none), ``opened`` the one that is wanted larger."""

    __test__ = False

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, desk: Desk, tests: TestSet) -> None:
        super().__init__()
        self.desk, self.tests = desk, tests
        theme = desk.theme
        grouping = desk.preferences.text("results.grouping", "file")
        self._grouping = grouping if grouping in GROUPINGS else "file"
        _, group, told = GROUPINGS[self._grouping]
        self.model: TreeModel[TestView] = TreeModel(leaf, _id_of, group, told, status_of, text=searched, parent=self)
        self.tree = Tree(theme, self.model, tr("Tests"))
        self.filter = FilterField(theme, tr("Filter tests, !word leaves out"))
        self.chips = FilterChips(theme, tr("Outcome"))
        self.grouping = Button(theme, "", self._pop_groupings, kind="ghost", size="small", icon="chevron-down")
        # The chevron stands behind the words.
        self.grouping.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self.more = IconButton(theme, "dots", tr("All tests that are shown"), self._pop_all, token="text-muted")
        self._menu: QMenu | None = None
        self._unopened = True
        self._wanted = ""
        self.shown = Shown(theme, self.tree)
        self._build()
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.tree.setFocus)
        self.chips.changed.connect(self._choose_statuses)
        self.model.arranged.connect(self._arranged)
        self.tree.chosen.connect(self.chosen)
        self.tree.opened.connect(self.opened)
        self.tree.clicked.connect(self._clicked)
        tests.changed.connect(self._fill)
        self._say_grouping()

    def _build(self) -> None:
        tools = row(self.filter, self.grouping, self.more, gap=4)
        tools.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(column(tools, self.chips, gap=8, margins=(12, 12, 12, 6)))
        layout.addWidget(self.shown, 1)

    # What the page does

    def begin(self) -> None:
        """Another run is shown."""
        self._unopened, self._wanted = True, ""
        self.clear_filter()

    def choose(self, id_: str) -> None:
        """Choose a test as soon as it is there, and open it; a filter that hides it is cleared."""
        self._wanted = id_
        self._seek()

    def _seek(self) -> None:
        wanted = self._wanted
        if not wanted:
            return
        if self.tree.choose(wanted):
            self._wanted = ""
            self.opened.emit(self.tree.value())
        elif self.tests.get(wanted) is not None and (self.model.filtering or self.chips.on()):
            self.clear_filter()

    def choose_next(self) -> None:
        """Go on to the next test below, across groups; stay at the last."""
        index = self._next_leaf(self.tree.currentIndex())
        value = self.model.value_of(index) if index.isValid() else None
        if value is not None:
            self.tree.choose(value["id"])

    def clear_filter(self) -> None:
        self.filter.clear()
        self.filter.apply()
        self.chips.set_on(frozenset())

    def use_grouping(self, name: str) -> None:
        """``file``, ``outcome`` or ``test-file``; remembered."""
        self._grouping = name
        self.desk.preferences.set("results.grouping", name)
        current = self.tree.value()
        self._wanted = current["id"] if current is not None else ""
        self.model.regroup(*GROUPINGS[name][1:])
        self._say_grouping()

    # How

    def _next_leaf(self, index: QModelIndex) -> QModelIndex:
        """The first leaf after an index in the order of the tree; invalid after the last."""
        model = self.model
        while index.isValid():
            below = index.siblingAtRow(index.row() + 1)
            if below.isValid():
                return self._first_leaf(below)
            index = model.parent(index)
        return QModelIndex()

    def _first_leaf(self, index: QModelIndex) -> QModelIndex:
        while self.model.path_of(index) is not None:
            index = self.model.index(0, 0, index)
        return index

    def _fill(self) -> None:
        counts = self.tests.chips()
        choices = []
        for chip in CHIPS:
            if chip == FLAKY and not counts[chip]:
                continue
            look = TEST[_LOOK_OF_CHIP[chip]]
            choices.append(Choice(chip, chip_words(chip), look.icon, look.token, counts[chip]))
        self.chips.show_choices(choices)
        self.model.fill(self.tests.tests)

    def _choose_statuses(self, on: frozenset[str]) -> None:
        statuses = frozenset().union(*(CHIPS[chip] for chip in on)) if on else None
        self.model.set_statuses(statuses)

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        if shown:
            self.shown.show_content()
            self._seek()
            if self._unopened:
                self._unopened = False
                self.tree.choose_first()
        elif total:
            self._seek()
            typed = self.filter.text().strip()
            heading = tr("No test matches “{words}”", words=typed) if typed else tr("No test is of this kind")
            words = tr("The run has {n} tests. A word after ! is left out.", n=f"{total:,}")
            button = (tr("Clear filter"), self.clear_filter)
            self.shown.show_state().show_state("filter", heading, words, button=button)
        else:
            words = tr("Nothing was found that lacks a test, or no way to write one. The report says more.")
            self.shown.show_state().show_state("flask", tr("No test was written"), words)
        self.desk.actions.update()

    def _clicked(self, index: QModelIndex) -> None:
        value = self.model.value_of(index)
        if value is not None:
            self.opened.emit(value)

    def _say_grouping(self) -> None:
        self.grouping.say(tr(GROUPINGS[self._grouping][0]))
        self.grouping.setAccessibleDescription(tr("How tests are grouped"))

    def _pop_groupings(self) -> None:
        menu = self._fresh_menu()
        group = QActionGroup(menu)
        for name, (title, _, _) in GROUPINGS.items():
            action = menu.addAction(tr(title), partial(self.use_grouping, name))
            action.setCheckable(True)
            action.setChecked(name == self._grouping)
            group.addAction(action)
        menu.popup(self.grouping.mapToGlobal(QPoint(0, self.grouping.height())))

    def _pop_all(self) -> None:
        menu = self._fresh_menu()
        for id_ in ALL:
            menu.addAction(self.desk.actions.action(id_))
        self.desk.actions.update()
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    def _fresh_menu(self) -> QMenu:
        if self._menu is not None:
            self._menu.deleteLater()
        self._menu = QMenu(self)
        return self._menu


def _id_of(test: TestView) -> str:
    return test["id"]
