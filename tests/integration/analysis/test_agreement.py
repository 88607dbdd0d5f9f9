"""Under ``changed:REF`` the code as it was and the code as it is are held against each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.analysis.command import Repository, analyse
from tests.integration.analysis.test_fixed import entries

pytestmark = pytest.mark.docker

BEFORE = '''"""Prices."""


def rounded(cents: int) -> int:
    """Cents to whole euros."""
    if cents < 0:
        return 0
    return cents // 100


def shouted(text: str) -> str:
    """The text in capitals.

    >>> shouted("a b")
    'A B'
    """
    return text.capitalize()


def same(number: int) -> int:
    """The number doubled."""
    return number + number
'''

AFTER = '''"""Prices."""


def rounded(cents: int) -> int:
    """Cents to whole euros."""
    if cents < 0:
        return cents // 100
    return cents // 100


def shouted(text: str) -> str:
    """The text in capitals.

    >>> shouted("a b")
    'A B'
    """
    return text.upper()


def same(number: int) -> int:
    """The number doubled."""
    return 2 * number


def new(number: int) -> int:
    """One more."""
    return number + 1
'''


def test_calls_that_are_answered_otherwise_than_before_are_named_and_others_are_not(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    repository.commit("Begin", __init__="", price=BEFORE)
    repository.git("tag", "v1")
    repository.commit("Change", price=AFTER)
    document = analyse(tmp_path / "home", repository.folder, "--scope", "changed:v1")
    changes = document["changes"]
    assert {one["symbol"] for one in changes} == {"rounded", "shouted"}, (
        "not what was only written otherwise, or is new"
    )
    promised = [one for one in changes if one["quote"]]
    assert [(one["call"], one["now"], one["before"]) for one in promised] == [('shouted("a b")', "'A B'", "'A b'")]
    assert len({(one["symbol"], one["call"]) for one in changes}) == len(changes)
    assert all(one["revision"] == "v1" and one["file"] == "pages/price.py" for one in changes)
    report = Path(document["report"]).read_text()
    assert "Answers otherwise than at v1" in report
    events = [
        one["data"] for one in entries(document["bundle"], "entries.jsonl") if one["type"] == "behaviour_changed"
    ]
    assert len(events) == len(changes)
    assert document["verdict"] == "nothing_suspected", "a change of behaviour accuses nobody"
    unchanged = analyse(tmp_path / "home", repository.folder, "--scope", "all")
    assert unchanged["changes"] == []
