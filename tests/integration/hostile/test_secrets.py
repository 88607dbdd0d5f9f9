"""What is not the repository's to know: the host's environment and paths, another run, the source as others see it."""

import asyncio
import json
import os
import secrets
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.conftest import Run
from tests.integration.hostile.conftest import PROBE, Facts

pytestmark = pytest.mark.docker

SECRETS = (
    "ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "QVERIFY_HOME", "SSH_AUTH_SOCK",
    "DOCKER_HOST_TOKEN", "PIP_INDEX_URL", "HTTPS_PROXY", "SSL_CERT_FILE", "PYTHONPATH", "LD_PRELOAD_TEST",
)  # fmt: skip


async def test_secrets_of_the_host_s_environment_do_not_come_in(
    facts: Facts, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Attack: read the keys out of the environment, one's own or any process's. Limit: the container's environment is made of
    fixed words and the job's own; not one name or value of the host's is handed on."""
    secret = secrets.token_hex(16)
    for name in SECRETS:
        monkeypatch.setenv(name, secret)
    found = await facts(
        """
import glob, os
from probe import hand_back
every = b""
for path in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
    every += open(path, "rb").read() + b"\\0"
hand_back({"own": dict(os.environ), "every": every.decode("utf-8", "replace")})
"""
    )
    assert secret not in str(found)
    assert set(found["own"]).isdisjoint(set(SECRETS) - {"PYTHONPATH"})
    assert "HOME=/tmp/home" in found["every"], "environments were read"


async def test_the_host_shows_by_the_path_of_the_source_and_no_more(facts: Facts, source: Path) -> None:
    """Attack: learn who runs this. Limit: host name and user are the sandbox's own, no folder of the host is mounted beside
    the source, and that can't be written.

    What remains: the kernel names the source's path on the host in
    ``/proc/self/mountinfo``, and its version, memory and processors are the host's. A path can hold a user's name.
    """
    found = await facts(
        """
import os, pwd, socket
from probe import attempt, hand_back
lines = [line.split() for line in open("/proc/self/mountinfo")]
hand_back({
    "name": [socket.gethostname(), os.uname().nodename, open("/etc/hostname").read().strip()],
    "user": pwd.getpwuid(os.getuid()).pw_name,
    "binds": {line[4]: [line[3], line[5].split(",")[0]] for line in lines if line[4] in ("/src", "/in", "/deps")},
    "kinds": sorted({line[line.index("-") + 1] for line in lines}),
    "others": [line[4] for line in lines if line[line.index("-") + 1] not in
               ("overlay", "proc", "tmpfs", "devpts", "sysfs", "cgroup", "cgroup2", "mqueue")],
    "homes": os.listdir("/home"), "root": attempt(lambda: os.listdir("/root")), "ids": os.path.exists("/etc/machine-id")
    and open("/etc/machine-id").read(),
})
""",
    )
    assert found["name"] == ["sandbox"] * 3
    assert found["user"] == "sandbox"
    path, access = found["binds"].pop("/src")
    assert str(source).endswith(path), "known: the path on the host shows (below its file system's own root)"
    assert access == "ro"
    assert found["binds"] == {}
    assert set(found["others"]) <= {"/src", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/usr/sbin/docker-init",
                                    "/sbin/docker-init"}  # fmt: skip
    assert (found["homes"], found["root"]) == ([], "EACCES")
    assert found["ids"] in (False, "") or found["ids"].strip() != Path("/etc/machine-id").read_text().strip()


async def test_the_source_is_never_written(facts: Facts, source: Path) -> None:
    """Attack: change the repository that is being judged, or leave something in it. Limit: read-only mounts (EROFS), also through
    links, open handles and ``/proc``; modes and times stay as well."""
    (source / "writable").mkdir(mode=0o777)
    (source / "writable").chmod(0o777)
    (source / "writable" / "file").write_text("as it was")
    (source / "writable" / "file").chmod(0o666)
    before = {str(path): (path.stat().st_mode, path.stat().st_mtime_ns) for path in [source, *source.rglob("*")]}
    found = await facts(
        """
import os
from probe import attempt, hand_back
def write(path):
    return attempt(lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT)))
