from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.project import MissingDependency
from qverify_desktop.languages.python.dependencies import clean_requirement, pinned_versions
from qverify_desktop.languages.python.detection import detect
from qverify_desktop.languages.python.imports import required_imports
from qverify_desktop.languages.python.installation import install_job, missing_modules_job, read_missing
from qverify_desktop.languages.python.source import SourceFile, parse_source
from tests.languages.python.driving import run_job
from tests.languages.python.repositories import snapshot_of


def dependencies(root: Path, name: str, text: str) -> tuple[str, ...]:
    project = detect(snapshot_of(root, {"m.py": "def f():\n    return 1\n", name: text}))
    assert project is not None
    return project.dependencies


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "pyproject.toml",
            '[project]\nname = "x"\ndependencies = ["a>=1", "b[x] ; python_version < \'3.9\'"]\n'
            '[project.optional-dependencies]\ntest = ["c"]\ndocs = ["sphinx"]\n'
            '[dependency-groups]\ndev = ["d==2", {include-group = "more"}]\nmore = ["e"]\n',
            ("a>=1", 'b[x]; python_version < "3.9"', "c", "d==2", "e"),
        ),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\npython = "^3.9"\na = "^1.2.3"\nb = "~2.1"\nc = {version = "*", extras = ["z"]}\n'
            'd = {git = "https://example.invalid/d"}\n[tool.poetry.group.dev.dependencies]\ne = "1.0"\n',
            ("a<2,>=1.2.3", "b<2.2,>=2.1", "c[z]", "e==1.0"),
        ),
        (
            "setup.cfg",
            "[options]\ninstall_requires =\n    a>=1\n    b\n[options.extras_require]\ntesting = c\ndocs = d\n",
            ("a>=1", "b", "c"),
        ),
        (
            "setup.py",
            'import os\nREQUIRED = ["a>=1", "b"]\nos.abort()\n'
            'setup(name="x", install_requires=REQUIRED, extras_require={"test": ["c"]})\n',
            ("a>=1", "b", "c"),
        ),
        (
            "requirements-dev.txt",
            "# comment\n-r base.txt\n--index-url https://example.invalid\n-e .\na==1 --hash=sha256:00  # why\n"
            "b @ https://example.invalid/b.whl\nc ; sys_platform == 'linux'\n./local\n",
            ("a==1", "b", 'c; sys_platform == "linux"'),
        ),
        ("Pipfile", '[packages]\na = "*"\n[dev-packages]\nb = "==1"\n', ("a", "b==1")),
        ("pyproject.toml", "[project\nbroken", ()),
        ("pyproject.toml", "x = " + "[" * 3000, ()),
        ("setup.cfg", "no section", ()),
        ("setup.py", "def broken(:", ()),
        ("docs-requirements.txt", "sphinx\n", ()),
    ],
)
def test_declared(tmp_path: Path, name: str, text: str, expected: tuple[str, ...]) -> None:
    assert dependencies(tmp_path, name, text) == expected


def test_nothing_but_a_requirement_gets_through() -> None:
    for text in ("--index-url=https://example.invalid", "-e .", "a b c", "git+https://x", "", "a" * 600, "a\nb"):
        assert clean_requirement(text) == ""
    assert clean_requirement("a @ https://example.invalid/a.whl") == "a"


def test_lock_files() -> None:
    toml = b'[[package]]\nname = "a"\nversion = "1.2"\n[[package]]\nname = "b"\nversion = "0.1"\n'
    assert pinned_versions("sub/uv.lock", toml) == ["a==1.2", "b==0.1"]
    assert pinned_versions("Pipfile.lock", json.dumps({"default": {"a": {"version": "==1"}}}).encode()) == ["a==1"]
    assert pinned_versions("requirements.txt", b"a==1\nb>=2\n") == ["a==1"]
    assert pinned_versions("poetry.lock", b"\xff\x00 not toml") == []
    assert pinned_versions("Pipfile.lock", b"[1]") == []


