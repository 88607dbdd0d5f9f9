"""The signing key keeps its place and its permissions; model keys leave the environment and never show."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, WrongPassphrase
from qverify_desktop.domain.key_variables import StartKeys
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring
from qverify_desktop.settings.secrets import ApiKeys, Store
from qverify_desktop.settings.signing_key import KEY_FILE, PLACE_FILE, SigningKeyStore


class MemoryKeyring:
    """A back end that keeps entries in a dictionary."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class HangingKeyring(MemoryKeyring):
    """Locked: it asks on a display that nobody sees."""

    def set_password(self, service: str, username: str, password: str) -> None:
        time.sleep(60)


class ForgetfulKeyring(MemoryKeyring):
    def get_password(self, service: str, username: str) -> str | None:
        return None


class RefusingKeyring(MemoryKeyring):
    def set_password(self, service: str, username: str, password: str) -> None:
        raise RuntimeError("Prompt dismissed, and here is the secret: " + password)


def no_keyring() -> OsKeyring:
    raise KeyringUnavailable("This session has no keyring.")


def test_without_a_keyring_the_key_is_a_private_file_that_stays_the_same(tmp_path: Path) -> None:
    first = SigningKeyStore(tmp_path, open_keyring=no_keyring).load_or_create()
    assert first[1] == "unprotected key"
    assert len(first[0]) == 32
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    assert SigningKeyStore(tmp_path, open_keyring=no_keyring).load_or_create() == first
    assert [p.name for p in tmp_path.iterdir()] == [KEY_FILE]


def test_two_homes_have_two_keys(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        keys.add(SigningKeyStore(tmp_path / name, open_keyring=no_keyring).load_or_create()[0])
    assert len(keys) == 2


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    store = SigningKeyStore(tmp_path, open_keyring=no_keyring)
    store.load_or_create()
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(MissingPrerequisite) as caught:
        store.load_or_create()
    assert "chmod 600" in caught.value.remedy


@pytest.mark.parametrize("content", [b"", b"not base64 !", b"c2hvcnQ="])
def test_a_damaged_key_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / KEY_FILE).write_bytes(content)
    (tmp_path / KEY_FILE).chmod(0o600)
    with pytest.raises(MissingPrerequisite, match="damaged"):
        SigningKeyStore(tmp_path, open_keyring=no_keyring).load_or_create()
    assert (tmp_path / KEY_FILE).read_bytes() == content


def test_a_key_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"x")
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MissingPrerequisite):
        SigningKeyStore(tmp_path, open_keyring=no_keyring).load_or_create()


def test_a_home_that_takes_no_file_is_a_missing_prerequisite() -> None:
    with pytest.raises(MissingPrerequisite) as caught:
        SigningKeyStore(Path("/proc/self"), open_keyring=no_keyring).load_or_create()
    assert "QVERIFY_HOME" in caught.value.remedy


