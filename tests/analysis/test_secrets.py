"""A test that repeats a secret of the repository is not written; one that only quotes words with a secret quotes them masked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qverify_desktop.analysis.secrets import without_secrets
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.gateway.masking import mask

SECRET = "correct-" + "horse-8471-battery"
SOURCE = f'def opened(password: str = "{SECRET}") -> bool:\n    return password == "{SECRET}"\n'


def snapshot(folder: Path) -> Snapshot:
    (folder / "till.py").write_text(SOURCE)
    return Snapshot("here", "till", str(folder), "0" * 40, "", "", "", ("till.py",))


def a_test(name: str, code: str) -> GeneratedTest:
    return GeneratedTest(
        path="tests/test_qv.py",
        name=name,
        code=code,
        target="till.py::opened",
        label=Label.CHARACTERIZATION,
        origin=Origin.OBSERVATION,
    )


def test_what_repeats_a_secret_of_its_target_is_left_out(tmp_path: Path) -> None:
    good = a_test("test_closed", 'def test_closed():\n    assert not opened("1")')
    # Nothing in the test itself says what kind of word this is.
    bad = a_test("test_open", f'def test_open():\n    assert opened("{SECRET}")')
    expected = replace(good, name="test_expected", expected=repr(SECRET))
    kept, left_out = without_secrets([bad, good, expected], snapshot(tmp_path), mask)
    assert kept == [good] and left_out == 2


def test_quoted_words_are_masked(tmp_path: Path) -> None:
    words = SOURCE.splitlines()[0]
    test = replace(a_test("test_type", "def test_type():\n    opened('1')"), quote=Quote(words, "till.py", 1))
    (kept,), left_out = without_secrets([test], snapshot(tmp_path), mask)
    assert left_out == 0
    assert kept.quote == Quote('def opened(password: str = "<secret-1>") -> bool:', "till.py", 1)
    assert replace(kept, quote=test.quote) == test


def test_a_target_that_is_no_file_of_the_snapshot_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(SOURCE)
    folder = tmp_path / "tree"
    folder.mkdir()
    test = replace(a_test("test_a", "def test_a():\n    assert opened('1')"), target="../outside.py::opened")
    assert without_secrets([test], snapshot(folder), mask) == ([test], 0)
