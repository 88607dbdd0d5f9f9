"""A first look at a source before anything is copied: plain files are read, no git runs, nothing of the repository runs."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.repository.folder import walk
from qverify_desktop.repository.source import Remote, classify
from qverify_desktop.repository.store import GitFolder, find_bare, find_git_folder, read_small
from qverify_desktop.repository.workspace import printable

#: A look ends at the first of these; what it says then is what it saw until then.
MOST_FILES = 50_000
MOST_SECONDS = 2.0
MOST_REFS = 200
MOST_WALKED_REFS = 5_000
_KINDS = ("refs/heads/", "refs/remotes/", "refs/tags/")


@dataclass(frozen=True)
class Look:
    """``source`` as it is kept for runs, without secrets. ``paths`` are relative, with ``/``; ``refs`` branches, remote
    branches and tags, the newest of each first where the file system says so. Of an address only its name is known."""

    source: str
    name: str
    remote: bool = False
    git: bool = False
    branch: str = ""
    refs: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()


def look(source: str) -> Look:
    """Raises ``BadInput`` for what is neither a folder here nor an address that may be fetched; blocking, seconds at most."""
    found = classify(source)
    if isinstance(found, Remote):
        return Look(found.address, found.name, remote=True)
    folder = found.path
    git = find_git_folder(folder) or find_bare(folder)
    paths = [] if find_bare(folder) and not (folder / ".git").exists() else _paths(folder)
    name = printable(os.fsencode(folder.name)) or "root"
    origin = printable(os.fsencode(folder))
    if git is None:
        return Look(origin, name, paths=tuple(paths))
    return Look(origin, name, git=True, branch=_branch(git), refs=tuple(_refs(git)), paths=tuple(paths))


def _paths(folder: Path) -> list[str]:
    until = time.monotonic() + MOST_SECONDS
    paths = []
    for path in walk(folder, lambda _path, _reason: None, folder / ".git"):
        paths.append(path.decode("utf-8", "replace"))
        if len(paths) >= MOST_FILES or time.monotonic() > until:
            break
    return paths


def _branch(git: GitFolder) -> str:
    head = read_small(git.own / "HEAD") or b""
    prefix = b"ref: refs/heads/"
    return head.strip().removeprefix(prefix).decode("utf-8", "replace") if head.startswith(prefix) else ""


def _refs(git: GitFolder) -> list[str]:
    """Names of references; loose ones carry their time, packed ones come after them as they stand."""
    times: dict[str, float] = {}
    for line in (read_small(git.common / "packed-refs", 4 * 1024 * 1024) or b"").splitlines()[:MOST_WALKED_REFS]:
        parts = line.split(b" ", 1)
        if len(parts) == 2 and len(parts[0]) == 40:
            times.setdefault(parts[1].decode("utf-8", "replace"), 0.0)
    walked = 0
    for here, folders, names in os.walk(git.common / "refs"):
        folders[:] = [name for name in folders if not (Path(here) / name).is_symlink()]
        for name in names:
            file = Path(here) / name
            walked += 1
            if walked > MOST_WALKED_REFS:
                folders.clear()
                break
            full = file.relative_to(git.common).as_posix()
            try:
                times[full] = file.lstat().st_mtime
            except OSError:
                continue
    chosen = []
    for kind in _KINDS:
        named = sorted((name for name in times if name.startswith(kind)), key=lambda name: -times[name])
        chosen += [name.removeprefix(kind) for name in named if not name.endswith("/HEAD")]
    printable_ones = [name for name in chosen if name.isprintable() and not name.startswith("-")]
    return printable_ones[:MOST_REFS]
