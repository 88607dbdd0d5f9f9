"""An engine that shares no folder with this machine: over TLS, and over ssh, each with real peers on loopback."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import SandboxFailure, SandboxGone
from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox import tunnel as tunnel_module
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import check_image, load_recipes
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.tunnel import Tunnel
from tests.integration.conftest import MIB, RESOURCES, containers

pytestmark = pytest.mark.docker

CODE = """
import json, os, sys
sys.path.insert(0, "/deps")
import installed, module, added
facts = [installed.NAME, module.VALUE, added.VALUE, os.readlink("link"), os.environ["WORD"],
         os.path.isdir("/src") and os.listdir("/src"), oct(os.stat("run.sh").st_mode)]
open(os.environ["QV_OUT"] + "/facts", "w").write(json.dumps(facts))
print("said")
"""


def engine_socket() -> str:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    assert host.startswith("unix://"), "these tests reach the engine through a unix socket only"
    return host.removeprefix("unix://")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


@pytest.fixture
def over_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An engine that demands a client certificate, as ``dockerd --tlsverify`` does: TLS by socat, then the real engine."""
    keys = tmp_path / "keys"
    keys.mkdir()
    key, certificate = str(keys / "key.pem"), str(keys / "cert.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
    shutil.copy(certificate, keys / "ca.pem")
    port = free_port()
    listener = f"OPENSSL-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,cert={certificate},key={key},cafile={certificate},verify=1"
    server = subprocess.Popen(["socat", "-t", "60", listener, f"UNIX-CONNECT:{engine_socket()}"])
    monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{port}")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(keys))
    try:
        until(lambda: listens(port))
        yield f"tcp://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real sshd on loopback that knows one key, and an ``ssh`` whose configuration is the test's own."""
    keys = tmp_path / "ssh"
    keys.mkdir(mode=0o700)
    for name in ("host", "person"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)], check=True)
    port = free_port()
    shutil.copy(keys / "person.pub", keys / "authorized")
    host_key = (keys / "host.pub").read_text()
    (keys / "known").write_text(f"[127.0.0.1]:{port} {host_key}")
    (keys / "sshd_config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/authorized\n"
        f"PidFile {keys}/sshd.pid\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n"
    )
    (keys / "ssh_config").write_text(
        f"IdentityFile {keys}/person\nUserKnownHostsFile {keys}/known\nIdentitiesOnly yes\n"
    )
    client = keys / "ssh"
    client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {keys}/ssh_config "$@"\n')
    client.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen(
        [shutil.which("sshd") or "/usr/sbin/sshd", "-D", "-f", str(keys / "sshd_config"), "-E", str(keys / "log")],
        start_new_session=True,
    )
    monkeypatch.setenv("PATH", f"{keys}:{os.environ['PATH']}")
    path = engine_socket() if engine_socket() != "/var/run/docker.sock" else ""
    try:
        until(lambda: listens(port))
        yield f"ssh://root@127.0.0.1:{port}{path}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


async def goes_the_whole_way(sandbox: DockerSandbox, image: RuntimeImage, source: Path, dependencies: Path) -> None:
    dependencies.mkdir(mode=0o755)
    (dependencies / "installed.py").write_text("NAME = 'dependency'\n")
    (source / "link").symlink_to("module.py")
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o755)
    (source / "large").write_bytes(os.urandom(5 * MIB))
    job = Job("judge", ("python3", "-c", CODE), overlay={"added.py": b"VALUE = 'overlay'\n"}, env={"WORD": "a 'b'"})
    for _ in range(2):
        result = await sandbox.run(job, image, source, run="r", dependencies=dependencies)
        assert result.problem == "", result.output
        assert result.output == "said\n"
        assert result.artefacts["facts"] == (b'["dependency", 42, "overlay", "module.py", "a \'b\'", [], "0o100755"]')


async def test_over_tls_the_snapshot_is_streamed_in(
    over_tls: str, image: RuntimeImage, source: Path, owner: Owner, tmp_path: Path
) -> None:
    sandbox = DockerSandbox(RESOURCES, owner)
    assert await sandbox.available() == ""
    await goes_the_whole_way(sandbox, image, source, tmp_path / "deps")
    await sandbox.close()


