"""``qverify runtimes save`` and ``load`` as a person types them, and what they say to bad words."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from qverify_desktop.engine.machine import ThisMachine
from qverify_desktop.settings.configuration import Configuration
from tests.integration.command import qverify, refused

pytestmark = pytest.mark.docker


def test_a_saved_runtime_is_loaded_and_an_altered_file_is_not(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "runtimes.qvr"
    saved = qverify(home, "runtimes", "save", str(file), "python", "--json")
    assert saved.code == 0, saved.err
    assert [one["runtime"] for one in saved.document["runtimes"]] == ["python"]
    assert "its digest is" in saved.err
    loaded = qverify(home, "runtimes", "load", str(file), "--json")
    assert loaded.code == 0, loaded.err
    (one,) = loaded.document["runtimes"]
    assert one["ready"] and one["digest"] == saved.document["runtimes"][0]["digest"]
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, 1)
        opened.write(bytes([byte[0] ^ 1]))
    assert "damaged" in refused(qverify(home, "runtimes", "load", str(file), "--json"), 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["save"], "No file was named."),
        (["load"], "No file was named."),
        (["save", "{file}", "cobol"], "There is no runtime 'cobol'."),
        (["load", "{file}", "python"], "A file is loaded whole."),
        (["load", "{file}"], "can't be read"),
        (["save", "{folder}"], "exists already"),
    ],
)
def test_bad_words_are_refused(tmp_path: Path, words: list[str], sentence: str) -> None:
    places = {"file": tmp_path / "nowhere.qvr", "folder": tmp_path}
    said = qverify(tmp_path / "home", "runtimes", *(word.format(**places) for word in words), "--json")
    assert sentence in refused(said, 2)
    assert not (tmp_path / "nowhere.qvr").exists()


async def test_a_save_that_is_cancelled_ends_soon_and_leaves_no_file(tmp_path: Path) -> None:
    machine = ThisMachine(tmp_path / "home", Configuration())
    file = tmp_path / "runtimes.qvr"
    saving = asyncio.create_task(machine.runtimes("save", [str(file), "python"]))
    while not (file.exists() and file.stat().st_size > 1024 * 1024):
        assert not saving.done(), saving
        await asyncio.sleep(0.001)
    begun, written = time.monotonic(), file.stat().st_size
    saving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await saving
    assert time.monotonic() - begun < 5, written
    assert not file.exists()
    await machine.sandbox.close()
    await machine.reduced.close()
