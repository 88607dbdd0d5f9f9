"""What is looked at on this machine. Each check is one function that finds out, and perhaps one that mends."""

from __future__ import annotations

import asyncio
import ctypes.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError
from qverify_desktop.domain.execution import GIB, RuntimeImage
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.gateway.endpoint import OLLAMA_BASE, is_local
from qverify_desktop.gateway.provider import Wire
from qverify_desktop.gateway.server import list_models
from qverify_desktop.sandbox import images
from qverify_desktop.sandbox.connection import Connections, mending
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring
from qverify_desktop.settings.signing_key import ATTESTATION_KEY_FILE, KEY_FILE, PLACE_FILE

OK, WARNING, BLOCKING = "ok", "warning", "blocking"

#: Bytes that should be free, and that must be, on the disk of the state folder.
ENOUGH_DISK = 5 * GIB
LEAST_DISK = 1 * GIB

#: Variables that name a proxy, in upper and lower case.
PROXY_VARIABLES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
PROXY_SECONDS = 3.0
_PROXY_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks4": 1080}

_RUNTIME = "python"


@dataclass(frozen=True)
class Finding:
    """What a check found: ``state`` is ``ok``, ``warning`` or ``blocking``; ``remedy`` is one line, to be typed or done."""

    state: str
    sentence: str
    remedy: str = ""
    fixable: bool = False


@dataclass(frozen=True)
class Machine:
    """The machine as seen from one state folder."""

    home: Path
    docker_host: str = ""
    gate: Gate = field(default_factory=Gate)

    def connections(self) -> Connections:
        return Connections(self.docker_host or None, self.gate)

    def sandbox(self) -> DockerSandbox:
        return DockerSandbox(
            resources_root(), Owner.of(self.home), 1, base_url=self.docker_host or None, gate=self.gate
        )


Look = Callable[[Machine], Awaitable[Finding]]
Mend = Callable[[Machine], Awaitable[None]]


@dataclass(frozen=True)
class Check:
    """A check; ``patience_s`` and ``mending_s`` are the seconds that looking and mending may take."""

    id: str
    title: str
    look: Look
    mend: Mend | None = None
    patience_s: float = 15.0
    mending_s: float = 90.0


async def look_at_home(machine: Machine) -> Finding:
    """The state folder takes files, or can be made."""
    home = machine.home
    if home.is_dir():
        try:
            await asyncio.to_thread(Configuration(home=home).prepare_home)
        except MissingPrerequisite as error:
            return Finding(BLOCKING, error.sentence, error.remedy)
        return Finding(OK, f"State lies in {home}.")
    parent = _nearest(home)
    if await asyncio.to_thread(_takes_folders, parent):
        return Finding(
            OK, f"The state folder {home} will be made at the first start.", f"mkdir -m 700 -p {home}", True
        )
    return Finding(
        BLOCKING, f"The state folder {home} can't be made.", "Point QVERIFY_HOME at a folder you may write."
    )


def _takes_folders(parent: Path) -> bool:
    # Tried, not asked: for root, access(2) says yes to read-only and virtual file systems.
    try:
        with tempfile.TemporaryDirectory(dir=parent, prefix=".qverify-"):
            return True
    except OSError:
        return False


async def make_home(machine: Machine) -> None:
    await asyncio.to_thread(Configuration(home=machine.home).prepare_home)


async def look_at_disk(machine: Machine) -> Finding:
    """Room for workspaces, artefacts and the evidence."""
    where = _nearest(machine.home)
    free = shutil.disk_usage(where).free
    sentence = f"{free / GIB:.1f} GiB are free on the disk of {where}."
    if free < LEAST_DISK:
        return Finding(BLOCKING, sentence, "Make room, or point QVERIFY_HOME at another disk.")
    if free < ENOUGH_DISK:
        return Finding(WARNING, f"Only {sentence}", "Make room, or point QVERIFY_HOME at another disk.")
    return Finding(OK, sentence)


