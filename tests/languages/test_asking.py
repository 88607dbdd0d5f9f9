"""What every language gives to prompts and does with answers: never an exception, whatever repository and model wrote."""

from __future__ import annotations

import posixpath
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.catalogue import languages

LANGUAGES = {language.name: language for language in languages()}
HOSTILE = [
    "",
    "(" * 5000,
    "{[(" * 3000,
    "\x00\ud800\x1b[31m",
    "import " * 4000,
    'const { a } = require("' + "x" * 5000,
    "from . import (\n" + "a,\n" * 5000,
    "use " + "a::" * 5000 + ";",
    "`" * 9999,
    "\n" * 20_000,
    "'\"" * 5000,
]


def target_of(language: str, file: str, symbol: str) -> Target:
    return Target(language, file, "a.b", symbol, 1, 3, 2, "f(x)")


@pytest.mark.parametrize("name", LANGUAGES)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_nothing_raises_and_nothing_takes_long(tmp_path: Path, name: str, number: int) -> None:
    language, hostile = LANGUAGES[name], HOSTILE[number]
    file = f"src/a{language.endings[0]}"
    (tmp_path / "src").mkdir()
    (tmp_path / file).write_bytes(hostile.encode("utf-8", "replace"))
    snapshot = Snapshot("o", "n", str(tmp_path), "0" * 40, files=(file,))
    project = Project(name, language.runtime, ("",), (file,), ())
    started = time.process_time()
    for symbol in ("f", "default", "A.f", "#hidden", "größe", "x" * 3000):
        target = target_of(name, file, symbol)
        path = language.test_file(project, target, "f_model")
        language.idiom(project, target, path)
        language.imports_at(snapshot, project, target, path)
        for code in (hostile, "f(1)"):
            test = GeneratedTest(
                path, "t", code, target.id, Label.CHARACTERIZATION, Origin.MODEL, (hostile, "import x")
            )
            assert language.mend(snapshot, project, target, test).path == path
    assert language.same_value(hostile, hostile)
    language.same_value(hostile, "1")
    assert time.process_time() - started < 10


@pytest.mark.parametrize("name", LANGUAGES)
def test_each_kind_has_a_file_of_its_own_inside_the_repository(name: str) -> None:
    language = LANGUAGES[name]
    file = f"lib/deep/a{language.endings[0]}"
    project = Project(name, language.runtime, ("",), (file,), ())
    paths = [
        language.test_file(project, target_of(name, file, "f"), kind) for kind in ("f_model", "f_model_1", "trial_0")
    ]
    assert len(set(paths)) == 3
    for path in paths:
        assert path.endswith(language.endings)
        assert not posixpath.isabs(path)
        assert ".." not in path.split("/")


@pytest.mark.parametrize("name", LANGUAGES)
def test_two_values_differ_where_they_say_something_else(name: str) -> None:
    language = LANGUAGES[name]
    assert language.same_value("f( 1 )", "f( 1 )")
    assert not language.same_value("1", "2")
    assert not language.same_value("f(1)", "g(1)")
