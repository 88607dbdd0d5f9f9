import subprocess

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QGuiApplication
from PySide6.QtWidgets import QApplication

from qverify_desktop.ui.widgets.diff import DiffView
from qverify_desktop.ui.widgets.unified_diff import Kind, UnifiedDiff

pytestmark = pytest.mark.ui

SMALL = """diff --git a/tests/test_offset.py b/tests/test_offset.py
new file mode 100644
index 0000000..f3a1b2c
--- /dev/null
+++ b/tests/test_offset.py
@@ -0,0 +1,3 @@
+def test_zulu():
+    assert parse_offset("Z") == timedelta(0)
+-- not a header
diff --git a/tidydate/offset.py b/tidydate/offset.py
index 1..2 100644
--- a/tidydate/offset.py
+++ b/tidydate/offset.py
@@ -10,4 +10,4 @@ def parse_offset(text: str) -> timedelta:
     match = _OFFSET.fullmatch(text.strip())
-    if match is None:
--- a removed comment
+    if match is None or not text:
+++ an added one
     return match
@@ -90 +90 @@
-old
+new
\\ No newline at end of file
"""


def parsed(text):
    diff = UnifiedDiff()
    for _ in diff.parse(text):
        pass
    return diff


def rows(diff):
    return [(Kind(kind).name, text) for kind, text in zip(diff.kinds, diff.texts, strict=True)]


def test_files_hunks_and_lines():
    diff = parsed(SMALL)
    assert [(one.path, one.status, one.added, one.removed) for one in diff.files] == [
        ("tests/test_offset.py", "added", 3, 0),
        ("tidydate/offset.py", "changed", 3, 3),
    ]
    assert ("ADDED", "-- not a header") in rows(diff)
    assert ("REMOVED", "-- a removed comment") in rows(diff)
    assert ("ADDED", "++ an added one") in rows(diff)
    assert rows(diff)[-1] == ("NOTE", "No newline at end of file")
    place = diff.texts.index("    return match")
    assert (diff.old[place], diff.new[place]) == (13, 13)
    assert [one.end for one in diff.files] == [5, len(diff)]


def test_what_git_itself_writes(tmp_path):
    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    (tmp_path / "ümläut name.py").write_text("a = 1\nb = 2\n")
    (tmp_path / "gone.py").write_text("x\n")
    (tmp_path / "moved.py").write_text("one\ntwo\nthree\nfour\n")
    (tmp_path / "data.bin").write_bytes(b"\x00\x01")
    git("add", "-A")
    git("commit", "-qm", "x")
    (tmp_path / "ümläut name.py").write_text("a = 1\nb = 3\n")
    (tmp_path / "gone.py").unlink()
    (tmp_path / "moved.py").rename(tmp_path / "moved here.py")
    (tmp_path / "data.bin").write_bytes(b"\x00\x02")
    (tmp_path / "empty.py").write_text("")
    (tmp_path / "run.sh").write_text("#!/bin/sh\n")
    git("add", "-A")
    told = subprocess.run(["git", "diff", "--cached", "-M"], cwd=tmp_path, check=True, capture_output=True, text=True)
    found = {one.path: (one.status, one.added, one.removed) for one in parsed(told.stdout).files}
    assert found == {
        "ümläut name.py": ("changed", 1, 1),
        "gone.py": ("deleted", 0, 1),
        "moved here.py": ("renamed", 0, 0),
        "data.bin": ("binary", 0, 0),
        "empty.py": ("added", 0, 0),
        "run.sh": ("added", 1, 0),
    }