async def test_without_its_certificate_an_engine_over_tls_says_so(
    over_tls: str, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DOCKER_TLS_VERIFY")
    monkeypatch.delenv("DOCKER_CERT_PATH")
    sandbox = DockerSandbox(RESOURCES, owner)
    assert (await sandbox.available()).startswith("Docker does not answer (")
    await sandbox.close()


async def test_over_ssh_the_snapshot_is_streamed_in_and_nothing_is_mounted(
    over_ssh: str, image: RuntimeImage, source: Path, owner: Owner, tmp_path: Path, client: docker.APIClient
) -> None:
    sandbox = DockerSandbox(RESOURCES, owner, base_url=over_ssh)
    assert await sandbox.available() == ""
    await goes_the_whole_way(sandbox, image, source, tmp_path / "deps")
    (source / "too_large").write_bytes(bytes(3 * MIB))
    another = DockerSandbox(RESOURCES, owner, base_url=over_ssh)
    full = await another.run(Job("x", ("echo", "ran"), limits=Limits(work_bytes=4 * MIB)), image, source, run="r")
    assert full.execution.exit_code == 125
    assert "could not be laid out" in full.problem
    assert "ran" not in full.output.split()
    await another.close()
    await sandbox.close()
    assert containers(client, owner) == []


async def test_a_tunnel_that_breaks_is_said_and_made_again(
    over_ssh: str, image: RuntimeImage, source: Path, owner: Owner
) -> None:
    sandbox = DockerSandbox(RESOURCES, owner, base_url=over_ssh)
    assert (await sandbox.run(Job("x", ("true",)), image, source, run="r")).execution.exit_code == 0
    tunnel = sandbox._connections._tunnel
    assert tunnel is not None and tunnel._process is not None
    tunnel._process.kill()
    tunnel._process.wait()
    assert (await sandbox.run(Job("x", ("true",)), image, source, run="r")).execution.exit_code == 0
    await sandbox.close()


async def test_a_host_that_refuses_is_said_in_ssh_s_words(over_ssh: str, owner: Owner, tmp_path: Path) -> None:
    (tmp_path / "ssh" / "authorized").write_text("")
    sandbox = DockerSandbox(RESOURCES, owner, base_url=over_ssh)
    assert "can't be reached over ssh" in (reason := await sandbox.available())
    assert "Permission denied" in reason
    await sandbox.close()


def test_ssh_ends_with_a_process_that_is_killed(over_ssh: str) -> None:
    code = (
        "import sys, time; from qverify_desktop.sandbox.tunnel import Tunnel\n"
        "tunnel = Tunnel(sys.argv[1]); print(tunnel.address()); print(tunnel._process.pid, flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, over_ssh], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    address, pid = child.stdout.readline().strip(), int(child.stdout.readline())
    try:
        assert Path(address.removeprefix("unix://")).is_socket()
        assert Path(f"/proc/{pid}").exists()
    finally:
        child.kill()
        child.wait()
    until(lambda: not Path(f"/proc/{pid}").exists(), 10)
    shutil.rmtree(Path(address.removeprefix("unix://")).parent)


@pytest.mark.parametrize(
    "url", ["ssh://-oProxyCommand=x", "ssh://", "ssh://a@-b", "ssh://-l@host", "ssh://me:secret@host", "tcp://host"]
)
def test_an_address_that_could_be_an_option_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="no address of an engine"):
        Tunnel(url).address()


CHILD = """
import asyncio, sys
from pathlib import Path
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
home, source, reference, digest = sys.argv[1:]
sandbox = DockerSandbox(Path(home), Owner.of(Path(home)))
image = RuntimeImage("python", reference, digest)
asyncio.run(sandbox.run(Job("sleep", ("sleep", "600")), image, Path(source), run="r"))
"""


async def test_the_packed_snapshot_of_a_killed_process_is_swept(
    over_tls: str, image: RuntimeImage, source: Path, owner: Owner, tmp_path: Path, client: docker.APIClient
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-c", CHILD, str(tmp_path / "home"), str(source), image.reference, image.digest]
    child = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(temporary)})
    sandbox = DockerSandbox(RESOURCES, owner)
    try:
        until(lambda: [one for one in containers(client, owner) if "sleep 600" in processes(client, one["Id"])])
        packed = [*temporary.rglob("*"), *owner.inbox.rglob("*")]
        assert [path for path in packed if path.is_file()], "nothing was packed"
        assert await sandbox.sweep() == 0
        assert all(path.exists() for path in packed), "its owner still lives"
    finally:
        child.kill()
        child.wait()
    await sandbox.sweep()
    assert [path for path in packed if path.exists() and path != owner.inbox] == []
    await sandbox.close()


def processes(client: docker.APIClient, container: str) -> str:
    try:
        return str([" ".join(process) for process in client.top(container)["Processes"] or []])
    except docker.errors.APIError:
        return ""


async def test_a_folder_that_can_t_be_packed_is_not_laid_to_the_engine(
    over_tls: str, image: RuntimeImage, source: Path, owner: Owner
) -> None:
    sandbox = DockerSandbox(RESOURCES, owner)
    with pytest.raises(SandboxFailure, match=r"nowhere can't be packed .*No such file.*qverify resume r3") as caught:
        await sandbox.run(Job("x", ("true",)), image, source / "nowhere", run="r3")
    assert not isinstance(caught.value, SandboxGone)
    await sandbox.close()


async def test_the_check_of_an_image_mounts_nothing_of_this_machine(
    over_tls: str, image: RuntimeImage, owner: Owner, client: docker.APIClient
) -> None:
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    checking = asyncio.create_task(asyncio.to_thread(check_image, recipe, image, owner=owner, base_url=over_tls))
    mounts = None
    while not checking.done():
        for one in containers(client, owner):
            mounts = one["Mounts"]
        await asyncio.sleep(0.02)
    check = await checking
    assert check.passed, check.sentence + check.output
    assert mounts == []


def test_all_who_wait_for_a_host_that_does_not_answer_hear_it_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ssh").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "ssh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(tunnel_module, "CONNECT_TIMEOUT_S", 1.0)
    tunnel = Tunnel("ssh://host")
    said: list[str] = []

    def ask() -> None:
        with pytest.raises(ConnectionError) as caught:
            tunnel.address()
        said.append(str(caught.value))

    asking = [threading.Thread(target=ask) for _ in range(6)]
    begun = time.monotonic()
    for thread in asking:
        thread.start()
    for thread in asking:
        thread.join()
    assert said == ["ssh: no answer"] * 6
    assert time.monotonic() - begun < 2.5
    tunnel.close()
