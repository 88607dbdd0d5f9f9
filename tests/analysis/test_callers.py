"""Callers are found by names, and only where they can call."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qverify_desktop.analysis.callers import callers_of
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.languages.python.language import PythonLanguage

LANGUAGE = PythonLanguage()
FILES = {
    "pkg/__init__.py": "",
    "pkg/low.py": "def area(a, b):\n    return a * b\n\n\nclass Box:\n    def __init__(self, a):\n        self.a = a\n",
    "pkg/high.py": (
        "from pkg.low import Box, area\n\n\ndef volume(a):\n    return area(a, a) * a\n\n\n"
        'def words():\n    return "area"\n\n\ndef boxed(a):\n    return Box(a)\n\n\ndef partial():\n    return area.__name__\n'
    ),
    "pkg/apart.py": "def area(a):\n    return a\n\n\ndef other(a):\n    return area(a)\n",
}


def called(tmp_path: Path, *symbols: str) -> list[str]:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    snapshot = Snapshot("o", "n", str(tmp_path), "0" * 40, files=tuple(sorted(FILES)))
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    targets = LANGUAGE.targets(snapshot, project)
    needed = LANGUAGE.depends_on(snapshot, project, project.source_files)
    changed = [t for t in targets if t.file == "pkg/low.py" and t.symbol in symbols]
    return [target.symbol for target in callers_of(changed, targets, snapshot, needed)]


def test_callers_of_a_function_and_of_a_class(tmp_path: Path) -> None:
    assert called(tmp_path, "area") == ["volume", "partial"], "the one in apart.py calls another"
    assert called(tmp_path, "Box.__init__") == ["boxed"]
    assert called(tmp_path) == []


def test_a_file_that_is_gone_calls_nobody(tmp_path: Path) -> None:
    snapshot = Snapshot("o", "n", str(tmp_path), "0" * 40)
    (tmp_path / "x.py").write_text("")
    project = LANGUAGE.detect(replace(snapshot, files=("x.py",)))
    assert project is not None
    from tests.analysis.values import target

    assert callers_of([target()], [target("other", 20, 30)], snapshot, {}) == []
