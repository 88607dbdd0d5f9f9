"""Gives accepted tests to a person's folder, only when asked: as new files, or as a branch. All of it or nothing.

This is the only module that writes outside the application's own folders. No git runs in the person's repository: a branch is
built in a private store, its loose objects are copied over, and the reference is a new file that must not exist.
"""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.git_safety import run_git
from qverify_desktop.repository.objects import write_loose
from qverify_desktop.repository.store import GitFolder, borrow, find_bare, find_git_folder, read_small, resolve_commit
from qverify_desktop.repository.workspace import printable

#: Paths in one call of ``git update-index``.
_BATCH = 200
_WRITE_OBJECT = 0o444


@dataclass(frozen=True)
class Given:
    """Where the files went: an absolute folder, or the branch and its commit."""

    place: str
    files: tuple[str, ...]
    commit: str = ""


def give_files(folder: Path, files: Mapping[str, str]) -> Given:
    """Write new files below ``folder``. Raises ``BadInput`` and writes nothing when one is in the way or has no place there.

    A file that stands there with the same content already is no obstacle.
    """
    root = _folder(folder)
    wanted = {path: _target(root, path) for path in sorted(files)}
    in_the_way = [path for path, target in wanted.items() if not _is_free(target, files[path])]
    if in_the_way:
        raise BadInput(
            f"{len(in_the_way)} of the {len(files)} files are there already with other content, {in_the_way[0]} for one. "
            "Nothing was written.",
            "Write a branch or a patch instead, or move these files away.",
        )
    written: list[Path] = []
    made: list[Path] = []
    try:
        for path, target in wanted.items():
            if target.exists():
                continue
            made += _make_folders(root, target.parent)
            _write_new(target, files[path].encode("utf-8", "replace"))
            written.append(target)
    except OSError as error:
        _take_back(written, made)
        raise BadInput(
            f"The folder {printable(os.fsencode(root))} can't be written ({error.strerror or error}). Nothing was left in it.",
            "Make it writable, or write a patch instead.",
        ) from error
    return Given(str(root), tuple(wanted))


def give_branch(folder: Path, branch: str, commit: str, files: Mapping[str, str], message: str) -> Given:
    """Make a branch with one commit on top of ``commit`` that adds ``files``. Work tree, index and HEAD stay as they are.

    Raises ``BadInput`` when the folder is no git repository, lacks the commit, or has such a branch.
    """
    git = find_git_folder(folder) or find_bare(folder)
    if git is None or git.obstacle:
        raise BadInput(
            f"{printable(os.fsencode(folder))} is no git repository that a branch can be written to. Nothing was changed.",
            "Write a patch, or write into the folder.",
        )
    with tempfile.TemporaryDirectory(prefix="qverify-branch-") as place:
        store = Path(place) / "store.git"
        borrow(git, store)
        _check_name(store, git, branch)
        parent = resolve_commit(store, commit) if commit else None
        if parent is None:
            raise BadInput(
                "The repository does not have the commit that was analysed, so no branch can stand on it. Nothing was changed.",
                "Analyse it as it is now, or write a patch.",
            )
        made = _commit(store, parent, files, message)
        try:
            _copy_objects(store / "objects", git.objects)
            _new_reference(git.common, branch, made)
        except OSError as error:
            raise BadInput(
                f"The branch can't be written ({error.strerror or error}). Your files and branches are as they were.",
                "Make the repository writable, or write a patch.",
            ) from error
    return Given(branch, tuple(sorted(files)), made)


# Files


def _folder(folder: Path) -> Path:
    try:
        root = folder.resolve(strict=True)
    except OSError as error:
        raise BadInput(
            f"The folder {printable(os.fsencode(folder))} is not there any more. Nothing was written.",
            "Write a patch instead.",
        ) from error
    if not root.is_dir():
        raise BadInput(
            f"{printable(os.fsencode(folder))} is no folder. Nothing was written.", "Write a patch instead."
        )
    return root