handle = os.open("/src/writable/file", os.O_RDONLY)
os.symlink("/src/writable/file", "/work/link")
hand_back({
    "file": write("/src/writable/file"), "new": write("/src/writable/new"),
    "through a link": write("/work/link"),
    "through a handle": write(f"/proc/self/fd/{handle}"),
    "through /proc": write("/proc/1/root/src/writable/file"),
    "remove": attempt(lambda: os.unlink("/src/writable/file")),
    "rename": attempt(lambda: os.rename("/src/writable/file", "/src/writable/other")),
    "mode": attempt(lambda: os.chmod("/src/writable/file", 0o777)),
    "time": attempt(lambda: os.utime("/src/writable/file", (0, 0))),
    "attribute": attempt(lambda: os.setxattr("/src/writable/file", "user.x", b"1")),
    "folder": attempt(lambda: os.mkdir("/src/writable/folder")),
    "root": [write(path) for path in ("/etc/passwd", "/usr/bin/new", "/opt/venv/new", "/new", "/var/new", "/run/new")],
})
"""
    )
    root = found.pop("root")
    assert set(root) <= {"EROFS", "EACCES"}
    assert found == dict.fromkeys(found, "EROFS")
    after = {str(path): (path.stat().st_mode, path.stat().st_mtime_ns) for path in [source, *source.rglob("*")]}
    assert after == before
    assert (source / "writable" / "file").read_text() == "as it was"


SEEKER = """
import glob, os, sys, time
from probe import hand_back
mine, other = sys.argv[1:]
for folder in ("/work", "/tmp", "/dev/shm"):
    open(f"{folder}/marker-{mine}", "w").write("marker " + mine)
sees, begun = set(), time.time()
while time.time() < begun + float(os.environ["SECONDS_SIDE_BY_SIDE"]):
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            if other.encode() in open(path, "rb").read():
                sees.add(path)
        except OSError:
            continue
    for root in ("/work", "/tmp", "/dev", "/sys/fs/cgroup", "/in", "/src", "/run", "/var/tmp"):
        for folder, folders, files in os.walk(root):
            sees.update(folder + "/" + name for name in folders + files if other in name)
    time.sleep(0.05)
# Its own command names the other one, as both markers stand in each: that is the one place.
own = {f"/proc/{pid}/cmdline" for pid in os.listdir("/proc") if pid.isdecimal()}
scope = [name for folder, folders, _ in os.walk("/sys/fs/cgroup") for name in folders if len(name) == 64]
hand_back({"sees": sorted(sees - own), "time": [begun, time.time()], "processes": len(own), "cgroups": scope, "alone": sorted(os.listdir("/dev/shm")),
           "shared memory": len(open("/proc/sysvipc/shm").read().splitlines()) - 1,
           "pids": sorted(int(pid) for pid in os.listdir("/proc") if pid.isdecimal())})
