"""Which files a module depends on."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.project import Snapshot
from qverify_desktop.languages.python.language import PythonLanguage

LANGUAGE = PythonLanguage()


def closures(tmp_path: Path, files: dict[str, str]) -> dict[str, set[str]]:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    snapshot = Snapshot("o", "n", str(tmp_path), "0" * 40, files=tuple(sorted(files)))
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    found = LANGUAGE.depends_on(snapshot, project, project.source_files)
    return {file: set(needed) for file, needed in found.items()}


PACKAGE = {
    "pkg/__init__.py": "",
    "pkg/sub/__init__.py": "from .low import x\n",
    "pkg/sub/low.py": "x = 1\n",
    "pkg/other.py": "y = 1\n",
}


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        ("import os\n", set()),
        ("from pkg.other import y\n", {"pkg/other.py"}),
        ("from pkg import other as o\n", {"pkg/other.py"}),
        ("from . import other\n", {"pkg/other.py"}),
        ("from .other import (\n    y,\n)\n", {"pkg/other.py"}),
        ("import pkg.sub\n", {"pkg/sub/__init__.py", "pkg/sub/low.py"}),
        ("def f():\n    from .sub import low\n", {"pkg/sub/__init__.py", "pkg/sub/low.py"}),
        ("try:\n    import pkg.other\nexcept ImportError:\n    pass\n", {"pkg/other.py"}),
        ("from .sub import *\n", {"pkg/sub/__init__.py", "pkg/sub/low.py"}),
        ("from .... import nothing\n", set()),
    ],
)
def test_imports_are_followed(tmp_path: Path, text: str, needed: set[str]) -> None:
    found = closures(tmp_path, PACKAGE | {"pkg/top.py": text})
    assert found["pkg/top.py"] == {"pkg/top.py", "pkg/__init__.py"} | needed
    assert found["pkg/other.py"] == {"pkg/other.py", "pkg/__init__.py"}


def test_circles_end(tmp_path: Path) -> None:
    found = closures(tmp_path, {"a.py": "import b\n", "b.py": "import c\n", "c.py": "import a\n", "d.py": ""})
    assert found["a.py"] == found["b.py"] == {"a.py", "b.py", "c.py"}
    assert found["d.py"] == {"d.py"}


@pytest.mark.parametrize("text", ["import importlib\n", "m = __import__('x')\n", "exec(open('b.py').read())\n"])
def test_who_imports_by_names_made_at_run_time_depends_on_everything(tmp_path: Path, text: str) -> None:
    files = {"a.py": "import plug\n", "plug.py": text, "c.py": "", "d.py": "import c\n"}
    found = closures(tmp_path, files)
    assert found["a.py"] == found["plug.py"] == set(files)
    assert found["d.py"] == {"c.py", "d.py"}
