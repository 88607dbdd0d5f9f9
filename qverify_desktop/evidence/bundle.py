"""A run's evidence as one file with the same bytes at every export (``docs/evidence-format.md``)."""

from __future__ import annotations

import base64
import errno
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError
from qverify_desktop.evidence.canonical import canonical, parse
from qverify_desktop.evidence.merkle import Tree
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.storage.anchors import TIME_STAMP, WITNESS
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.schema import AnchorRow, CheckpointRow, SaltRow

FORMAT, VERSION = "qverify-evidence", 1
TILE = 256
#: Runs with more entries than this carry the proofs of their first and last entry only; the tiles prove the others.
PROVEN_ENTRIES = 10_000
#: Blobs that go into a bundle, in count and in bytes all together; further ones stay in the store.
MAX_BLOBS, MAX_BLOB_BYTES = 20_000, 1 << 30
_MANIFEST_BYTES = 16 << 20

#: Name and content of a file in the bundle; ``None`` when the content turns out to be gone.
Member = tuple[str, Callable[[], bytes | None]]


@dataclass(frozen=True)
class Contents:
    """What the log holds about a run up to its closing checkpoint (the last of ``checkpoints``).

    ``entries`` are the run's own and ``headers`` the opening and closing ones of other runs, each as (index, leaf);
    ``anchors`` are those of the closing checkpoint that are held.
    """

    run: str
    origin: str
    checkpoints: Sequence[CheckpointRow]
    entries: Sequence[tuple[int, bytes]]
    headers: Sequence[tuple[int, bytes]]
    leaf_hashes: Sequence[bytes]
    salts: Sequence[SaltRow]
    anchors: Sequence[AnchorRow] = ()

    @property
    def closing(self) -> CheckpointRow:
        return self.checkpoints[-1]


def write_bundle(path: Path, contents: Contents, artefacts: ArtefactStore) -> None:
    """Write the bundle whole or not at all. A blob that is not in the store any more is left out; every proof holds.

    Raises ``MissingPrerequisite`` when the file can't be written, ``QVerifyError`` when the records on the disk are not
    those that were signed.
    """
    tree = Tree(contents.leaf_hashes)
    signed = Checkpoint.parse(contents.closing.note.rpartition("\n\n")[0] + "\n")
    if (signed.size, signed.root) != (tree.size, tree.root()):
        raise QVerifyError(
            f"The records of the run {contents.run} on this disk are not those that were signed. No bundle was written.",
            "Keep the database as it is and compare it with a backup; bundles exported earlier stay valid.",
        )
    members = sorted([*_members(contents, tree), *_blobs(contents.salts, artefacts)], key=lambda member: member[0])
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".bundle-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                _pack(file, members)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        reason = "the disk is full" if error.errno == errno.ENOSPC else error.strerror or str(error)
        raise MissingPrerequisite(
            f"The bundle can't be written to {path} ({reason}). The evidence log itself is safe.",
            "Make room or choose another place, then export it again.",
        ) from error


