"""A run's evidence as one file with the same bytes at every export (``docs/evidence-format.md``)."""

from __future__ import annotations

import base64
import io
import os
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.evidence import merkle
from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.storage.artefacts import ArtefactStore

FORMAT, VERSION = "qverify-evidence", 1
_TILE = 256


@dataclass(frozen=True)
class Contents:
    """What goes into a bundle; entries and headers by leaf index, salts as (index, key, salt, blob digest)."""

    run: str
    origin: str
    protection: str
    verifier_key: str
    checkpoint: str
    checkpoints: Mapping[int, str]
    entries: Mapping[int, bytes]
    headers: Mapping[int, bytes]
    leaf_hashes: Sequence[bytes]
    salts: Sequence[tuple[int, str, bytes, str]]


def write_bundle(path: Path, contents: Contents, artefacts: ArtefactStore) -> None:
    """Write the bundle whole or not at all. A blob that was deleted is left out; every proof still holds."""
    members = _members(contents)
    for _, _, _, digest in contents.salts:
        if artefacts.has(digest):
            members[f"blobs/{digest}"] = artefacts.get(digest)
    archive = pack(members)
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".bundle-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(archive)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as error:
        raise MissingPrerequisite(
            f"The bundle can't be written to {path} ({error.strerror}). The evidence log itself is safe.",
            "Choose another place or make room.",
        ) from error


def pack(members: Mapping[str, bytes]) -> bytes:
    """The canonical archive: names sorted, stored, no times, so that equal members give equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, members[name])
    return buffer.getvalue()


def _members(contents: Contents) -> dict[str, bytes]:
    size = len(contents.leaf_hashes)
    head = {
        "format": FORMAT,
        "version": VERSION,
        "origin": contents.origin,
        "run": contents.run,
        "size": size,
        "key_protection": contents.protection,
        "verifier_key": contents.verifier_key,
    }
    salts = b"".join(
        canonical({"index": index, "key": key, "salt": salt.hex(), "blob": digest}) + b"\n"
        for index, key, salt, digest in contents.salts
    )
    return {
        "bundle.json": canonical(head),
        "checkpoint": contents.checkpoint.encode(),
        "salts.jsonl": salts,
        **{f"checkpoints/{number}": note.encode() for number, note in contents.checkpoints.items()},
        **{f"entries/{number}": entry for number, entry in contents.entries.items()},
        **{f"headers/{number}": entry for number, entry in contents.headers.items()},
        **_tiles(contents.leaf_hashes),
        **{f"proofs/{number}.tlog-proof": _proof(contents, number) for number in contents.entries},
    }


def _tiles(leaf_hashes: Sequence[bytes]) -> dict[str, bytes]:
    """Level 0 of C2SP tlog-tiles: 256 leaf hashes a tile, the last one partial."""
    tiles = {}
    for start in range(0, len(leaf_hashes), _TILE):
        part = leaf_hashes[start : start + _TILE]
        tiles[tile_name(start // _TILE, len(part))] = b"".join(part)
    return tiles


def tile_name(number: int, width: int) -> str:
    """``tile/0/x001/234`` or, for a partial tile, ``tile/0/x001/234.p/17``."""
    digits = f"{number:03d}" if number < 1000 else f"{number:0{-(-len(str(number)) // 3) * 3}d}"
    groups = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{group}" for group in groups[:-1]), groups[-1]])
    return f"tile/0/{path}" if width == _TILE else f"tile/0/{path}.p/{width}"


def _proof(contents: Contents, index: int) -> bytes:
    """C2SP tlog-proof: header, index, hashes, an empty line, the checkpoint."""
    path = merkle.inclusion_proof(contents.leaf_hashes, index)
    lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(base64.b64encode(node).decode() for node in path)]
    return ("\n".join(lines) + "\n\n" + contents.checkpoint).encode()
