"""A Docker Engine of the test's own: emptied, with no network but loopback, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import docker

START_S = 60


@contextlib.contextmanager
def private_engine(*words: str) -> Iterator[str]:
    """The address of an engine in a network namespace of its own, with nothing in its store; ``words`` are dockerd's.

    In a namespace of its own it can touch neither the bridge nor the firewall of this machine's engine, and nothing that it
    starts can reach any network.
    """
    # Short, because an address of a unix socket has at most 107 bytes, and open to the users of remapped containers.
    state = Path(tempfile.mkdtemp(prefix="qve"))
    state.chmod(0o711)
    address = f"unix://{state}/docker.sock"
    command = [
        "unshare", "--net", "--mount", "dockerd", "--host", address, "--data-root", str(state / "data"),
        "--exec-root", str(state / "exec"), "--pidfile", str(state / "pid"), "--bridge=none", "--iptables=false",
        "--ip6tables=false", "--ip-forward=false", "--config-file", str(state / "none.json"), *words,
    ]  # fmt: skip
    (state / "none.json").write_text("{}")
    with (state / "log").open("wb") as log:
        engine = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _until_it_answers(address, engine, state / "log")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(engine.pid, signal.SIGTERM)
        try:
            engine.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(engine.pid, signal.SIGKILL)
            engine.wait()
        shutil.rmtree(state, ignore_errors=True)


@contextlib.contextmanager
def private_podman() -> Iterator[str]:
    """The address of Podman's service with a store of its own, in a network namespace of its own."""
    state = Path(tempfile.mkdtemp(prefix="qve"))
    state.chmod(0o711)
    address = f"unix://{state}/podman.sock"
    command = [
        "unshare", "--net", "podman", "--runtime", "runc", "--root", str(state / "root"), "--runroot", str(state / "run"),
        "--cgroup-manager", "cgroupfs", "system", "service", "--time=0", address,
    ]  # fmt: skip
    with (state / "log").open("wb") as log:
        service = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        _until_it_answers(address, service, state / "log")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(service.pid, signal.SIGKILL)
        service.wait()
        with contextlib.suppress(FileNotFoundError):
            subprocess.run(["umount", str(state / "root" / "overlay")], check=False, capture_output=True)
        shutil.rmtree(state, ignore_errors=True)


def _until_it_answers(address: str, engine: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_S
    while True:
        with contextlib.suppress(docker.errors.DockerException, OSError):
            client = docker.APIClient(base_url=address, version="auto")
            client.close()
            return
        assert engine.poll() is None and time.monotonic() < until, log.read_text()[-2000:]
        time.sleep(0.1)
