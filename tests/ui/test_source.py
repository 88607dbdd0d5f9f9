"""The source as it was analyzed: which file stands first, what its lines say, and where one can go from them."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import results
from tests.ui.samples import source as samples
from tests.ui.samples.results import CALENDAR, OFFSET, PARSER, RELATIVE, RUN

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    """``opened(item, **answers)`` gives engine, desk and the page when a file is shown."""

    def build(item="", wait=True, overview=None, **answers):
        told = {"run_overview": lambda run: overview or results.overview(), **samples.answers(), **answers}
        engine, desk = make(told)
        page = pages.build("source", desk)
        qtbot.addWidget(page)
        page.resize(1232, 776)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow)
        page.enter(Place("source", run=RUN, item=item))
        if wait:
            qtbot.waitUntil(lambda: page.code.isVisible() and bool(page.code.toPlainText()))
        return engine, desk, page

    return build


def paths(page):
    model = page.table.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


def sources(engine):
    return [params["file"] for question, params in engine.asked if question == "run_source"]


def press(page, side):
    next(one for one in page.side.findChildren(QAbstractButton) if one.text() == side).click()


def foot(page):
    return page._foot.text()


def test_suspected_defects_stand_first_then_what_is_missing_most(opened):
    engine, _, page = opened()
    assert paths(page) == [PARSER, RELATIVE, CALENDAR, OFFSET, samples.FORMAT]
    assert sources(engine) == [PARSER]
    assert page._name.text() == PARSER and page._told.text() == "82.6 % of lines, from 52.2 %"


def test_a_place_opens_its_file_at_its_line(opened):
    _, _, page = opened(f"{OFFSET}:{samples.line_of('hours = int')}")
    assert page.table.value()["path"] == OFFSET
    line = samples.line_of("hours = int")
    assert page.code.textCursor().blockNumber() + 1 == line
    assert foot(page) == f"Line {line}: covered, 4 kept tests"


def test_a_file_that_is_not_there_any_more_opens_the_first(opened):
    _, _, page = opened("tidydate/gone.py:12")
    assert page.table.value()["path"] == PARSER


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("import re", "covered, no kept test"),
        ("return timedelta(0)", "missed, no kept test"),
        ('if match["zulu"]', "partial, 5 kept tests"),
        ("Read an offset", "nothing to execute"),
        ("match = OFFSET", "covered, 7 kept tests · text.strip() → text: survived"),
        ("if match is None", "covered, 7 kept tests · is None → is not None: killed"),
        (
            "def parse_offset",
            'covered, no kept test · suspected defect: parse_offset("-03:30") gives datetime.timedelta(days=-1, seconds=77400)',
        ),
    ],
)
def test_the_foot_says_what_is_known_of_the_line(opened, words, told):
    number = samples.line_of(words)
    _, _, page = opened(OFFSET)
    page.code.go_to_line(number)
    assert foot(page) == f"Line {number}: {told}"


def test_before_shows_what_the_existing_tests_reached(opened):
    number = samples.line_of("hours = int")
    _, _, page = opened(f"{OFFSET}:{number}")
    press(page, "Before")
    assert page.code.coverage[number].state == "missed" and "missed" in foot(page)
    press(page, "After")
    assert page.code.coverage[number].state == "covered"


def test_f8_goes_from_gap_to_gap(opened):
    _, desk, page = opened(OFFSET)
    at = lambda: page.code.textCursor().blockNumber() + 1  # noqa: E731
    page.code.go_to_line(1)
    assert desk.actions.trigger("source.next-gap")
    assert at() == samples.line_of('if match["zulu"]'), "partial and missed lines that follow one another are one gap"
    page.code.go_to_line(samples.line_of("minutes = int"))
    assert desk.actions.trigger("source.previous-gap")
    assert at() == samples.line_of('if match["zulu"]')


def test_gaps_mutants_and_defects_stand_in_the_strip(opened):
    _, _, page = opened(OFFSET)
    assert sorted((one.line, one.kind) for one in page.overview.marks) == sorted(
        [
            (samples.line_of("def parse_offset"), "defect"),
            (samples.line_of("match = OFFSET"), "survived"),
            (samples.line_of("if match is None"), "killed"),
            (samples.line_of("minutes = int"), "killed"),
            (samples.line_of('if match["zulu"]'), "partial"),
            (samples.line_of("return timedelta(0)"), "missed"),
        ]
    )


def test_another_file_is_read_when_it_is_chosen(opened, qtbot):
    engine, _, page = opened()
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: sources(engine) == [PARSER, RELATIVE])
    qtbot.waitUntil(lambda: RELATIVE in page.code.toPlainText())
    assert page._name.text() == RELATIVE


def test_the_filter_leaves_the_files_that_match(opened, qtbot):
    _, _, page = opened()
    assert page.focus_filter()
    qtbot.keyClicks(page.filter, "!parser")
    qtbot.waitUntil(lambda: paths(page) == [RELATIVE, CALENDAR, OFFSET, samples.FORMAT])


def test_the_editor_opens_the_persons_file_at_the_line(opened, tmp_path):
    (tmp_path / "tidydate").mkdir()
    (tmp_path / OFFSET).write_text(samples.OFFSET_TEXT)
    overview = results.overview()
    overview["run"]["source"] = str(tmp_path)
    _, desk, _ = opened(f"{OFFSET}:50", overview=overview)
    assert desk.actions.trigger("source.editor")
    assert desk.front.calls[-1] == ("open_in_editor", (str(tmp_path / OFFSET), 50))


def test_without_the_folder_the_editor_is_refused_in_words(opened):
    _, desk, _ = opened(OFFSET)
    assert desk.actions["source.editor"].reason() == "The file is not on this machine any more."


def test_a_file_that_can_not_be_read_says_so_and_the_others_stay(opened, qtbot):
    gone = BadInput("The file was not kept.", "Analyze the repository again.")
    _, desk, page = opened(wait=False, run_source=gone)
    qtbot.waitUntil(lambda: page._file.state.isVisible())
    assert len(paths(page)) == 5 and not page.code.isVisible()
    assert desk.actions["source.next-gap"].reason() == "Choose a file first."


def test_hostile_names_and_texts_stay_plain(opened):
    bad = "<b>x</b>\u202egnp\x07" + "A" * 3000 + ".py"
    files = [{**samples.files()[0], "path": bad}]
    view = {
        **samples.offset(),
        "path": bad,
        "text": "<script>\x00\u202e\n" * 4,
        "lines": [],
        "mutants": [],
        "defects": [],
    }
    _, _, page = opened(run_files=files, run_source=view)
    assert page.width() == 1232
    assert "<b>x</b>" in page._name.text()
