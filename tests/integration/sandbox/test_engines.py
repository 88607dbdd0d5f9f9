"""Other engines than this machine's: an emptied one without a network, and ones that isolate more strongly."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox.archive import load_images, save_images
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import check_image, find_image, load_recipes
from qverify_desktop.sandbox.isolation import find_isolation
from qverify_desktop.sandbox.owner import Owner
from tests.integration.conftest import RESOURCES, containers
from tests.integration.sandbox.engines import private_engine, private_podman

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(
        os.geteuid() != 0 or shutil.which("dockerd") is None, reason="a second engine needs root and dockerd"
    ),
]

FACTS = """
import json, os
uid_map = open("/proc/self/uid_map").read().split()
print(json.dumps({"kernel": os.uname().release, "uid": os.getuid(), "map": uid_map}))
"""


@pytest.fixture(scope="module")
def saved(client: docker.APIClient, image: RuntimeImage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "runtimes.qvr"
    save_images(client, [image], path, print)
    return path


@pytest.fixture(scope="module")
def emptied(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An engine that had no image before the saved file was loaded, with gVisor registered where this machine has it."""
    folder = tmp_path_factory.mktemp("emptied")
    words: list[str] = []
    if gvisor := shutil.which("runsc"):
        wrapped = folder / "runsc"
        # Its own network stack is not wanted, and of its platforms only this one needs nothing of the kernel.
        wrapped.write_text(f'#!/bin/sh\nexec {gvisor} --platform=ptrace --network=none "$@"\n')
        wrapped.chmod(0o755)
        words += ["--add-runtime", f"runsc={wrapped}"]
    with private_engine(*words) as address:
        client = docker.APIClient(base_url=address, version="auto")
        assert client.images() == []
        load_images(client, saved, print)
        client.close()
        yield address


def test_a_loaded_runtime_passes_its_check_in_an_engine_without_a_network(
    emptied: str, image: RuntimeImage, tmp_path: Path
) -> None:
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    client = docker.APIClient(base_url=emptied, version="auto")
    found = find_image(client, recipe)
    assert (found.digest, found.tools) == (image.digest, image.tools)
    check = check_image(recipe, found, base_url=emptied)
    assert check.passed, check.output
    client.close()


async def test_gvisor_is_used_where_it_is_registered_and_starts(
    emptied: str, image: RuntimeImage, source: Path, owner: Owner
) -> None:
    assert shutil.which("runsc"), "install runsc: apt-get install -y runsc"
    sandbox = DockerSandbox(RESOURCES, owner, base_url=emptied)
    found = await sandbox.isolation(image.digest)
    assert (found.runtime, found.problem) == ("runsc", "")
    assert "gVisor" in found.label and "gVisor" in found.sentences and not found.stronger
    result = await sandbox.run(Job("x", ("python3", "-c", FACTS)), image, source, run="r")
    facts = json.loads(result.output)
    # gVisor answers for itself: no system call reaches the kernel of this machine.
    assert facts["kernel"] != os.uname().release
    assert facts["kernel"].startswith("4.4.")
    assert facts["uid"] == 10001
    fork = Job("x", ("sh", "-c", "ls /sys/class/net; cat /src/module.py; touch /src/new; echo $?"))
    result = await sandbox.run(fork, image, source, run="r")
    assert "VALUE = 42" in result.output and result.output.split()[-1] != "0"
    await sandbox.close()


async def test_a_runtime_that_does_not_start_is_said_and_not_used(
    tmp_path: Path, saved: Path, image: RuntimeImage, source: Path, owner: Owner
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho this runtime does not start >&2\nexit 1\n")
    broken.chmod(0o755)
    with private_engine("--add-runtime", f"runsc={broken}") as address:
        client = docker.APIClient(base_url=address, version="auto")
        load_images(client, saved, print)
        sandbox = DockerSandbox(RESOURCES, owner, base_url=address)
        found = await sandbox.isolation(image.digest)
        assert found.runtime == "" and found.problem
        assert "does not work" in found.sentences and found.label == "container"
        result = await sandbox.run(Job("x", ("true",)), image, source, run="r")
        assert result.execution.exit_code == 0
        assert containers(client, owner) == []
        await sandbox.close()
        client.close()


async def test_root_of_a_container_is_nobody_here_where_the_engine_remaps_users(
    tmp_path: Path, saved: Path, image: RuntimeImage, source: Path, owner: Owner
) -> None:
    with private_engine("--userns-remap=default") as address:
        client = docker.APIClient(base_url=address, version="auto")
        load_images(client, saved, print)
        found = find_isolation(client, image.digest, owner)
        assert found.user_namespaces and "user namespaces" in found.label
        sandbox = DockerSandbox(RESOURCES, owner, base_url=address)
        result = await sandbox.run(
            Job("x", ("python3", "-c", FACTS), overlay={"added": b"1"}), image, source, run="r"
        )
        facts = json.loads(result.output)
        assert facts["map"][0] == "0" and facts["map"][1] != "0"
        assert result.problem == ""
        await sandbox.close()
        client.close()


async def test_podman_s_socket_serves_as_well(saved: Path, source: Path, owner: Owner) -> None:
    assert shutil.which("podman"), "install podman: apt-get install -y podman catatonit runc"
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    with private_podman() as address:
        client = docker.APIClient(base_url=address, version="auto", timeout=300)
        load_images(client, saved, print)
        image = find_image(client, recipe)
        sandbox = DockerSandbox(RESOURCES, owner, base_url=address)
        found = await sandbox.isolation(image.digest)
        # It lists gVisor whatever is asked of it; a claim that no container bore out is none.
        assert (found.engine, found.runtime) == ("Podman", "")
        line = "id -u; cat module.py; cat added; ls /sys/class/net; grep Seccomp: /proc/self/status; touch /x; exit 3"
        job = Job("x", ("sh", "-c", line), overlay={"added": b"overlay\n"})
        result = await sandbox.run(job, image, source, run="r")
        assert result.execution.exit_code == 3, (result.problem, result.output)
        assert result.output.splitlines()[:5] == ["10001", "VALUE = 42", "overlay", "lo", "Seccomp:\t2"]
        assert "Read-only file system" in result.output
        slow = await sandbox.run(Job("x", ("sleep", "60"), limits=Limits(timeout_s=2)), image, source, run="r")
        assert slow.execution.timed_out
        assert containers(client, owner) == []
        await sandbox.close()
        client.close()
