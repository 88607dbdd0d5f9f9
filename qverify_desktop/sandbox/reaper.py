"""Sweeping up after processes that died: containers and inbox folders of this state folder that nobody waits for."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Container, Mapping
from pathlib import Path

import docker
from docker.errors import APIError, NotFound

from qverify_desktop.sandbox.owner import BOOT, BORN, DEADLINE, JOB, OWNER, PID, Owner, Process


def sweep(client: docker.APIClient, owner: Owner, abandoned: Container[str] = ()) -> int:
    """Remove what is left over of ``owner``; answers how many containers were removed.

    A container goes when the process named by its labels is dead (or the labels name none), when its deadline has
    passed, or when its job is among ``abandoned``, the jobs of a living process whose container could not be removed
    while the engine was away. One that the engine can't remove (a busy file of it) is left to the next sweep. Containers of
    other state folders and of other programs are never touched. Raises docker-py's errors where the engine does not answer.
    """
    removed = 0
    found = client.containers(all=True, filters={"label": [f"{OWNER}={owner.id}"]})
    for container in found:
        if _is_left_over(container.get("Labels") or {}, abandoned):
            with contextlib.suppress(APIError):
                removed += _remove(client, container["Id"])
    sweep_inbox(owner)
    return removed


def sweep_inbox(owner: Owner) -> int:
    """Remove inbox folders whose process is dead; answers how many."""
    removed = 0
    with contextlib.suppress(OSError):
        for folder in owner.inbox.iterdir():
            process = _process_of(folder)
            if process is None or not process.alive():
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def inbox_name(process: Process, job: str) -> str:
    """Name of a job's inbox folder, from which ``sweep_inbox`` reads the process again."""
    return f"{process.pid}_{process.born}_{process.boot}_{job}"


def _process_of(folder: Path) -> Process | None:
    parts = folder.name.split("_")
    if len(parts) != 4:
        return None
    return Process.from_labels({PID: parts[0], BORN: parts[1], BOOT: parts[2]})


def _is_left_over(labels: Mapping[str, str], abandoned: Container[str]) -> bool:
    deadline = labels.get(DEADLINE, "")
    if not deadline.isdecimal() or int(deadline) < time.monotonic():
        return True
    process = Process.from_labels(labels)
    return process is None or not process.alive() or labels.get(JOB) in abandoned


def _remove(client: docker.APIClient, container: str) -> int:
    try:
        client.remove_container(container, v=True, force=True)
    except NotFound:
        return 0
    return 1
