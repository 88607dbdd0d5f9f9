"""Bad input through the real command line: a clear sentence, bounded time, and nothing is lost."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.integration.command import GOOD, Said, assert_whole, qverify, refused, runs


def folder_of(root: Path, files: dict[str | bytes, str]) -> Path:
    for name, text in files.items():
        path = os.path.join(os.fsencode(root), os.fsencode(name))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    return root


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One state folder for everything that is refused: each refusal must leave it usable."""
    return tmp_path_factory.mktemp("refusals") / "home"


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = folder_of(tmp_path_factory.mktemp("good") / "project", {"sign.py": GOOD})
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *words], check=True)
    return root


def test_what_is_no_repository_is_named(home: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folder_of(tmp_path / "words", {"notes.txt": "no source here", "main.c": "int main(void) { return 0; }"})
    folder_of(tmp_path / "broken", {"a.py": "def f(:\n", "b.py": "class\n"})
    for name, words in (
        ("empty", "holds no file that could be analysed"),
        ("missing", "There is no folder"),
        ("words/notes.txt", "neither a folder nor a git bundle"),
        ("words", "no source in words that can be analysed"),
        ("broken", "None of the 2 source files can be read"),
    ):
        assert words in refused(qverify(home, "analyze", str(tmp_path / name), "--json"), 2)
    assert set(runs(home).values()) == {"failed"} and len(runs(home)) == 4
    assert not any((home / "crashes").glob("*")), "bad input is no crash"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--scope", "nosuch"], "'nosuch' is not one of"),
        (["--scope", "files:"], "files:GLOB"),
        (["--max-targets", "0"], "--max-targets must be at least 1"),
        (["--max-targets", "-7"], "--max-targets must be at least 1"),
        (["--max-targets", "9" * 30], "--max-targets must be at most"),
        (["--seed", "tomorrow"], "--seed"),
        (["--seed", "9" * 30], "--seed must be at most"),
        (["--out", __file__], "is no folder"),
        (["--out", f"{__file__}/below"], "is no folder"),
    ],
    ids=lambda value: " ".join(value)[:30] if isinstance(value, list) else "",
)
def test_options_that_can_not_be_meant_leave_no_run(home: Path, good: Path, options: list[str], words: str) -> None:
    before = len(list((home / "workspace").glob("r*")))
    assert words in refused(qverify(home, "analyze", str(good), "--json", *options), 2)
    assert len(list((home / "workspace").glob("r*"))) == before


def test_an_empty_source_is_not_the_folder_one_stands_in(home: Path) -> None:
    assert "No folder and no URL was given" in refused(qverify(home, "analyze", "", "--json"), 2)


