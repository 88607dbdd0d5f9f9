"""Runtimes of project folders: by nearest manifest, universal only where one test command mixes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.languages.runtimes import (
    MAX_FOLDERS,
    FolderRuntime,
    choose_runtime,
    language_of,
)


def chosen(files: dict[str, str]) -> list[FolderRuntime]:
    contents = {path: text.encode() for path, text in files.items()}
    return choose_runtime(tuple(contents), contents.get)


def brief(found: list[FolderRuntime]) -> dict[str, tuple[str, dict[str, int]]]:
    return {one.folder: (one.runtime, dict(one.languages)) for one in found}


def scripts(**commands: Any) -> str:
    return json.dumps({"scripts": commands})


MONOREPO = {
    "README.md": "",
    "Makefile": "test:\n\t$(MAKE) -C api test\n",
    "tools/release.py": "",
    "api/pyproject.toml": "",
    "api/app.py": "",
    "api/tests/test_app.py": "",
    "web/package.json": scripts(test="vitest run"),
    "web/src/app.ts": "",
    "web/src/old.jsx": "",
    "web/vite.config.ts": "",
    "web/node_modules/left-pad/index.js": "",
    "web/packages/ui/package.json": "{}",
    "web/packages/ui/button.tsx": "",
    "service/go.mod": "module service\n",
    "service/main.go": "",
    "service/vendor/x/x.go": "",
    "bank/pom.xml": "",
    "bank/src/main/java/Bank.java": "",
    "bank/src/main/kotlin/Branch.kt": "",
    "engine/Cargo.toml": "",
    "engine/src/lib.rs": "",
    "engine/target/debug/build/x.rs": "",
}


def test_each_project_of_a_monorepo_has_its_own_runtime() -> None:
    assert brief(chosen(MONOREPO)) == {
        "": ("python", {"python": 1}),
        "api": ("python", {"python": 2}),
        "bank": ("java", {"java": 1, "kotlin": 1}),
        "engine": ("rust", {"rust": 1}),
        "service": ("go", {"go": 1}),
        "web": ("node", {"typescript": 2, "javascript": 1}),
        "web/packages/ui": ("node", {"typescript": 1}),
    }
    assert not any(one.because for one in chosen(MONOREPO))


@pytest.mark.parametrize(
    ("build", "runtime"),
    [
        ({"package.json": scripts(test="jest && pytest -q")}, "universal"),
        ({"package.json": scripts(test="npm run unit", unit="CI=1 npx jest; python3.12 -m pytest")}, "universal"),
        ({"package.json": scripts(pretest="go vet ./...", test="node --test")}, "universal"),
        ({"package.json": scripts(test="jest", lint="ruff check . && pytest")}, "node"),
        ({"Makefile": "test: unit\n\tpytest\n\nunit:\n\t@cd web && npm test\n"}, "universal"),
        ({"Makefile": ".PHONY: test\nGO := go\ntest:\n\t$(GO) test ./...\n\t-$(PYTHON) -m pytest\n"}, "universal"),
        ({"Makefile": "all: test\ntest:\n\tgo test ./...\nweb:\n\tnpm run build\n"}, "go"),
        ({"Makefile": "check:\n\tpytest\n\tnode --test\n"}, "universal"),
        ({"tox.ini": "[tox]\nenvlist = py\n\n[testenv]\ncommands =\n    pytest\n    node --test\n"}, "universal"),
        ({"tox.ini": "[testenv]\ncommands = pytest\n\n[testenv:web]\ncommands = node --test\n"}, "python"),
        (
            {
                "pyproject.toml": '[tool.tox]\nlegacy_tox_ini = """\n[testenv]\ncommands =\n    pytest\n    jest\n"""\n'
            },
            "universal",
        ),
        ({"justfile": "test:\n    go test ./...\n    vitest run\n"}, "universal"),
        ({"README.md": "Run jest, pytest and go test.\n"}, "python"),
    ],
)
def test_universal_only_where_one_test_command_mixes(build: dict[str, str], runtime: str) -> None:
    source = {"a.py": "", "b.py": "", "c.js": "", "d.go": ""}
    [one] = chosen({**source, **build})
    assert one.runtime == runtime
    assert bool(one.because) == (runtime == "universal")
    if one.because:
        assert "tools of several runtimes" in one.because


def test_a_mixture_that_no_image_has_says_so() -> None:
    [one] = chosen({"Makefile": "test:\n\tcargo test\n\tpytest\n", "a.py": "", "b.rs": "", "c.rs": ""})
    assert (one.runtime, one.because) == (
        "rust",
        "One test command calls tools of several runtimes (python, rust); no image has all of them.",
    )


def test_a_tool_that_nothing_is_written_for_changes_nothing() -> None:
    [one] = chosen({"Makefile": "test:\n\tpytest\n", "go.mod": "", "a.go": ""})
    assert (one.runtime, one.because) == ("go", "")


def test_the_manifest_says_more_than_the_number_of_files() -> None:
    [one] = chosen({"go.mod": "", "a.go": "", "x.py": "", "y.py": "", "z.py": ""})
    assert one.runtime == "go"


def test_files_without_a_manifest_are_the_roots() -> None:
    assert brief(chosen({"lib/a.js": "", "lib/deep/b.js": "", "c.py": ""})) == {
        "": ("node", {"javascript": 2, "python": 1})
    }


def test_a_build_script_is_no_project_of_its_language() -> None:
    assert chosen({"setup.py": "", "README.md": ""}) == []
    assert brief(chosen({"native/setup.py": "", "native/lib.rs": ""})) == {"native": ("rust", {"rust": 1})}


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("a.py", "python"),
        ("a.mjs", "javascript"),
        ("A.PY", ""),
        ("x/a.d.ts", "typescript"),
        ("a.kt", "kotlin"),
        ("a.kts", ""),
        ("py", ""),
        (".py", "python"),
        ("a.pyc", ""),
        ("", ""),
    ],
)
def test_a_files_language_is_in_its_name(path: str, language: str) -> None:
    assert language_of(path) == language


@pytest.mark.parametrize(
    "hostile",
    [
        "[" * 100_000,
        "\0" * 1000,
        '{"scripts": []}',
        '{"scripts": {"test": ["jest"]}}',
        '{"scripts": {"test": "npm run test", "pretest": "npm run test"}}',
        "test: test test2\n\t$(MAKE) test\ntest2: test\n",
        "test" + " " * 100_000 + ":\n",
        "test:\n" + "\t$(A" * 50_000,
        "[testenv\ncommands",
        "a = " + "[" * 50_000,
        "\udcff".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
)
@pytest.mark.parametrize("name", ["package.json", "Makefile", "tox.ini", "pyproject.toml", "justfile"])
def test_a_hostile_build_file_never_raises(name: str, hostile: str) -> None:
    [one] = chosen({name: hostile, "a.go": ""})
    assert one.runtime == "go"


def test_folders_are_bounded_and_odd_paths_passed_over() -> None:
    many = {f"p{number:03}/{name}": "" for number in range(MAX_FOLDERS + 20) for name in ("go.mod", "a.go")}
    assert len(chosen(many)) == MAX_FOLDERS
    assert chosen({"../a.py": "", "/b.py": "", "c\n.py": "", "d/../e.py": "", "\udcff.py": ""} | {}) == []


@given(st.text(max_size=200), st.sampled_from(["package.json", "Makefile", "tox.ini", "pyproject.toml"]))
def test_no_text_raises(text: str, name: str) -> None:
    content = text.encode("utf-8", "surrogatepass")
    assert choose_runtime((name, "a.go"), {name: content}.get)


@given(st.lists(st.text(max_size=30), max_size=10))
def test_no_name_raises(files: list[str]) -> None:
    choose_runtime(files, lambda _: b"x")
