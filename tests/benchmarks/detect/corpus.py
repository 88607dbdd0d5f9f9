"""The corpora: HumanEvalPack's tasks as repositories, and small Rust crates of our own.

A case is one small program in two states, with a defect and without. The cases of a language share one repository, a module (Go,
Java: a package; Rust: a crate) each, so the engine meets them as it meets any repository. It sees ``prompt`` and
``buggy_solution`` only, never ``test``, ``example_test`` or ``canonical_solution``.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VECTORS = Path(os.environ.get("QVERIFY_VECTORS", Path(__file__).resolve().parents[3].parent / "shared" / "vectors"))
CRATES = Path(__file__).with_name("crates")
#: Language to its file in the corpus.
FILES = {"python": "python", "javascript": "js", "go": "go", "java": "java", "rust": "rust"}
_UNUSED_CRATES = re.compile(r"^use (?:rand::Rng|regex::Regex|md5);\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """``name`` is the folder or the stem of the file that holds the case. ``planted``: the first state has a defect."""

    name: str
    buggy: Mapping[str, str]
    canonical: Mapping[str, str]
    planted: bool = True

    def holds(self, path: str) -> bool:
        """Whether a file of the shared repository belongs to the case."""
        return re.search(rf"(?:^|[/_]){self.name}(?:[/._]|$)", path) is not None


@dataclass(frozen=True)
class Corpus:
    """``shared`` are files of both repositories that belong to no case."""

    language: str
    cases: tuple[Case, ...]
    shared: Mapping[str, str]

    def repository(self, state: str) -> dict[str, str]:
        """All files of the repository in the state ``buggy`` or ``canonical``."""
        return {**self.shared, **{path: text for case in self.cases for path, text in getattr(case, state).items()}}


Task = Mapping[str, Any]


def _python(name: str, task: Task, solution: str) -> dict[str, str]:
    return {f"{name}.py": f"{task['prompt']}{solution}"}


def _javascript(name: str, task: Task, solution: str) -> dict[str, str]:
    return {f"{name}.js": f"{task['prompt']}{solution}\nmodule.exports = {{ {task['entry_point']} }};\n"}


def _go(name: str, task: Task, solution: str) -> dict[str, str]:
    imports = task["import"] if task["import"].strip() not in task["prompt"] else ""
    return {f"{name}/{name}.go": f"package {name}\n\n{imports}\n{task['prompt']}{solution}"}


def _java(name: str, task: Task, solution: str) -> dict[str, str]:
    return {f"{name}/Solution.java": f"package {name};\n\n{task['prompt']}{solution}"}


def _rust(name: str, task: Task, solution: str) -> dict[str, str]:
    text = _UNUSED_CRATES.sub("", f"{task['prompt']}{solution}").replace("fn main(){}", "")
    text = re.sub(r"^fn ", "pub fn ", text, flags=re.MULTILINE).replace("ascii::AsciiExt", "")
    manifest = f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n'
    return {f"{name}/src/lib.rs": text, f"{name}/Cargo.toml": manifest}


_WRITERS: Mapping[str, Callable[[str, Task, str], dict[str, str]]] = {
    "python": _python,
    "javascript": _javascript,
    "go": _go,
    "java": _java,
    "rust": _rust,
}
_SHARED: Mapping[str, Mapping[str, str]] = {
    "javascript": {"package.json": '{"name": "tasks", "version": "1.0.0"}\n'},
    "go": {"go.mod": "module tasks\n\ngo 1.21\n"},
}


def humaneval(language: str, only: int = 0) -> Corpus:
    """The tasks of a language; ``only`` the first so many (0: all)."""
    lines = (VECTORS / "humanevalpack" / f"{FILES[language]}.jsonl").read_text(encoding="utf-8").splitlines()
    write = _WRITERS[language]
    cases = []
    for line in lines[: only or None]:
        task = json.loads(line)
        name = f"task{int(task['task_id'].rpartition('/')[2]):03}"
        cases.append(
            Case(name, write(name, task, task["buggy_solution"]), write(name, task, task["canonical_solution"]))
        )
    return Corpus(language, tuple(cases), _SHARED.get(language, {}))


def crates() -> Corpus:
    """The crates of this folder: one with a planted contradiction holds ``buggy`` and ``canonical``, the others ``canonical`` only."""
    cases = []
    for folder in sorted(CRATES.iterdir()) if CRATES.is_dir() else ():
        canonical = _files(folder / "canonical", folder.name)
        planted = (folder / "buggy").is_dir()
        cases.append(
            Case(folder.name, _files(folder / "buggy", folder.name) if planted else canonical, canonical, planted)
        )
    return Corpus("rust", tuple(cases), {})


def _files(folder: Path, name: str) -> dict[str, str]:
    return {
        f"{name}/{path.relative_to(folder)}": path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
