"""A witness beside a run: what the engine under the sandbox saw is what the evidence says, and nothing ran elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import uuid
import zipfile
from pathlib import Path

import docker
import pytest

pytestmark = pytest.mark.docker

MODULE = '''
"""Writes a mark wherever it is imported or run."""
import pathlib

pathlib.Path("{mark}").write_text("ran")


def double(n: int) -> int:
    """Twice ``n``.

    >>> double(4)
    8
    """
    return n * 2
'''


class EngineWitness(threading.Thread):
    """Listens to the engine's events and inspects each container as soon as it is created."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.client = docker.from_env()
        self.seen: dict[str, dict] = {}
        self.died: set[str] = set()
        self.destroyed: set[str] = set()
        self.stream = self.client.events(decode=True, filters={"type": "container", "label": "qverify.owner"})

    def run(self) -> None:
        for event in self.stream:
            action, container = event["Action"], event["id"]
            if action == "create":
                self.seen[container] = self.client.api.inspect_container(container)
            elif action == "die":
                self.died.add(container)
            elif action == "destroy":
                self.destroyed.add(container)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watched")
    mark = f"/tmp/qverify-mark-{uuid.uuid4().hex}"
    source = folder / "project"
    source.mkdir()
    (source / "twice.py").write_text(MODULE.format(mark=mark))
    (source / "test_twice.py").write_text(
        "from twice import double\n\n\ndef test_double():\n    assert double(0) == 0\n"
    )
    (source / "conftest.py").write_text(f'import pathlib\n\npathlib.Path("{mark}").write_text("ran")\n')
    witness = EngineWitness()
    witness.start()
    environment = {**os.environ, "QVERIFY_HOME": str(folder / "home")}
    run = subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(source), "--json", "--out", str(folder / "out")],
        env=environment,
        capture_output=True,
        timeout=400,
        stdin=subprocess.DEVNULL,
    )
    document = json.loads(run.stdout)
    assert run.returncode == 0, document
    witness.stream.close()
    with zipfile.ZipFile(document["bundle"]) as bundle:
        entries = [json.loads(line) for line in bundle.read("entries.jsonl").splitlines()]
    own = {
        c: facts for c, facts in witness.seen.items() if facts["Config"]["Labels"]["qverify.run"] == document["run"]
    }
    return {"mark": Path(mark), "witness": witness, "own": own, "entries": entries, "document": document}


def test_each_execution_of_the_evidence_was_a_container_of_that_image(watched):
    executions = [entry["data"] for entry in watched["entries"] if entry["type"] == "execution"]
    assert len(executions) >= 8
    assert {e["container"] for e in executions} == set(watched["own"])
    for execution in executions:
        assert execution["image_digest"] == watched["own"][execution["container"]]["Image"]
    planned = next(entry["data"] for entry in watched["entries"] if entry["type"] == "plan")
    assert {e["image_digest"] for e in executions} == {planned["image_digest"]}


def test_each_container_was_locked(watched):
    for facts in watched["own"].values():
        host = facts["HostConfig"]
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"]
        assert "no-new-privileges" in host["SecurityOpt"]
        (profile,) = (json.loads(o.removeprefix("seccomp=")) for o in host["SecurityOpt"] if o.startswith("seccomp="))
        assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
        assert host["Privileged"] is False
        assert host["PidsLimit"] == 256
        assert 0 < host["Memory"] == host["MemorySwap"]
        assert host["LogConfig"]["Type"] == "none"
        assert host["IpcMode"] == "private"
        assert {u["Name"] for u in host["Ulimits"]} == {"nofile", "core", "fsize"}
        assert set(host["Tmpfs"]) == {"/tmp", "/work"}
        assert all(mount["RW"] is False for mount in facts["Mounts"] if mount["Type"] == "bind")
        assert not any("docker.sock" in mount.get("Source", "") for mount in facts["Mounts"])
        assert facts["Config"]["User"] == "10001:10001"
        assert {"qverify.owner", "qverify.run", "qverify.deadline"} <= set(facts["Config"]["Labels"])


def test_nothing_of_the_repository_ran_on_this_machine(watched):
    assert not watched["mark"].exists()


def test_every_container_is_gone(watched):
    client = watched["witness"].client
    owner = next(iter(watched["own"].values()))["Config"]["Labels"]["qverify.owner"]
    assert client.containers.list(all=True, filters={"label": f"qverify.owner={owner}"}) == []
