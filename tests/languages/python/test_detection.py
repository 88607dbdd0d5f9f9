from __future__ import annotations

import os
from pathlib import Path

from qverify_desktop.languages.python.detection import collectable_tests, detect, find_targets
from qverify_desktop.languages.python.layout import module_name
from qverify_desktop.languages.python.placing import test_path
from tests.languages.python.repositories import snapshot_of

CODE = "def f(x):\n    return x + 1\n"


def modules(project):
    return {path: module_name(project.source_roots, path) for path in project.source_files}


def test_no_python_is_no_project(tmp_path: Path) -> None:
    assert detect(snapshot_of(tmp_path, {"README.md": "hello", "a.js": "1"})) is None
    assert detect(snapshot_of(tmp_path / "vendored", {"venv/lib/x.py": CODE, "node_modules/y/z.py": CODE})) is None


def test_src_layout_flat_package_and_single_module(tmp_path: Path) -> None:
    src = detect(
        snapshot_of(tmp_path / "src", {"src/pkg/__init__.py": "", "src/pkg/a.py": CODE, "tests/test_a.py": ""})
    )
    assert src is not None
    assert src.source_roots == ("src",)
    assert modules(src) == {"src/pkg/__init__.py": "pkg", "src/pkg/a.py": "pkg.a"}
    assert src.test_files == ("tests/test_a.py",)
    flat = detect(
        snapshot_of(tmp_path / "flat", {"pkg/__init__.py": "", "pkg/sub/deep.py": CODE, "setup.py": "setup()"})
    )
    assert flat is not None
    assert flat.source_roots == ("",)
    assert modules(flat)["pkg/sub/deep.py"] == "pkg.sub.deep"
    single = detect(snapshot_of(tmp_path / "single", {"tool.py": CODE, "tool_test.py": ""}))
    assert single is not None
    assert modules(single) == {"tool.py": "tool"}
    assert single.test_files == ("tool_test.py",)


def test_monorepo_with_nested_projects(tmp_path: Path) -> None:
    project = detect(
        snapshot_of(
            tmp_path,
            {
                "services/api/src/api/__init__.py": "",
                "services/api/src/api/views.py": CODE,
                "services/worker/worker/__init__.py": "",
                "services/worker/worker/jobs.py": CODE,
                "services/api/pyproject.toml": '[project]\nname = "api"\ndependencies = ["requests>=2"]\n',
                "services/worker/tests/test_jobs.py": "",
            },
        )
    )
    assert project is not None
    assert project.source_roots == ("services/worker", "services/api/src")
    assert modules(project)["services/worker/worker/jobs.py"] == "worker.jobs"
    assert project.dependencies == ("requests>=2",)
    assert project.lock_file == "services/api/pyproject.toml"


def test_namespace_package_is_told_from_scripts_by_what_imports_it(tmp_path: Path) -> None:
    namespace = detect(
        snapshot_of(
            tmp_path / "a", {"ns/one.py": CODE, "test_one.py": "from ns.one import f\n", "scripts/run.py": CODE}
        )
    )
    assert namespace is not None
    assert modules(namespace) == {"ns/one.py": "ns.one", "scripts/run.py": "run"}
    declared = detect(
        snapshot_of(
            tmp_path / "b",
            {"lib/ns/one.py": CODE, "pyproject.toml": '[tool.setuptools.packages.find]\nwhere = ["lib"]\n'},
        )
    )
    assert declared is not None
    assert modules(declared) == {"lib/ns/one.py": "ns.one"}


