"""The private store: a bare git repository of our own that borrows the objects of the one that is looked at.

The user's repository is read as plain files only (``HEAD``, refs, index, ``info/exclude``); its configuration is never read by
git. Its objects are reached through ``objects/info/alternates``, so nothing is copied and nothing is written over there.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import stopping
from qverify_desktop.repository.git_safety import run_git

_HEAD = re.compile(rb"(ref: refs/[^\s\0]+|[0-9a-f]{40})\s*\Z")
_MOST_REFS = 100_000
_MIB = 1024 * 1024

_CONFIGURATION = """[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = true
\tlogallrefupdates = false
[gc]
\tauto = 0
"""


@dataclass(frozen=True)
class GitFolder:
    """Where a repository on this machine keeps things. ``own`` is per work tree, ``common`` is shared between work trees.

    ``obstacle`` says in a sentence why this repository's history can't be used; empty when it can.
    """

    own: Path
    common: Path
    obstacle: str = ""

    @property
    def objects(self) -> Path:
        return self.common / "objects"


def read_small(path: Path, most: int = 4096) -> bytes | None:
    """A regular file's content, or ``None``: no following of a link, no waiting on a FIFO, at most ``most`` bytes."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size > most:
            return None
        try:
            return file.read(most)
        except OSError:
            return None


def find_git_folder(folder: Path) -> GitFolder | None:
    """The repository whose work tree starts at ``folder``; ``None`` where it is none (a subfolder of one is a plain folder)."""
    marker = folder / ".git"
    if marker.is_dir():
        return _git_folder(marker)
    pointer = read_small(marker)
    if pointer is None or not pointer.startswith(b"gitdir:"):
        return None
    target = os.fsdecode(pointer.removeprefix(b"gitdir:").strip())
    return _git_folder(Path(os.path.normpath(folder / target)))


def find_bare(folder: Path) -> GitFolder | None:
    """The repository that ``folder`` itself is (``HEAD``, ``objects``, ``refs``), or ``None``."""
    if not all((folder / name).exists() for name in ("HEAD", "objects", "refs")):
        return None
    return _git_folder(folder)


def _git_folder(own: Path) -> GitFolder | None:
    head = read_small(own / "HEAD")
    if head is None or not _HEAD.match(head):
        return None
    common = own
    shared = read_small(own / "commondir")
    if shared is not None:
        common = Path(os.path.normpath(own / os.fsdecode(shared.strip())))
    if not (common / "objects").is_dir():
        return None
    return GitFolder(own, common, _obstacle(common))


def _obstacle(common: Path) -> str:
    """``git config --file`` reads one file and follows no include."""
    configuration = read_small(common / "config", _MIB)
    if configuration is None or b"extensions" not in configuration.lower():
        return ""
    for key, wanted, sentence in (
        ("extensions.objectformat", "sha1", "it uses SHA-256 object ids, which are not supported yet"),
        ("extensions.refstorage", "files", "it keeps its references in a format that is not supported yet"),
    ):
        answer = run_git(
            ["config", "--file", str(common / "config"), "--no-includes", "--get", key], cwd=Path(common.anchor)
        )
        value = answer.output.decode("utf-8", "replace").strip().lower()
        if answer.code == 0 and value != wanted:
            return f"Its git history was left out, because {sentence}; the folder was read as it lies on the disk."
    return ""


def borrow_objects(git: GitFolder, store: Path) -> None:
    """Make ``store`` a repository of our own that has the objects of ``git`` and no references; its HEAD is unborn."""
    (store / "objects" / "info").mkdir(parents=True)
    (store / "objects" / "pack").mkdir()
    (store / "refs").mkdir()
    (store / "info").mkdir()
    (store / "config").write_text(_CONFIGURATION, "ascii")
    (store / "HEAD").write_text("ref: refs/heads/none\n", "ascii")
    (store / "objects" / "info" / "alternates").write_bytes(_alternate(git.objects))


def borrow(git: GitFolder, store: Path) -> None:
    """Make ``store`` a repository of our own with the same references, index and objects as ``git``.

    Raises ``BadInput`` where the references can't be read.
    """
    borrow_objects(git, store)
    head = read_small(git.own / "HEAD")
    if head is None:
        raise BadInput(
            "The repository's HEAD can't be read. Nothing was changed.", "Check that the folder is readable."
        )
    (store / "HEAD").write_bytes(head)
    for name in ("packed-refs", "shallow"):
        _copy_file(git.common / name, store / name, 64 * _MIB)
    _copy_file(git.common / "info" / "exclude", store / "info" / "exclude", _MIB)
    _copy_refs(git.common / "refs", store / "refs")
    _copy_index(git.own / "index", store / "index")
    for shared in git.own.glob("sharedindex.*"):
        _copy_file(shared, store / shared.name, 1024 * _MIB)


def _alternate(objects: Path) -> bytes:
    """One line of ``objects/info/alternates``; a line that starts with a quote is read as a C string."""
    raw = os.fsencode(objects.resolve())
    if not re.search(rb'[\x00-\x1f"#\\]', raw):
        return raw + b"\n"
    escaped = b"".join(b"\\%03o" % byte if byte < 32 or byte in b'"\\' else bytes([byte]) for byte in raw)
    return b'"' + escaped + b'"\n'


def _copy_file(source: Path, target: Path, most: int) -> None:
    content = read_small(source, most)
    if content is not None:
        target.write_bytes(content)


def _copy_index(source: Path, target: Path) -> None:
    """With its time: git looks into a file of the same size only where the index is not younger than it (racy git)."""
    _copy_file(source, target, 1024 * _MIB)
    with contextlib.suppress(OSError):
        facts = source.lstat()
        os.utime(target, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _copy_refs(source: Path, target: Path) -> None:
    copied = 0
    for folder, folders, names in os.walk(source):
        stopping.check()
        here = Path(folder)
        mirror = target / here.relative_to(source)
        mirror.mkdir(exist_ok=True)
        folders[:] = [name for name in folders if not (here / name).is_symlink()]
        for name in names:
            content = read_small(here / name)
            if content is not None and _HEAD.match(content):
                (mirror / name).write_bytes(content)
                copied += 1
                if copied >= _MOST_REFS:
                    return


def resolve_commit(store: Path, revision: str) -> str | None:
    """Id of the commit that ``revision`` names in the store, or ``None`` when it names none."""
    if revision.startswith("-") or "\0" in revision or "\n" in revision:
        return None
    answer = run_git(["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"], store=store)
    lines = answer.output.decode("ascii", "replace").split()
    return lines[-1] if answer.code == 0 and lines else None


def branch_of(store: Path) -> str | None:
    """Name of the checked-out branch, ``None`` for a detached HEAD."""
    head = read_small(store / "HEAD") or b""
    prefix = b"ref: refs/heads/"
    return head.strip().removeprefix(prefix).decode("utf-8", "backslashreplace") if head.startswith(prefix) else None


def known_revisions(store: Path, most: int = 8) -> list[str]:
    """A few names that exist: branches first, then remote branches, then tags, newest first."""
    os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
    import git

    with git.Repo(store, expand_vars=False) as repository:
        names = [str(reference.path) for reference in repository.references]
    order = ("refs/heads/", "refs/remotes/", "refs/tags/")
    chosen = [name.removeprefix(kind) for kind in order for name in names if name.startswith(kind)]
    return [name for name in chosen if not name.endswith("/HEAD")][:most]
