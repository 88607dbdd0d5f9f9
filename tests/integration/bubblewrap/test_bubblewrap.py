"""One job under real bubblewrap: what goes in, what comes back, how it is ended, and what stays of it (nothing)."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox import cgroups
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.bubblewrap_command import Held
from qverify_desktop.sandbox.images import load_recipes
from qverify_desktop.sandbox.owner import Owner
from tests.integration.bubblewrap.conftest import RESOURCES, RLIMITS_ONLY, Run, sandboxes

pytestmark = pytest.mark.docker


async def test_the_samples_tests_pass(sandbox: BubblewrapSandbox, image: RuntimeImage) -> None:
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    result = await sandbox.run(Job("runtime-check", recipe.check), image, recipe.sample, run="r")
    assert result.execution.exit_code == 0, result.output
    assert " passed" in result.output
    assert result.problem == ""


async def test_a_job_goes_the_whole_way(
    sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path, tmp_path: Path
) -> None:
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
open(out + "/new\\nline", "wb").write(bytes(range(256)))
assert sys.stdin.read() == ""
sys.exit(7)
"""
    job = Job(
        "baseline",
        ("python3", "-c", code),
        overlay={"module.py": b"VALUE = 'replaced'\n", "added.py": b"VALUE = 'overlay'\n"},
        env={"WHERE": "/deps", "PYTHONPATH": "", "ODD": "a=b 'c'\n$(d)"},
    )
    result = await sandbox.run(job, image, source, run="r1", dependencies=dependencies)
    assert result.problem == "", result.output
    assert result.output == "to output\nto error\n"
    assert json.loads(result.artefacts["deep/report.json"]) == ["dependency", "replaced", "overlay"]
    assert result.artefacts["new\nline"] == bytes(range(256))
    execution = result.execution
    assert (execution.purpose, execution.exit_code, execution.argv) == ("baseline", 7, job.argv)
    assert (execution.image, execution.image_digest) == (image.reference, image.digest)
    assert execution.container.startswith("bwrap-") and len(execution.container) == 38
    assert 0 < execution.container_ms <= execution.duration_ms
    assert not (execution.timed_out or execution.oom_killed or execution.output_truncated or execution.network)
    assert (source / "module.py").read_text() == "VALUE = 42\n"


async def test_odd_names_and_links_of_a_repository_arrive_whole(python: Run, source: Path) -> None:
    names = [b"new\nline.py", b"sp ace", "emoji\N{SNAKE}.py".encode(), b"latin\xe9\xff.py", b"-rf", b"*", b"'\"$(x)`"]
    for name in names:
        Path(os.fsdecode(os.fsencode(source) + b"/" + name)).write_bytes(name)
    (source / "locked").mkdir()
    (source / "locked" / "script").write_text("#!/bin/sh\n")
    (source / "locked").chmod(0o555)
    (source / "link").symlink_to("module.py")
    (source / "test_x.py").symlink_to("module.py")
    code = """
import json, os
files = [name for name in os.listdir(b"/work") if os.path.isfile(b"/work/" + name)]
found = [name.hex() for name in files if open(b"/work/" + name, "rb").read() == name]
print(json.dumps([found, os.readlink("link"), open("test_x.py").read(), open("module.py").read(),
                  open("locked/added").read()]))
"""
    result = await python(code, overlay={"locked/added": b"overlay", "test_x.py": b"laid over"})
    found, link, over, module, added = json.loads(result.output)
    assert set(found) == {name.hex() for name in names}
    assert (link, over, module, added) == ("module.py", "laid over", "VALUE = 42\n", "overlay")


async def test_the_label_says_which_limits_hold(owner: Owner, source: Path) -> None:
    sandbox = BubblewrapSandbox(RESOURCES, owner)
    few = BubblewrapSandbox(RESOURCES, owner, held=RLIMITS_ONLY)
    try:
        labels = [(await one.image("python")).differences[0] for one in (sandbox, few)]
    finally:
        await sandbox.close()
        await few.close()
    for label in labels:
        assert label.startswith("Reduced isolation: bubblewrap instead of a container engine;")
    assert "for each process by itself (RLIMIT_DATA), not in all, processes by RLIMIT_NPROC" in labels[1]
    version = cgroups.find_places().version
    assert version == 0 or f"Memory was limited by a control group (version {version})" in labels[0]


async def test_a_job_with_network_is_refused(sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="never gets a network"):
        await sandbox.run(Job("install", ("true",), network=True), image, source, run="r")


async def test_cancelling_kills_the_sandbox(sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path) -> None:
    running = asyncio.create_task(sandbox.run(Job("x", ("sleep", "61")), image, source, run="r"))
    for _ in range(200):
        await asyncio.sleep(0.02)
        if sleepers("61"):
            break
    assert sleepers("61")
    running.cancel()
    begun = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - begun < 5
    assert sleepers("61") == []


async def test_closing_kills_and_refuses(sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path) -> None:
    running = asyncio.create_task(sandbox.run(Job("x", ("sleep", "62")), image, source, run="r9"))
    for _ in range(200):
        await asyncio.sleep(0.02)
        if sleepers("62"):
            break
    await sandbox.close()
    with pytest.raises(SandboxFailure, match=r"was stopped before this job ended.*qverify resume r9"):
        await running
    assert sleepers("62") == []


