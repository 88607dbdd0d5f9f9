"""Settings: precedence, refusals with a sentence, and a home that can't be written to."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.settings.configuration import Configuration


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("QVERIFY_CONTAINERS", "QVERIFY_AIR_GAP", "DOCKER_HOST", "QVERIFY_DOCKER_HOST"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("QVERIFY_HOME", str(tmp_path / "home"))


def test_home_comes_from_the_environment_and_is_made_private(tmp_path: Path) -> None:
    configuration = Configuration.load()
    assert configuration.home == tmp_path / "home"
    assert configuration.prepare_home().stat().st_mode & 0o777 == 0o700
    assert list(configuration.home.iterdir()) == []


def test_a_relative_home_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QVERIFY_HOME", "state")
    assert Configuration.load().home == tmp_path / "state"


def test_without_the_variable_the_home_is_the_users_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("QVERIFY_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert Configuration.load().home == tmp_path / "data" / "qverify"


def test_environment_beats_file_and_arguments_beat_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_text('containers = 3\nair_gap = true\ndocker_host = "tcp://one:1"\n')
    assert (Configuration.load().containers, Configuration.load().air_gap) == (3, True)
    assert Configuration.load().docker_host == "tcp://one:1"
    monkeypatch.setenv("QVERIFY_CONTAINERS", "5")
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert Configuration.load().containers == 5
    assert Configuration.load().docker_host == "unix:///run/other.sock"
    assert Configuration.load(containers=7).containers == 7


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("containers = 0\n", "containers"),
        ('containers = "many"\n', "containers"),
        ("contaners = 2\n", "contaners"),
        ("containers = = 2\n", "settings.toml"),
        ("\xff", "settings.toml"),
    ],
)
def test_a_bad_settings_file_is_refused_with_the_name_of_what_is_wrong(tmp_path: Path, text: str, word: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "settings.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput) as caught:
        Configuration.load()
    assert word in caught.value.sentence
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("gvisor", "maybe", "it has to be true or false."),
        ("containers", "many", "it has to be a whole number."),
        ("containers", "0", "it has to be greater than or equal to 1."),
        ("sandbox", "chroot", "it has to be 'docker' or 'bubblewrap'."),
    ],
)
def test_a_bad_value_is_told_in_plain_words(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"QVERIFY_{name.upper()}", value)
    with pytest.raises(BadInput) as caught:
        Configuration.load()
    assert caught.value.sentence == f"The setting {name!r} can't be used: {words}"


@pytest.mark.parametrize("blocked", ["file", "proc"])
def test_a_home_that_takes_no_files_is_a_missing_prerequisite(tmp_path: Path, blocked: str) -> None:
    (tmp_path / "file").write_text("in the way")
    home = tmp_path / "file" / "home" if blocked == "file" else Path("/proc/self")
    with pytest.raises(MissingPrerequisite) as caught:
        Configuration.load(home=home).prepare_home()
    assert str(home) in caught.value.sentence
    assert "QVERIFY_HOME" in caught.value.remedy