async def look_at_key(machine: Machine) -> Finding:
    """The signing keys can be read by their owner alone."""
    found = False
    for path in _key_files(machine):
        try:
            mode = stat.S_IMODE(path.lstat().st_mode)
        except (FileNotFoundError, NotADirectoryError):
            continue
        found = True
        if sys.platform != "win32" and mode & 0o077:
            return Finding(
                BLOCKING, f"Others may read the signing key (permissions {mode:04o}).", f"chmod 600 {path}", True
            )
    if not found:
        kept = (machine.home / PLACE_FILE).exists()
        return Finding(OK, "The signing key lies in the keyring." if kept else "There is no signing key yet.")
    return Finding(OK, "The signing key is a private file; evidence will say: unprotected key.")


def _key_files(machine: Machine) -> tuple[Path, ...]:
    return (machine.home / KEY_FILE, machine.home / ATTESTATION_KEY_FILE)


async def close_key(machine: Machine) -> None:
    for path in _key_files(machine):
        if path.exists() and not path.is_symlink():
            path.chmod(0o600)


async def look_at_keyring(machine: Machine) -> Finding:
    """A keyring that keeps what it is given."""
    if not Configuration(home=machine.home).keyring:
        return Finding(OK, "The keyring is switched off in the settings; the signing key is a private file.")
    try:
        await asyncio.to_thread(OsKeyring.open, None, 2.0)
    except KeyringUnavailable as error:
        if (machine.home / PLACE_FILE).exists():
            return Finding(BLOCKING, f"The signing key lies in the keyring, but: {error}", "Unlock the keyring.")
        return Finding(WARNING, f"{error} The signing key will be a private file.", "Sign in to a desktop session.")
    return Finding(OK, "The keyring works.")


async def look_at_git(machine: Machine) -> Finding:
    """git is there and answers."""
    program = shutil.which("git")
    remedy = "apt-get install -y git" if sys.platform == "linux" else "Install git from git-scm.com."
    if program is None:
        return Finding(BLOCKING, "git is not installed; no repository can be read.", remedy)
    quiet = {"PATH": os.environ.get("PATH", ""), "GIT_CONFIG_NOSYSTEM": "1", "HOME": os.devnull}
    ran = await asyncio.to_thread(
        subprocess.run, [program, "--version"], env=quiet, capture_output=True, text=True, timeout=10, check=False
    )
    if ran.returncode:
        return Finding(BLOCKING, f"git at {program} does not run.", remedy)
    return Finding(OK, f"{ran.stdout.strip()} is there.")


async def look_at_docker(machine: Machine) -> Finding:
    """A Docker Engine answers."""
    connections = machine.connections()
    try:
        version = await asyncio.to_thread(lambda: connections.client().version())
    except Exception:  # noqa: BLE001  (the client raises its own, requests' and plain OSErrors; the sandbox finds the words)
        return await _docker_problem(machine)
    finally:
        await asyncio.to_thread(connections.close)
    return Finding(OK, f"Docker Engine {version.get('Version', 'of unknown version')} answers.")


async def _docker_problem(machine: Machine) -> Finding:
    sandbox = machine.sandbox()
    try:
        reason = await sandbox.available()
    finally:
        await sandbox.close()
    if not reason:
        return Finding(OK, "Docker Engine answers.")
    if shutil.which("dockerd") is None and sys.platform == "linux" and not machine.docker_host:
        return Finding(BLOCKING, reason, "apt-get install -y --no-install-recommends docker.io iptables")
    remedy = mending(machine.docker_host or None).rstrip(",")
    return Finding(BLOCKING, reason, remedy, fixable=_may_start_docker(machine))


def _may_start_docker(machine: Machine) -> bool:
    # An engine that a person named is theirs; a fitting one on this machine may be started by root alone.
    root = sys.platform == "linux" and os.geteuid() == 0
    named = machine.docker_host or os.environ.get("DOCKER_HOST", "")
    return root and not named and shutil.which("dockerd") is not None


