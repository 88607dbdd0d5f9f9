"""The frame: where one goes and comes back, palette, sheets, toasts, drops, closing, the news of runs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Notice, Place
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.sheets.closing import ClosingSheet
from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet
from qverify_desktop.ui.widgets.basics import GAP, Button
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN, overview, run_view

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot, tmp_path):
    def open_window(**changes):
        engine, desk = make(samples.answers(**changes))
        window = Window(desk.theme, desk.bridge, Preferences(tmp_path / "window.json"))
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        qtbot.waitUntil(lambda: window.bridge.is_ready and bool(engine.asked))
        qtbot.wait(60)
        return engine, window

    return open_window


def test_one_comes_back_where_one_was(opened):
    _, window = opened()
    for name in ("runs", "settings"):
        window.go(Place(name))
    window.go_back()
    assert window.place.page == "runs"
    window.go_back()
    assert window.place.page == "home"
    assert not window.can_go_back
    window.go_forward()
    assert window.place.page == "runs"


def test_keys_open_pages_in_the_order_of_the_rail(opened, qtbot):
    _, window = opened()
    for number, name in enumerate(
        ("home", "runs", "evidence", "models", "usage", "hosted", "environment", "settings"), 1
    ):
        window.registry.trigger(f"go.{name}")
        assert window.place.page == name
        assert window.registry[f"go.{name}"].keys == f"Ctrl+{number}"


def test_no_two_acts_share_a_shortcut_on_one_page(opened):
    _, window = opened()
    for name in ("runs", "evidence", "models", "usage", "hosted", "environment", "settings"):
        window.go(Place(name))
    for tab in ("progress", "results", "defects", "source", "run-evidence", "report"):
        window.go(Place(tab, run=RUN))
    taken: dict[str, str] = {}
    clashes = []
    for act in window.registry:
        for keys in (act.keys, *act.more_keys):
            if keys and keys in taken:
                clashes.append((keys, taken[keys], act.id))
            taken[keys] = act.id
    assert clashes == []


def test_a_run_opens_its_last_tab(opened, qtbot):
    _, window = opened()
    window.go(Place("run", run=RUN))
    assert window.place.page == "progress"
    window.go(Place("defects", run=RUN))
    window.go(Place("home"))
    window.go(Place("run", run=RUN))
    assert window.place.page == "defects"


def test_tabs_count_what_stands_behind_them(opened, qtbot):
    _, window = opened()
    window.go(Place("report", run=RUN))
    qtbot.waitUntil(lambda: "68" in window.tabs._buttons["results"].text())
    assert "4" in window.tabs._buttons["defects"].text()


def test_the_palette_finds_pages_acts_repositories_and_runs(opened, qtbot):
    _, window = opened()
    window.open_palette()
    palette = window.palette_
    qtbot.waitUntil(palette.isVisible)
    for wanted, title in (("sett", "Settings"), ("sample", "Try the sample repository"), ("ledger", "ledger-api")):
        palette.field.setText(wanted)
        assert palette._model.found[0][0].title.startswith(title)
    palette.field.setText("settings")
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert window.place.page == "settings"
    assert not palette.isVisible()


def test_what_is_not_possible_says_why_and_does_nothing(opened, qtbot):
    _, window = opened()
    window.open_palette()
    palette = window.palette_
    palette.field.setText("next tab")
    palette.field.setText("Report")
    found = [entry for entry, _ in palette._model.found if entry.title == "Report"]
    assert found[0].reason
    place = window.place
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert window.place == place


def test_a_folder_that_is_dropped_opens_the_sheet(opened, qtbot, tmp_path):
    _, window = opened()
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    copy, buttons, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(200, 200), copy, mime, buttons, keys))
    assert window._veil.isVisible()
    QApplication.sendEvent(window, QDropEvent(QPointF(200, 200), copy, mime, buttons, keys))
    assert not window._veil.isVisible()
    assert isinstance(window.sheets.sheet, NewAnalysisSheet)
    assert window.sheets.sheet.source.text() == str(tmp_path)


def test_several_folders_are_queued(opened, qtbot, tmp_path):
    engine, window = opened(start="r9")
    folders = [tmp_path / name for name in ("a", "b")]
    for folder in folders:
        folder.mkdir()
    window.open_sources([str(folder) for folder in folders])
    qtbot.waitUntil(lambda: sum(name == "start" for name, _ in engine.asked) == 2)
    asked = [params["args"][0].source for name, params in engine.asked if name == "start"]
    assert asked == [str(folder) for folder in folders]


def test_what_can_not_be_taken_is_named(opened, qtbot, tmp_path):
    _, window = opened()
    (tmp_path / "notes.txt").write_text("x")
    window.open_sources([str(tmp_path / "notes.txt")])
    assert "notes.txt" in window.toasts.notices[-1].notice.text


def test_a_bundle_that_is_dropped_is_verified(opened, qtbot, tmp_path):
    _, window = opened()
    bundle = tmp_path / "x.qvevidence.zip"
    bundle.write_bytes(b"")
    window.open_sources([str(bundle)])
    assert window.place == Place("bundle", item=str(bundle))


def test_the_sheet_starts_what_it_says(opened, qtbot):
    engine, window = opened(start="r9")
    window.front.new_analysis("/home/ada/projects/tidydate")
    sheet = window.sheets.sheet
    qtbot.waitUntil(lambda: sheet.look is not None)
    qtbot.waitUntil(sheet.start_button.isEnabled)
    sheet.confirm()
    qtbot.waitUntil(lambda: any(name == "start" for name, _ in engine.asked))
    request = next(params["args"][0] for name, params in engine.asked if name == "start")
    assert isinstance(request, AnalysisRequest)
    assert (str(request.scope), request.model, request.max_targets) == ("changed:v2.3.0", "none", 18)
    kept = next(params for name, params in engine.asked if name == "repository_remember")
    assert kept["choices"]["scope"] == "changed:v2.3.0"
    assert window.sheets.sheet is None


def test_a_source_that_can_not_be_analyzed_says_so_and_can_not_start(opened, qtbot):
    _, window = opened(
        repository_look=lambda source: samples.look(source) | {"problem": "There is no folder /nowhere."}
    )
    window.front.new_analysis("/nowhere")
    sheet = window.sheets.sheet
    qtbot.waitUntil(lambda: any("There is no folder" in one.text() for one in sheet.findChildren(QLabel)))
    assert not sheet.start_button.isEnabled()


def test_escape_closes_a_sheet_and_the_focus_returns(opened, qtbot):
    _, window = opened()
    window.registry.trigger("shortcuts")
    assert window.sheets.sheet is not None
    qtbot.keyClick(window.sheets.sheet.first_focus(), Qt.Key.Key_Escape)
    assert window.sheets.sheet is None


def test_toasts_are_at_most_three_and_all_are_kept(opened, qtbot):
    _, window = opened()
    before = len(window.toasts.notices)
    for number in range(5):
        window.front.tell(Notice(f"notice {number}"))
    assert len(window.toasts.shown) == 3
    assert len(window.toasts.notices) == before + 5
    window.registry.trigger("notices")
    assert window.sheets.sheet is not None


def test_an_error_of_the_engine_becomes_a_toast_with_the_next_step(opened, qtbot):
    _, window = opened(start=BadInput("The disk is full.", "Make room."))
    window.front.start(AnalysisRequest(source="/x"))
    qtbot.waitUntil(lambda: any("Make room." in told.notice.text for told in window.toasts.notices))


def test_closing_asks_while_something_runs(opened, qtbot):
    _, window = opened()
    qtbot.waitUntil(lambda: bool(window.listed))
    ended = []
    window.quitting.connect(lambda: ended.append(True))
    window.close()
    qtbot.waitUntil(lambda: isinstance(window.sheets.sheet, ClosingSheet))
    assert ended == []
    window.sheets.sheet.confirm()
    assert ended == [True]


def test_closing_does_not_ask_when_nothing_runs(opened, qtbot):
    _, window = opened(run_list=[run_view()])
    qtbot.waitUntil(lambda: bool(window.listed))
    with qtbot.waitSignal(window.quitting):
        window.close()


def test_the_end_of_a_run_is_told_once(opened, qtbot):
    engine, window = opened(run_list=[run_view("running")])
    qtbot.waitUntil(lambda: bool(window.listed))
    engine.answers["run_list"] = [run_view()]
    for _ in range(2):
        window.bridge.changed.emit(RUN)
        qtbot.wait(600)
    told = [one for one in window.toasts.notices if "suspected" in one.notice.text]
    assert len(told) == 1


def test_size_and_place_are_remembered_and_come_back_on_screen(opened, qtbot, tmp_path, make):
    _, window = opened(run_list=[run_view()])
    window.setGeometry(120, 90, 1111, 777)
    window.close()
    window.preferences.write()
    kept = Preferences(tmp_path / "window.json")
    assert kept.numbers("window") == [120, 90, 1111, 777]
    kept.set("window", [90_000, 90_000, 1111, 777])
    _, desk = make(samples.answers())
    other = Window(desk.theme, desk.bridge, kept)
    qtbot.addWidget(other)
    assert QApplication.primaryScreen().availableGeometry().intersects(other.geometry())


def test_a_second_start_brings_its_folders_to_this_window(opened, qtbot, tmp_path):
    _, window = opened()
    window.bridge.handed_over.emit([str(tmp_path)])
    qtbot.waitUntil(lambda: window.sheets.sheet is not None)
    assert window.sheets.sheet.source.text() == str(tmp_path)


def test_single_letters_do_nothing_in_a_text_field(opened, qtbot):
    _, window = opened()
    window.go(Place("results", run=RUN))
    qtbot.wait(200)
    window.page.focus_filter()
    act = window.registry["results.refuse"] if any(a.id == "results.refuse" for a in window.registry) else None
    assert act is not None
    assert not window._allowed(act)


def test_an_act_that_becomes_another_has_another_icon(opened, qtbot):
    cancelled = overview("cancelled") | {"run": run_view("cancelled", sentence="The run was cancelled.")}
    _, window = opened(run_overview=lambda run: cancelled)
    window.go(Place("progress", run=RUN))

    def resume():
        return [one for one in window.findChildren(Button) if one.text() == "Resume" and one.isVisible()]

    qtbot.waitUntil(lambda: bool(resume()))
    image = resume()[0].icon().pixmap(20, 16).toImage()
    play, pause = (
        window.theme.icon(name, "on-accent", room=GAP).pixmap(20, 16).toImage() for name in ("play", "pause")
    )
    assert image == play != pause
