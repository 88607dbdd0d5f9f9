"""The archive that a person sends away: enough to help, nothing of a repository, no secret."""

from __future__ import annotations

import io
import json
import os
import sysconfig
import traceback
import zipfile
from pathlib import Path

import pytest

import qverify_desktop.domain.errors as ours
from qverify_desktop.diagnostics import archive
from qverify_desktop.domain.settings_views import SettingsView

SETTINGS: SettingsView = {
    "air_gap": False,
    "model": "qwen2.5-coder:7b",
    "api_base": "https://llm.intern.example.org/v1",
    "containers": 2,
    "docker_host": "tcp://build.intern.example.org:2375",
    "patience_s": 60,
    "editor": "/home/me/bin/ed {file}",
    "home": "/home/me/.local/share/qverify",
    "keyring": "It is kept in the keyring of this session.",
    "api_key_set": True,
}
FOLDERS = {"/home/me": "~", "/home/me/.local/share/qverify": "[state]", "/srv/shelf": "[repository]"}


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("https://me:hunter2@example.org/a", "https://[hidden]@example.org/a"),
        ("https://hunter2@example.org:8080", "https://[hidden]@example.org:8080"),
        ("git fetch ssh://me:hunt@er2@example.org/x failed", "git fetch ssh://[hidden]@example.org/x failed"),
        ("http://example.org/v1?key=hunter2&x=1 said no", "http://example.org/v1?[hidden] said no"),
        ("key sk-hunter2hunter2hunter2 is wrong", "key [hidden] is wrong"),
        ("ghp_hunter2hunter2hunter2", "[hidden]"),
        ("Authorization: Bearer hunter2", "Authorization: [hidden] hunter2"),
        ("State lies in /home/me/.local/share/qverify/x.", "State lies in [state]/x."),
        ("at /home/me/projects/hunter2", "at ~/[path]"),
        ("at /srv/shelf/hunter2.py:3", "at [repository][path]"),
        ("at /mnt/hunter2, twice:/mnt/hunter2", "at [path], twice:[path]"),
        ("git at /usr/bin/git runs", "git at /usr/bin/git runs"),
        ("unix:///var/run/docker.sock", "unix:///var/run/docker.sock"),
        ("3/4 of them and/or none", "3/4 of them and/or none"),
    ],
)
def test_secrets_and_paths_are_taken_out(text: str, left: str) -> None:
    assert archive.without_secrets(text, FOLDERS) == left


def report(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))


def raised(repository: Path) -> ours.BadInput:
    """An error out of code of a repository, quoted and chained, through our own code."""
    code = "def secret_function():\n    raise KeyError('hunter2')\n"
    file = repository / "hunter2_module.py"
    file.write_text(code)
    names: dict[str, object] = {}
    exec(compile(code, str(file), "exec"), names)
    try:
        try:
            names["secret_function"]()  # type: ignore[operator]
        except KeyError as inner:
            raise ours.BadInput(f"Could not read {code}", "hunter2") from inner
    except ours.BadInput as error:
        return error
    raise AssertionError("nothing was raised")


def test_a_traceback_is_left_with_its_places_and_types(tmp_path: Path) -> None:
    left = archive.where_it_happened(report(raised(tmp_path)))
    assert left.count("Traceback (most recent call last):") == 2
    assert "KeyError: [message left out]" in left
    assert "qverify_desktop.domain.errors.BadInput: [message left out]" in left
    assert "[elsewhere]" in left
    for hidden in ("hunter2", "secret_function", str(tmp_path), "raise ", "def "):
        assert hidden not in left


def test_places_of_the_application_and_of_python_stay() -> None:
    try:
        json.loads("{hunter2")
    except ValueError as error:
        text = report(error)
    ours_too = text.replace(os.fspath(Path(__file__)), os.fspath(Path(ours.__file__)))
    left = archive.where_it_happened(ours_too)
    assert "  qverify_desktop/domain/errors.py, line " in left
    assert "  json/decoder.py, line " in left
    assert "JSONDecodeError: [message left out]" in left
    assert "hunter2" not in left


def test_a_group_of_errors_is_read_as_well(tmp_path: Path) -> None:
    try:
        raise ExceptionGroup("hunter2", [raised(tmp_path), ValueError("hunter2")])
    except ExceptionGroup as group:
        left = archive.where_it_happened(report(group))
    assert "ExceptionGroup: [message left out]" in left
    assert "BadInput: [message left out]" in left
    assert "hunter2" not in left


@pytest.mark.parametrize(
    "forged",
    [
        "hunter2",
        "",
        'ValueError: x\nhunter2: y\n    hunter2\n  File "/srv/hunter2.py", line 1, in hunter2\n    hunter2()\n',
        f'  File "{sysconfig.get_path("stdlib")}/../../hunter2.py", line 1, in f\n    hunter2\n',
        '  File "<hunter2>", line 1, in f\n    hunter2\n',
        '  File "/usr/lib/x.py", line 1, in f hunter2\n',
        "Traceback (most recent call last): hunter2\n",
        "  | hunter2\n  + hunter2\n",
    ],
)
def test_a_message_that_looks_like_a_traceback_brings_nothing_along(forged: str) -> None:
    message = f'Traceback (most recent call last):\n  File "{ours.__file__}", line 1, in f\nValueError: {forged}\n'
    assert "hunter2" not in archive.where_it_happened(message)
    assert "hunter2" not in archive.where_it_happened(forged)


def test_the_archive_holds_what_helps_and_kinds_instead_of_addresses(tmp_path: Path) -> None:
    checks = [
        {
            "id": "home",
            "title": "State folder",
            "state": "ok",
            "sentence": "State lies in /home/me/.local/share/qverify.",
            "remedy": "",
            "fixable": False,
            "command": "",
        }
    ]
    crashes = {"crash-20260101-000000-1.txt": report(raised(tmp_path))}
    made = archive.make(checks, SETTINGS, crashes, lambda text: archive.without_secrets(text, FOLDERS))  # type: ignore[arg-type]
    with zipfile.ZipFile(io.BytesIO(made)) as held:
        names = held.namelist()
        assert names == [
            "README.txt",
            "versions.json",
            "checks.json",
            "settings.json",
            f"crashes/{next(iter(crashes))}",
        ]
        everything = b"".join(held.read(name) for name in names).decode()
        settings = json.loads(held.read("settings.json"))
        versions = json.loads(held.read("versions.json"))
    assert (settings["api_base"], settings["docker_host"], settings["editor"]) == ("https", "tcp", "set")
    assert "home" not in settings
    assert versions["SQLAlchemy"][0].isdigit()
    assert "State lies in [state]." in everything
    for hidden in ("example.org", "/home/me", "hunter2", str(tmp_path)):
        assert hidden not in everything