def _target(root: Path, path: str) -> Path:
    """Where a file goes. Raises ``BadInput`` for a path that is none below the root, or that goes over a link."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or any(p in ("..", ".", ".git") or "\0" in p for p in parts):
        raise BadInput(f"The file {path!r} has no place in the folder. Nothing was written.")
    here = root
    for part in parts[:-1]:
        here = here / part
        if here.is_symlink() or (here.exists() and not here.is_dir()):
            raise BadInput(
                f"{printable(os.fsencode(here))} is a link or no folder, so nothing is written through it. Nothing was written.",
                "Write a branch or a patch instead.",
            )
    return here / parts[-1]


def _is_free(target: Path, text: str) -> bool:
    try:
        facts = target.lstat()
    except OSError:
        return True
    return stat.S_ISREG(facts.st_mode) and target.read_bytes() == text.encode("utf-8", "replace")


def _make_folders(root: Path, folder: Path) -> list[Path]:
    """Make what is missing between ``root`` and ``folder``; answers the new ones."""
    missing = [one for one in (folder, *folder.parents) if one.is_relative_to(root) and not one.exists()]
    for one in reversed(missing):
        one.mkdir()
    return list(reversed(missing))


def _write_new(target: Path, content: bytes) -> None:
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _take_back(written: list[Path], made: list[Path]) -> None:
    for file in written:
        with contextlib.suppress(OSError):
            file.unlink()
    for folder in reversed(made):
        with contextlib.suppress(OSError):
            folder.rmdir()


# Branch


def _check_name(store: Path, git: GitFolder, branch: str) -> None:
    if branch.startswith("-") or run_git(["check-ref-format", "--branch", branch], store=store).code != 0:
        raise BadInput(f"{branch!r} is no name of a branch. Nothing was changed.", "Use letters, digits, - and /.")
    there = git.common / "refs" / "heads" / branch
    packed = (read_small(git.common / "packed-refs", 64 * 1024 * 1024) or b"").splitlines()
    name = f"refs/heads/{branch}".encode()
    clash = any(
        ref == name or ref.startswith(name + b"/") or name.startswith(ref + b"/")
        for ref in (line.partition(b" ")[2] for line in packed if not line.startswith((b"#", b"^")))
    )
    if clash or os.path.lexists(there):
        raise BadInput(
            f"The repository has a branch {branch!r} already, or one in its way. Nothing was changed.",
            "Choose another name.",
        )


def _commit(store: Path, parent: str, files: Mapping[str, str], message: str) -> str:
    """Blobs, index, tree and commit in the private store; answers the commit's id."""
    index = {"GIT_INDEX_FILE": str(store / "branch-index")}
    _git(store, ["read-tree", parent], index)
    entries = []
    for path, text in sorted(files.items()):
        blob = write_loose(store / "objects", "blob", text.encode("utf-8", "replace"))
        entries += ["--cacheinfo", f"100644,{blob},{path}"]
    for start in range(0, len(entries), 2 * _BATCH):
        _git(store, ["update-index", "--add", *entries[start : start + 2 * _BATCH]], index)
    tree = _git(store, ["write-tree"], index)
    who = {
        "GIT_AUTHOR_NAME": "QVerify Desktop",
        "GIT_AUTHOR_EMAIL": "qverify@localhost",
        "GIT_COMMITTER_NAME": "QVerify Desktop",
        "GIT_COMMITTER_EMAIL": "qverify@localhost",
    }
    return _git(store, ["commit-tree", "-p", parent, "-m", message, tree], who)


def _git(store: Path, arguments: list[str], variables: Mapping[str, str]) -> str:
    answer = run_git(arguments, store=store, extra_environment=dict(variables))
    if answer.code != 0:
        raise BadInput(
            f"git could not {arguments[0]} for the branch: {answer.errors.strip()[:200]}. Nothing was changed.",
            "Write a patch instead.",
        )
    return answer.output.decode("ascii", "replace").strip()


def _copy_objects(source: Path, target: Path) -> None:
    """Loose objects of the private store into the person's. Raises ``OSError``."""
    for folder in sorted(source.iterdir()):
        if len(folder.name) != 2 or not folder.is_dir():
            continue
        there = target / folder.name
        if there.is_symlink():
            raise OSError(f"{there} is a link")
        there.mkdir(exist_ok=True)
        for file in sorted(folder.iterdir()):
            if not os.path.lexists(there / file.name):
                _write_once(there / file.name, file.read_bytes())


def _write_once(target: Path, content: bytes) -> None:
    """A whole file or none, never over one that is there."""
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".qverify-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(name).chmod(_WRITE_OBJECT if len(target.name) == 38 else 0o644)
        with contextlib.suppress(FileExistsError):
            os.link(name, target)
    finally:
        Path(name).unlink(missing_ok=True)


def _new_reference(common: Path, branch: str, commit: str) -> None:
    """The new branch's file. Raises ``OSError``, also when something stands there."""
    target = common / "refs" / "heads"
    for part in branch.split("/")[:-1]:
        target = target / part
        if target.is_symlink():
            raise OSError(f"{target} is a link")
        target.mkdir(exist_ok=True)
    descriptor = os.open(target / branch.split("/")[-1], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(commit.encode() + b"\n")