async def start_docker(machine: Machine) -> None:
    """Start the engine that is installed, by systemd where that runs, and wait until it answers."""
    if _may_start_docker(machine):
        await asyncio.to_thread(_start_engine)
        while (await look_at_docker(machine)).state != OK:  # noqa: ASYNC110  (an engine tells nobody that it is ready)
            await asyncio.sleep(0.5)


def _start_engine() -> None:
    if Path("/run/systemd/system").is_dir() and shutil.which("systemctl"):
        subprocess.run(["systemctl", "start", "docker"], capture_output=True, timeout=60, check=False)
        return
    with Path("/var/log/qverify-dockerd.log").open("ab") as log:
        # It must outlive this process: a session of its own, and nothing of ours inherited.
        subprocess.Popen(
            ["dockerd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": os.environ.get("PATH", os.defpath)},
        )


async def look_at_image(machine: Machine) -> Finding:
    """The sandbox image of the first runtime is built."""
    docker = await look_at_docker(machine)
    if docker.state != OK:
        return Finding(WARNING, "Without a Docker Engine nothing can be said of the sandbox image.", docker.remedy)
    image = await asyncio.to_thread(_find_image, machine)
    if image is None:
        return Finding(BLOCKING, "The recipe of the Python sandbox is missing.", "Install QVerify Desktop again.")
    if not image.digest:
        return Finding(
            WARNING,
            "The Python sandbox image is not built yet; the first analysis builds it, which takes minutes.",
            f"qverify runtimes build {_RUNTIME}",
            fixable=True,
        )
    return Finding(OK, " ".join([f"The sandbox image {image.reference} is built.", *image.differences]))


async def look_at_isolation(machine: Machine) -> Finding:
    """How strongly the engine shuts a container in, and whether something stronger is on."""
    if (await look_at_docker(machine)).state != OK:
        return Finding(WARNING, "Without a Docker Engine nothing can be said of its isolation.")
    image = await asyncio.to_thread(_find_image, machine)
    sandbox = machine.sandbox()
    try:
        found = await sandbox.isolation(image.digest if image is not None else "")
    finally:
        await sandbox.close()
    # What is missing makes weaker, not wrong: a person who wants it finds the way.
    state = OK if found.seccomp and not found.problem else WARNING
    return Finding(state, " ".join(filter(None, [found.sentences, found.stronger])))


def _find_image(machine: Machine) -> RuntimeImage | None:
    recipes = [r for r in images.load_recipes(resources_root()) if r.runtime == _RUNTIME]
    connections = machine.connections()
    try:
        return images.find_image(connections.client(), recipes[0]) if recipes else None
    finally:
        connections.close()


async def build_image(machine: Machine) -> None:
    sandbox = machine.sandbox()
    try:
        await sandbox.image(_RUNTIME)
    finally:
        await sandbox.close()


async def look_at_model(machine: Machine) -> Finding:
    """A model on this machine: at the end point of the settings where that is one here, else Ollama's. It is never needed."""
    base = (await asyncio.to_thread(lambda: Configuration.load(home=machine.home))).api_base
    asked = base if base and is_local(base) else OLLAMA_BASE
    refusal = machine.gate.refusal(Purpose.LOCAL_MODEL)
    if refusal is not None:
        return Finding(OK, refusal.sentence)
    found = await list_models(asked)
    if found is None and asked != OLLAMA_BASE:
        return Finding(
            WARNING,
            f"No model server answers at {asked}; analyses work without a model.",
            "Start it, or set another end point on the settings page.",
        )
    if found is None:
        return Finding(WARNING, "No Ollama answers on this machine; analyses work without a model.", "ollama serve")
    server = "Ollama" if found.wire is Wire.OLLAMA else f"The model server at {asked}"
    if not found.complete:
        return Finding(OK, f"{server} answers; it keeps no list of models.")
    if not found.models:
        return Finding(WARNING, f"{server} answers, but has no model.", "ollama pull qwen2.5-coder:7b")
    shown = ", ".join(model.name for model in found.models[:5]) + (" …" if len(found.models) > 5 else "")
    return Finding(OK, f"{server} has {_counted(len(found.models), 'model')}: {shown}")


