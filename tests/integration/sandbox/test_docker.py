"""One job on a real engine: what goes in, what comes back, and under which flags."""

import asyncio
import json
import os
import stat
import time
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner, Process
from qverify_desktop.sandbox.system_calls import seccomp_profile
from tests.integration.conftest import MIB, Run, containers

pytestmark = pytest.mark.docker


async def test_a_job_goes_the_whole_way(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_TEST_SECRET", "hunter2")
    dependencies = tmp_path / "deps"
    dependencies.mkdir(mode=0o755)
    (dependencies / "installed.py").write_text("NAME = 'dependency'\n")
    code = """
import json, os, sys
sys.path.insert(0, os.environ["WHERE"])
import installed, module, added
print("to output", flush=True)
print("to error", file=sys.stderr, flush=True)
out = os.environ["QV_OUT"]
os.mkdir(out + "/deep")
open(out + "/deep/report.json", "w").write(json.dumps([installed.NAME, module.VALUE, added.VALUE]))
open(out + "/environment.json", "w").write(json.dumps(dict(os.environ)))
open(out + "/new\\nline", "wb").write(bytes(range(256)))
assert sys.stdin.read() == ""
sys.exit(7)
"""
    job = Job(
        "baseline",
        ("python3", "-c", code),
        overlay={"module.py": b"VALUE = 'replaced'\n", "added.py": b"VALUE = 'overlay'\n"},
        env={"WHERE": "/deps", "PYTHONPATH": ""},
    )
    result = await sandbox.run(job, image, source, run="r1", dependencies=dependencies)
    assert result.problem == "", result.output
    assert result.output == "to output\nto error\n"
    assert json.loads(result.artefacts["deep/report.json"]) == ["dependency", "replaced", "overlay"]
    assert result.artefacts["new\nline"] == bytes(range(256))
    environment = json.loads(result.artefacts["environment.json"])
    assert environment["HOME"] == "/tmp/home"
    assert environment["LANG"] == "C.UTF-8"
    assert set(environment) - image_environment(image) == {
        "HOME", "QV_OUT", "LANG", "WHERE", "PYTHONPATH", "HOSTNAME", "PWD"
    } - image_environment(image)  # fmt: skip
    execution = result.execution
    assert (execution.purpose, execution.exit_code, execution.argv) == ("baseline", 7, job.argv)
    assert (execution.image, execution.image_digest) == (image.reference, image.digest)
    assert len(execution.container) == 64
    assert 0 < execution.container_ms < execution.duration_ms
    assert not (execution.timed_out or execution.oom_killed or execution.output_truncated or execution.network)
    assert (source / "module.py").read_text() == "VALUE = 42\n"


def image_environment(image: RuntimeImage) -> set[str]:
    """Names that the image itself sets, and that PATH which the engine always gives."""
    client = docker.APIClient(version="auto")
    try:
        set_by_image = client.inspect_image(image.digest)["Config"]["Env"] or []
    finally:
        client.close()
    return {line.partition("=")[0] for line in set_by_image} | {"PATH"}


async def test_odd_names_and_modes_of_a_repository_arrive_whole(python: Run, source: Path) -> None:
    names = [b"new\nline.py", b"sp ace", "emoji\N{SNAKE}.py".encode(), b"latin\xe9\xff.py", b"-rf", b"*", b"'\"$(x)`"]
    for name in names:
        Path(os.fsdecode(os.fsencode(source) + b"/" + name)).write_bytes(name)
    (source / "locked").mkdir()
    (source / "locked" / "script").write_text("#!/bin/sh\n")
    (source / "locked" / "script").chmod(0o555)
    (source / "locked").chmod(0o555)
    (source / "link").symlink_to("module.py")
    (source / "dangling").symlink_to("/nowhere")
    code = """
import json, os
found = {name.hex(): open(b"/work/" + name, "rb").read().hex() for name in os.listdir(b"/work")
         if os.path.isfile(b"/work/" + name) and not os.path.islink(b"/work/" + name)}
facts = {"files": found, "link": os.readlink("link"), "dangling": os.readlink("dangling"),
         "mode": os.stat("locked/script").st_mode & 0o777, "added": open("locked/added").read()}
open("written", "w").write("the work folder can be written")
open(os.environ["QV_OUT"] + "/facts", "w").write(json.dumps(facts))
"""
    result = await python(code, overlay={"locked/added": b"overlay", "deep/er/x": b""})
    assert result.problem == "", result.output
    facts = json.loads(result.artefacts["facts"])
    expected = {name.hex(): name.hex() for name in names}
    expected[b"module.py".hex()] = (source / "module.py").read_bytes().hex()
    assert facts["files"] == expected
    assert (facts["link"], facts["dangling"], facts["added"]) == ("module.py", "/nowhere", "overlay")
    assert facts["mode"] & 0o555 == 0o555
    assert stat.S_IMODE((source / "locked").stat().st_mode) == 0o555


async def test_an_overlay_replaces_a_symlink_and_never_writes_through_it(python: Run, source: Path) -> None:
    (source / "test_x.py").symlink_to("module.py")
    result = await python(
        "print(open('test_x.py').read(), open('module.py').read())", overlay={"test_x.py": b"overlay"}
    )
    assert result.output == "overlay VALUE = 42\n\n"


async def test_the_running_container_has_every_flag(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    job = Job("flags", ("sleep", "60"), overlay={"a": b""}, limits=Limits(timeout_s=60))
    running = asyncio.create_task(sandbox.run(job, image, source, run="r-flags"))
    facts = None
    for _ in range(200):
        await asyncio.sleep(0.05)
        if found := containers(client, owner):
            facts = client.inspect_container(found[0]["Id"])
            if facts["State"]["Running"]:
                break
    assert facts is not None
    # The sandbox sweeps while a job of its own runs: that one stays.
    assert await sandbox.sweep() == 0
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    host, config = facts["HostConfig"], facts["Config"]
    options = "rw,nosuid,nodev,exec,size={},nr_inodes={},uid=10001,gid=10001,mode=0700"
    expected = {
        "Init": True, "NetworkMode": "none", "ReadonlyRootfs": True, "CapDrop": ["ALL"], "CapAdd": None,
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp_profile()}"], "PidsLimit": 256, "Memory": 2 << 30, "MemorySwap": 2 << 30,
        "NanoCpus": 2_000_000_000, "ShmSize": 64 * MIB, "IpcMode": "private", "Privileged": False, "PidMode": "",
        "ExtraHosts": ["sandbox:127.0.0.1"], "LogConfig": {"Type": "none", "Config": {}}, "Binds": None, "AutoRemove": False, "UsernsMode": "", "UTSMode": "",
        "Tmpfs": {"/tmp": options.format(512 * MIB, 1 << 18), "/work": options.format(1 << 30, 1 << 19)},
        "Dns": ["127.0.0.1"], "DnsSearch": ["."],
        "RestartPolicy": {"Name": "", "MaximumRetryCount": 0}, "PublishAllPorts": False,
    }  # fmt: skip
    assert {key: host[key] for key in expected} == expected
    assert not host["PortBindings"]
    assert not host["Devices"]
    assert not host["VolumesFrom"]
    ulimits = {ulimit["Name"]: (ulimit["Soft"], ulimit["Hard"]) for ulimit in host["Ulimits"]}
    assert ulimits == {"nofile": (4096, 4096), "core": (0, 0), "fsize": (536870912, 536870912)}
    mounts = {mount["Destination"]: (mount["Source"], mount["RW"]) for mount in facts["Mounts"]}
    assert mounts == {"/src": (str(source), False)}
    assert config["User"] == "10001:10001"
    assert facts["Image"] == image.digest
    labels = config["Labels"]
    assert labels["qverify.owner"] == owner.id
    assert labels["qverify.run"] == "r-flags"
    assert Process.from_labels(labels) == Process.current()
    assert 60 <= int(labels["qverify.deadline"]) - time.monotonic() <= 4200


async def test_no_more_than_parallel_jobs_at_a_time_and_one_container_ahead(
    owner: Owner, image: RuntimeImage, source: Path, client: docker.APIClient
) -> None:
    sandbox = DockerSandbox(source, owner, parallel=2)
    job = Job("parallel", ("sleep", "1"))
    running = asyncio.gather(*(sandbox.run(job, image, source, run="r") for _ in range(5)))
    most = most_at_work = 0
    while not running.done():
        there = await asyncio.to_thread(containers, client, owner)
        most = max(most, len(there))
        at_work = await asyncio.to_thread(lambda ids: sum(sleeps(client, one["Id"]) for one in ids), there)
        most_at_work = max(most_at_work, at_work)
        await asyncio.sleep(0.03)
    assert {result.execution.exit_code for result in await running} == {0}
    assert (most, most_at_work) == (3, 2)
    await sandbox.close()


def sleeps(client: docker.APIClient, container: str) -> bool:
    """Whether the job's command is among the container's processes."""
    try:
        return any("sleep 1" in " ".join(process) for process in client.top(container)["Processes"] or [])
    except docker.errors.APIError:
        return False


async def test_a_container_that_waits_for_its_turn_ran_no_code_and_its_wait_is_not_counted(
    owner: Owner, image: RuntimeImage, source: Path
) -> None:
    sandbox = DockerSandbox(source, owner, parallel=1)
    first = asyncio.create_task(sandbox.run(Job("long", ("sleep", "3")), image, source, run="r"))
    await asyncio.sleep(0.1)
    second = await sandbox.run(Job("short", ("true",)), image, source, run="r")
    assert (await first).execution.container_ms >= 3000
    assert second.execution.container_ms < 1500
    assert second.execution.duration_ms < 2500
    await sandbox.close()


async def test_a_source_that_is_not_there_and_an_image_that_is_gone(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path
) -> None:
    with pytest.raises(SandboxFailure, match="does not exist"):
        await sandbox.run(Job("x", ("true",)), image, source / "nowhere", run="r7")
    assert not (source / "nowhere").exists()
    gone = RuntimeImage("python", "qverify/python:gone", "sha256:" + "0" * 64)
    with pytest.raises(MissingPrerequisite, match=r"qverify/python:gone is no longer there.*qverify resume r7"):
        await sandbox.run(Job("x", ("true",)), gone, source, run="r7")
    with pytest.raises(BadInput):
        await sandbox.run(Job("x", ("true",), overlay={"../x": b""}), image, source, run="r7")


async def test_a_command_that_is_not_there_is_a_result(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path
) -> None:
    result = await sandbox.run(Job("x", ("no-such-command",)), image, source, run="r")
    assert result.execution.exit_code == 127
    assert "no-such-command" in result.output
    assert result.problem == ""


async def test_a_snapshot_too_large_for_the_work_folder_is_a_problem(shell: Run, source: Path) -> None:
    (source / "big").write_bytes(bytes(3 * MIB))
    result = await shell("echo ran", work_bytes=2 * MIB)
    assert result.execution.exit_code == 125
    assert "could not be laid out" in result.problem
    assert "No space left on device" in result.output
    assert "ran" not in result.output.split()


async def test_only_a_job_that_asks_for_it_has_a_network_and_the_host_s_certificates(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "authorities.pem"
    bundle.write_text("a certificate\n")
    for name in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    argv = ("sh", "-c", 'ls /sys/class/net; echo "[$PIP_CERT]"; cat "$SSL_CERT_FILE"')
    with_network = await sandbox.run(Job("install", argv, network=True), image, source, run="r")
    assert with_network.output.split("\n") == ["eth0", "lo", "[/tmp/qverify-ca.pem]", "a certificate", ""]
    assert with_network.execution.network
    without = await sandbox.run(Job("judge", argv), image, source, run="r")
    assert without.output.split("\n")[:2] == ["lo", "[]"]
    assert not without.execution.network


async def test_the_image_of_a_runtime_is_found_and_an_unknown_one_is_said(
    sandbox: DockerSandbox, image: RuntimeImage
) -> None:
    assert await sandbox.image("python") == image
    with pytest.raises(MissingPrerequisite, match="no recipe for the sandbox runtime 'cobol'"):
        await sandbox.image("cobol")


@pytest.mark.parametrize("rest", ["while :; do echo line; sleep 0.05; done", "sleep 600"])
async def test_cancelling_a_build_ends_its_script(owner: Owner, tmp_path: Path, rest: str) -> None:
    runtime = tmp_path / "runtimes" / "slow"
    runtime.mkdir(parents=True)
    (runtime / "runtime.toml").write_text(
        'name = "slow"\nlanguages = ["slow"]\nversion = "1"\nbase = "none"\nstand_in = "slow"\n'
        'stand_in_packages = ["x"]\nsample = "slow"\ncheck = ["true"]\n'
        'coverage = ["x"]\n[tools.slow]\ncommand = ["true"]\n'
    )
    script = tmp_path / "packaging" / "setup" / "image.sh"
    script.parent.mkdir(parents=True)
    script.write_text(f"echo $$ >{tmp_path}/pid\necho line\n{rest}\n")
    lines: list[str] = []
    sandbox = DockerSandbox(tmp_path, owner)
    building = asyncio.create_task(sandbox.image("slow", lines.append))
    while not lines:
        assert not building.done(), building
        await asyncio.sleep(0.02)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    process = Path("/proc") / (tmp_path / "pid").read_text().strip()
    for _ in range(100):
        if not process.exists():
            break
        await asyncio.sleep(0.05)
    assert not process.exists()
    assert set(lines) == {"line"}
    await sandbox.close()


async def test_the_container_knows_its_own_name(python: Run) -> None:
    """Test suites ask for it, Java's by ``InetAddress.getLocalHost``; nobody else answers in a sandbox."""
    result = await python("import socket; print(socket.gethostbyname(socket.gethostname()))")
    assert result.output == "127.0.0.1\n"
