"""A run's evidence as one file with the same bytes at every export (``docs/evidence-format.md``)."""

from __future__ import annotations

import base64
import errno
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError
from qverify_desktop.evidence.attestation import ENVELOPES_FILE, sigstore_bundles
from qverify_desktop.evidence.canonical import canonical, parse
from qverify_desktop.evidence.merkle import HASH_BYTES
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.tiles import WIDTH, TileTree
from qverify_desktop.storage.anchors import TIME_STAMP, WITNESS
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.durable_file import replacing
from qverify_desktop.storage.schema import AnchorRow, CheckpointRow, SaltRow

FORMAT = "qverify-evidence"
#: Version 2 adds attestations, tiles of higher levels and ``disclosure``. A run of a log that had no key for attestations is
#: written as version 1, as it always was.
VERSION, FORMER_VERSION = 2, 1
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
    ``attestations`` are envelopes, one a line, empty where there are none; ``anchors`` are those of the closing checkpoint that are held.
    """

    run: str
    origin: str
    checkpoints: Sequence[CheckpointRow]
    entries: Sequence[tuple[int, bytes]]
    headers: Sequence[tuple[int, bytes]]
    tree: TileTree
    salts: Sequence[SaltRow]
    attestations: bytes = b""
    anchors: Sequence[AnchorRow] = ()

    @property
    def closing(self) -> CheckpointRow:
        return self.checkpoints[-1]


@contextmanager
def refusing_damage(run: str) -> Iterator[None]:
    """Records that can't be read, or don't lead to what was signed, are an error for a person."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise QVerifyError(
            f"The records of the run {run} on this disk are not those that were signed. No bundle was written.",
            "Keep the database as it is and compare it with a backup; bundles exported earlier stay valid.",
        ) from error


def write_bundle(
    path: Path, contents: Contents, artefacts: ArtefactStore, disclosure: Disclosure = Disclosure.FULL
) -> None:
    """Write the bundle whole or not at all. A blob that is not in the store any more is left out; every proof holds.

    Raises ``MissingPrerequisite`` when the file can't be written, ``QVerifyError`` when the records on the disk are not
    those that were signed.
    """
    with refusing_damage(contents.run):
        tree = contents.tree
        signed = Checkpoint.parse(contents.closing.note.rpartition("\n\n")[0] + "\n")
        if (signed.size, signed.root) != (tree.size, tree.root()):
            raise ValueError("another root than the one that was signed")
        members = sorted(_members(contents, artefacts, disclosure), key=lambda member: member[0])
    try:
        with replacing(path, 0o644) as file:
            _pack(file, members)
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


def _members(contents: Contents, artefacts: ArtefactStore, disclosure: Disclosure) -> Iterator[Member]:
    tree, closing = contents.tree, contents.closing.note.encode()
    close = parse(contents.entries[-1][1])
    shown = (
        contents.entries if disclosure is not Disclosure.HEADERS else contents.entries[:: len(contents.entries) - 1]
    )
    former = disclosure is Disclosure.FULL and "attestation_key" not in close["data"]
    manifest = {
        "format": FORMAT,
        "version": FORMER_VERSION if former else VERSION,
        **({} if former else {"disclosure": disclosure.value}),
        "origin": contents.origin,
        "run": contents.run,
        "size": contents.closing.size,
        "entries": _ranges(index for index, _ in shown),
        "headers": _ranges(index for index, _ in contents.headers),
        "checkpoints": [row.size for row in contents.checkpoints],
        "keys": list(dict.fromkeys(key for row in contents.checkpoints for key in row.verifier_key.split())),
        "key_protection": close["data"]["key"]["protection"],
    }
    yield "bundle.json", partial(canonical, manifest, _MANIFEST_BYTES)
    yield "checkpoint", partial(bytes, closing)
    for row in contents.checkpoints:
        yield f"checkpoints/{row.size}", partial(row.note.encode)
    yield "entries.jsonl", partial(_lines, shown)
    yield "headers.jsonl", partial(_lines, contents.headers)
    for level in range(1 if former else tree.levels):
        for number, hashes in tree.tiles(level):
            yield tile_name(number, len(hashes) // HASH_BYTES, level), partial(bytes, hashes)
    for index, _ in shown if len(shown) <= PROVEN_ENTRIES else shown[:: len(shown) - 1]:
        yield f"proofs/{index}.tlog-proof", partial(_proof, tree, index, closing)
    if disclosure is Disclosure.FULL:
        yield "salts.jsonl", partial(_salt_lines, contents.salts)
        yield from _blobs(contents.salts, artefacts)
    if disclosure is not Disclosure.HEADERS and contents.attestations:
        yield ENVELOPES_FILE, partial(bytes, contents.attestations)
        for name, content in sigstore_bundles(contents.attestations):
            yield name, partial(bytes, content)
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


def tile_name(number: int, width: int, level: int = 0) -> str:
    """Path of a tile of hashes (C2SP tlog-tiles): ``tile/0/x001/234``, of a partial one ``tile/0/x001/234.p/17``."""
    groups = [f"{number % 1000:03d}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03d}")
    path = f"tile/{level}/" + "/".join(groups)
    return path if width == WIDTH else f"{path}.p/{width}"


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


def _proof(tree: TileTree, index: int, checkpoint: bytes) -> bytes:
    """C2SP tlog-proof: header, index, hashes, an empty line, the checkpoint."""
    hashes = (base64.b64encode(node).decode() + "\n" for node in tree.inclusion_proof(index))
    return f"c2sp.org/tlog-proof@v1\nindex {index}\n{''.join(hashes)}\n".encode() + checkpoint
