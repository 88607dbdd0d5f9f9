"""``qverify checkpoint`` and ``qverify signing-key`` in processes of their own; what is printed is read back by the verifier."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.cli.evidence import _answered
from qverify_desktop.evidence.verify import verify_bundle
from tests.engine.test_signing_keys import Installation
from tests.test_cli import ROOT, assert_one_sentence
from tests.test_cli_keys import environment


def qverify(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", *arguments],
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=120,
        cwd=ROOT,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    installation = Installation(tmp_path / "home")
    installation.whole_run("r1")
    installation.bundle("r1")
    installation.close()
    return tmp_path / "home"


def test_a_checkpoint_is_printed_and_read_back(home: Path, tmp_path: Path) -> None:
    done = qverify(home, "checkpoint")
    assert done.returncode == 0 and "unprotected key" in done.stderr
    kept = tmp_path / "kept"
    bundle = home / "r1.qvevidence.zip"
    # As a terminal, a scanner or another system may have it.
    narrow = re.sub(r"(?m)^(— \S+) ", r"\1\n", done.stdout)
    assert narrow != done.stdout
    for text in (
        narrow,
        done.stdout,
        done.stdout.rstrip(),
        done.stdout.replace("\n", "\r\n"),
        "\ufeff" + done.stdout + "\n\n",
    ):
        kept.write_text(text, encoding="utf-8", newline="")
        answer = verify_bundle(bundle, known_checkpoint=kept, public_key=done.stderr.split()[2])
        assert (answer["grade"], answer["problems"]) == ("UNANCHORED", []), text
        assert not any("compared" in one for one in answer["notices"])
    kept.write_text(done.stdout.replace("\n", " ", 1))
    assert qverify(home, "verify", str(bundle), "--known-checkpoint", str(kept)).returncode == 2
    document = json.loads(qverify(home, "checkpoint", "--json").stdout)
    assert document["note"] == done.stdout and document["anchors"] == []


def test_a_qr_code_holds_the_checkpoint(home: Path, tmp_path: Path) -> None:
    drawn = qverify(home, "checkpoint", "--qr", "-")
    assert drawn.returncode == 0 and "█" in drawn.stdout and "qverify.local" not in drawn.stdout
    file = tmp_path / "checkpoint.svg"
    done = qverify(home, "checkpoint", "--qr", str(file))
    assert done.returncode == 0 and file.read_bytes().startswith(b"<?xml") and b"mm" in file.read_bytes()
    for bad, code in (("a.png", 2), (str(tmp_path / "nowhere" / "a.svg"), 3)):
        assert_one_sentence(qverify(home, "checkpoint", "--qr", bad), code)
    assert_one_sentence(qverify(home, "checkpoint", "--ask-again"), 2)
    assert_one_sentence(qverify(home, "checkpoint", "nosuch"), 2)


def test_the_key_is_shown_rotated_and_revoked(home: Path) -> None:
    first = json.loads(qverify(home, "signing-key", "show", "--json").stdout)["keys"][0]
    assert not first["protected"] and "unprotected key" in qverify(home, "signing-key", "show").stdout
    done = qverify(home, "signing-key", "rotate", "--reason", "yearly")
    assert done.returncode == 0 and first["id"] in done.stdout and "yearly" in done.stdout
    done = qverify(home, "signing-key", "revoke", first["id"], "--reason", "found")
    assert done.returncode == 0, done.stderr
    keys = json.loads(qverify(home, "signing-key", "show", "--json").stdout)["keys"]
    assert [one["state"] for one in keys] == ["in_use", "revoked"]
    for wrong in (
        ("revoke", first["id"]),
        ("rotate", first["id"]),
    ):
        assert_one_sentence(qverify(home, "signing-key", *wrong), 2)


def test_verify_takes_authorities_and_witnesses(home: Path, tmp_path: Path) -> None:
    bundle = str(home / "r1.qvevidence.zip")
    for wrong in (
        ("--tsa-certificate", "/nowhere"),
        ("--tsa-certificate", "/etc/hostname"),
        ("--witness", "nonsense"),
    ):
        done = qverify(home, "verify", bundle, *wrong)
        assert done.returncode == 2 and "Traceback" not in done.stderr


async def test_who_was_asked_to_confirm_is_waited_for() -> None:
    class Engine:
        def __init__(self) -> None:
            self.states = ["waiting", "waiting", "held"]

        async def ask(self, question: str, **params: str) -> dict[str, Any]:
            assert (question, params) == ("evidence_anchors", {"run": "r1"})
            return {"anchors": [{"state": self.states.pop(0), "sentence": ""}]}

    begun = {"anchors": [{"state": "waiting", "sentence": ""}]}
    engine: Any = Engine()
    assert (await _answered(engine, "r1", begun))["anchors"][0]["state"] == "held"
    refused = {"anchors": [{"state": "waiting", "sentence": "Nobody answers at tsa.example."}]}
    assert await _answered(engine, "r1", refused) == refused
