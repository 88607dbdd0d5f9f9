"""What goes into a started container over its standard input: archives, each after a line with its length and before a line
feed."""

from __future__ import annotations

import io
import re
import shlex
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import Job
from qverify_desktop.sandbox import entry

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def framed(content: bytes) -> bytes:
    """``content`` after its length and before a line feed, as the entry reads it."""
    return b"%d\n%b\n" % (len(content), content)


def job_parcel(job: Job, certificates: bytes | None = None) -> bytes:
    """The tar archive that brings a job: its overlay below ``/work``, its command, and ``certificates`` where it has them.

    Raises ``BadInput`` for an overlay path that is absolute, empty, holds ``..``, or is both a file and a folder.
    """
    for path in job.overlay:
        _check(path)
    buffer = io.BytesIO()
    with tarfile.open(
        fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        _add_overlay(archive, job.overlay)
        _add(archive, entry.COMMAND.lstrip("/"), _script(job, certificates is not None))
        if certificates is not None:
            _add(archive, entry.CERTIFICATES.lstrip("/"), certificates)
    return buffer.getvalue()


def pack_tree(folder: Path, target: IO[bytes]) -> None:
    """Write ``folder`` as a tar archive to ``target``: files, folders and symlinks with their modes and times, owned by
    nobody. Raises ``OSError``."""
    with tarfile.open(
        fileobj=target, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as archive:
        # Not by tarfile's own descent, which calls itself for every level: a repository may be a thousand folders deep.
        waiting = [(folder, ".")]
        while waiting:
            path, name = waiting.pop()
            archive.add(path, arcname=name, recursive=False, filter=_anonymous)
            if path.is_dir() and not path.is_symlink():
                waiting += sorted(((child, f"{name}/{child.name}") for child in path.iterdir()), reverse=True)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    if not (member.isfile() or member.isdir() or member.issym() or member.islnk()):
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    return member


def _script(job: Job, certificates: bool) -> bytes:
    variables = entry.command_environment(job.env, certificates=certificates)
    for name in variables:
        if not _VARIABLE.match(name):
            raise BadInput(f"{name!r} is no name of an environment variable.")
    lines = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    lines.append(f"set -- {shlex.join(job.argv)}")
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")


def _add_overlay(archive: tarfile.TarFile, overlay: Mapping[str, bytes]) -> None:
    folders: set[str] = set()
    for path, content in overlay.items():
        for parent in reversed(PurePosixPath(path).parents[:-1]):
            name = str(parent)
            if name in folders:
                continue
            if name in overlay:
                raise BadInput(f"A generated file can't be laid over the snapshot: {name!r} is a file and a folder.")
            folders.add(name)
            _add(archive, f"work/{name}", None)
        _add(archive, f"work/{path}", content)


def _add(archive: tarfile.TarFile, name: str, content: bytes | None) -> None:
    member = tarfile.TarInfo(name)
    member.mtime = int(time.time())
    if content is None:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        archive.addfile(member)
    else:
        member.size, member.mode = len(content), 0o644
        archive.addfile(member, io.BytesIO(content))


def _check(path: str) -> None:
    parts = path.split("/")
    if not all(parts) or "." in parts or ".." in parts or "\0" in path or not _encodable(path):
        raise BadInput(
            f"A generated file can't be laid over the snapshot: {path!r} is no relative path inside of it."
        )


def _encodable(path: str) -> bool:
    try:
        path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True
