"""Nothing of a key anywhere, nothing of the repository's secrets but where its source is stated: searched for after a whole life.

A run with a scripted model, all exports, a bundle, diagnostics, a crash and a replay; then every file of the state folder, of the
person's home and of the temporary folder is searched, databases with their logs and archives inside out, and all that a server got.

What states the source verbatim, and so may hold a secret of it: see ``STATES_SOURCE``. All of it is in the state folder, which is the
person's own (0700), and none of it in a bundle, a report or a request.
"""

from __future__ import annotations

import base64
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.settings.key_file import KeyFile
from tests.integration.network.inside import ANSWER, ROOT
from tests.integration.network.planted import forms, hits
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import MODEL, serving

pytestmark = pytest.mark.docker

# Put together, so that nobody takes this file for one that holds secrets.
KEY = "sk-" + "canaryK3yQ8vZt0Lw5RnXe7UbYpGh2Jd"
#: The key that only the key file holds, and what opens it.
FILE_KEY = "kf-" + "canaryB7nWm2Zs9TqXc4HdRfJ1Ly6Pv"
PASSPHRASE = "zinnia-" + "canary 4402 marble & quill"
CANARIES = {"key": KEY, "key of the file": FILE_KEY, "passphrase": PASSPHRASE}
SECRETS = {
    "in source": "AKIA" + "QYLPMN5HHHFPZAM2",
    "in a function": "sk_live_" + "ReTllpYQYfIZu2Jnf2lAPFjD",
    "in a default": "correct-" + "horse-8471-battery",
    "in .env": "q7Hd82" + "ksLw01mNbVcX",
    "in the README": "xoxb-" + "34532454-e039d02840a0b9379c",
    "in a commit message": "ghp_" + "wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx",
    "in an uncommitted file": "wW9xQ2" + "mNbVcXkLp0Zr8",
    "in an uncommitted change": "AKIA" + "XXLPMN5HHHFPZAM9",
    "in a file name": "AKIA" + "ZZLPMN5HHHFPZAM7",
}
FILES = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
    "shop/__init__.py": "",
    "shop/prices.py": f'''"""Prices."""

ACCESS = "{SECRETS["in source"]}"


def total(prices: list[int]) -> int:
    """Sum of all prices."""
    stripe = "{SECRETS["in a function"]}"
    result = 0
    for price in prices:
        result += price
    return result if stripe else 0


def opened(password: str = "{SECRETS["in a default"]}") -> bool:
    """Whether the till opens."""
    return password == "{SECRETS["in a default"]}"
''',
    ".env": f"DEPLOY_TOKEN={SECRETS['in .env']}\n",
    "README.md": f'# Shop\n\nCall `total`. Slack: "{SECRETS["in the README"]}".\n',
    "data/" + SECRETS["in a file name"] + ".txt": "x\n",
}
#: Recorded values of steps that state source, each with what of it.
STATES_SOURCE = {
    "intake": "the names of the repository's files, and its uncommitted changes",
    "python.targets": "signatures of targets, with their defaults",
    "python.promises": "words that tests quote, before secrets are taken out of them",
    "python.details": "the files that the source page shows",
    "python.kept": "what stood in the place of each mutant",
}
FORMATS = ("html", "junit", "sarif", "markdown", "csv", "patch", "issues", "expected-failures", "evidence")


@dataclass(frozen=True)
class Life:
    """What there is after everything was done once. ``bodies`` and ``headers`` are what the model's server got in the analysis,
    ``later`` the headers after the key file was opened; ``started`` are the programs of the analysis' process tree as the kernel started them,
    arguments and whole environment, the command itself first."""

    root: Path
    bodies: list[str]
    headers: list[dict[str, str]]
    document: dict[str, Any]
    said: str
    later: list[dict[str, str]]
    started: list[str]


