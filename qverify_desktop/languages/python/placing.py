"""Where a generated test file lies: beside the project's own tests, with a base name that clashes with none of theirs."""

from __future__ import annotations

import hashlib
import re
from collections import Counter

from qverify_desktop.domain.project import Project, Target

#: Characters of a module's name in a file's name; file systems take 255 bytes in all.
MOST_NAME = 120


def test_path(project: Project, target: Target, kind: str) -> str:
    """``<tests>/qverify/test_qv_<module>_<kind>.py``.

    The base name is unique over the repository, because pytest's default import mode refuses two test files of one
    base name in folders without ``__init__.py``.
    """
    module = re.sub(r"\W+", "_", target.module, flags=re.ASCII).strip("_") or "module"
    if len(module) > MOST_NAME:
        module = f"{module[:MOST_NAME]}_{hashlib.sha256(target.module.encode()).hexdigest()[:8]}"
    return f"{_folder(project)}/qverify/test_qv_{module}_{kind}.py"


def _folder(project: Project) -> str:
    tops = Counter(path.partition("/")[0] for path in project.test_files if "/" in path)
    for name in ("tests", "test", "testing"):
        if name in tops:
            return name
    return "tests"


test_path.__test__ = False  # type: ignore[attr-defined]