@pytest.mark.parametrize("content", [None, b"", b"just text\n", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_bundle_is_unreadable(tmp_path: Path, content: bytes | None) -> None:
    bundle = tmp_path / "some.qvevidence.zip"
    if content is not None:
        bundle.write_bytes(content)
    assert str(bundle) in refused(qverify(tmp_path / "home", "verify", str(bundle), "--json"), 2)
    assert not (tmp_path / "home").exists()


def test_more_than_two_gigabytes_are_refused_before_they_are_read(home: Path, tmp_path: Path) -> None:
    folder_of(tmp_path / "large", {"sign.py": GOOD})
    for number in range(44):
        with (tmp_path / "large" / f"{number}.bin").open("wb") as sparse:
            sparse.truncate(48 * 1024 * 1024)
    sentence = refused(qverify(home, "analyze", str(tmp_path / "large"), "--json"), 2)
    assert "2.1 GiB" in sentence and "more than 2 GiB are not analysed" in sentence


@pytest.mark.docker
def test_thousands_of_files_and_one_too_large_are_analysed(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "many", {f"part{n // 250}/m{n:04}.py": GOOD for n in range(3000)})
    with (source / "film.bin").open("wb") as sparse:
        sparse.truncate(51 * 1024 * 1024)
    said = qverify(tmp_path / "home", "analyze", str(source), "--json", "--max-targets", "3")
    assert said.code == 0 and said.document["targets"] == 3 and said.document["accepted"] > 0, said.err
    assert [left["path"] for left in said.document["skipped"]] == ["film.bin"]
    assert_whole(tmp_path / "home", said)


NAMES: dict[str | bytes, str] = {
    "two words.py": GOOD,
    "line\nfeed.py": GOOD,
    "tabs\tand \x07bells.py": GOOD,
    "\N{PERSON WITH FOLDED HANDS}.py": GOOD,
    b"latin-\xe9\xff.py": GOOD,
    "-rf.py": GOOD,
    "a" * 240 + ".py": GOOD,
    "folder \N{SNAKE}/in\nside.py": GOOD,
    "half/broken_one.py": "def f(:\n",
    "half/broken_two.py": 'x = "never closed\n',
    "half/zeroes.py": "x = 1\0\n",
    "half/whole.py": GOOD.replace("sign", "half_sign"),
    "sign.py": GOOD,
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    folder = tmp_path_factory.mktemp("odd")
    source = folder_of(folder / "odd names \N{SNAKE}", NAMES)
    said = qverify(folder / "home", "analyze", str(source), "--json", "--max-targets", "12")
    return folder / "home", said


@pytest.mark.docker
def test_odd_names_and_broken_halves_do_not_stop_the_rest(odd: tuple[Path, Said]) -> None:
    home, said = odd
    assert said.code == 0, said.err
    assert_whole(home, said)
    accepted = [test for test in said.document["tests"] if test["verdict"] == "accepted"]
    assert any("half_sign" in test["name"] for test in accepted), said.document["tests"]
    assert any("half_sign" not in test["name"] for test in accepted)


@pytest.mark.docker
def test_what_could_not_be_read_is_named(odd: tuple[Path, Said]) -> None:
    _, said = odd
    report = Path(said.document["report"]).read_text(encoding="utf-8")
    for name in ("broken_one.py", "broken_two.py", "zeroes.py"):
        assert name in report and name in said.err, said.err
    assert "latin-" in report and "latin-" in said.err
    assert "\x07" not in said.err and not any(line.startswith("feed.py") for line in said.err.splitlines())


@pytest.mark.docker
def test_scopes_without_a_match_are_inconclusive_and_an_unknown_ref_is_bad_input(tmp_path: Path, good: Path) -> None:
    home = tmp_path / "home"
    none = qverify(home, "analyze", str(good), "--json", "--scope", "files:*.nothing")
    assert none.code == 4 and none.document["verdict"] == "inconclusive", none.err
    assert "no function in the scope" in none.document["sentence"]
    assert_whole(home, none)
    unknown = refused(qverify(home, "analyze", str(good), "--json", "--scope", "changed:no-such-branch"), 2)
    assert "no-such-branch" in unknown
    assert sorted(runs(home).values()) == ["failed", "finished"]


@pytest.mark.docker
def test_a_model_that_does_not_answer_degrades_and_a_bundle_cut_in_half_is_unreadable(
    tmp_path: Path, good: Path
) -> None:
    home = tmp_path / "home"
    nowhere = ["--model", "nosuch", "--api-base", "http://127.0.0.1:9/v1"]
    said = qverify(home, "analyze", str(good), "--json", *nowhere, "--out", str(tmp_path / "out"))
    assert said.code == 0 and said.document["accepted"] > 0, said.err
    assert any("No model was used" in notice for notice in said.document["notices"]), said.document["notices"]
    assert_whole(home, said)
    whole = Path(said.document["bundle"]).read_bytes()
    for part in (whole[: len(whole) // 2], whole[: len(whole) - 10]):
        (tmp_path / "half.zip").write_bytes(part)
        refused(qverify(home, "verify", str(tmp_path / "half.zip"), "--json"), 2)
    with zipfile.ZipFile(tmp_path / "half.zip", "w") as empty:
        empty.writestr("bundle.json", "{}")
    assert qverify(home, "verify", str(tmp_path / "half.zip"), "--json").code in (1, 2)
