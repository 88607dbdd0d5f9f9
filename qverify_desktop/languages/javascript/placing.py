"""Where a generated test file lies and what it is called: as the project's own tests are."""

from __future__ import annotations

import posixpath
from collections import Counter

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.languages.javascript.dialects import TYPESCRIPT
from qverify_desktop.languages.tree.rendering import file_stem

_FOLDERS = ("test", "tests", "spec", "__tests__")


def test_path(project: Project, target: Target, kind: str) -> str:
    """Beside the source or in a ``__tests__`` folder beside it where the project's tests lie so, otherwise
    ``<tests>/qverify/<module>.<kind>.test.js``. ``spec`` stands for ``test`` where the project says so.
    """
    folder, name = posixpath.split(target.file)
    stem, ending = posixpath.splitext(name)
    word = _word(project)
    last = f"{kind}.{word}{_ending(ending)}"
    style = _style(project)
    if style == "beside":
        return posixpath.join(folder, f"{stem}.{last}")
    if style == "__tests__":
        return posixpath.join(folder, "__tests__", f"{stem}.{last}")
    return f"{_top(project)}/qverify/{file_stem(posixpath.join(folder, stem))}.{last}"


test_path.__test__ = False  # type: ignore[attr-defined]


def _ending(ending: str) -> str:
    if ending in TYPESCRIPT.endings:
        return ".ts" if ending == ".tsx" else ending
    return ".js" if ending == ".jsx" else ending


def _word(project: Project) -> str:
    names = [path.rpartition("/")[2].split(".")[1:] for path in project.test_files]
    return "spec" if sum("spec" in name for name in names) > sum("test" in name for name in names) else "test"


def _style(project: Project) -> str:
    sources = {posixpath.dirname(path) for path in project.source_files}
    styles = Counter(
        "beside"
        if posixpath.dirname(path) in sources and any(f".{word}." in path for word in ("test", "spec"))
        else "__tests__"
        if posixpath.basename(posixpath.dirname(path)) == "__tests__"
        and posixpath.dirname(posixpath.dirname(path)) in sources
        else "apart"
        for path in project.test_files
    )
    return styles.most_common(1)[0][0] if styles else "apart"


def _top(project: Project) -> str:
    tops = Counter(path.partition("/")[0] for path in project.test_files if "/" in path)
    return next((name for name in _FOLDERS if name in tops), "test")