def _pack(file: object, members: Iterable[Member]) -> None:
    """Stored, without times or owners: equal members give equal bytes, whichever zlib there is."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        for name, content in members:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            data = content()
            if data is not None:
                archive.writestr(info, data)


def _members(contents: Contents, tree: Tree) -> Iterator[Member]:
    closing = contents.closing.note.encode()
    close = parse(contents.entries[-1][1])
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "origin": contents.origin,
        "run": contents.run,
        "size": contents.closing.size,
        "entries": _ranges(index for index, _ in contents.entries),
        "headers": _ranges(index for index, _ in contents.headers),
        "checkpoints": [row.size for row in contents.checkpoints],
        "keys": list(dict.fromkeys(key for row in contents.checkpoints for key in row.verifier_key.split())),
        "key_protection": close["data"]["key"]["protection"],
    }
    yield "bundle.json", partial(canonical, manifest, _MANIFEST_BYTES)
    yield "checkpoint", partial(bytes, closing)
    for row in contents.checkpoints:
        yield f"checkpoints/{row.size}", partial(row.note.encode)
    yield "entries.jsonl", partial(_lines, contents.entries)
    yield "headers.jsonl", partial(_lines, contents.headers)
    yield "salts.jsonl", partial(_salt_lines, contents.salts)
    for start in range(0, tree.size, TILE):
        hashes = contents.leaf_hashes[start : start + TILE]
        yield tile_name(start // TILE, len(hashes)), partial(b"".join, hashes)
    proven = (
        contents.entries
        if len(contents.entries) <= PROVEN_ENTRIES
        else contents.entries[:: len(contents.entries) - 1]
    )
    for index, _ in proven:
        yield f"proofs/{index}.tlog-proof", partial(_proof, tree, index, closing)
    yield from _anchors(contents)


def _anchors(contents: Contents) -> Iterator[Member]:
    """What others confirmed stands beside the checkpoint, so that no file that was there before changes when it comes."""
    size, cosigned = contents.closing.size, b""
    for row in contents.anchors:
        if row.kind == TIME_STAMP:
            yield anchor_file(row.kind, size), partial(bytes, row.content)
        else:
            cosigned += row.content
    if cosigned:
        yield anchor_file(WITNESS, size), partial(bytes, contents.closing.note.encode() + cosigned)


def anchor_file(kind: str, size: int) -> str:
    """Where the anchors of one kind of a checkpoint stand in a bundle."""
    return f"anchors/{size}.tsr" if kind == TIME_STAMP else f"anchors/{size}.checkpoint"


def _blobs(salts: Sequence[SaltRow], artefacts: ArtefactStore) -> Iterator[Member]:
    """The disclosed blobs, smallest first until the budget is spent."""
    budget = MAX_BLOB_BYTES
    wanted = sorted({(row.bytes, row.sha256) for row in salts})
    for size, digest in wanted[:MAX_BLOBS]:
        budget -= size
        if budget >= 0 and artefacts.has(digest):
            yield f"blobs/{digest}", partial(_blob, artefacts, digest)


def _blob(artefacts: ArtefactStore, digest: str) -> bytes | None:
    """A content that was damaged on the disk is as good as deleted; the commitment to it still stands in the entry."""
    try:
        return artefacts.get(digest)
    except QVerifyError:
        return None


def tile_name(number: int, width: int) -> str:
    """Path of a tile of leaf hashes (C2SP tlog-tiles): ``tile/0/x001/234``, of a partial one ``tile/0/x001/234.p/17``."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    path = "tile/0/" + "/".join(groups)
    return path if width == TILE else f"{path}.p/{width}"


def _ranges(indexes: Iterable[int]) -> list[list[int]]:
    """Increasing numbers as [first, count] pairs, none of which touch."""
    ranges: list[list[int]] = []
    for index in indexes:
        if ranges and sum(ranges[-1]) == index:
            ranges[-1][1] += 1
        else:
            ranges.append([index, 1])
    return ranges


def _lines(entries: Sequence[tuple[int, bytes]]) -> bytes:
    """Exact leaves, one a line: canonical JSON holds no newline."""
    return b"".join(leaf + b"\n" for _, leaf in entries)


def _salt_lines(salts: Sequence[SaltRow]) -> bytes:
    rows = ({"index": row.index, "key": row.key, "salt": row.salt.hex(), "sha256": row.sha256} for row in salts)
    return b"".join(canonical(row) + b"\n" for row in rows)


def _proof(tree: Tree, index: int, checkpoint: bytes) -> bytes:
    """C2SP tlog-proof: header, index, hashes, an empty line, the checkpoint."""
    hashes = (base64.b64encode(node).decode() + "\n" for node in tree.inclusion_proof(index))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{''.join(hashes)}\n".encode() + checkpoint
