"""An engine that may not be asked is not: by a switch, or by the air gap where it is on another machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.domain.network import networks
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, host_of
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import build_image, load_recipes, resources_root
from qverify_desktop.sandbox.owner import Owner

IMAGE = RuntimeImage("python", "qverify/python:x", digest="sha256:0")
GAP = Policy(air_gap=True, allowed=networks(["192.0.2.7"]))


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("unix://", ""),
        ("unix:///run/docker.sock", ""),
        ("tcp://192.0.2.1:2375", "192.0.2.1"),
        ("192.0.2.1:2375", "192.0.2.1"),
        ("https://[2001:db8::1]:2376", "2001:db8::1"),
        ("ssh://me@192.0.2.1:22/run/docker.sock", "192.0.2.1"),
        ("ssh://", "nobody"),
        ("example.org", "example.org"),
    ],
)
def test_which_machine_an_address_means(address: str, host: str) -> None:
    assert host_of(address) == host


@pytest.mark.parametrize(
    "address",
    ["ssh://me@192.0.2.1", "ssh://build", "tcp://192.0.2.1:2375", "http://192.0.2.1:2375", "192.0.2.1:2375"],
)
async def test_an_engine_elsewhere_is_not_asked_behind_the_air_gap(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = tmp_path / "started"
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("DOCKER_HOST", address)
    sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), gate=Gate(GAP))
    job = Job("test", ("true",))
    for refused in (sandbox.available(), sandbox.sweep(), sandbox.run(job, IMAGE, tmp_path, run="r1")):
        with pytest.raises(MissingPrerequisite, match="The air gap is on"):
            await refused
    await sandbox.close()
    with pytest.raises(MissingPrerequisite, match="The air gap is on"):
        Connections(gate=Gate(GAP)).client()
    assert not started.exists()
    # The same program is started where nothing is closed, so that this test can fail.
    if address.startswith("ssh"):
        with pytest.raises(ENGINE_ERRORS):
            Connections().client()
        assert started.exists()


def test_an_allowed_engine_is_asked_by_an_ssh_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = tmp_path / "said"
    program = tmp_path / "ssh"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{said}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    for policy, held in ((GAP, True), (Policy(), False)):
        with pytest.raises(ENGINE_ERRORS):
            Connections("ssh://me@192.0.2.7", Gate(policy)).client()
        words = said.read_text().split("\n")
        assert (words[:2] == ["-F", "none"]) == held
        assert words[words.index("--") + 1] == "192.0.2.7"


@pytest.mark.parametrize(
    ("switch", "address"), [("allow_engine", "unix:///nowhere.sock"), ("allow_remote_engine", "tcp://192.0.2.1:1")]
)
async def test_an_engine_that_is_switched_off_is_not_asked(switch: str, address: str, tmp_path: Path) -> None:
    gate = Gate(Policy(off=frozenset([switch])))
    sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url=address, gate=gate)
    with pytest.raises(MissingPrerequisite, match="switched off") as caught:
        await sandbox.available()
    assert switch in caught.value.remedy
    await sandbox.close()


def test_a_switch_of_now_counts_for_an_engine_that_is_there(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        gate = Gate()
        connections = Connections(f"unix://{tmp_path}/s", gate)
        connections.check()
        gate.policy = Policy(off=frozenset(["allow_engine"]))
        with pytest.raises(MissingPrerequisite, match="switched off"):
            connections.check()


async def test_a_job_with_a_network_is_refused_where_installing_is_switched_off(tmp_path: Path) -> None:
    for policy in (Policy(off=frozenset(["allow_installs"])), GAP):
        sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url="unix:///nowhere.sock", gate=Gate(policy))
        with pytest.raises(MissingPrerequisite, match="no packages may be fetched"):
            await sandbox.run(Job("install", ("true",), network=True), IMAGE, tmp_path, run="r1")
        await sandbox.close()


def test_an_engine_elsewhere_builds_nothing_behind_the_air_gap() -> None:
    (recipe,) = [one for one in load_recipes(resources_root()) if one.runtime == "python"]
    with pytest.raises(MissingPrerequisite, match="no sandbox image is built"):
        build_image(None, recipe, print, engine="tcp://192.0.2.7:2375", gate=Gate(GAP))