def planted(folder: Path) -> Path:
    """The repository with the secrets, committed."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    who = {f"GIT_{one}_{what}": "a@example.org" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    held = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    message = f"Prices, and {SECRETS['in a commit message']}"
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", message]):
        subprocess.run(["git", *words], cwd=folder, env=os.environ | who | held, check=True, timeout=60)
    (folder / ".env.local").write_text(f"API_SECRET={SECRETS['in an uncommitted file']}\n")
    with (folder / "README.md").open("a") as file:
        file.write(f"The key is {SECRETS['in an uncommitted change']}.\n")
    return folder


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Life:
    root = tmp_path_factory.mktemp("life")
    source = planted(tmp_path_factory.mktemp("repository") / "shop")
    for name in ("home", "person", "temporary", "given"):
        (root / name).mkdir(mode=0o700)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QVERIFY_")} | {
        "QVERIFY_HOME": str(root / "home"),
        "HOME": str(root / "person"),
        "TMPDIR": str(root / "temporary"),
        "QVERIFY_API_KEY": KEY,
        "OPENAI_API_KEY": KEY + "openai",
    }
    said: list[str] = []
    given = tmp_path_factory.mktemp("passphrase") / "file"
    given.write_text(PASSPHRASE)
    given.chmod(0o600)
    trace = given.with_name("trace")

    def run(*words: str, codes: tuple[int, ...] = (0,), typed: str = "", under: tuple[str, ...] = ()) -> str:
        done = subprocess.run(
            [*under, sys.executable, "-m", *words],
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            timeout=500,
            cwd=ROOT,
        )
        said.extend((done.stdout, done.stderr))
        assert done.returncode in codes, done.stderr
        return done.stdout

    script = Script([Say(ANSWER)])
    with serving(script) as server:
        words = ("--model", MODEL, "--api-base", server.url, "--out", str(root / "given/out"), "--json")
        # Whole environments: -v shortens none, and a string may be as long as the kernel allows.
        under = ("strace", "-f", "-v", "-s", "131072", "--seccomp-bpf", "-e", "signal=none", "-e", "trace=execve")
        line = ("qverify_desktop.cli", "analyze", str(source), *words)
        document = json.loads(run(*line, codes=(0, 1), under=(*under, "-qqq", "-o", str(trace), "--")))
        bodies = [json.dumps(request, ensure_ascii=False) for request in script.requests]
        headers = list(script.headers)
        started = [one for one in trace.read_text().splitlines() if " execve(" in one and " = -1 " not in one]
        environment["QVERIFY_PASSPHRASE_FILE"] = str(given)
        kept = ("keys", "set", "127.0.0.1", "--store", "file")
        run("qverify_desktop.cli", *kept, typed=FILE_KEY + "\n")
        run("qverify_desktop.cli", "keys", "list")
        canaries = json.dumps({"key": KEY, "file_key": FILE_KEY, "passphrase": PASSPHRASE})
        crash = ("tests.integration.network.crashing", str(source), str(root / "given/diagnostics.zip"), server.url)
        run(*crash, typed=canaries)
        later = script.headers[len(headers) :]
    for kind in FORMATS:
        run("qverify_desktop.cli", "export", document["run"], "--format", kind, "-o", str(root / "given" / kind))
    # Whether it comes to the same is asked elsewhere; on a busy machine it may not.
    run("qverify_desktop.cli", "replay", document["run"], codes=(0, 1))
    run("qverify_desktop.cli", "verify", document["bundle"])
    run("qverify_desktop.cli", "show", document["run"])
    return Life(root, bodies, headers, document, "\n".join(said), later, started)


def test_the_keys_were_used_and_are_nowhere(life: Life) -> None:
    assert life.headers and all(KEY in one.get("authorization", "") for one in life.headers)
    assert life.later and all(FILE_KEY in one.get("authorization", "") for one in life.later)
    assert hits([life.root], CANARIES) == []
    told = life.said + "\n".join(life.bodies)
    assert [name for name, canary in CANARIES.items() if canary in told] == []


def test_the_key_file_that_is_searched_holds_its_key_and_opens_with_the_passphrase(life: Life) -> None:
    """Otherwise it would be no wonder that neither is found."""
    assert KeyFile(life.root / "home").read(PASSPHRASE) == {"127.0.0.1": FILE_KEY}


def test_the_crash_report_has_the_message_with_the_secrets_taken_out(life: Life) -> None:
    (report,) = (life.root / "home/crashes").iterdir()
    text = report.read_text()
    assert "'authorization': 'Bearer [key]', 'x-api-key': '[key]'" in text
    assert "opened with '[passphrase]'" in text


def test_no_child_has_a_key_in_its_environment_or_arguments(life: Life) -> None:
    first, *children = life.started
    assert f"QVERIFY_API_KEY={KEY}" in first, (
        "the command itself was started with it, and the trace shows environments"
    )
    assert any("/git" in one for one in children) and all('"PATH=' in one for one in children)
    assert [one for one in children if any(canary in one for canary in CANARIES.values())] == []


def test_the_signing_key_is_in_its_own_file_alone(life: Life) -> None:
    file = life.root / "home/signing-key"
    if not file.exists():
        # It is in the keyring of this session, which is no file of ours.
        assert (life.root / "home/signing-key.place").exists()
        return
    coded = file.read_text().strip()
    found = hits([life.root], {"key": coded, "as hex": base64.b64decode(coded).hex()})
    assert {place for _, _, place in found} == {str(file)}


def test_no_request_holds_a_secret_of_the_repository(life: Life) -> None:
    assert any("def total" in body for body in life.bodies), "the source of a target was sent"
    whole = "\n".join(life.bodies)
    assert [name for name, secret in SECRETS.items() if secret in whole] == []


def test_nothing_states_a_secret_but_what_states_the_source(life: Life) -> None:
    found = hits([life.root], SECRETS)
    artefacts = life.root / "home/artefacts"
    steps = steps_by_digest(life.root / "home/qverify.db")
    stating = {STATES_SOURCE.get(step, "") for step in steps.values()}
    assert stating > {""}, "the steps that state source are there"
    left = [
        (name, form, place, steps.get(Path(place).name, "no step"))
        for name, form, place in found
        if not (Path(place).is_relative_to(artefacts) and steps.get(Path(place).name) in STATES_SOURCE)
    ]
    assert left == []
    assert [name for name, secret in SECRETS.items() if secret in life.said] == []
    # What a stranger gets holds none of these values.
    with zipfile.ZipFile(life.document["bundle"]) as bundle:
        inside = {Path(name).name for name in bundle.namelist()}
    assert not inside & {digest for digest, step in steps.items() if step in STATES_SOURCE}


def test_the_search_finds_what_is_planted_in_every_form(tmp_path: Path) -> None:
    """Otherwise finding nothing would say nothing."""
    secret = SECRETS["in a default"]
    for name, raw in forms(secret).items():
        (tmp_path / name.replace("+", "-")).write_bytes(b"before " + raw + b" after")
    coded = base64.b64encode(b"xy" + secret.encode() + b"z")
    (tmp_path / "inside").write_bytes(coded)
    (tmp_path / "gzip").write_bytes(gzip.compress(secret.encode()))
    (tmp_path / "object").write_bytes(zlib.compress(f"commit 1\0{secret}".encode()))
    with zipfile.ZipFile(tmp_path / "bundle", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("deep", gzip.compress(secret.encode()))
    (tmp_path / f"named {secret}").touch()
    with sqlite3.connect(tmp_path / "database") as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE said (what BLOB)")
        database.execute("INSERT INTO said VALUES (?)", (secret.encode(),))
        database.commit()
        # Still in the log beside the database, as it is while the application runs.
        places = {
            Path(place.partition("!")[0].partition(" (")[0]).name for _, _, place in hits([tmp_path], {"x": secret})
        }
    made = {path.name for path in tmp_path.iterdir() if not path.name.startswith("database-shm")}
    assert made - places == set()
    assert hits([tmp_path], {"x": SECRETS["in source"]}) == []


def steps_by_digest(database: Path) -> dict[str, str]:
    """Which step of a run each recorded value belongs to."""
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
        return {str(digest): str(step) for step, digest in opened.execute("SELECT step, result FROM steps")}