"""


async def test_two_runs_side_by_side_do_not_see_each_other(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path
) -> None:
    """Attack: a run looks for the marker of another one in ``/proc``, ``/work``, ``/tmp``, ``/dev/shm``, ``/sys/fs/cgroup``.

    Limit: each container has its own PID, mount, IPC and network namespaces, and a part of the cgroup tree of its own.
    """

    def seek(mine: str, other: str) -> Job:
        return Job(
            "seek",
            ("python3", "-c", SEEKER, mine, other),
            overlay={"probe.py": PROBE, f"overlay-{mine}": b"1"},
            env={"SECONDS_SIDE_BY_SIDE": "2"},
            limits=Limits(timeout_s=60),
        )

    one, two = secrets.token_hex(8), secrets.token_hex(8)
    results = await asyncio.gather(
        sandbox.run(seek(one, two), image, source, run="r-one"),
        sandbox.run(seek(two, one), image, source, run="r-two"),
    )
    for result in results:
        assert result.execution.exit_code == 0, result.output
    found = [json.loads(result.artefacts["facts.json"]) for result in results]
    assert max(each["time"][0] for each in found) < min(each["time"][1] for each in found), (
        "they were not side by side"
    )
    for mine, each in zip((one, two), found, strict=True):
        assert (each["sees"], each["cgroups"]) == ([], [])
        assert each["alone"] == [f"marker-{mine}"]
        assert each["shared memory"] == 0
        # The init process, the entry's shell, and the seeker.
        assert each["processes"] == 3 and each["pids"][0] == 1


async def test_nothing_of_a_run_is_there_in_the_next(shell: Run) -> None:
    """Attack: leave something behind for the next run. Limit: a fresh container; every place that can be written is memory."""
    places = "/work /tmp /dev/shm /dev/mqueue $HOME"
    first = await shell(
        f"for d in {places}; do echo 1 >$d/left-behind; done; find / -name left-behind 2>/dev/null | sort"
    )
    assert len(first.output.splitlines()) >= 4
    second = await shell("find / -name left-behind 2>/dev/null")
    assert second.output == ""


@pytest.mark.parametrize("link", ["/tmp", "/src", "/nowhere", "."])
async def test_a_link_in_the_place_of_a_driver_leads_nowhere(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, link: str
) -> None:
    """Attack: the repository holds a link where QVerify lays its own files, so that they land or are read elsewhere. Limit: the
    parcel's folders take the place of links, and nothing is written through one."""
    (source / "driver").symlink_to(link)
    code = b"import os; print(os.path.islink('/work/driver'), [os.path.exists(x) for x in ('/tmp/run.py', '/work/run.py')])"
    job = Job("driver", ("python3", "driver/run.py"), overlay={"driver/run.py": code})
    result = await sandbox.run(job, image, source, run="r-test")
    assert (result.execution.exit_code, result.output) == (0, "False [False, False]\n")


RECIPES = {
    "Dockerfile": "FROM scratch\nENV PWNED=1\nUSER root\n",
    "Containerfile": "FROM scratch\nENV PWNED=1\n",
    ".dockerignore": "module.py\n*\n",
    "docker-compose.yml": "services:\n  x:\n    image: scratch\n    privileged: true\n    volumes: ['/:/host']\n",
    "compose.yaml": "services:\n  x:\n    network_mode: host\n    pid: host\n",
    ".devcontainer/devcontainer.json": '{"image": "scratch", "runArgs": ["--privileged"], "remoteUser": "root"}',
    ".docker/config.json": '{"credsStore": "evil", "proxies": {"default": {"httpProxy": "http://192.0.2.1"}}}',
    ".env": "DOCKER_HOST=tcp://192.0.2.1:2375\nPWNED=1\n",
    "runtime.toml": 'name = "python"\n',
    "entrypoint.sh": "#!/bin/sh\necho pwned\n",
    "sitecustomize.py": "print('pwned')\n",
}


async def test_recipes_in_the_repository_are_files_like_any_other(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attack: a repository that says in which container it wants to run. Limit: only QVerify's own recipe and flags are used;
    such files are copied to the work folder like any others, none left out, and do nothing there."""
    for name, text in RECIPES.items():
        (source / name).parent.mkdir(exist_ok=True)
        (source / name).write_text(text)
    monkeypatch.chdir(source)
    line = (
        "id -u; ls /sys/class/net; ls -d /host /docker-entrypoint* 2>/dev/null; echo [$PWNED$DOCKER_HOST$http_proxy]; "
        "find . -type f | sort"
    )
    result = await sandbox.run(Job("recipes", ("sh", "-c", line)), image, source, run="r-test")
    copied = sorted(f"./{name}" for name in [*RECIPES, "module.py"])
    assert result.output.splitlines() == ["10001", "lo", "[]", *copied]
    assert result.execution.image_digest == image.digest
    assert os.listdir(source / ".docker") == ["config.json"]
