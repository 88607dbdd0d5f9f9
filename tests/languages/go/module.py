"""A Go module on disk, as the questions of the language see it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.go.language import GoLanguage
from tests.languages.python.repositories import snapshot_of

LANGUAGE = GoLanguage()


@dataclass(frozen=True)
class Module:
    snapshot: Snapshot
    project: Project
    targets: Sequence[Target]

    @property
    def promises(self) -> list[Promise]:
        return LANGUAGE.promises(self.snapshot, self.project, self.targets)

    @property
    def answers(self) -> list[tuple[str, str]]:
        return [(promise.call, promise.expected) for promise in self.promises]

    @property
    def tests(self) -> list[GeneratedTest]:
        return LANGUAGE.promise_tests(self.project, self.targets, self.promises)


def module(folder: Path, files: Mapping[str, str | bytes]) -> Module:
    """A module with a ``go.mod`` at its root, unless ``files`` hold one."""
    snapshot = snapshot_of(folder, {"go.mod": "module example.org/m\n\ngo 1.21\n", **files})
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    return Module(snapshot, project, LANGUAGE.targets(snapshot, project))


def function(comment: str, signature: str, body: str = "panic(1)") -> str:
    """A file with one documented function."""
    lines = "\n".join(f"// {line}" for line in comment.split("\n"))
    return f"package m\n\n{lines}\nfunc {signature} {{\n\t{body}\n}}\n"
