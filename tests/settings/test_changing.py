"""Settings are changed as a whole: what can't be is named and changes nothing; the file is private and holds no secret."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.settings import changing
from qverify_desktop.settings.configuration import SETTINGS_FILE, Configuration


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*(f"QVERIFY_{name.upper()}" for name in changing.CHANGEABLE), "DOCKER_HOST"]:
        monkeypatch.delenv(name, raising=False)


CHANGES: list[tuple[str, Any]] = [
    ("air_gap", True),
    ("model", "qwen2.5-coder:7b"),
    ("api_base", "http://127.0.0.1:8080/v1"),
    ("containers", 3),
    ("docker_host", "unix:///run/user/1000/docker.sock"),
    ("docker_host", "ssh://me@build"),
    ("sandbox", "bubblewrap"),
    ("patience_s", 5),
    ("editor", 'code -g "{file}":{line}'),
    ("editor", "/opt/a \\ b/ed {file}"),
    ("air_gap_allow", "10.0.0.7, 10.1.0.0/16, fd00::/8"),
    ("failover_refused", True),
    ("model_timeout_s", 60),
    ("model_answer_tokens", 4096),
    ("model_context_tokens", 16_384),
    ("run_budget_microusd", 2_500_000),
    ("month_budget_microusd", 50_000_000),
    ("budget_ask_percent", 50),
    ("answer_cache_mb", 0),
    ("answer_cache_days", 7),
]


@pytest.mark.parametrize(("name", "value"), CHANGES)
def test_a_change_is_there_for_the_next_start(tmp_path: Path, name: str, value: Any) -> None:
    assert getattr(changing.change(tmp_path, {name: value}), name) == value
    assert getattr(Configuration.load(home=tmp_path), name) == value
    assert stat.S_IMODE((tmp_path / SETTINGS_FILE).stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [SETTINGS_FILE]


@pytest.mark.parametrize("name", ["model", "api_base", "docker_host", "editor"])
def test_an_empty_text_is_the_default_again_at_once(tmp_path: Path, name: str) -> None:
    given = next(value for known, value in CHANGES if known == name)
    changing.change(tmp_path, {name: given, "containers": 3})
    emptied = changing.change(tmp_path, {name: ""})
    assert (getattr(emptied, name), emptied.containers) == ("", 3)
    assert name not in (tmp_path / SETTINGS_FILE).read_text()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("air_gap", 1),
        ("air_gap", "yes"),
        ("containers", True),
        ("air_gap_allow", "models.example.org"),
        ("air_gap_allow", "10.0.0.7, 10.0.0.999"),
        ("model_timeout_s", 0),
        ("model_answer_tokens", 15),
        ("model_context_tokens", 2047),
        ("run_budget_microusd", -1),
        ("month_budget_microusd", 10**12 + 1),
        ("month_budget_microusd", 1.5),
        ("budget_ask_percent", 0),
        ("budget_ask_percent", 101),
        ("answer_cache_mb", -1),
        ("answer_cache_days", 0),
        ("failover_refused", "yes"),
        ("containers", 0),
        ("containers", 65),
        ("sandbox", "chroot"),
        ("sandbox", True),
        ("patience_s", 601),
        ("patience_s", "30"),
        ("model", "x" * 201),
        ("model", "a\nb"),
        ("model", None),
        ("api_base", "127.0.0.1:8080"),
        ("api_base", "ftp://example.org"),
        ("api_base", "http://"),
        ("api_base", "http://host:port"),
        ("api_base", "https://me:hunter2@example.org/v1"),
        ("api_base", "https://hunter2@example.org/v1"),
        ("api_base", "https://example.org/v1?key=hunter2"),
        ("docker_host", "/var/run/docker.sock"),
        ("docker_host", "tcp://me:hunter2@example.org:2376"),
        ("docker_host", "ssh://me:hunter2@example.org"),
        ("editor", "code"),
        ("editor", "{file}"),
        ("editor", "code -g '{file}"),
        ("editor", "code {file} {line"),
        ("editor", "code {file} {home}"),
        ("home", "/elsewhere"),
        ("keyring", False),
    ],
)
def test_what_can_not_be_is_named_and_changes_nothing(tmp_path: Path, name: str, value: Any) -> None:
    changing.change(tmp_path, {"containers": 2, "model": "before"})
    before = (tmp_path / SETTINGS_FILE).read_bytes()
    with pytest.raises(BadInput, match=name) as caught:
        changing.change(tmp_path, {"patience_s": 7, name: value})
    assert "hunter2" not in f"{caught.value} {caught.value.remedy}"
    assert (tmp_path / SETTINGS_FILE).read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [SETTINGS_FILE]


@pytest.mark.parametrize(
    ("variable", "name", "value"),
    [
        ("QVERIFY_AIR_GAP", "air_gap", False),
        ("QVERIFY_MODEL", "model", "x"),
        ("DOCKER_HOST", "docker_host", "tcp://one:1"),
    ],
)
def test_what_the_environment_gives_is_not_changed_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, name: str, value: Any
) -> None:
    monkeypatch.setenv(variable, "true" if name == "air_gap" else "unix:///x")
    with pytest.raises(BadInput, match=name) as caught:
        changing.change(tmp_path, {name: value})
    assert variable in caught.value.remedy


def test_blanks_at_the_ends_are_not_kept(tmp_path: Path) -> None:
    assert changing.change(tmp_path, {"model": " qwen ", "api_base": "  "}).model == "qwen"
    assert (tmp_path / SETTINGS_FILE).read_text().splitlines()[1:] == ['model = "qwen"']


def test_other_settings_of_the_file_stay(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("keyring = false\nmodel_timeout_s = 7\n")
    changed = changing.change(tmp_path, {"containers": 2})
    assert (changed.keyring, changed.model_timeout_s, changed.containers) == (False, 7, 2)


def test_a_bad_value_in_the_file_is_mended_by_its_change(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text('containers = "many"\n')
    with pytest.raises(BadInput, match="containers"):
        changing.change(tmp_path, {"patience_s": 7})
    assert changing.change(tmp_path, {"containers": 2}).containers == 2


@pytest.mark.parametrize("text", ["containers = = 2\n", "\xff"])
def test_a_file_that_can_not_be_read_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_bytes(text.encode("latin-1"))
    with pytest.raises(BadInput, match=SETTINGS_FILE):
        changing.change(tmp_path, {"containers": 2})
    assert (tmp_path / SETTINGS_FILE).read_bytes() == text.encode("latin-1")


def test_a_folder_that_takes_no_file_is_a_sentence() -> None:
    with pytest.raises((MissingPrerequisite, BadInput)) as caught:
        changing.change(Path(f"/proc/{os.getpid()}/fdinfo"), {"containers": 2})
    assert "settings" in str(caught.value)
