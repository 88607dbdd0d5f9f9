"""A forger who holds a signing key and writes bundles of any shape and size: whole in themselves, and meant to wear a verifier out."""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.evidence.merkle import Edge, leaf_hash
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.signing import Signer
from tests.evidence.logs import KEY, ORIGIN

SIGNER = Signer(ORIGIN, KEY, "keyring")
_KEYS = {"verifier": str(SIGNER.verifier_key), "protection": "keyring"}


def entry(run: str, seq: int, prev: str, type: str, data: Mapping[str, Any]) -> bytes:
    words = {"v": 1, "log": ORIGIN, "run": run, "step": "s", "at": "2026-01-01T00:00:00.000Z"}
    return canonical({**words, "seq": seq, "prev": prev, "type": type, "data": data})


def run_of(
    run: str, events: Iterable[tuple[str, Mapping[str, Any]]], others: tuple[int, int] = (0, 0)
) -> Iterator[bytes]:
    """The entries of a run, from its opening to its close."""
    seq, prev = 0, ""
    for type, data in (("run_opened", {"key": _KEYS}), *events):
        leaf = entry(run, seq, prev, type, data)
        yield leaf
        seq, prev = seq + 1, leaf_hash(leaf).hex()
    close = {
        "key": _KEYS,
        "outcome": "done",
        "entries": seq + 1,
        "others": {"opened": others[0], "closed": others[1]},
    }
    yield entry(run, seq, prev, "run_closed", close)


@dataclass
class Forgery:
    """A log of ``leaves`` (hashes), of which ``entries`` and ``headers`` are shown by number; version 1."""

    run: str
    leaves: list[bytes] = field(default_factory=list)
    entries: list[tuple[int, bytes]] = field(default_factory=list)
    headers: list[tuple[int, bytes]] = field(default_factory=list)
    keys: Sequence[str] = (str(SIGNER.verifier_key),)
    #: Sizes at which a checkpoint is signed besides the closing one, and what stands below each of them.
    sizes: Sequence[int] = ()
    below: str = ""
    #: Who signs the checkpoint of a size, in order.
    signers: Callable[[int], Sequence[Signer]] = lambda size: (SIGNER,)
    salts: bytes = b""

    def add(self, leaf: bytes, to: str = "entries") -> None:
        getattr(self, to).append((len(self.leaves), leaf))
        self.leaves.append(leaf_hash(leaf))

    def members(self) -> dict[str, bytes]:
        """Everything but the proofs of the entries, which a verifier looks at last."""
        size, edge = len(self.leaves), Edge()
        wanted = {*self.sizes, size}
        files: dict[str, bytes] = {}
        for number, leaf in enumerate(self.leaves, 1):
            edge.append(leaf)
            if number in wanted:
                text = str(Checkpoint(ORIGIN, number, edge.root()))
                lines = "".join(one.line(text) for one in self.signers(number))
                files[f"checkpoints/{number}"] = f"{text}\n{lines}{self.below}".encode()
        files["checkpoint"] = files[f"checkpoints/{size}"]
        for tile in range((size + 255) // 256):
            part = self.leaves[tile * 256 : tile * 256 + 256]
            files[tile_name(tile, len(part))] = b"".join(part)
        for name, shown in (("entries", self.entries), ("headers", self.headers)):
            files[f"{name}.jsonl"] = b"".join(leaf + b"\n" for _, leaf in shown)
        manifest = {
            "format": "qverify-evidence",
            "version": 1,
            "origin": ORIGIN,
            "run": self.run,
            "size": size,
            "entries": ranges(index for index, _ in self.entries),
            "headers": ranges(index for index, _ in self.headers),
            "checkpoints": sorted(wanted),
            "keys": list(self.keys),
            "key_protection": "keyring",
        }
        return {**files, "bundle.json": canonical(manifest, 1 << 30), "salts.jsonl": self.salts}

    def write(self, path: Path) -> Path:
        """Compressed, so that little on the disk is much to read."""
        path.write_bytes(deflated(self.members()))
        return path


def deflated(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), files[name], zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def ranges(indexes: Iterable[int]) -> list[list[int]]:
    found: list[list[int]] = []
    for index in indexes:
        if found and sum(found[-1]) == index:
            found[-1][1] += 1
        else:
            found.append([index, 1])
    return found


def tile_name(number: int, width: int) -> str:
    path = f"{number % 1000:03d}"
    while number := number // 1000:
        path = f"x{number % 1000:03d}/{path}"
    return f"tile/0/{path}" if width == 256 else f"tile/0/{path}.p/{width}"
