"""Every page in the real window over scripted answers: sizes, names, languages, nothing there, nothing working."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QWidget,
)

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import language
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages import OTHERS, RAIL, TABS
from qverify_desktop.ui.preferences import Preferences
from tests.ui.samples import reproduction
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN, SOURCE

pytestmark = pytest.mark.ui

PLACES = [
    *(Place(name) for name in RAIL),
    *(Place(name, run=RUN) for name in TABS),
    Place("repository", item=SOURCE),
    Place("compare", run=RUN, item=samples.OTHER),
    Place("bundle", item="/tmp/run.qvevidence.zip"),
    Place("reproduction", item=reproduction.ID),
]
NAMES = [place.page for place in PLACES]


@pytest.fixture
def opened(make, qtbot):
    """``opened(answers, size)`` gives the window with its engine ready."""

    def open_window(answers=None, size=(1440, 900), theme="light"):
        engine, desk = make(samples.answers() if answers is None else answers, theme)
        window = Window(desk.theme, desk.bridge, Preferences(None))
        qtbot.addWidget(window)
        window.resize(*size)
        window.show()
        qtbot.waitUntil(lambda: desk.bridge.is_ready and bool(window.listed or answers is not None))
        return engine, window

    return open_window


def settle(qtbot, engine, turns: int = 12) -> None:
    """Let questions be answered and what is delayed happen."""
    asked = -1
    while asked != len(engine.asked):
        asked = len(engine.asked)
        for _ in range(turns):
            qtbot.wait(15)


def shown(parent: QWidget, kind: type[QWidget]) -> list[QWidget]:
    return [child for child in parent.findChildren(kind) if child.isVisible()]


def unnamed(page: QWidget) -> list[str]:
    """Controls that say nothing of themselves."""
    found = []
    for kind in (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView):
        for control in shown(page, kind):
            inner = isinstance(control.parent(), QComboBox | QAbstractSpinBox) or control.objectName().startswith(
                "qt_"
            )
            text = control.text() if isinstance(control, QAbstractButton) else ""
            if not inner and not control.accessibleName() and not text:
                found.append(f"{type(control).__name__} {control.objectName()}")
    return found


def test_the_list_of_places_is_whole():
    assert set(NAMES) == {*RAIL, *TABS, *OTHERS}


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
@pytest.mark.parametrize("size", [(960, 640), (1440, 900)], ids=["small", "large"])
def test_a_page_fits_its_window_and_every_control_has_a_name(opened, qtbot, place, size):
    engine, window = opened(size=size)
    window.go(place)
    settle(qtbot, engine)
    assert window.place.page == place.page
    assert (window.width(), window.height()) == size, "the page forces the window to grow"
    assert unnamed(window) == []
    right = window.page.mapToGlobal(window.page.rect().topRight()).x()
    beyond = [
        f"{type(control).__name__} {control.accessibleName()}"
        for control in shown(window.page, QAbstractButton)
        if control.mapToGlobal(control.rect().topRight()).x() > right
    ]
    assert beyond == []


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_a_page_has_room_for_longer_words(opened, qtbot, place):
    language.use(language.PSEUDO)
    try:
        engine, window = opened(size=(960, 640))
        window.go(place)
        settle(qtbot, engine)
        assert (window.width(), window.height()) == (960, 640), "longer words force the window to grow"
    finally:
        language.use("en")


EMPTY = {
    "run_list": [],
    "repositories": [],
    "repository_history": [],
    "run_tests": [],
    "run_files": [],
    "run_defects": [],
    "doctor_checks": [],
    "crash_reports": [],
    "models": {"models": [], "sentence": "No model answers.", "remedy": "Start Ollama: ollama serve"},
    "model_usage": {"by": "run", "rows": [], "months": [], "total": {}, "this_month_microusd": 0},
    "run_log": {"total": 0, "start": 0, "lines": []},
    "evidence_log": {"total": 0, "start": 0, "entries": [], "complete": True},
}


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_a_page_with_nothing_to_show_says_so(opened, qtbot, place):
    engine, window = opened(samples.answers(**EMPTY))
    window.go(place)
    settle(qtbot, engine)
    assert any(label for label in texts(window.page)), "an empty page is blank"


def texts(page: QWidget) -> list[str]:
    from PySide6.QtWidgets import QLabel

    return [label.text() for label in shown(page, QLabel) if label.text()]


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_a_page_whose_questions_fail_says_why(opened, qtbot, place):
    broken = {name: BadInput("The disk went away.", "Plug it in.") for name in samples.answers()}
    engine, window = opened(broken)
    window.go(place)
    settle(qtbot, engine)
    told = [*texts(window.page), *(told.notice.text for told in window.toasts.notices)]
    assert any("The disk went away." in text for text in told)


HOSTILE = "<b>x</b>\n\u202egnp.exe\x07" + "A" * 5000


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_hostile_names_stay_text(opened, qtbot, place):
    changed = samples.answers()
    for run in changed["run_list"]:
        run["name"] = run["sentence"] = run["source"] = HOSTILE
    for one in changed["repositories"]:
        one["name"] = one["source"] = HOSTILE
    engine, window = opened(changed, size=(960, 640))
    window.go(place)
    settle(qtbot, engine)
    assert (window.width(), window.height()) == (960, 640)


@pytest.mark.parametrize("theme", ["light", "dark", "high-contrast"])
@pytest.mark.parametrize("zoom", [0.8, 2.0])
def test_pages_follow_theme_and_zoom(opened, qtbot, theme, zoom):
    engine, window = opened()
    for place in PLACES:
        window.go(place)
    window.use_theme(theme)
    window.use_zoom(zoom)
    settle(qtbot, engine)
    assert window.theme.name == theme
    assert window.theme.zoom == zoom
    assert window.preferences.number("zoom", 1.0) == zoom
    assert QApplication.instance().font().pixelSize() == round(13 * zoom)


def test_the_focus_can_walk_through_a_page(opened, qtbot):
    engine, window = opened()
    window.activateWindow()
    window.go(Place("settings"))
    settle(qtbot, engine)
    window.page.focus_content()
    seen = set()
    for _ in range(40):
        focus = window.focusWidget()
        if focus is not None:
            seen.add(focus)
        qtbot.keyClick(focus or window, Qt.Key.Key_Tab)
    assert len(seen) > 15


def inner(control: QWidget) -> bool:
    """A part of a control, which the control's own keys reach."""
    return isinstance(control.parent(), QComboBox | QAbstractSpinBox | QLineEdit | QAbstractItemView)


