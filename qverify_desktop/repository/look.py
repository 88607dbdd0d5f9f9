"""A first look at a source before anything is copied: plain files are read, and git, in a store of our own that borrows the
objects, is asked for the dates of references. Nothing of the repository runs, and its configuration is never read by git."""

from __future__ import annotations

import os
import re
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.repository.folder import walk
from qverify_desktop.repository.git_safety import run_git
from qverify_desktop.repository.source import Remote, classify
from qverify_desktop.repository.store import GitFolder, borrow_objects, find_bare, find_git_folder, read_small
from qverify_desktop.repository.workspace import printable

#: A look ends at the first of these; what it says then is what it saw until then.
MOST_FILES = 50_000
MOST_SECONDS = 2.0
MOST_REFS = 200
#: References that are looked at; a repository with more shows some of them.
MOST_WALKED_REFS = 5_000
MOST_PACKED_BYTES = 64 * 1024 * 1024
#: For the dates of references. Without them loose ones come first, by the time of their files.
DATES_SECONDS = 3.0
_ID = re.compile(rb"[0-9a-f]{40}\Z")
_KINDS = ("refs/heads/", "refs/remotes/", "refs/tags/")


@dataclass(frozen=True)
class Look:
    """``source`` as it is kept for runs, without secrets. ``paths`` are relative, with ``/``; ``refs`` the newest
    branches, remote branches and tags, in this order, each newest first. Of an address only its name is known."""

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


@dataclass(frozen=True)
class _Ref:
    """What a reference points at, and the time of its file, 0 for a packed one."""

    id: str
    written: float = 0.0


def _refs(git: GitFolder) -> list[str]:
    """Names of the newest references: branches, remote branches, tags, each newest first."""
    refs = {**_packed(git), **_loose(git)}
    named = {name: ref for name, ref in refs.items() if _is_shown(name)}
    dates = {} if git.obstacle else _dates(git, named)
    newest = sorted(named, key=lambda name: (-dates.get(name, 0), -named[name].written, name))[:MOST_REFS]
    return [name.removeprefix(kind) for kind in _KINDS for name in newest if name.startswith(kind)]


def _is_shown(name: str) -> bool:
    kind = next((kind for kind in _KINDS if name.startswith(kind)), "")
    short = name.removeprefix(kind)
    return bool(kind and short) and not name.endswith("/HEAD") and short.isprintable() and not short.startswith("-")


def _packed(git: GitFolder) -> dict[str, _Ref]:
    """The file ``packed-refs``: lines of id and name; ``#`` and ``^`` begin lines of another kind (gitrepository-layout)."""
    refs: dict[str, _Ref] = {}
    for line in (read_small(git.common / "packed-refs", MOST_PACKED_BYTES) or b"").splitlines():
        id_, _, name = line.partition(b" ")
        if _ID.match(id_) and name.startswith(b"refs/"):
            refs[name.decode("utf-8", "surrogateescape")] = _Ref(id_.decode())
            if len(refs) >= MOST_WALKED_REFS:
                break
    return refs


def _loose(git: GitFolder) -> dict[str, _Ref]:
    refs: dict[str, _Ref] = {}
    for here, folders, names in os.walk(git.common / "refs"):
        folders[:] = sorted(name for name in folders if not (Path(here) / name).is_symlink())
        for name in names:
            file = Path(here) / name
            id_ = (read_small(file) or b"").strip()
            if not _ID.match(id_):
                continue
            try:
                written = file.lstat().st_mtime
            except OSError:
                continue
            refs[file.relative_to(git.common).as_posix()] = _Ref(id_.decode(), written)
            if len(refs) >= MOST_WALKED_REFS:
                return refs
    return refs


def _dates(git: GitFolder, refs: Mapping[str, _Ref]) -> dict[str, int]:
    """Seconds since 1970 at which the commits or tags were made, as they claim; none where git can't tell in time."""
    lines = [f"{refs[name].id} {name}\n" for name in sorted(refs)]
    asked = ["for-each-ref", "--format=%(creatordate:unix) %(refname)"]
    try:
        with tempfile.TemporaryDirectory(prefix="qverify-look-") as folder:
            store = Path(folder)
            borrow_objects(git, store)
            (store / "packed-refs").write_bytes("".join(lines).encode("utf-8", "surrogateescape"))
            answer = run_git(asked, store=store, timeout_s=DATES_SECONDS, most_bytes=8 * 1024 * 1024)
    except (QVerifyError, OSError):
        return {}
    dates: dict[str, int] = {}
    for line in answer.output.decode("utf-8", "surrogateescape").splitlines():
        date, _, name = line.partition(" ")
        if name in refs and date.isascii() and date.isdigit() and len(date) < 15:
            dates[name] = int(date)
    return dates