def test_a_diff_without_git_headers():
    diff = parsed(
        "--- a.txt\t2024-01-01\n+++ a.txt\t2024-01-02\n@@ -1 +1 @@\n-x\n+y\n--- b.txt\n+++ b.txt\n@@ -1 +1,2 @@\n x\n+y\n"
    )
    assert [(one.path, one.added, one.removed) for one in diff.files] == [("a.txt", 1, 1), ("b.txt", 1, 0)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no diff at all\nof any kind\n",
        "@@ -1 +1 @@\n-a\n+b\n",
        "+++ b/x\n",
        "diff --git \n",
        'diff --git "a/\\37 b/x\n--- "a/\\37\n',
        "--- a/x\n+++ b/x\n@@ -1,99999999999 +1 @@\n+x\n",
        "--- a/x\n+++ b/x\n@@ -1,5 +1,5 @@\nrubbish\n+x\n",
    ],
)
def test_what_is_no_diff_breaks_nothing(text):
    diff = parsed(text)
    assert len(diff.texts) == len(diff.kinds) == len(diff.owners)


@pytest.fixture
def view(qtbot, theme):
    made = DiffView(theme)
    qtbot.addWidget(made)
    made.resize(700, 500)
    made.show()
    qtbot.waitExposed(made)
    return made


def many(files, lines):
    parts = []
    for number in range(files):
        name = f"src/part_{number}.py"
        parts.append(f"diff --git a/{name} b/{name}\n--- a/{name}\n+++ b/{name}\n@@ -1,{lines} +1,{lines * 2} @@")
        for line in range(lines):
            parts.append(f" line {line}\n+added {line} in {number}")
    return "\n".join(parts) + "\n"


def text_of(view, row, role=Qt.ItemDataRole.AccessibleTextRole):
    return view.rows.index(row, 0).data(role)


def test_rows_are_told_with_their_words(view, qtbot):
    with qtbot.waitSignal(view.counted) as counted:
        view.show_diff(SMALL)
    assert counted.args == [2, 6, 3]
    assert text_of(view, 0) == "tests/test_offset.py, new file, 3 lines added, unfolded"
    assert text_of(view, 2) == "Added, line 1: def test_zulu():"
    assert text_of(view, 8) == "Removed, line 11:     if match is None:"
    assert text_of(view, 7) == "Line 10:     match = _OFFSET.fullmatch(text.strip())"


def test_signs_and_tints(view, theme):
    view.show_diff(SMALL)
    QApplication.processEvents()
    image = view.viewport().grab().toImage()
    for row, tint, sign in ((8, "diff-del-bg", "danger"), (10, "diff-add-bg", "success"), (7, "surface-sunken", "")):
        rect = view.visualRect(view.rows.index(row, 0))
        colours = {image.pixelColor(x, y).name() for x in range(200) for y in range(rect.top(), rect.bottom())}
        assert theme.colour(tint).name() in colours
        assert not sign or _near(colours, theme.colour(sign))


def _near(colours, wanted):
    """Glyphs are smoothed, so a thin stroke may lack the colour itself."""

    def apart(name):
        one = QColor(name)
        return max(abs(one.red() - wanted.red()), abs(one.green() - wanted.green()), abs(one.blue() - wanted.blue()))

    return any(apart(name) < 40 for name in colours)


def test_folding_with_keyboard_and_mouse(view, qtbot):
    view.show_diff(SMALL)
    before = view.rows.rowCount()
    view.setFocus()
    view.choose(3)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.rows.rowCount() == before - 4
    assert text_of(view, 0).endswith("folded") and view.currentIndex().row() == 0
    assert text_of(view, 1).startswith("tidydate/offset.py")
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert view.rows.rowCount() == before
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.rows.rowCount() == before - 4
    heading = view.visualRect(view.rows.index(1, 0)).center()
    qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(60, heading.y()))
    assert view.rows.rowCount() == 2
    view.fold_all(False)
    assert view.rows.rowCount() == before
    assert [text_of(view, row) for row in (0, 5)] == [
        "tests/test_offset.py, new file, 3 lines added, unfolded",
        "tidydate/offset.py, 3 lines added, 3 lines removed, unfolded",
    ]


