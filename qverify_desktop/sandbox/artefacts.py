"""Reading what a container hands back: a tar archive written by hostile code, read from memory, never unpacked.

The archive is read header by header (POSIX.1-1988 ustar block with GNU long names, checksum verified by
``tarfile.TarInfo.frombuf``). Only what the sandbox's entry itself would write is understood: folders and regular files.
There is no pax header, no sparse map and no link to follow, because nothing that could use them is accepted.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

BLOCK = tarfile.BLOCKSIZE
MAX_FILES = 4096
MAX_NAME_BYTES = 1024
#: Room for headers and padding in the stream, on top of the cap on content.
ARCHIVE_OVERHEAD = MAX_FILES * 3 * BLOCK + 10 * 1024

_REGULAR = (tarfile.REGTYPE, tarfile.AREGTYPE)
_KINDS = {
    tarfile.SYMTYPE: "a symbolic link",
    tarfile.LNKTYPE: "a hard link",
    tarfile.FIFOTYPE: "a FIFO",
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.GNUTYPE_SPARSE: "a sparse file",
}


class Unreadable(Exception):
    """The archive as a whole can't be trusted; the text is a sentence."""


@dataclass
class Artefacts:
    """Files by relative name, and a sentence where something was refused (empty otherwise)."""

    files: dict[str, bytes] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True)
class _Member:
    name: bytes
    kind: bytes
    start: int
    size: int


def read_artefacts(archive: memoryview, cap: int) -> Artefacts:
    """Take the regular files out of ``archive``; ``cap`` is the most bytes of content in all.

    Never raises: an entry that is no regular file or has an unsafe name is left out and named in ``problem``; an archive
    that is cut off, malformed or over a cap gives no file at all.
    """
    result = Artefacts()
    total = 0
    try:
        for member in _members(archive):
            if member.kind == tarfile.DIRTYPE:
                continue
            refusal = _refusal(member)
            if refusal:
                result.problem = result.problem or refusal
                continue
            total += member.size
            if total > cap:
                raise Unreadable(f"The artefacts hold more than {cap} bytes, so none was taken.")
            if len(result.files) >= MAX_FILES:
                raise Unreadable(f"There are more than {MAX_FILES} artefacts, so none was taken.")
            name = _clean(member.name).decode()
            if name in result.files:
                raise Unreadable("The archive of artefacts names a file twice, so none was taken.")
            result.files[name] = bytes(archive[member.start : member.start + member.size])
    except Unreadable as error:
        return Artefacts(problem=str(error))
    return result


def _members(archive: memoryview) -> Iterator[_Member]:
    offset = 0
    long_name: bytes | None = None
    for _ in range(4 * MAX_FILES):
        block = bytes(archive[offset : offset + BLOCK])
        if len(block) < BLOCK:
            raise Unreadable("The archive of artefacts is cut off, so none was taken.")
        if not any(block):
            if any(archive[offset:]):
                raise Unreadable("The archive of artefacts was tampered with after its end, so none was taken.")
            return
        header = _header(block)
        start = offset + BLOCK
        if header.size < 0 or start + header.size > len(archive):
            raise Unreadable("The archive of artefacts is cut off, so none was taken.")
        offset = start + (header.size + BLOCK - 1) // BLOCK * BLOCK
        if header.type == tarfile.GNUTYPE_LONGNAME:
            long_name = _long_name(archive[start : start + header.size])
            continue
        if header.type == tarfile.GNUTYPE_LONGLINK:
            continue
        name = long_name if long_name is not None else header.name.encode("utf-8", "surrogateescape")
        long_name = None
        yield _Member(name, header.type, start, header.size)
    raise Unreadable(f"There are more than {MAX_FILES} artefacts, so none was taken.")


def _long_name(content: memoryview) -> bytes:
    """The name with its closing NUL taken off; of one that is too long just so much that it stays too long."""
    if len(content) > MAX_NAME_BYTES + 1:
        return bytes(content[: MAX_NAME_BYTES + 1])
    return bytes(content).rstrip(b"\0")


def _header(block: bytes) -> tarfile.TarInfo:
    try:
        return tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except (tarfile.TarError, ValueError) as error:
        raise Unreadable("The archive of artefacts is not readable, so none was taken.") from error


def _clean(name: bytes) -> bytes:
    while name.startswith(b"./"):
        name = name[2:]
    return name


def _refusal(member: _Member) -> str:
    shown = repr(member.name.decode("utf-8", "replace")[:80])
    if member.kind not in _REGULAR:
        kind = _KINDS.get(member.kind, "of a kind that is not read")
        return f"The artefact {shown} is {kind} and was left out."
    # With its "./": what is cut off above must not become short enough by it.
    if len(member.name) > MAX_NAME_BYTES:
        return f"The artefact {shown} has too long a name and was left out."
    name = _clean(member.name)
    parts = name.split(b"/")
    if not all(parts) or b".." in parts or b"." in parts or b"\0" in name:
        return f"The artefact {shown} has an unsafe name and was left out."
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return f"The name of the artefact {shown} is not UTF-8, so it was left out."
    return ""