def test_with_a_keyring_no_key_lies_on_the_disk(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    store = SigningKeyStore(tmp_path, open_keyring=lambda: OsKeyring.open(backend))
    private, protection = store.load_or_create()
    assert protection == "keyring"
    assert store.load_or_create() == (private, "keyring")
    assert len(backend.entries) == 1
    assert [p.name for p in tmp_path.iterdir()] == [PLACE_FILE]
    entry = next(iter(backend.entries.values()))
    assert entry not in (tmp_path / PLACE_FILE).read_text()


def test_a_key_in_a_keyring_that_went_away_is_never_replaced_in_silence(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    SigningKeyStore(tmp_path, open_keyring=lambda: OsKeyring.open(backend)).load_or_create()
    with pytest.raises(MissingPrerequisite, match="keyring"):
        SigningKeyStore(tmp_path, open_keyring=no_keyring).load_or_create()
    backend.entries.clear()
    with pytest.raises(MissingPrerequisite, match="no longer holds"):
        SigningKeyStore(tmp_path, open_keyring=lambda: OsKeyring.open(backend)).load_or_create()
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize("backend", [HangingKeyring(), ForgetfulKeyring(), RefusingKeyring()])
def test_the_probe_finds_a_keyring_that_hangs_forgets_or_refuses(tmp_path: Path, backend: MemoryKeyring) -> None:
    started = time.monotonic()
    with pytest.raises(KeyringUnavailable) as caught:
        OsKeyring.open(backend, timeout_s=0.3)
    assert time.monotonic() - started < 3
    assert "secret" not in str(caught.value)
    store = SigningKeyStore(tmp_path, open_keyring=lambda: OsKeyring.open(backend, timeout_s=0.3))
    assert store.load_or_create()[1] == "unprotected key"


def test_a_hanging_keyring_does_not_hold_up_the_end_of_the_process() -> None:
    code = (
        "from tests.settings.test_secrets import HangingKeyring\n"
        "from qverify_desktop.settings.os_keyring import OsKeyring, KeyringUnavailable\n"
        "try: OsKeyring.open(HangingKeyring(), timeout_s=0.2)\n"
        "except KeyringUnavailable: print('gone on')\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=20, check=False)
    assert (ran.stdout, ran.returncode) == ("gone on\n", 0), ran.stderr


def test_a_session_without_a_bus_has_no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    with pytest.raises(KeyringUnavailable, match="no keyring"):
        OsKeyring.open(timeout_s=10)


def test_model_keys_leave_the_environment_and_never_show() -> None:
    environ = {"QVERIFY_API_KEY": " sk-any ", "OPENAI_API_KEY": "sk-open", "PATH": "/bin"}
    keys = ApiKeys.take(environ)
    assert environ == {"PATH": "/bin"}
    key = keys.for_provider("anthropic")
    assert key is not None
    assert key.get_secret_value() == "sk-any"
    assert "sk-" not in repr(keys) + str(keys) + repr(vars(keys)) + repr(key) + f"{key}"


def test_a_providers_key_is_for_that_provider_alone() -> None:
    keys = ApiKeys.take({"OPENAI_API_KEY": "sk-open"})
    assert keys.for_provider("anthropic") is None
    assert keys.for_provider("openai") is not None


def test_a_key_in_the_keyring_is_found() -> None:
    backend = MemoryKeyring()
    backend.set_password("qverify-desktop", "api-key-openai", "sk-kept")
    key = ApiKeys({}, OsKeyring(backend)).for_provider("openai")
    assert key is not None
    assert key.get_secret_value() == "sk-kept"


def test_the_process_environment_is_taken_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StartKeys, "_taken", {})
    monkeypatch.setenv("OPENAI_API_KEY", "sk-open")
    StartKeys.take()
    assert "OPENAI_API_KEY" not in os.environ
    key = ApiKeys.take().for_provider("openai")
    assert key is not None, "what was taken first is not lost"
    assert key.get_secret_value() == "sk-open"


class Fickle(MemoryKeyring):
    """Works until it is locked."""

    locked = False

    def _check(self) -> None:
        if self.locked:
            raise RuntimeError("locked")

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return super().get_password(service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        super().delete_password(service, username)


@pytest.mark.parametrize("provider", ["", "openai", "llm.example.org"])
def test_a_key_that_was_kept_serves_the_next_start_for_every_end_point_and_can_be_removed(provider: str) -> None:
    backend = MemoryKeyring()
    first = ApiKeys({}, OsKeyring(backend))
    assert "keyring" in first.place()
    first.put("any", "sk-kept")
    later = ApiKeys({}, OsKeyring(backend))
    assert later.has_one()
    key = later.for_provider(provider)
    assert key is not None
    assert key.get_secret_value() == "sk-kept"
    later.remove("any")
    assert later.for_provider(provider) is None
    assert not later.has_one()
    assert backend.entries == {}
    later.remove("any")


def test_without_a_keyring_a_key_lives_as_long_as_the_process() -> None:
    keys = ApiKeys({})
    keys.put("openai", "sk-kept")
    assert keys.has_one()
    assert "until QVerify ends" in keys.place()
    keys.remove("openai")
    assert not keys.has_one()


def test_a_keyring_that_locks_is_told_and_keeps_what_was_there() -> None:
    backend = Fickle()
    keys = ApiKeys({}, OsKeyring(backend))
    keys.put("openai", "sk-kept")
    backend.locked = True
    with pytest.raises(MissingPrerequisite, match="did not take"):
        keys.put("openai", "sk-new")
    with pytest.raises(MissingPrerequisite, match="still"):
        keys.remove("openai")
    backend.locked = False
    key = keys.for_provider("openai")
    assert key is not None
    assert key.get_secret_value() == "sk-kept"


LONG = "sk-abcdefghijklmnop-wxyz"


def test_a_list_shows_where_each_key_is_and_which_counts_but_no_key(tmp_path: Path) -> None:
    keys = ApiKeys.take({"OPENAI_API_KEY": LONG}, OsKeyring(MemoryKeyring()), KeyFile(tmp_path, n=2**10))
    keys.put("openai", "sk-the-keyrings-own-0001")
    keys.put("LLM.example.org", "sk-short", "file", "correct horse")
    keys.put("anthropic", "sk-typed-for-this-process", "session")
    assert [(one.provider, one.store, one.ending, one.counts) for one in keys.listed()] == [
        ("anthropic", Store.SESSION, "cess", True),
        ("llm.example.org", Store.FILE, "", True),
        ("openai", Store.ENVIRONMENT, "wxyz", True),
        ("openai", Store.KEYRING, "0001", False),
    ]
    assert "sk-" not in repr(keys.listed())


def test_the_key_of_a_named_host_in_the_keyring_is_listed_and_taken_out_of_texts() -> None:
    backend = MemoryKeyring()
    ApiKeys({}, OsKeyring(backend)).put("llm.example.org", LONG)
    later = ApiKeys({}, OsKeyring(backend))
    assert [one.provider for one in later.listed()] == ["llm.example.org"]
    assert later.without(f"see {LONG}") == "see [key]"
    later.remove("llm.example.org")
    assert (later.listed(), later.without(LONG)) == ([], LONG)


def test_a_key_that_is_set_anew_elsewhere_is_in_one_store_alone(tmp_path: Path) -> None:
    backend = MemoryKeyring()
    keys = ApiKeys({}, OsKeyring(backend), KeyFile(tmp_path, n=2**10))
    for store in ("keyring", "file", "session", "file", "keyring"):
        keys.put("openai", f"sk-in-{store}", store, "correct horse")
        assert [one.store for one in keys.listed()] == [store]
        key = keys.for_provider("openai")
        assert key is not None
        assert key.get_secret_value() == f"sk-in-{store}"


def test_a_locked_file_gives_no_key_until_its_passphrase_comes(tmp_path: Path) -> None:
    ApiKeys({}, None, KeyFile(tmp_path, n=2**10)).put("openai", LONG, "file", "correct horse")
    later = ApiKeys({}, None, KeyFile(tmp_path, n=2**10))
    assert later.is_locked()
    assert (later.for_provider("openai"), later.listed()) == (None, [])
    with pytest.raises(WrongPassphrase):
        later.put("openai", "sk-new", "file")
    with pytest.raises(WrongPassphrase):
        later.unlock("wrong horse")
    assert later.check("correct horse") == 1
    assert later.is_locked(), "looking changes nothing"
    assert later.unlock("correct horse") == 1
    key = later.for_provider("openai")
    assert key is not None
    assert key.get_secret_value() == LONG
    assert LONG in later.values(), "so that it is masked"
    later.change_passphrase("correct horse", "battery staple")
    later.put("anthropic", "sk-other", "file")
    last = ApiKeys({}, None, KeyFile(tmp_path, n=2**10))
    with pytest.raises(WrongPassphrase):
        last.unlock("correct horse")
    assert last.unlock("battery staple") == 2


def test_a_first_key_file_needs_a_passphrase_that_is_long_enough(tmp_path: Path) -> None:
    keys = ApiKeys({}, None, KeyFile(tmp_path, n=2**10))
    for passphrase in ("", "short"):
        with pytest.raises(BadInput):
            keys.put("openai", LONG, "file", passphrase)
        assert not keys.has_file()
        assert keys.listed() == []


@pytest.mark.parametrize("key", ["", "two words", "line\nbreak", "x" * 4097, "sk-\u00e9"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(BadInput, match="key"):
        ApiKeys({}).put("openai", key)


@pytest.mark.parametrize(
    "provider", ["no spaces", "../x", "-x", "a/b", "x" * 300, "sk_live", "sk-abcdefghijklmnopqrstuv"]
)
def test_what_is_no_provider_is_refused_and_not_repeated(provider: str) -> None:
    with pytest.raises(BadInput) as caught:
        ApiKeys({}).put(provider, LONG)
    assert provider not in str(caught.value)


def test_a_store_that_is_not_here_is_refused(tmp_path: Path) -> None:
    for store in ("keyring", "file"):
        with pytest.raises(MissingPrerequisite, match=store):
            ApiKeys({}).put("openai", LONG, store)
    for store in ("vault", "environment"):
        with pytest.raises((BadInput, MissingPrerequisite)):
            ApiKeys({}, None, KeyFile(tmp_path)).put("openai", LONG, store)
    with pytest.raises(BadInput, match="environment"):
        ApiKeys.take({"OPENAI_API_KEY": LONG}).remove("openai", "environment")


def test_known_keys_are_taken_out_of_a_text() -> None:
    backend = MemoryKeyring()
    backend.set_password("qverify-desktop", "api-key-", "sk-kept")
    keys = ApiKeys.take({"OPENAI_API_KEY": "sk-open"}, OsKeyring(backend))
    assert keys.without("a sk-open b sk-kept c") == "a [key] b [key] c"


def test_the_passphrase_of_the_open_key_file_is_taken_out_of_a_text(tmp_path: Path) -> None:
    ApiKeys({}, file=KeyFile(tmp_path, n=2**10)).put("openai", "sk-in-file", "file", "eleven quiet herons")
    keys = ApiKeys({}, file=KeyFile(tmp_path, n=2**10))
    keys.unlock("eleven quiet herons")
    assert keys.without("'eleven quiet herons' opened sk-in-file") == "'[passphrase]' opened [key]"
    keys.change_passphrase("eleven quiet herons", "nine loud herons")
    assert keys.without("nine loud herons") == "[passphrase]"