async def test_no_more_than_parallel_sandboxes_at_a_time(owner: Owner, image: RuntimeImage, source: Path) -> None:
    sandbox = BubblewrapSandbox(RESOURCES, owner, parallel=2)
    running = asyncio.gather(*(sandbox.run(Job("x", ("sleep", "0.4")), image, source, run="r") for _ in range(4)))
    most = 0
    while not running.done():
        most = max(most, len(sleepers("0.4")))
        await asyncio.sleep(0.02)
    assert {result.execution.exit_code for result in await running} == {0}
    assert most == 2
    await sandbox.close()


async def test_what_can_not_be_run_is_a_sentence(
    sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path
) -> None:
    with pytest.raises(SandboxFailure, match="does not exist"):
        await sandbox.run(Job("x", ("true",)), image, source / "nowhere", run="r7")
    gone = replace(image, digest="sha256:" + "0" * 64)
    with pytest.raises(MissingPrerequisite, match=r"no longer on this machine.*qverify runtimes import"):
        await sandbox.run(Job("x", ("true",)), gone, source, run="r7")
    with pytest.raises(BadInput):
        await sandbox.run(Job("x", ("true",), overlay={"../x": b""}), image, source, run="r7")
    with pytest.raises(BadInput):
        await sandbox.run(Job("x", ("true", "a\0b")), image, source, run="r7")
    missing = await sandbox.run(Job("x", ("no-such-command",)), image, source, run="r")
    assert missing.execution.exit_code == 127
    assert "no-such-command" in missing.output
    assert missing.problem == ""
    small = await sandbox.run(Job("x", ("true",), limits=Limits(work_bytes=4096)), image, RESOURCES, run="r")
    assert "could not be laid out" in small.problem


async def test_a_sandbox_that_bwrap_can_not_make_is_a_failure_of_the_engine(
    sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path
) -> None:
    root = next(root for root in (sandbox.roots / image.digest[7:]).iterdir() if root.name == "root")
    (root / "src").rmdir()
    try:
        with pytest.raises(SandboxFailure, match=r"could not make the sandbox: bwrap: .*/src.*qverify resume r8"):
            await sandbox.run(Job("x", ("true",)), image, source, run="r8")
    finally:
        (root / "src").mkdir(mode=0o755)


async def test_without_a_root_file_system_the_sentence_says_how_to_get_one(tmp_path: Path, source: Path) -> None:
    sandbox = BubblewrapSandbox(RESOURCES, Owner.of(tmp_path), base_url="unix:///nowhere/docker.sock")
    try:
        with pytest.raises(
            MissingPrerequisite, match=r"no root file system .*qverify runtimes save .*qverify runtimes import"
        ):
            await sandbox.image("python")
    finally:
        await sandbox.close()


async def test_a_kernel_that_can_not_count_processes_is_refused(tmp_path: Path) -> None:
    sandbox = BubblewrapSandbox(RESOURCES, Owner.of(tmp_path), held=Held(cgroups.Places(0, {}), (5, 10)))
    try:
        assert "limits the processes of one sandbox only by a control group" in await sandbox.available()
        with pytest.raises(MissingPrerequisite):
            await sandbox.image("python")
    finally:
        await sandbox.close()


async def test_without_bubblewrap_the_sentence_has_the_line_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine whose folders of programs hold everything but bwrap."""
    for name in ("sh", "prlimit", "unshare", "mount", "mkdir", "setpriv", "true"):
        (tmp_path / name).symlink_to(shutil.which(name) or "/bin/false")
    monkeypatch.setattr("qverify_desktop.sandbox.bubblewrap_command.HOST_PATH", str(tmp_path))
    sandbox = BubblewrapSandbox(RESOURCES, Owner.of(tmp_path / "home"))
    try:
        with pytest.raises(MissingPrerequisite, match=r"bubblewrap is not installed.*apt-get install -y bubblewrap"):
            await sandbox.image("python")
    finally:
        await sandbox.close()


async def test_what_a_killed_process_leaves_is_swept(home: Path, owner: Owner, source: Path) -> None:
    """A process of its own runs a job with an overlay and is killed: its sandbox dies with it, its folders by a sweep."""
    script = f"""
import asyncio
from pathlib import Path
from qverify_desktop.domain.execution import Job
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.owner import Owner
async def main():
    sandbox = BubblewrapSandbox(Path({str(RESOURCES)!r}), Owner.of(Path({str(home)!r})))
    image = await sandbox.image("python")
    await sandbox.run(Job("x", ("sleep", "63"), overlay={{"a": b"1"}}), image, Path({str(source)!r}), run="r")
asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", script])
    try:
        for _ in range(500):
            await asyncio.sleep(0.02)
            if sleepers("63"):
                break
        assert sleepers("63")
        assert len(list(owner.inbox.iterdir())) == 1
    finally:
        process.kill()
        process.wait()
    for _ in range(100):
        if not sleepers("63"):
            break
        await asyncio.sleep(0.05)
    assert sleepers("63") == []
    sandbox = BubblewrapSandbox(RESOURCES, owner)
    places = cgroups.find_places()
    left = len(list(cgroups.leftover(places)))
    assert left == len(set(places.folders.values()))
    assert await sandbox.sweep() == 1 + left
    await sandbox.close()


def sleepers(seconds: str) -> list[str]:
    """Processes anywhere on this machine that are ``sleep SECONDS``."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", seconds.encode()]:
            found.append(folder.name)
    return found


def test_the_check_for_leftovers_sees_a_sandbox() -> None:
    """What every test's end relies on."""
    waiting = subprocess.Popen(["sh", "-c", "read -r go", "qverify-sandbox"], stdin=subprocess.PIPE)
    try:
        time.sleep(0.1)
        assert waiting.pid in sandboxes()
    finally:
        waiting.kill()
        waiting.communicate()
