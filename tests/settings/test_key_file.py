"""The key file: what opens it, what does not and says why, and that it is never there half."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, WrongPassphrase
from qverify_desktop.settings.key_file import FILE, FOLDER, KeyFile

PASSPHRASE = "correct horse battery"
KEYS = {"openai": "sk-canary-0123456789", "": "sk-any"}
#: Weak on purpose: these tests are about form.
QUICK = 2**10


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    made = KeyFile(tmp_path, n=QUICK)
    made.write(PASSPHRASE, KEYS)
    return made


def test_what_was_written_is_read_with_the_passphrase_alone(file: KeyFile) -> None:
    assert file.read(PASSPHRASE) == KEYS
    for wrong in ("", "correct horse", PASSPHRASE + " ", PASSPHRASE.upper()):
        with pytest.raises(WrongPassphrase, match="does not open") as caught:
            file.read(wrong)
        assert PASSPHRASE not in str(caught.value)


def test_the_file_is_private_and_shows_no_key(file: KeyFile, tmp_path: Path) -> None:
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / FOLDER).stat().st_mode & 0o777 == 0o700
    content = file.path.read_bytes()
    for part in (*KEYS.values(), "openai", PASSPHRASE):
        assert not part or (part.encode() not in content and base64.b64encode(part.encode())[:-4] not in content)
    assert [one.name for one in (tmp_path / FOLDER).iterdir()] == [FILE]


def test_no_two_files_share_salt_nonce_or_text(file: KeyFile) -> None:
    before = file.path.read_bytes().split(b"\n")
    file.write(PASSPHRASE, KEYS)
    after = file.path.read_bytes().split(b"\n")
    heads = [json.loads(lines[0]) for lines in (before, after)]
    assert heads[0]["salt"] != heads[1]["salt"]
    assert heads[0]["nonce"] != heads[1]["nonce"]
    assert before[2] != after[2]


def test_one_more_key_does_not_show_in_the_size(file: KeyFile) -> None:
    size = file.path.stat().st_size
    file.write(PASSPHRASE, {**KEYS, "anthropic": "sk-ant-" + "x" * 80})
    assert file.path.stat().st_size == size


def test_another_program_opens_it_by_the_description_alone(file: KeyFile) -> None:
    """Written with the standard library's scrypt and HMAC, from the words of the module."""
    line, check, sealed, end = file.path.read_bytes().split(b"\n")
    head = json.loads(line)
    salt, nonce = base64.b64decode(head["salt"]), base64.b64decode(head["nonce"])
    made = hashlib.scrypt(PASSPHRASE.encode(), salt=salt, n=head["n"], r=head["r"], p=head["p"], dklen=64)
    assert hmac.new(made[32:], line, hashlib.sha256).digest() == base64.b64decode(check)
    assert json.loads(ChaCha20Poly1305(made[:32]).decrypt(nonce, base64.b64decode(sealed), line)) == {"keys": KEYS}
    assert (head["kdf"], head["cipher"], end) == ("scrypt", "chacha20-poly1305", b"")


def test_what_is_written_for_people_is_hard_to_guess(tmp_path: Path) -> None:
    KeyFile(tmp_path).write(PASSPHRASE, KEYS)
    head = json.loads((tmp_path / FOLDER / FILE).read_bytes().split(b"\n")[0])
    assert 128 * head["n"] * head["r"] >= 128 * 2**20
    assert KeyFile(tmp_path).read(PASSPHRASE) == KEYS


def test_one_passphrase_in_two_forms_of_unicode_is_one(tmp_path: Path) -> None:
    KeyFile(tmp_path, n=QUICK).write("Stra\u00dfe caf\u00e9", KEYS)
    assert KeyFile(tmp_path).read("Stra\u00dfe cafe\u0301") == KEYS


def test_every_cut_is_told(file: KeyFile) -> None:
    whole = file.path.read_bytes()
    for length in [*range(0, len(whole), 7), len(whole) - 1]:
        file.path.write_bytes(whole[:length])
        with pytest.raises((MissingPrerequisite, WrongPassphrase)) as caught:
            file.read(PASSPHRASE)
        assert "cut off" in str(caught.value) or length < 25


def test_every_changed_byte_is_told(file: KeyFile) -> None:
    whole = file.path.read_bytes()
    for at in (*range(0, len(whole), 5), *range(len(whole) - 8, len(whole))):
        file.path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises((MissingPrerequisite, WrongPassphrase)):
            file.read(PASSPHRASE)


def test_a_changed_text_is_no_wrong_passphrase(file: KeyFile) -> None:
    line, check, sealed, end = file.path.read_bytes().split(b"\n")
    other = base64.b64encode(bytes([base64.b64decode(sealed)[0] ^ 1]) + base64.b64decode(sealed)[1:])
    file.path.write_bytes(b"\n".join((line, check, other, end)))
    with pytest.raises(MissingPrerequisite, match="changed or damaged"):
        file.read(PASSPHRASE)


def headed(file: KeyFile, **changes: Any) -> None:
    """The file with another first line, as whoever may write it could leave it."""
    line, *rest = file.path.read_bytes().split(b"\n")
    file.path.write_bytes(b"\n".join((json.dumps({**json.loads(line), **changes}).encode(), *rest)))


