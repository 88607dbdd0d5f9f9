"""What is run in a network name space of its own: ``python -m tests.integration.network.inside SCENARIO FOLDER``. Prints JSON.

Servers have to be in the same name space as whoever asks them, so that they are started here.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.integration.network.spaces import ELSEWHERE
from tests.integration.network.tracing import traced, wrapper
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import MODEL, ModelServer, serving

ROOT = Path(__file__).parents[3]
GIT_PORT = 9418

MODULE = '''"""Prices."""


def total(prices: list[int]) -> int:
    """Sum of all prices."""
    result = 0
    for price in prices:
        result += price
    return result
'''
ANSWER = (
    "```python\nfrom shop.prices import total\n\n\ndef test_sum():\n    assert total([1, 2, 3]) == 6\n\n\n"
    "def test_nothing():\n    assert total([]) == 0\n```"
)


def script() -> Script:
    """One good answer, as often as somebody asks."""
    return Script([Say(ANSWER)])


def project(folder: Path) -> Path:
    """A small repository with a commit."""
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
        "shop/__init__.py": "",
        "shop/prices.py": MODULE,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    who = {f"GIT_{one}_{what}": "a@example.org" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    held = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"}
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Prices"]):
        subprocess.run(["git", *words], cwd=folder, env=os.environ | who | held, check=True, timeout=60)
    return folder


def analyze(home: Path, *words: str, trace: Path | None = None, **more: str) -> dict[str, Any]:
    """The document of ``qverify analyze --json`` with its exit code, perhaps under strace."""
    line = [sys.executable, "-m", "qverify_desktop.cli", "analyze", *words, "--json"]
    done = subprocess.run(
        line if trace is None else traced(line, trace),
        env={**os.environ, "QVERIFY_HOME": str(home), **more},
        capture_output=True,
        text=True,
        timeout=500,
        cwd=ROOT,
    )
    return {"code": done.returncode, "errors": done.stderr[-2000:], "document": json.loads(done.stdout or "null")}


def reachable() -> list[str]:
    """What can be connected or sent to from here besides this machine; a name space with nothing but loopback has nothing."""
    found = []
    for family, host in (
        (socket.AF_INET, "192.0.2.1"),
        (socket.AF_INET, "8.8.8.8"),
        (socket.AF_INET6, "2001:db8::1"),
    ):
        with socket.socket(family, socket.SOCK_DGRAM) as one, contextlib.suppress(OSError):
            one.sendto(b"x", (host, 9))
            found.append(host)
    return found


def none(folder: Path) -> dict[str, Any]:
    """A whole analysis of the sample without a model."""
    said = analyze(folder / "home", str(ROOT / "resources/sample"), "--model", "none", QVERIFY_AIR_GAP="true")
    return said | {"reachable": reachable()}


def scripted(folder: Path) -> dict[str, Any]:
    """A whole analysis with a model on loopback."""
    with serving(script()) as server:
        source = project(folder / "shop")
        words = ("--model", MODEL, "--api-base", server.url)
        said = analyze(folder / "home", str(source), *words, QVERIFY_AIR_GAP="true")
        return said | {"reachable": reachable(), "asked": len(server.script.requests)}


@contextlib.contextmanager
def serving_elsewhere() -> Iterator[ModelServer]:
    """A model server at an address that is not this machine's, as far as its clients can tell."""
    with (
        serving(script()) as here,
        subprocess.Popen(
            ["socat", f"TCP-LISTEN:8080,bind={ELSEWHERE},fork,reuseaddr", f"TCP:127.0.0.1:{here.server_address[1]}"]
        ) as forwarding,
    ):
        try:
            _wait_for(ELSEWHERE, 8080)
            yield here
        finally:
            forwarding.kill()


@contextlib.contextmanager
def git_daemon(folder: Path) -> Iterator[str]:
    """The address of a repository that git's own daemon serves elsewhere."""
    line = [
        "git",
        "daemon",
        "--export-all",
        "--reuseaddr",
        f"--listen={ELSEWHERE}",
        f"--base-path={folder}",
        str(folder),
    ]
    with subprocess.Popen(line, start_new_session=True) as daemon:
        try:
            _wait_for(ELSEWHERE, GIT_PORT)
            yield f"git://{ELSEWHERE}/shop"
        finally:
            os.killpg(daemon.pid, 15)


def _wait_for(host: str, port: int) -> None:
    until = time.monotonic() + 30
    while True:
        with contextlib.suppress(OSError), socket.create_connection((host, port), 2):
            return
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens at {host}:{port}")
        time.sleep(0.05)


def fetched(folder: Path) -> dict[str, Any]:
    """With the air gap off: a repository and a model elsewhere, and a provider whose name nobody can look up here."""
    with serving_elsewhere() as server, git_daemon(folder) as address:
        project(folder / "shop")
        words = ("--model", MODEL, "--api-base", f"http://{ELSEWHERE}:8080", "--cloud")
        said = analyze(folder / "home", address, *words, trace=folder / "trace")
        return said | {"asked": len(server.script.requests)}


def refused(folder: Path) -> dict[str, Any]:
    """The same with the air gap on, and a proxy set: neither is asked."""
    settings = folder / "home/settings.toml"
    settings.parent.mkdir()
    settings.write_text("air_gap = true\n")
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), f"http://{ELSEWHERE}:3128")
    with serving_elsewhere() as server, git_daemon(folder) as address:
        source = project(folder / "shop")
        base = f"http://{ELSEWHERE}:8080"
        cloned = analyze(folder / "home", address, "--model", "none", trace=folder / "trace-clone", **proxies)
        asked = analyze(
            folder / "home",
            str(source),
            "--model",
            MODEL,
            "--api-base",
            base,
            trace=folder / "trace-model",
            **proxies,
        )
        engines = [
            analyze(folder / "home", str(source), "--model", "none", trace=folder / f"trace-{n}", DOCKER_HOST=engine)
            for n, engine in enumerate((f"ssh://me@{ELSEWHERE}", f"tcp://{ELSEWHERE}:2375"))
        ]
        return {"cloned": cloned, "model": asked, "engines": engines, "asked": len(server.script.requests)}


def window(folder: Path) -> dict[str, Any]:
    """The window, under strace, driven over AT-SPI: see ``tests/e2e/drive.py``, scenario ``air_gap``. A proxy is set."""
    home = folder / "home"
    home.mkdir()
    project(folder / "project")
    program = wrapper(sys.executable, folder / "trace", folder / "python")
    proxies = dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"), f"http://{ELSEWHERE}:3128")
    with serving(script()) as server:
        (home / "settings.toml").write_text(f'air_gap = true\nmodel = "{MODEL}"\napi_base = "{server.url}"\n')
        line = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", "dbus-run-session", "--", "/usr/bin/python3",
                "tests/e2e/drive.py", "air_gap", str(program), str(folder)]  # fmt: skip
        done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=560, env=os.environ | proxies)
        said = json.loads(done.stdout.strip().splitlines()[-1]) if done.returncode == 0 else {}
        return {"code": done.returncode, "errors": done.stderr[-3000:], "asked": len(server.script.requests), **said}


SCENARIOS = {one.__name__: one for one in (none, scripted, fetched, refused, window)}

if __name__ == "__main__":
    print(json.dumps(SCENARIOS[sys.argv[1]](Path(sys.argv[2]))))