async def look_at_proxy(machine: Machine) -> Finding:
    """A proxy is used for model calls and for fetching repositories; tests never have a network."""
    set_ones = {name: os.environ.get(name) or os.environ.get(name.lower(), "") for name in PROXY_VARIABLES}
    addresses = {name: address for name, address in set_ones.items() if address}
    if not addresses:
        return Finding(OK, "No proxy is set; connections go out directly.")
    refusal = (await asyncio.to_thread(lambda: Configuration.load(home=machine.home))).policy.refusal(
        Purpose.PROXY_CHECK
    )
    if refusal is not None:
        return Finding(OK, f"A proxy is set in {' and '.join(addresses)}. {refusal.sentence}")
    for name, address in addresses.items():
        problem = await _problem_of_proxy(address)
        if problem:
            # The address itself may hold a password.
            return Finding(
                WARNING, f"The proxy of {name} {problem}; fetching and remote models may fail.", f"unset {name}"
            )
    names = " and ".join(addresses)
    return Finding(OK, f"A proxy is set in {names}; it answers and is used for fetching and for remote models.")


async def _problem_of_proxy(address: str) -> str:
    """What is wrong with a proxy's address, or with reaching it; empty for nothing. Only a connection is made."""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        host, port = parts.hostname, parts.port or _PROXY_PORTS.get(parts.scheme, 0)
    except ValueError:
        host, port = None, 0
    if not host or not port:
        return "is no address"
    try:
        async with asyncio.timeout(PROXY_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except (OSError, TimeoutError):
        return "does not answer"
    writer.close()
    return ""


async def look_at_air_gap(machine: Machine) -> Finding:
    """Whether anything but this machine may be reached."""
    try:
        air_gap = (await asyncio.to_thread(lambda: Configuration.load(home=machine.home))).air_gap
    except QVerifyError as error:
        return Finding(WARNING, error.sentence, error.remedy)
    if air_gap:
        return Finding(OK, "Air gap: no model end point outside this machine is ever asked.")
    return Finding(OK, "No air gap: a model elsewhere may be asked if you choose one. Tests never have a network.")


async def look_at_display(machine: Machine) -> Finding:
    """A display, and the libraries with which a window opens on it."""
    if sys.platform != "linux":
        return Finding(OK, "The window can open.")
    if not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        return Finding(
            WARNING, "This session has no display; commands work, the window does not.", "Start it on a desktop."
        )
    missing = [name for name in ("GL", "EGL") if await asyncio.to_thread(ctypes.util.find_library, name) is None]
    if missing:
        return Finding(WARNING, "Libraries of the window are missing.", "apt-get install -y libgl1 libegl1")
    return Finding(OK, "There is a display.")


async def look_at_settings(machine: Machine) -> Finding:
    """The settings can be read."""
    try:
        Configuration.load(home=machine.home)
    except QVerifyError as error:
        return Finding(BLOCKING, error.sentence, error.remedy)
    return Finding(OK, "The settings can be read.")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _nearest(path: Path) -> Path:
    """The path itself or the nearest folder above it that is there."""
    for candidate in (path, *path.parents):
        if candidate.is_dir():
            return candidate
    return Path(path.anchor or ".")


#: In the order in which they are shown and mended: what later ones rest on comes first.
CHECKS = (
    Check("settings", "Settings", look_at_settings),
    Check("home", "State folder", look_at_home, make_home),
    Check("disk", "Disk space", look_at_disk),
    Check("signing_key", "Signing key", look_at_key, close_key),
    Check("keyring", "Keyring", look_at_keyring),
    Check("git", "git", look_at_git),
    Check("docker", "Docker Engine", look_at_docker, start_docker),
    Check("isolation", "Isolation", look_at_isolation, patience_s=45.0),
    Check("image", "Python sandbox image", look_at_image, build_image, mending_s=1800.0),
    Check("model", "Local model", look_at_model),
    Check("proxy", "Proxy", look_at_proxy),
    Check("air_gap", "Air gap", look_at_air_gap),
    Check("display", "Display", look_at_display),
)