def test_headings_are_higher_also_after_folding_and_zooming(view, theme, qapp):
    view.show_diff(SMALL)
    assert [view.rowHeight(row) for row in (0, 1, 5)] == [36, 20, 36]
    view.rows.fold(0, True)
    view.rows.fold(0, False)
    assert [view.rowHeight(row) for row in (0, 1, 5)] == [36, 20, 36]
    theme.apply(qapp, zoom=1.5)
    assert [view.rowHeight(row) for row in (0, 1, 5)] == [54, 30, 54]


def test_going_from_file_to_file(view, qtbot):
    view.show_diff(many(5, 40))
    view.rows.finish()
    told = []
    view.file_changed.connect(told.append)
    assert [view.next_file() for _ in range(3)] == ["src/part_0.py", "src/part_1.py", "src/part_2.py"]
    assert view.rows_in_view()[0] == view.currentIndex().row()
    view.choose(view.currentIndex().row() + 3)
    assert view.previous_file() == "src/part_2.py"
    assert view.previous_file() == "src/part_1.py"
    assert view.go_to_file("src/part_4.py")
    assert view.next_file() == "src/part_0.py"
    assert not view.go_to_file("src/none.py")
    assert told[:3] == ["src/part_0.py", "src/part_1.py", "src/part_2.py"]


def test_a_hundred_thousand_lines_come_in_slices(view, qtbot):
    view.show_diff(many(50, 1000))
    assert view.rows.rowCount() < 100_100, "the whole diff was read at once"
    qtbot.waitUntil(lambda: not view.rows.reading, timeout=30_000)
    assert view.rows.rowCount() == 50 * 2002
    view.fold_all(True)
    assert view.rows.rowCount() == 50
    assert view.rowHeight(49) == 36
    view.fold_all(False)
    assert [view.rowHeight(row) for row in (0, 1, 2002, 2003)] == [36, 20, 36, 20]
    assert view.rows.rowCount() == 50 * 2002


def test_a_file_that_was_folded_while_it_was_read_stays_folded(view, qtbot):
    view.show_diff(many(1, 30_000))
    qtbot.waitUntil(lambda: view.rows.rowCount() > 500)
    view.rows.fold(0, True)
    assert view.rows.reading
    view.rows.finish()
    assert view.rows.rowCount() == 1
    view.rows.fold(0, False)
    assert view.rows.rowCount() == 60_002


def test_search_unfolds_what_it_finds(view, qtbot):
    view.show_diff(many(3, 10))
    view.choose(view.rows.rowCount() - 1)
    view.fold_all(True)
    assert view.currentIndex().row() == 2
    view.choose(0)
    told = []
    view.found.connect(lambda at, total: told.append((at, total)))
    view.search("ADDED 7 IN")
    qtbot.waitUntil(lambda: bool(told))
    assert told[-1] == (1, 3)
    assert text_of(view, view.currentIndex().row()) == "Added, line 16: added 7 in 0"
    view.search_previous()
    assert told[-1] == (3, 3)
    view.search_next()
    assert told[-1] == (1, 3)
    view.search("")
    assert told[-1] == (0, 0)


def test_rows_are_copied_with_their_signs(view, qtbot):
    view.show_diff(SMALL)
    view.setFocus()
    view.choose(8)
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    expected = "-    if match is None:\n--- a removed comment\n+    if match is None or not text:"
    assert QGuiApplication.clipboard().text() == expected


def test_hostile_lines(view):
    view.show_diff(f"--- a/x\n+++ b/<b>\u202e\x1b\n@@ -1 +1,2 @@\n+\t<i>\u202e\n+{'y' * 100_000}\n-x\n")
    view.rows.finish()
    assert "<b>\\u202e\\x1b" in text_of(view, 0)
    assert text_of(view, 2) == "Added, line 1:     <i>\\u202e"
    assert len(text_of(view, 3)) < 2100
    view.viewport().grab()


def test_no_change_says_so(view):
    view.show_diff("")
    assert view.rows.rowCount() == 0
    assert view.next_file() == ""
    assert view.accessibleName() == "Changes"
    view.viewport().grab()
