"""``qverify keys`` in processes of its own, with and without a terminal: what is secret goes in silently and never comes out."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.test_cli import ROOT, assert_one_sentence

KEY = "sk-canary-90125-of-the-keys"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_PASSPHRASE_FILE"))}
    return {**kept, "QVERIFY_HOME": str(home), "QVERIFY_KEYRING": "false", **more}


def qverify(
    home: Path, *arguments: str, said: str = "", passphrase: str | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """The command with no terminal; the passphrase comes over a pipe."""
    reading, writing = os.pipe()
    os.write(writing, (passphrase or "").encode() + b"\n")
    os.close(writing)
    words = [*arguments, *(["--passphrase-fd", str(reading)] if passphrase is not None else [])]
    with closing(os.fdopen(reading, "rb")):
        return subprocess.run(
            [sys.executable, "-m", "qverify_desktop.cli", *words],
            env=environment(home, **more),
            input=said,
            pass_fds=(reading,),
            capture_output=True,
            text=True,
            timeout=120,
            cwd=ROOT,
        )


def on_terminal(home: Path, *arguments: str, answers: dict[str, str], **more: str) -> tuple[int, str]:
    """The command on a terminal of its own; answers by the words of the prompt. Its code and all that the terminal showed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        words = [sys.executable, "-m", "qverify_desktop.cli", *arguments]
        os.execve(sys.executable, words, environment(home, **more))
    shown, seen, until = "", 0, time.monotonic() + 100
    with closing(os.fdopen(terminal, "rb+", buffering=0)) as screen:
        while time.monotonic() < until:
            if select.select([screen], [], [], 0.2)[0]:
                try:
                    read = screen.read(4096)
                except OSError:
                    break
                if not read:
                    break
                shown += read.decode()
            for prompt, answer in answers.items():
                if prompt in shown[seen:]:
                    seen = len(shown)
                    screen.write(answer.encode() + b"\n")
                    break
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def everything_in(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


def test_a_key_is_set_listed_and_removed_without_a_terminal(home: Path) -> None:
    done = qverify(home, "keys", "set", "openai", "--store", "file", said=KEY + "\n", passphrase=PASSPHRASE)
    assert (done.returncode, done.stdout) == (0, "The key for openai is kept in the key file.\n"), done.stderr
    listed = qverify(home, "keys", "list", "--json", passphrase=PASSPHRASE)
    assert json.loads(listed.stdout)["keys"] == [
        {"provider": "openai", "store": "file", "ending": "keys", "counts": True}
    ]
    locked = qverify(home, "keys", "list")
    assert "locked" in locked.stdout and "openai" not in locked.stdout
    assert "--passphrase-fd" in locked.stderr
    removed = qverify(home, "keys", "remove", "openai", passphrase=PASSPHRASE)
    assert removed.returncode == 0, removed.stderr
    assert json.loads(qverify(home, "keys", "list", "--json", passphrase=PASSPHRASE).stdout)["keys"] == []
    assert_one_sentence(qverify(home, "keys", "remove", "openai", passphrase=PASSPHRASE), 2)
    for secret in (KEY, PASSPHRASE):
        assert secret.encode() not in everything_in(home)
        for one in (done, listed, locked, removed):
            assert secret not in one.stdout + one.stderr


def test_on_a_terminal_all_is_asked_and_nothing_is_shown(home: Path) -> None:
    code, shown = on_terminal(
        home,
        "keys",
        "set",
        "Anthropic",
        "--store",
        "file",
        answers={"The key (": KEY, "Passphrase for the new": PASSPHRASE, "once more": PASSPHRASE},
    )
    assert code == 0, shown
    assert "is kept in the key file" in shown
    code, listed = on_terminal(home, "keys", "list", answers={"empty: go on without": PASSPHRASE})
    assert code == 0
    assert "anthropic" in listed and "…keys" in listed
    code, changed = on_terminal(
        home,
        "keys",
        "change-passphrase",
        answers={
            "of the key file": PASSPHRASE,
            "New passphrase": "another long one",
            "once more": "another long one",
        },
    )
    assert code == 0, changed
    for text in (shown, listed, changed):
        assert KEY not in text and PASSPHRASE not in text and "another long one" not in text
    assert qverify(home, "keys", "unlock-check", passphrase="another long one").returncode == 0
    assert_one_sentence(qverify(home, "keys", "unlock-check", passphrase=PASSPHRASE), 2)


def test_two_new_passphrases_that_differ_keep_nothing(home: Path) -> None:
    code, shown = on_terminal(
        home,
        "keys",
        "set",
        "openai",
        "--store",
        "file",
        answers={"The key (": KEY, "Passphrase for the new": PASSPHRASE, "once more": PASSPHRASE + "x"},
    )
    assert code == 2
    assert "differ" in shown
    assert not (home / "keys").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "set", "openai", KEY),
        ("keys", "set", "openai", f"--key={KEY}"),
        ("keys", "set", "openai", "--key", KEY, "--json"),
        ("keys", KEY),
        ("keys", "set", KEY),
        ("keys", "remove", KEY),
    ],
    ids=["word", "option", "json", "action", "provider", "removed"],
)
def test_a_key_that_is_an_argument_is_refused_and_never_repeated(home: Path, arguments: tuple[str, ...]) -> None:
    done = qverify(home, *arguments, said=KEY)
    assert done.returncode == 2
    assert KEY not in done.stdout + done.stderr
    assert not (home / "keys").exists()
    assert KEY.encode() not in (everything_in(home) if home.exists() else b"")


