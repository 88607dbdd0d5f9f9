"""Everything as a person who is not root: no control group, no privileges, and the pipes of the sandbox are the person's own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from qverify_desktop.sandbox.images import load_recipes
from tests.integration.bubblewrap.conftest import RESOURCES

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="the other tests have then shown it"),
]

#: Imports come first: the interpreter of the tests may lie where only root can read.
SCRIPT = """
import asyncio, json, os, sys
from pathlib import Path
import encodings.idna, tarfile, gzip
from qverify_desktop.domain.execution import Job, Limits
from qverify_desktop.sandbox import images
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.owner import Owner

folder, resources = Path(sys.argv[1]), Path(sys.argv[2])
os.setgroups([]); os.setgid(12345); os.setuid(12345)
FORGE = '''
import io, os, signal, tarfile
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as tar:
    info = tarfile.TarInfo("../../evil")
    info.size = 4
    tar.addfile(info, io.BytesIO(b"evil"))
# The entry's shell has put its own standard output aside for the command's life.
with open(f"/proc/{os.getppid()}/fd/11", "wb") as stdout:
    stdout.write(buffer.getvalue())
os.kill(os.getppid(), signal.SIGKILL)
'''
BOMB = '''
import os, time
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except BlockingIOError:
    print(children)
'''

async def main():
    sandbox = BubblewrapSandbox(resources, Owner.of(folder / "home"), base_url="unix:///nowhere/docker.sock")
    answers = {}
    await sandbox.import_file(folder / "python.tar", "python", lambda line: None)
    image = await sandbox.image("python")
    answers["label"] = image.differences[0]
    async def run(*argv, **limits):
        limits = Limits(**({"timeout_s": 60} | limits))
        return await sandbox.run(Job("x", argv, limits=limits), image, folder / "source", run="r")
    result = await run("sh", "-c", "id -u; cat module.py; touch /src/new || touch /usr/new || echo 1 >$QV_OUT/made")
    answers["plain"] = [result.output, {k: v.decode() for k, v in result.artefacts.items()}, result.problem]
    result = await run("python3", "-c", FORGE)
    answers["forged"] = [sorted(result.artefacts), result.problem, result.execution.exit_code]
    answers["bomb"] = (await run("python3", "-c", BOMB, pids=40)).output
    answers["memory"] = (await run("python3", "-c", "x = bytearray(400 << 20)", memory_bytes=128 << 20)).output
    result = await run("sleep", "64", timeout_s=1)
    answers["late"] = [result.execution.timed_out, result.execution.exit_code]
    answers["mounts"] = (await run("grep", "-c", " rw,", "/proc/self/mountinfo")).output
    await sandbox.close()
    print(json.dumps(answers))
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def folder(home: Path) -> Iterator[Path]:
    """A folder that another account can reach, with a saved image and a source in it."""
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    made = Path(tempfile.mkdtemp(prefix="qverify-user-"))
    client = docker.APIClient(version="auto")
    try:
        with (made / "python.tar").open("wb") as saved:
            saved.writelines(client.get_image(recipe.reference))
    finally:
        client.close()
    # The recipes too: this checkout may lie where only its owner can read.
    shutil.copytree(RESOURCES / "runtimes", made / "runtimes")
    (made / "source").mkdir()
    (made / "source" / "module.py").write_text("VALUE = 42\n")
    for path in (made, *made.rglob("*")):
        os.chown(path, 12345, 12345)
    yield made
    shutil.rmtree(made)


def test_an_ordinary_user_gets_the_same_sandbox(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder), str(folder)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert "processes by RLIMIT_NPROC" in answers["label"]
    output, made, problem = answers["plain"]
    assert output.startswith("10001\nVALUE = 42\n") and output.count("Read-only file system") == 2
    assert (made, problem) == ({"made": "1\n"}, "")
    names, problem, code = answers["forged"]
    assert (names, code) == ([], 137) and "unsafe name" in problem
    assert 30 <= int(answers["bomb"]) < 40
    assert "MemoryError" in answers["memory"]
    assert answers["late"] == [True, 137]
