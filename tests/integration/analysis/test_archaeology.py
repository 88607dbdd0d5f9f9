"""Defects that broke, that never held, and that are not committed, in real repositories, replayed in real containers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integration.analysis.command import Repository, analyse

pytestmark = pytest.mark.docker

COUNT = '''"""Counting pages."""

from pages.size import rounded


def page_count(items: int, size: int) -> int:
    """How many pages are needed.

    >>> page_count(10, 5)
    2
    """
    return rounded(items, size)
'''
GOOD = '"""Sizes."""\n\n\ndef rounded(items: int, size: int) -> int:\n    return -(-items // size)\n'
BAD = GOOD.replace("-(-items // size)", "items // size + 1")
WRONG_WORDS = '''"""Names."""


def initial(name: str) -> str:
    """The first letter.

    >>> initial("ada")
    'A'
    """
    return name[:1]
'''


def history(document: dict[str, Any], symbol: str) -> dict[str, Any]:
    (found,) = [one["history"] for one in document["suspected_defects"] if one["symbol"] == symbol]
    return dict(found)


def test_each_defect_is_told_since_when(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    repository.commit("Begin", __init__="", size=GOOD)
    repository.commit("Count pages", count=COUNT)
    named = repository.commit("Names", names=WRONG_WORDS)
    repository.commit("A file that can't be read", size="def rounded(:\n")
    held = repository.commit("Mend it", size=GOOD)
    broken = repository.commit("Round differently", size=BAD)
    repository.commit("Say more", count=COUNT.replace("are needed", "are needed for items"))
    repository.commit("Nothing")
    document = analyse(tmp_path / "home", repository.folder)
    found = history(document, "page_count")
    assert (found["state"], found["commit"], found["held"]) == ("broken_since", broken, held), found
    assert found["subject"] == "Round differently" and found["between"] == 0 and found["tried"] <= 12
    assert found["sentence"].startswith(f"Broken since commit {broken[:12]} (")
    never = history(document, "initial")
    assert (never["state"], never["commit"], never["held"]) == ("never_held", named, None), never
    assert "perhaps the documentation is wrong" in never["sentence"]
    assert Path(document["report"]).read_text().count("Round differently") == 1


def test_what_is_not_committed_is_told_apart(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    repository.commit("Begin", __init__="", size=GOOD, count=COUNT)
    repository.write(size=BAD)
    document = analyse(tmp_path / "home", repository.folder)
    assert history(document, "page_count")["state"] == "uncommitted"


def test_a_plain_folder_has_no_history(tmp_path: Path) -> None:
    folder = tmp_path / "plain" / "pages"
    folder.mkdir(parents=True)
    for name, text in {"__init__": "", "size": BAD, "count": COUNT}.items():
        (folder / f"{name}.py").write_text(text)
    document = analyse(tmp_path / "home", folder.parent)
    assert history(document, "page_count")["state"] == "no_history"