def test_without_a_keyring_a_key_is_not_taken_for_a_process_that_ends(home: Path) -> None:
    done = qverify(home, "keys", "set", "openai", said=KEY)
    assert_one_sentence(done, 2)
    assert "--store file" in done.stderr


@pytest.mark.parametrize("said", ["", "\n", "two words", "\u00e9"])
def test_what_is_no_key_is_refused(home: Path, said: str) -> None:
    done = qverify(home, "keys", "set", "openai", "--store", "file", said=said, passphrase=PASSPHRASE)
    assert_one_sentence(done, 2)
    assert not (home / "keys").exists()


def test_the_passphrase_of_a_named_file_opens_the_key_file(home: Path, tmp_path: Path) -> None:
    holds = tmp_path / "passphrase"
    holds.write_text(PASSPHRASE + "\n")
    holds.chmod(0o600)
    named = {"QVERIFY_PASSPHRASE_FILE": str(holds)}
    assert qverify(home, "keys", "set", "any", "--store", "file", said=KEY, **named).returncode == 0
    assert "any" in qverify(home, "keys", "list", **named).stdout
    assert qverify(home, "keys", "unlock-check", **named).returncode == 0
    holds.write_text("the wrong one\n")
    listed = qverify(home, "keys", "list", **named)
    assert "does not open" in listed.stderr and "locked" in listed.stdout
    assert_one_sentence(qverify(home, "keys", "unlock-check", **named), 2)
    holds.chmod(0o644)
    assert "may be read by others" in qverify(home, "keys", "unlock-check", **named).stderr
    holds.unlink()
    assert "can't be read" in qverify(home, "keys", "unlock-check", **named).stderr


@pytest.mark.parametrize("action", ["unlock-check", "change-passphrase"])
def test_without_a_key_file_no_passphrase_is_asked(home: Path, action: str) -> None:
    done = qverify(home, "keys", action)
    assert_one_sentence(done, 2)
    assert "no key file" in done.stderr


def test_a_descriptor_that_is_not_open_is_told(home: Path) -> None:
    done = qverify(home, "keys", "set", "openai", "--store", "file", "--passphrase-fd", "77", said=KEY)
    assert_one_sentence(done, 2)
    assert "77" in done.stderr


def test_a_locked_file_that_is_damaged_is_told_and_other_commands_go_on(home: Path) -> None:
    qverify(home, "keys", "set", "openai", "--store", "file", said=KEY, passphrase=PASSPHRASE)
    (home / "keys/keys.sealed").write_bytes(b"x")
    assert_one_sentence(qverify(home, "keys", "unlock-check", passphrase=PASSPHRASE), 3)
    assert qverify(home, "runs").returncode == 0
