"""Unpacking a root file system from somebody's archive: nothing outside of its folder, no device, no setuid bit.

An archive is hostile until its digest is known, so it is written member by member: a path that is absolute, climbs or leads
through a link is refused, and so is an archive over a cap. Links are only ever written, never followed. Layers follow the OCI
image specification, "Image Layer Filesystem Changeset" (whiteouts ``.wh.NAME`` and ``.wh..wh..opq``).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import shutil
import stat
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol, cast

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import GIB

MAX_BYTES = 16 * GIB
MAX_MEMBERS = 1_000_000
_CHUNK = 1024 * 1024
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"


class Stream(Protocol):
    """What can be read once, from its beginning."""

    def read(self, size: int = -1, /) -> bytes: ...


class Unpacker:
    """Unpacks one or more layers, lowest first, into the new folder ``root``. ``checkpoint`` is called between members and
    may raise to stop."""

    def __init__(self, root: Path, checkpoint: Callable[[], None] = lambda: None) -> None:
        self._root = root
        self._checkpoint = checkpoint
        self._bytes = 0
        self._members = 0
        self._folders: set[str] = set()
        #: Devices, FIFOs and sockets that were left out.
        self.left_out = 0

    @property
    def size_bytes(self) -> int:
        return self._bytes

    def unpack(self, stream: Stream) -> None:
        """Unpack one tar archive, read once from its beginning to its end. Raises ``BadInput``, ``OSError``."""
        self._folders.clear()
        try:
            with tarfile.open(fileobj=cast(IO[bytes], stream), mode="r|", errorlevel=2) as archive:
                for member in archive:
                    self._checkpoint()
                    self._count(member)
                    self._take(archive, member)
        except (tarfile.TarError, zlib.error, gzip.BadGzipFile, ValueError, OverflowError, EOFError) as error:
            raise _refused(f"it is no readable tar archive ({error})") from error
        while stream.read(_CHUNK):
            # What follows the archive's end belongs to its digest.
            pass

    def _count(self, member: tarfile.TarInfo) -> None:
        self._members += 1
        self._bytes += max(0, member.size) if member.isreg() else 0
        if self._members > MAX_MEMBERS or self._bytes > MAX_BYTES:
            raise _refused(f"it holds more than {MAX_MEMBERS} files or {MAX_BYTES // GIB} GiB")

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        parts = _parts(member.name)
        if not parts:
            return
        target = self._place(parts)
        if parts[-1] == _OPAQUE:
            for child in target.parent.iterdir():
                if "/".join((*parts[:-1], child.name)) not in self._folders:
                    _remove(child)
            return
        if parts[-1].startswith(_WHITEOUT):
            name = parts[-1].removeprefix(_WHITEOUT)
            if name in ("", ".", ".."):
                raise _refused(f"it removes {name!r}")
            _remove(target.with_name(name))
            return
        if member.isdir():
            if not _is_folder(target):
                _remove(target)
                target.mkdir()
            target.chmod(_mode(member) | 0o700)
            self._folders.add("/".join(parts))
            return
        _remove(target)
        if member.issym():
            target.symlink_to(member.linkname)
        elif member.islnk():
            self._link(target, member)
        elif member.isreg():
            self._write(archive, member, target)
        else:
            self.left_out += 1

    def _place(self, parts: list[str]) -> Path:
        """Where a member goes; folders above it that the archive does not name are made."""
        folder = self._root
        for part in parts[:-1]:
            folder /= part
            if not os.path.lexists(folder):
                folder.mkdir(mode=0o755)
            elif not _is_folder(folder):
                raise _refused(f"the path {'/'.join(parts)[:200]!r} leads through something that is no folder")
        return folder / parts[-1]

    def _link(self, target: Path, member: tarfile.TarInfo) -> None:
        parts = _parts(member.linkname)
        source = self._place(parts) if parts else self._root
        if not os.path.lexists(source) or not stat.S_ISREG(source.lstat().st_mode):
            raise _refused(f"the hard link {member.name[:200]!r} leads to nothing that was unpacked")
        os.link(source, target, follow_symlinks=False)

    @staticmethod
    def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path) -> None:
        content = archive.extractfile(member)
        assert content is not None
        with target.open("xb") as file:
            shutil.copyfileobj(content, file, _CHUNK)
            os.fchmod(file.fileno(), _mode(member) | 0o400)
        # Byte code that lies beside a source counts only while the source has its time.
        os.utime(target, (member.mtime, member.mtime))


def remove_tree(folder: Path) -> None:
    """Remove a tree that may hold folders without writing for their owner, and be as deep as an archive likes: the library's
    own ways call themselves for every level. What can't be removed stays for the next sweep."""
    waiting: list[Path] = [folder]
    emptied: list[Path] = []
    while waiting:
        here = waiting.pop()
        emptied.append(here)
        with contextlib.suppress(OSError):
            here.chmod(0o700)
            with os.scandir(here) as children:
                for child in children:
                    if child.is_dir(follow_symlinks=False):
                        waiting.append(Path(child))
                    else:
                        Path(child).unlink()
    for here in reversed(emptied):
        with contextlib.suppress(OSError):
            here.rmdir()


def _parts(name: str) -> list[str]:
    if name.startswith("/") or "\0" in name:
        raise _refused(f"the path {name[:200]!r} is not relative")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _refused(f"the path {name[:200]!r} climbs")
    return parts


def _mode(member: tarfile.TarInfo) -> int:
    """Without setuid, setgid, sticky, and without writing for anybody but the owner."""
    return member.mode & 0o755


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    if _is_folder(path):
        remove_tree(path)
    else:
        path.unlink(missing_ok=True)


def _refused(why: str) -> BadInput:
    return BadInput(
        f"The archive of the root file system was refused: {why}. Nothing of it was kept.",
        "Make it again with `docker save IMAGE -o FILE`.",
    )
