"""The command line as a person and a script meet it: exit codes, one document, one sentence, never a traceback."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import jsonschema
import pytest

import qverify_desktop
from qverify_desktop.cli import main
from qverify_desktop.cli.entry import _parser

ROOT = Path(__file__).resolve().parents[1]


def qverify(*arguments: str, home: Path | str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", *arguments],
        env={**os.environ, "QVERIFY_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def assert_one_sentence(done: subprocess.CompletedProcess[str], code: int) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert done.stderr.startswith("qverify: ")


def test_version_loads_nothing_heavy(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "qverify_desktop.cli", "--version"],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == f"qverify {qverify_desktop.__version__}\n"
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    for heavy in (
        "asyncio",
        "pydantic",
        "sqlalchemy",
        "dbos",
        "docker",
        "litellm",
        "PySide6",
        "rich",
        "cryptography",
    ):
        assert heavy not in loaded
    assert not home.exists()


def test_the_entry_knows_every_command() -> None:
    """Whatever it does not know it opens in the window."""
    entry = runpy.run_path(str(ROOT / "main.py"), run_name="entry")
    (commands,) = (one for one in _parser()._actions if isinstance(one, argparse._SubParsersAction))
    assert set(commands.choices) <= entry["COMMANDS"]


def test_help_shows_examples_and_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text and "exit codes" in text and "QVERIFY_HOME" in text
    assert main([]) == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["bogus"],
        ["analyze"],
        ["analyze", "/no/such/folder"],
        ["analyze", ".", "--scope", "everything"],
        ["analyze", ".", "--scope", "changed:"],
        ["analyze", ".", "--max-targets", "0"],
        ["analyze", ".", "--max-targets", "many"],
        ["analyze", ".", "--seed", "-1"],
        ["analyze", ".", "--budget", "0"],
        ["analyze", ".", "--budget", "-1"],
        ["analyze", ".", "--budget", "nan"],
        ["analyze", ".", "--budget", "1e9"],
        ["analyze", ".", "--budget", "0.0000001"],
        ["analyze", ".", "--budget", "2 euros"],
        ["export", "r1", "--format", "pdf", "-o", "x"],
        ["export", "r1"],
        ["export", "r1", "--format", "csv", "--disclose", "redacted", "-o", "x"],
        ["export", "r1", "--format", "evidence", "--disclose", "some", "-o", "x"],
        ["runtimes", "burn"],
        ["verify"],
        ["verify", "/no/such/bundle"],
        ["verify", __file__],
        ["verify", "/dev"],
    ],
    ids=" ".join,
)
def test_bad_input_is_a_sentence_and_a_document(
    arguments: list[str], home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(home))
    assert main([*arguments, "--json"]) == 2
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["exit_code"] == 2 and document["error"]["sentence"].endswith(".")
    assert told.err.startswith(f"qverify: {document['error']['sentence']}")
    assert main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == "" and told.err.startswith("qverify: ")
    assert not home.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            "verifiy x",
            ("'verifiy' is no COMMAND; it is one of: analyze,", "Did you mean verify? See: qverify --help"),
        ),
        (
            "analyze . --modle none",
            ("no place for --modle none.", "Did you mean --model? See: qverify analyze --help"),
        ),
        (
            "export r1 --format pdf -o x",
            ("'pdf' is no --format; it is one of: html,", "  See: qverify export --help"),
        ),
        (
            "hosted send r1 --contents=full",
            ("no place for --contents=full.", "mean --content? See: qverify hosted send"),
        ),
        ("signing-key", ("it lacks show|rotate|revoke.", "See: qverify signing-key --help")),
        ("analyze . --seed one", ("--seed takes a whole number, not 'one'.", "See: qverify analyze --help")),
        ("keys set openai sk-secret", ("A key is never an argument", "have it replaced")),
        ("keys sk-secret", ("it names no action", "See: qverify keys --help")),
    ],
)
def test_wrong_words_are_answered_by_the_command_that_got_them(words: str, told: tuple[str, str], home: Path) -> None:
    done = qverify(*words.split(), home=home)
    assert_one_sentence(done, 2)
    sentence, remedy = done.stderr.splitlines()
    assert told[0] in sentence and told[1] in remedy and "secret" not in done.stderr


def test_verify_needs_and_makes_no_state(tmp_path: Path, home: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "qverify_desktop.cli", "verify", str(tmp_path / "bundle.zip")],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.returncode in (1, 2)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = {"dbos", "docker", "sqlalchemy", "pydantic", "litellm", "asyncio"}
    assert not loaded & heavy and not home.exists()


def test_the_verifier_is_handed_out_without_state(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "check it.py"
    done = qverify("verifier", "-o", str(file), "--json", home=home)
    assert done.returncode == 0, done.stderr
    written = (Path(qverify_desktop.__file__).parent / "evidence" / "verify.py").read_bytes()
    assert file.read_bytes() == written and not home.exists()
    assert json.loads(done.stdout) == {"path": str(file), "sha256": hashlib.sha256(written).hexdigest()}
    (tmp_path / "bundle.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    checked = subprocess.run(
        [sys.executable, "-I", str(file), str(tmp_path / "bundle.zip")], capture_output=True, text=True
    )
    assert checked.returncode in (1, 2) and "Traceback" not in checked.stderr
    assert_one_sentence(qverify("verifier", "-o", str(tmp_path / "check it.py" / "inside"), home=home), 2)


def test_runs_of_a_new_home(home: Path) -> None:
    done = qverify("runs", home=home)
    assert done.returncode == 0 and "Nothing was run yet" in done.stdout
    assert json.loads(qverify("runs", "--json", home=home).stdout) == {"runs": []}
    for command in ("show", "watch", "cancel", "resume"):
        done = qverify(command, "r1", home=home)
        assert_one_sentence(done, 2)
        assert "There is no run 'r1'." in done.stderr
    assert home.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("place", ["file/home", "/proc/qverify", "/sys/kernel/qverify"])
def test_a_home_that_can_not_be_written_is_a_sentence(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    done = qverify("runs", home=tmp_path / place)
    assert_one_sentence(done, 3)
    assert "QVERIFY_HOME" in done.stderr


def test_a_full_disk_is_a_sentence() -> None:
    """/dev/full answers every write with ENOSPC; as the place of the lock it fills the disk at the first word."""
    from qverify_desktop.engine.lock import unusable_home

    with pytest.raises(OSError) as caught, Path("/dev/full").open("wb", buffering=0) as full:
        full.write(b"x")
    told = unusable_home(Path("/x"), caught.value)
    assert told.exit_code == 3 and "full" in told.sentence


def test_damaged_databases_are_sentences(home: Path) -> None:
    home.mkdir()
    (home / "qverify.db").write_bytes(b"this is no database at all, but long enough to be looked at" * 50)
    done = qverify("runs", home=home)
    assert_one_sentence(done, 3)
    assert "damaged" in done.stderr


def test_a_wrong_setting_is_a_sentence(home: Path) -> None:
    done = qverify("runs", home=home, QVERIFY_CONTAINERS="lots")
    assert_one_sentence(done, 2)
    assert "containers" in done.stderr


def test_a_reader_that_leaves_is_no_error(home: Path) -> None:
    script = f"{sys.executable} -m qverify_desktop.cli --help | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert "Traceback" not in done.stderr and "BrokenPipe" not in done.stderr


def test_no_docker_is_exit_3_with_the_line_that_mends_it_and_can_be_gone_on_with(tmp_path: Path, home: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "a.py").write_text('def double(x):\n    """\n    >>> double(2)\n    4\n    """\n    return x * 2\n')
    nowhere = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done = qverify("analyze", str(project), "--json", home=home, **nowhere)
    assert done.returncode == 3, done.stderr
    document = json.loads(done.stdout)
    assert document["error"]["remedy"] and document["exit_code"] == 3 and document["status"] == "interrupted"
    assert "Traceback" not in done.stderr and document["run"] in done.stderr
    jsonschema.validate(document, json.loads((ROOT / "docs" / "analyze.schema.json").read_text()))
    again = qverify("analyze", str(project), "--json", home=home, **nowhere)
    assert json.loads(again.stdout)["run"] == document["run"]
    assert "Going on with the run" in again.stderr
    listed = json.loads(qverify("runs", "--json", home=home).stdout)["runs"]
    assert [(one["run"], one["status"]) for one in listed] == [(document["run"], "interrupted")]
    shown = qverify("show", document["run"][:13], home=home)
    assert shown.returncode == 0 and "interrupted" in shown.stdout
    cancelled = qverify("cancel", document["run"], home=home)
    assert cancelled.returncode == 0 and "cancelled" in cancelled.stdout


def test_the_doctor_works_where_everything_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    broken = {"home": tmp_path / "file" / "home", "DOCKER_HOST": "unix:///nonexistent/docker.sock"}
    done = qverify("doctor", "--json", **broken)
    assert done.returncode == 3 and "Traceback" not in done.stderr
    checks = json.loads(done.stdout)["checks"]
    assert {"id", "title", "state", "sentence", "remedy", "fixable"} <= set(checks[0])
    assert sum(check["state"] == "blocking" for check in checks) >= 1
    assert qverify("doctor", **broken).stdout.count("BLOCKING") >= 1
    done = qverify("runtimes", "list", **broken)
    assert_one_sentence(done, 3)


def test_nothing_to_analyse_is_bad_input(tmp_path: Path, home: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "words").mkdir()
    (tmp_path / "words" / "notes.txt").write_text("no source here")
    for folder in (empty, tmp_path / "words"):
        done = qverify("analyze", str(folder), "--json", home=home)
        assert done.returncode == 2, done.stderr
        assert json.loads(done.stdout)["error"]["kind"] == "BadInput"
        assert "Traceback" not in done.stderr


def test_two_commands_at_once_share_one_home(home: Path) -> None:
    commands = [
        subprocess.Popen(
            [sys.executable, "-m", "qverify_desktop.cli", "runs", "--json"],
            env={**os.environ, "QVERIFY_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for command in commands:
        out, err = command.communicate(timeout=100)
        assert command.returncode == 0, err
        assert json.loads(out) == {"runs": []}


def test_an_owner_that_does_not_answer_is_a_sentence(home: Path) -> None:
    """A process that holds the lock and never listens: the command waits, then says who it is."""
    script = (
        "import sys, time; from pathlib import Path; from qverify_desktop.engine.lock import HomeLock\n"
        "assert HomeLock(Path(sys.argv[1])).acquire(); print('held', flush=True); time.sleep(100)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(home)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        patience = "from qverify_desktop import cli, composition; composition.PATIENCE_SECONDS = 0.5; raise SystemExit(cli.main(['runs']))"
        done = subprocess.run(
            [sys.executable, "-c", patience],
            env={**os.environ, "QVERIFY_HOME": str(home)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert_one_sentence(done, 3)
        assert str(holder.pid) in done.stderr
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait()


def test_a_bug_is_a_sentence_and_a_file(home: Path) -> None:
    script = (
        "from qverify_desktop.cli import commands, entry\n"
        "def runs(options): raise ZeroDivisionError('a bug')\n"
        "commands.runs = runs\n"
        "raise SystemExit(entry.main(['runs']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert_one_sentence(done, 4)
    (crash,) = (home / "crashes").iterdir()
    assert str(crash) in done.stderr and "ZeroDivisionError: a bug" in crash.read_text()


@contextmanager
def fetching(home: Path) -> Iterator[subprocess.Popen[str]]:
    """An analysis that is kept in its first stage by a git server that never answers and never hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"git://127.0.0.1:{silent.getsockname()[1]}/x.git"
        command = subprocess.Popen(
            [sys.executable, "-m", "qverify_desktop.cli", "analyze", url, "--json"],
            env={**os.environ, "QVERIFY_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        silent.settimeout(60)
        peer, _ = silent.accept()
        with peer:
            try:
                yield command
            finally:
                command.kill()
                command.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_during_a_run_ends_in_order(home: Path, number: signal.Signals) -> None:
    with fetching(home) as command:
        command.send_signal(number)
        out, err = command.communicate(timeout=60)
    assert "Traceback" not in err
    listed = json.loads(qverify("runs", "--json", home=home).stdout)["runs"]
    if number is signal.SIGINT:
        document = json.loads(out)
        assert command.returncode == 4 and document["status"] == "cancelled"
        assert f"qverify resume {document['run']}" in err
        assert [one["status"] for one in listed] == ["cancelled"]
    else:
        assert command.returncode == 128 + signal.SIGTERM
        assert [one["status"] for one in listed] == ["interrupted"]


def test_cancelling_from_another_command_ends_both(home: Path) -> None:
    with fetching(home) as command:
        (run,) = (one["run"] for one in json.loads(qverify("runs", "--json", home=home).stdout)["runs"])
        cancelled = qverify("cancel", run, "--json", home=home)
        out, err = command.communicate(timeout=60)
    assert cancelled.returncode == 0 and "Traceback" not in cancelled.stderr + err, cancelled.stderr
    assert json.loads(cancelled.stdout)["status"] == json.loads(out)["status"] == "cancelled"
    assert command.returncode == 4
