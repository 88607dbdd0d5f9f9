"""Mine small modules: a docstring or a README in, promises out."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from qverify_desktop.domain.project import Project, Promise, Target
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.promises import find_promises
from tests.languages.python.repositories import snapshot_of

FUNCTIONS = '''
def f(x, y=0, **options):
    """{words}
    """
    return x


def g(x):
    return [x]
'''


def mined(root: Path, files: Mapping[str, str | bytes]) -> tuple[Project, list[Target], list[Promise]]:
    """Project, targets and promises of a repository written to ``root``."""
    snapshot = snapshot_of(root, files)
    project = detect(snapshot)
    assert project is not None
    targets = find_targets(snapshot, project)
    return project, targets, find_promises(snapshot, project, targets)


def of_docstring(root: Path, words: str) -> list[tuple[str, str]]:
    """(call, expected) of the promises in a function's docstring."""
    text = FUNCTIONS.replace("{words}", textwrap.indent(textwrap.dedent(words), "    ").strip())
    _, _, promises = mined(root, {"mod.py": text})
    return [(promise.call, promise.expected) for promise in promises]


def of_readme(root: Path, words: str, name: str = "README.md") -> list[tuple[str, str]]:
    """(call, expected) of the promises in a documentation file beside the module ``mod``."""
    _, _, promises = mined(root, {"mod.py": FUNCTIONS.replace("{words}", "Says nothing."), name: words})
    return [(promise.call, promise.expected) for promise in promises]