def test_required_imports() -> None:
    source = parse_source(
        b"""
from __future__ import annotations
import os.path, numpy as np
from yaml import load
from . import sibling
from .deep import thing
try:
    import simplejson
except (ValueError, ImportError):
    simplejson = None
if TYPE_CHECKING:
    import pandas
if sys.version_info >= (3, 14):
    import annotationlib
elif True:
    import older
with contextlib.suppress(ImportError):
    import maybe
def f():
    import lazily
    try:
        import kept
    except KeyError:
        pass
""",
        "m.py",
    )
    assert isinstance(source, SourceFile)
    tops = {name.partition(".")[0] for name in required_imports(source)}
    assert tops == {"os", "numpy", "yaml", "lazily", "kept"}


def test_missing_modules_are_named_with_their_requirement(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/a.py": "import os, yaml, surely_missing, cv2\nfrom pkg import b\ndef f():\n    return 1\n",
        "pkg/b.py": "import yaml\n",
        "tests/test_a.py": "import pytest, helper_here, dateutil_missing_too\n",
        "tests/helper_here.py": "",
        "pyproject.toml": '[project]\nname="x"\ndependencies=["Surely.Missing>=3", "pytest-mock", "pytest-cov"]\n',
    }
    snapshot = snapshot_of(tmp_path, files)
    project = detect(snapshot)
    assert project is not None
    job = missing_modules_job(snapshot, project)
    assert not job.network
    missing = {one.module: one for one in read_missing(project, run_job(job, tmp_path))}
    assert {"os", "pytest", "pkg", "helper_here"}.isdisjoint(missing)
    assert missing["surely_missing"] == MissingDependency("surely_missing", "Surely.Missing>=3", ("pkg/a.py",))
    assert missing["cv2"].requirement == "opencv-python-headless"
    assert missing["pytest_mock"].requirement == "pytest-mock"
    assert "pytest_cov" not in missing
    install = install_job(project, list(missing.values()), b"")
    asked = json.loads(install.overlay[".qverify/install.json"])["requirements"]
    assert install.network and "Surely.Missing>=3" in asked


def test_what_is_required_is_needed_although_a_file_could_do_without(tmp_path: Path) -> None:
    module = """
try:
    import surely_optional
except ImportError:
    import surely_there_instead
try:
    import surely_older
except ImportError:
    surely_older = None
"""
    script = """
from setuptools import setup
needs = ["surely-there-instead>=1.3", "surely-older; python_version < '3'"]
extra = {"speed": ["surely-optional"], "test": ["pytest-mock"]}
setup(name="x", install_requires=needs, extras_require=extra)
"""
    snapshot = snapshot_of(tmp_path, {"pkg/__init__.py": module, "setup.py": script})
    project = detect(snapshot)
    assert project is not None
    missing = read_missing(project, run_job(missing_modules_job(snapshot, project), tmp_path))
    assert [one.requirement for one in missing if one.module != "pytest_mock"] == ["surely-there-instead>=1.3"]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{", b'{"modules": {"a": 1}, "distributions": []}', b"\xff" * 100, b"[" * 9999]
)
def test_a_forged_answer_is_nothing_missing(tmp_path: Path, content: bytes) -> None:
    project = detect(snapshot_of(tmp_path, {"m.py": "x = 1\n"}))
    assert project is not None
    execution = Execution("imports", "", "", "", (), 0, 0)
    assert read_missing(project, JobResult(execution, "", {"missing.json": content})) == []
    odd = {"modules": {"--index-url": ["m.py"], "good": ["../../etc/passwd", "m.py"]}, "distributions": ["evil"]}
    result = JobResult(execution, "", {"missing.json": json.dumps(odd).encode()})
    assert read_missing(project, result) == [MissingDependency("good", "good", ("m.py",))]