def test_a_newer_form_is_told(file: KeyFile) -> None:
    headed(file, version=2)
    with pytest.raises(MissingPrerequisite, match="newer QVerify"):
        file.read(PASSPHRASE)


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 2**40},
        {"n": 2**19},
        {"n": 2**18, "r": 16},
        {"n": 1000},
        {"n": -(2**14)},
        {"n": 2},
        {"n": True},
        {"n": 2.0**14},
        {"n": "16384"},
        {"n": 10**400},
        {"r": 0},
        {"r": 2**30},
        {"p": 5},
        {"p": 0},
        {"salt": ""},
        {"salt": "AAAA"},
        {"salt": 7},
        {"nonce": "AAAA"},
        {"nonce": None},
        {"kdf": "pbkdf2"},
        {"cipher": "rot13"},
        {"version": 0},
        {"version": True},
        {"version": "1"},
        {"format": "something"},
    ],
    ids=str,
)
def test_a_hostile_first_line_costs_nothing(file: KeyFile, changes: dict[str, Any]) -> None:
    headed(file, **changes)
    measured = (
        "import resource, sys, time\n"
        "from pathlib import Path\n"
        "from qverify_desktop.domain.errors import MissingPrerequisite\n"
        "from qverify_desktop.settings.key_file import KeyFile\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: KeyFile(Path(sys.argv[1])).read('x' * 9)\n"
        "except MissingPrerequisite: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000)\n"
    )
    if changes in ({"n": 2**40}, {"n": 2**18, "r": 16}):
        ran = subprocess.run(
            [sys.executable, "-c", measured, str(file.path.parent.parent)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.stdout == "True\n", ran.stderr
    with pytest.raises(MissingPrerequisite):
        file.read(PASSPHRASE)


@pytest.mark.parametrize(
    "content",
    [b"\0" * 100, b"[" * 100_000, b"{}\n\n\n", b"null\na\nb\n", b"\xff\xfe\n\n\n", b"{" + b"9" * 5000 + b"}\n\n\n"],
    ids=["zeros", "nested", "empty", "null", "bytes", "digits"],
)
def test_what_is_no_key_file_is_told(file: KeyFile, content: bytes) -> None:
    file.path.write_bytes(content)
    with pytest.raises(MissingPrerequisite, match="no key file of QVerify"):
        file.read(PASSPHRASE)


def test_a_huge_file_is_not_read(file: KeyFile) -> None:
    with file.path.open("wb") as huge:
        huge.truncate(10**10)
    with pytest.raises(MissingPrerequisite, match="larger"):
        file.read(PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_file_that_is_open_to_others_is_refused(file: KeyFile, mode: int) -> None:
    file.path.chmod(mode)
    with pytest.raises(MissingPrerequisite, match="open to others") as caught:
        file.read(PASSPHRASE)
    assert f"chmod 600 {file.path}" in caught.value.remedy
    file.path.chmod(0o600)
    file.path.parent.chmod(0o755)
    with pytest.raises(MissingPrerequisite, match="open to others") as caught:
        file.read(PASSPHRASE)
    assert f"chmod 700 {file.path.parent}" in caught.value.remedy
    with pytest.raises(MissingPrerequisite, match="open to others"):
        file.write(PASSPHRASE, {})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_another_account_is_refused(file: KeyFile) -> None:
    os.chown(file.path, 65534, 65534)
    with pytest.raises(MissingPrerequisite, match="another account"):
        file.read(PASSPHRASE)


def test_a_link_a_folder_and_a_pipe_are_refused(file: KeyFile, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    file.path.rename(moved)
    file.path.symlink_to(moved)
    with pytest.raises(MissingPrerequisite):
        file.read(PASSPHRASE)
    file.path.unlink()
    file.path.mkdir()
    with pytest.raises(MissingPrerequisite):
        file.read(PASSPHRASE)
    file.path.rmdir()
    os.mkfifo(file.path, 0o600)
    with pytest.raises(MissingPrerequisite, match="no plain file"):
        file.read(PASSPHRASE)


def test_without_a_file_the_way_to_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="no key file") as caught:
        KeyFile(tmp_path).read(PASSPHRASE)
    assert "qverify keys set" in caught.value.remedy


@pytest.mark.parametrize("passphrase", ["", "short", "x" * 1025, "null\0byte"])
def test_a_poor_passphrase_is_refused_and_changes_nothing(file: KeyFile, passphrase: str) -> None:
    before = file.path.read_bytes()
    with pytest.raises(BadInput, match="passphrase"):
        file.write(passphrase, {})
    assert file.path.read_bytes() == before


def test_a_disk_that_is_full_leaves_the_old_file(file: KeyFile) -> None:
    """A limit on the size of files stands for the full disk; the child may not write a whole one."""
    before = file.path.read_bytes()
    code = (
        "import resource, signal, sys\n"
        "from pathlib import Path\n"
        "from qverify_desktop.domain.errors import MissingPrerequisite\n"
        "from qverify_desktop.settings.key_file import KeyFile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        "try: KeyFile(Path(sys.argv[1]), n=1024).write('x' * 9, {'openai': 'sk'})\n"
        "except MissingPrerequisite as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, str(file.path.parent.parent)], capture_output=True, text=True, check=False
    )
    assert "Nothing was changed" in ran.stdout, ran.stderr
    assert file.path.read_bytes() == before
    assert [one.name for one in file.path.parent.iterdir()] == [FILE]
