"""A later run says what became of the defects of an earlier one, and points to it in the log."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.integration.analysis.command import Repository, analyse
from tests.integration.analysis.test_archaeology import BAD, COUNT, GOOD, WRONG_WORDS

pytestmark = pytest.mark.docker

HALF = '''"""Halves."""


def half(number: int) -> int:
    """Half of a number.

    >>> half(9)
    5
    """
    return number // 2
'''


def entries(bundle: str, name: str) -> list[dict]:
    with zipfile.ZipFile(bundle) as archive:
        return [json.loads(line) for line in archive.read(name).splitlines()]


def test_mended_code_and_mended_words_are_told_apart_from_what_is_only_out_of_scope(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    repository.commit("Begin", __init__="", size=BAD, count=COUNT, names=WRONG_WORDS, halves=HALF)
    first = analyse(tmp_path / "home", repository.folder)
    assert {one["symbol"] for one in first["suspected_defects"]} == {"page_count", "initial", "half"}
    assert first["fixed"] == []
    repository.commit("Mend", size=GOOD, names=WRONG_WORDS.replace("'A'", "'a'"))
    second = analyse(tmp_path / "home", repository.folder, "--scope", "files:pages/size.py")
    assert second["suspected_defects"] == []
    told = {one["symbol"]: (one["by"], one["run"]) for one in second["fixed"]}
    assert told == {"page_count": ("code", first["run"]), "initial": ("words", first["run"])}
    assert f"Fixed since run {first['run']}" in Path(second["report"]).read_text()
    events = [one["data"] for one in entries(second["bundle"], "entries.jsonl") if one["type"] == "defect_fixed"]
    assert {one["symbol"] for one in events} == {"page_count", "initial"}
    closed = [one for one in entries(second["bundle"], "headers.jsonl") if one["type"] == "run_closed"]
    assert [one["run"] for one in closed] == [first["run"]] == list({one["relies_on"]["run"] for one in events})
    third = analyse(tmp_path / "home", repository.folder)
    assert [one["symbol"] for one in third["suspected_defects"]] == ["half"], "the third was never mended"
    assert third["fixed"] == [], "what was told once is not told again"
