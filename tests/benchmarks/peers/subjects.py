"""The projects: source distributions as they are published, without their own tests, and copies with planted contradictions."""

from __future__ import annotations

import fnmatch
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backports import tarfile

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages.python.language import PythonLanguage
from tests.benchmarks.peers.plantings import Planting


@dataclass(frozen=True)
class Subject:
    """One project. ``glob`` are the source files that count, for every tool. ``pynguin`` is what Pynguin 0.48 was measured
    to reach from nothing on this machine before, in percent of lines and branches, and the seconds it took."""

    requirement: str
    glob: str
    pynguin: tuple[float, float, int] | None = None

    @property
    def name(self) -> str:
        return self.requirement.partition("==")[0]


SUBJECTS = (
    Subject("inflection==0.5.1", "inflection/*", (97.5, 90.9, 135)),
    Subject("python-string-utils==1.0.0", "string_utils/*", (94.6, 88.9, 356)),
    Subject("codetiming==1.4.0", "codetiming/*", (70.5, 20.0, 90)),
    Subject("docstring-parser==0.18.0", "docstring_parser/*", (65.6, 46.8, 894)),
    Subject("more-itertools==11.2.1", "more_itertools/recipes.py"),
    Subject("toolz==1.2.0", "toolz/*toolz.py"),
    Subject("humanize==4.17.0", "src/humanize/*"),
    Subject("w3lib==2.5.0", "w3lib/*"),
    Subject("webcolors==25.10.0", "src/webcolors/*"),
)


@dataclass(frozen=True)
class Tree:
    """A project's files in a folder, as the language sees them."""

    root: Path
    snapshot: Snapshot
    project: Project
    targets: tuple[Target, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Source files that count."""
        return self.project.source_files

    @classmethod
    def read(cls, root: Path, glob: str) -> Tree:
        """Read a folder; sources that do not match ``glob`` are left out of what is measured."""
        language = PythonLanguage()
        files = tuple(sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()))
        snapshot = Snapshot(origin="", name=root.name, root=str(root), tree="0" * 40, files=files)
        project = language.detect(snapshot)
        if project is None:
            raise SystemExit(f"{root} holds no Python; nothing measured.")
        counted = tuple(path for path in project.source_files if fnmatch.fnmatch(path, glob))
        project = Project(
            language=project.language,
            runtime=project.runtime,
            source_roots=project.source_roots,
            source_files=counted,
            test_files=project.test_files,
        )
        return cls(root, snapshot, project, tuple(language.targets(snapshot, project)))


def fetch(subject: Subject, folder: Path) -> Path:
    """Download and unpack a source distribution. pip asks its build back end for metadata, so only name projects you trust."""
    target = folder / subject.name
    target.mkdir(parents=True)
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-qq",
        "--no-binary",
        ":all:",
        "--no-deps",
        "-d",
        target,
    ]
    subprocess.run([*command, subject.requirement], check=True)
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    archive.unlink()
    (source,) = target.iterdir()
    return source


def strip(root: Path, glob: str) -> Tree:
    """Remove the project's own tests: every tool begins from nothing."""
    for path in Tree.read(root, glob).project.test_files:
        (root / path).unlink()
    return Tree.read(root, glob)


def plant(untouched: Tree, root: Path, glob: str, plantings: Sequence[Planting]) -> Tree:
    """A copy of the tree with these contradictions in its code. A place that is not found exactly once stops the run."""
    shutil.copytree(untouched.root, root)
    for planting in plantings:
        path = root / planting.file
        text = path.read_text("utf-8")
        if text.count(planting.right) != 1 or planting.right.count("\n") != planting.wrong.count("\n"):
            raise SystemExit(f"{planting.file}: {planting.right!r} is not there exactly once; nothing measured.")
        path.write_text(text.replace(planting.right, planting.wrong), "utf-8")
    return Tree.read(root, glob)


def lines_of(tree: Tree, planting: Planting) -> frozenset[int]:
    """The lines of a planted place that differ, 1-based."""
    text = (tree.root / planting.file).read_text("utf-8")
    before = text[: text.index(planting.wrong)].count("\n") + 1
    pairs = zip(planting.right.split("\n"), planting.wrong.split("\n"), strict=True)
    return frozenset(before + number for number, (right, wrong) in enumerate(pairs) if right != wrong)
