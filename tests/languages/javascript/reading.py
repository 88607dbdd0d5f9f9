"""Repositories of JavaScript and TypeScript, read as the engine reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.javascript.dialects import DIALECTS
from qverify_desktop.languages.javascript.language import JavaScriptLanguage
from tests.languages.python.repositories import snapshot_of


def read(
    root: Path, files: Mapping[str, str | bytes], dialect: str = "javascript"
) -> tuple[JavaScriptLanguage, Snapshot, Project, list[Target]]:
    language = JavaScriptLanguage(DIALECTS[dialect])
    snapshot = snapshot_of(root, files)
    project = language.detect(snapshot)
    assert project is not None
    return language, snapshot, project, language.targets(snapshot, project)


def promised(
    root: Path, files: Mapping[str, str | bytes], dialect: str = "javascript"
) -> tuple[list[Promise], list[GeneratedTest]]:
    language, snapshot, project, targets = read(root, files, dialect)
    promises = language.promises(snapshot, project, targets)
    return promises, language.promise_tests(project, targets, promises)