def by_arrow(control: QWidget, seen: set[QWidget]) -> bool:
    """One of a few choices: Tab comes to one of them, arrows go on from it."""
    group = control.group() if isinstance(control, QAbstractButton) else None
    return group is not None and group.exclusive() and not seen.isdisjoint(group.buttons())


#: Pages of evidence and of what is made of it.
EVIDENCE = [
    Place("evidence"),
    Place("run-evidence", run=RUN),
    Place("report", run=RUN),
    Place("bundle", item="/tmp/run.qvevidence.zip"),
    Place("repository", item=SOURCE),
    Place("settings"),
]


@pytest.mark.parametrize("place", EVIDENCE, ids=[place.page for place in EVIDENCE])
def test_every_control_of_a_page_of_evidence_is_reached_by_tab(opened, qtbot, place):
    engine, window = opened()
    window.activateWindow()
    window.go(place)
    settle(qtbot, engine)
    if place.page in ("evidence", "run-evidence"):
        window.page.log.proof.which.choose("checkpoint")
        window.page.log.proof._turn()
        settle(qtbot, engine)
    kinds = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QAbstractItemView)
    wanted = {
        control
        for kind in kinds
        for control in shown(window.page, kind)
        if control.isEnabled() and not inner(control)
    }
    seen: set[QWidget] = set()
    window.page.focus_content()
    for _ in range(300):
        focus = window.focusWidget()
        seen.add(focus)
        qtbot.keyClick(focus or window, Qt.Key.Key_Tab)
    missed = [f"{type(one).__name__} {one.accessibleName()}" for one in wanted - seen if not by_arrow(one, seen)]
    assert wanted and missed == []


#: Pages that hold at twice the text size in a small window, whatever is above or below.
LARGE_TEXT = [place for place in EVIDENCE if place.page not in ("settings", "bundle")] + [
    Place("home"),
    Place("runs"),
]


@pytest.mark.parametrize("place", LARGE_TEXT, ids=[place.page for place in LARGE_TEXT])
def test_no_sentence_is_cut_off_at_twice_the_text_size(opened, qtbot, place):
    from PySide6.QtWidgets import QLabel

    engine, window = opened(size=(1024, 720))
    window.use_zoom(2.0)
    window.go(place)
    settle(qtbot, engine)
    cut = [
        one.text()
        for one in shown(window.page, QLabel)
        if one.wordWrap() and one.text() and one.height() < one.heightForWidth(one.width())
    ]
    assert cut == []
    assert (window.width(), window.height()) == (1024, 720)