def test_what_is_not_product_code_is_left_out(tmp_path: Path) -> None:
    project = detect(
        snapshot_of(
            tmp_path,
            {
                "pkg/__init__.py": "",
                "pkg/core.py": CODE,
                "pkg/_vendor/six.py": CODE,
                "pkg/schema_pb2.py": CODE,
                "pkg/tables.py": "# Auto-generated, do not edit\n" + CODE,
                "pkg/__main__.py": "main()\n",
                "pkg/tests/test_core.py": CODE,
                "pkg/tests/support.py": CODE,
                "pkg/build/__init__.py": CODE,
                "build/lib/pkg/core.py": CODE,
                "docs/conf.py": CODE,
                "examples/demo.py": CODE,
                "env/pyvenv.cfg": "home = /usr",
                "env/lib/python3/site.py": CODE,
                "setup.py": CODE,
                "conftest.py": "",
            },
        )
    )
    assert project is not None
    assert project.source_files == ("pkg/__init__.py", "pkg/build/__init__.py", "pkg/core.py")
    assert project.test_files == ("conftest.py", "pkg/tests/support.py", "pkg/tests/test_core.py")
    assert collectable_tests(project) == ["pkg/tests/test_core.py"]


def test_broken_files_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path,
        {
            "good.py": CODE,
            "broken.py": "def f(:\n    return\n",
            "two.py": 'print "hello"\n',
            "binary.py": b"\x00\x01",
            "wrong.py": b"# coding: utf-8\nx = '\xff'\n",
            "unknown.py": b"# coding: klingon\n",
            "deep.py": "x = " + "(" * 5000 + ")" * 5000,
            "huge.py": "x = 1\n" * 300_000,
            "latin.py": "# coding: latin-1\ndef g():\n    return 'é'\n".encode("latin-1"),
            "bom.py": b"\xef\xbb\xbfdef h():\n    return 1\n",
            "new.py": "type Pair[T] = tuple[T, T]\ndef first[T](p: Pair[T]) -> T:\n    return p[0]\n",
            "my-script.py": CODE,
        },
    )
    project = detect(snapshot)
    assert project is not None
    assert project.source_files == ("bom.py", "good.py", "latin.py", "new.py")
    reasons = {skipped.path: skipped.reason for skipped in project.unreadable}
    assert set(reasons) == {
        "broken.py", "two.py", "binary.py", "wrong.py", "unknown.py", "deep.py", "huge.py", "my-script.py",
    }  # fmt: skip
    assert "Python 2" in reasons["two.py"]
    assert "line 1" in reasons["broken.py"]
    assert [t.symbol for t in find_targets(snapshot, project)] == ["h", "f", "g", "first"]


def test_hostile_names_and_links(tmp_path: Path) -> None:
    (tmp_path / "outside.py").write_text(CODE)
    root = tmp_path / "repository"
    snapshot = snapshot_of(root, {"ok.py": CODE, "new\nline.py": CODE, "sp ace/a b.py": CODE, "émoji😀.py": CODE})
    os.symlink(tmp_path / "outside.py", root / "link.py")
    os.mkfifo(root / "pipe.py")
    (root / "folder.py").mkdir()
    files = (*snapshot.files, "link.py", "pipe.py", "folder.py", "gone.py", "bad\udcff.py")
    project = detect(type(snapshot)(**{**vars(snapshot), "files": files}))
    assert project is not None
    assert project.source_files == ("ok.py",)
    assert {s.path for s in project.unreadable} == set(files) - {"ok.py"}


def test_two_modules_of_one_name_are_not_confused(tmp_path: Path) -> None:
    project = detect(snapshot_of(tmp_path, {"one/app.py": CODE, "two/app.py": CODE}))
    assert project is not None
    assert project.source_files == ("one/app.py",)
    assert [(s.path, s.reason) for s in project.unreadable] == [
        ("two/app.py", "one/app.py has the same import name.")
    ]


def test_a_module_with_a_long_name_has_a_test_file_that_every_file_system_takes(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, {f"{'a' * 240}.py": CODE, f"{'a' * 239}b.py": CODE})
    project = detect(snapshot)
    assert project is not None
    paths = {test_path(project, target, "promises") for target in find_targets(snapshot, project)}
    assert len(paths) == 2 and all(len(path.rpartition("/")[2]) < 200 for path in paths)
