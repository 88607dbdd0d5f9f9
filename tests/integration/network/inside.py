"""What is run in a network name space of its own: ``python -m tests.integration.network.inside SCENARIO FOLDER``. Prints JSON.

Servers have to be in the same name space as whoever asks them, so that they are started here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.integration.network.bridge import listening
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


def project(folder: Path, more: Mapping[str, str] = MappingProxyType({})) -> Path:
    """A small repository with a commit; ``more`` are further files."""
    files = {
        "pyproject.toml": '[project]\nname = "shop"\nversion = "1"\n',
        "shop/__init__.py": "",
        "shop/prices.py": MODULE,
        **more,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    who = {f"GIT_{one}_{what}": "a@example.org" for one in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    held = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ALLOW_PROTOCOL": "file"}
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Prices"]):
        subprocess.run(["git", *words], cwd=folder, env=os.environ | who | held, check=True, timeout=60)
    return folder


def analyze(
    home: Path, *words: str, trace: Path | None = None, under: Sequence[str] = (), **more: str
) -> dict[str, Any]:
    """The document of ``qverify analyze --json`` with its exit code, perhaps under strace; ``under`` is a program that runs it."""
    line = [sys.executable, "-m", "qverify_desktop.cli", "analyze", *words, "--json"]
    done = subprocess.run(
        [*under, *(line if trace is None else traced(line, trace))],
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


#: The named providers: the host that each is known by, and where it is here.
HOSTS = {
    "azure": ("ours.openai.azure.com", "192.0.2.11"),
    "anthropic": ("api.anthropic.com", "192.0.2.12"),
    "openai": ("api.openai.com", "192.0.2.13"),
}
KEYS = {name: f"{name}-canary-5f1c9a" for name in HOSTS}
NEEDS = {
    "requirements.txt": "toolz==1.0.0\n",
    "shop/shelf.py": 'import toolz\n\n\ndef top(names: list[str]) -> str:\n    """The first name."""\n    return toolz.first(names)\n',
}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for all ``HOSTS``, alone and with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stand-ins")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=12))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host, _ in HOSTS.values()]), False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.PEM)
    )
    (folder / "certificate.pem").write_bytes(made)
    (folder / "key.pem").write_bytes(made + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return folder / "certificate.pem", folder / "key.pem"


def named(folder: Path) -> dict[str, Any]:
    """With the air gap off: the three named providers in the person's order, of which the third answers, each by its own name and with
    TLS; and a package that the sandbox lacks, which may be installed."""
    home, alone, both = folder / "home", *certificate(folder)
    home.mkdir(mode=0o700)
    order = [f'[[deployments]]\nwire = "{wire}"\nmodel = "{MODEL}"\n' for wire in HOSTS]
    order[0] += f'base = "https://{HOSTS["azure"][0]}"\n'
    (home / "models.toml").write_text("\n".join(order))
    hosts = folder / "hosts"
    hosts.write_text("127.0.0.1 localhost\n" + "".join(f"{address} {host}\n" for host, address in HOSTS.values()))
    project(folder / "shop", NEEDS)
    with contextlib.ExitStack() as stack:
        scripts = {}
        for wire, (_, address) in HOSTS.items():
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True, timeout=30)
            scripts[wire] = Script([Say(ANSWER) if wire == "openai" else Say(fault="500")])
            port = stack.enter_context(serving(scripts[wire], wire)).server_address[1]
            listen = f"OPENSSL-LISTEN:443,bind={address},cert={both},verify=0,fork,reuseaddr"
            stack.callback(stack.enter_context(subprocess.Popen(["socat", listen, f"TCP:127.0.0.1:{port}"])).kill)
            _wait_for(address, 443)
        bridge = stack.enter_context(listening(home))
        keys = {f"{name.upper()}_API_KEY": key for name, key in KEYS.items()}
        # Names are what this file says, for the analysis and its children alone.
        under = ["unshare", "--mount", "--", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
        words = (str(folder / "shop"), "--model", "auto", "--cloud", "--allow-install")
        said = analyze(home, *words, trace=folder / "trace", under=under, SSL_CERT_FILE=str(alone), **keys)
    seen = {wire: [str(one) for one in script.headers] for wire, script in scripts.items()}
    found = {"sent": sorted(bridge.sent), "names": sorted(bridge.names), "told": sorted(bridge.told)}
    return said | {"headers": seen, "bridge": found}


def allowed(folder: Path) -> dict[str, Any]:
    """A running engine behind the air gap: a model elsewhere is asked before its address is allowed, while it is, and afterwards."""
    with serving_elsewhere() as server:
        return asyncio.run(_allowed(folder / "home", server))


async def _allowed(home: Path, server: ModelServer) -> dict[str, Any]:
    from qverify_desktop.composition import open_engine
    from qverify_desktop.domain.errors import QVerifyError
    from qverify_desktop.domain.model import Asker
    from qverify_desktop.domain.question import Question

    engine = await open_engine(home)
    said = []
    try:
        gateway = engine._parts.services.gateway  # type: ignore[union-attr]
        for changes in (
            {"air_gap": True},
            {"air_gap_allow": "198.51.100.0/24"},
            {"air_gap_allow": f"198.51.100.0/24, {ELSEWHERE}"},
            {"air_gap_allow": ""},
            {"air_gap": False},
        ):
            await engine.ask("settings_change", changes=changes)
            before = len(server.script.requests)
            ask = [{"role": "user", "content": f"Write a test after {changes}."}]
            base = f"http://{ELSEWHERE}:8080"
            try:
                await gateway.complete(Question(ask, "allowed", 64, MODEL, base, asker=Asker(cloud=True)))
                sentence = ""
            except QVerifyError as error:
                sentence = error.sentence
            try:
                socket.create_connection((ELSEWHERE, 8080), 2).close()
                hook = ""
            except OSError as error:
                hook = str(error)
            said.append([sentence, hook, len(server.script.requests) - before])
    finally:
        await engine.close()
    return {"said": said}


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


SCENARIOS = {one.__name__: one for one in (none, scripted, fetched, named, allowed, refused, window)}

if __name__ == "__main__":
    print(json.dumps(SCENARIOS[sys.argv[1]](Path(sys.argv[2]))))
