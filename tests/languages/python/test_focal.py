from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.focal import MAX_CHARACTERS, focal_source
from tests.languages.python.repositories import snapshot_of

MODULE = '''
import os
from typing import Any

LIMIT = 3
UNUSED = 4

def helper(x: int) -> int:
    return x

class Account:
    """Money in cents."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    def other(self) -> None:
        return None

    @property
    def total(self) -> int:
        """The total."""
        return helper(LIMIT)
'''


def focal(root: Path, text: str, symbol: str) -> str:
    snapshot = snapshot_of(root, {"m.py": text})
    project = detect(snapshot)
    assert project is not None
    (target,) = (t for t in find_targets(snapshot, project) if t.symbol == symbol)
    assert focal_source(snapshot, replace(target, line=target.line + 1)) == ""
    assert focal_source(snapshot, replace(target, file="gone.py")) == ""
    return focal_source(snapshot, target)


def test_a_method_stands_in_its_class_with_what_it_names(tmp_path: Path) -> None:
    assert (
        focal(tmp_path, MODULE, "Account.total")
        == '''import os
from typing import Any
LIMIT = 3

def helper(x: int) -> int: ...


class Account:
    """Money in cents."""

    def __init__(self, owner: str) -> None:
        self.owner = owner

    @property
    def total(self) -> int:
        """The total."""
        return helper(LIMIT)
'''
    )


def test_it_never_exceeds_its_cap(tmp_path: Path) -> None:
    long = "def f():\n" + "".join(f"    value_{n} = {n}\n" for n in range(2000)) + "    return 1\n"
    text = focal(tmp_path / "a", long, "f")
    assert len(text) <= MAX_CHARACTERS + 1
    assert text.startswith("def f():") and text.endswith("(cut)\n")
    many = "".join(f"NAME_{n} = {n}\n" for n in range(900)) + "def f():\n    return " + " + ".join(
        f"NAME_{n}" for n in range(300)
    ) + "\n"  # fmt: skip
    text = focal(tmp_path / "b", many, "f")
    assert len(text) <= MAX_CHARACTERS + 1
    assert "def f():" in text and "NAME_299" in text
