"""The log's leaf hashes as they are handed out: tiles of 256 (C2SP tlog-tiles), whole ones kept beside the entries.

Reading them takes a thousandth of what reading the entries takes. They follow from the entries and are never relied on: whoever
takes hashes from here compares their root with a signed checkpoint.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator

from qverify_desktop.evidence.merkle import HASH_BYTES, HashTree, perfect_root

WIDTH = 256
_TILE_BYTES = WIDTH * HASH_BYTES


def keep_tiles(connection: sqlite3.Connection, former: int, size: int) -> None:
    """Keep the tiles that became whole while the log grew from ``former`` to ``size`` leaves; within a transaction."""
    for number in range(former // WIDTH, size // WIDTH):
        hashes = _leaf_hashes(connection, number * WIDTH, (number + 1) * WIDTH)
        connection.execute("INSERT OR REPLACE INTO tiles (number, hashes) VALUES (?, ?)", (number, hashes))


def read_hashes(connection: sqlite3.Connection, size: int, *, anew: bool = False) -> bytes:
    """The first ``size`` leaf hashes, one after the other; ``anew`` out of the entries alone. Fewer where entries are missing."""
    whole = size // WIDTH
    kept: list[bytes] = []
    if not anew:
        rows = connection.execute("SELECT hashes FROM tiles WHERE number < ? ORDER BY number", (whole,))
        kept = [row[0] for row in rows]
    if len(kept) != whole:
        return _leaf_hashes(connection, 0, size)
    return b"".join(kept) + _leaf_hashes(connection, whole * WIDTH, size)


def _leaf_hashes(connection: sqlite3.Connection, start: int, end: int) -> bytes:
    chosen = 'SELECT leaf_hash FROM entries WHERE "index" >= ? AND "index" < ? ORDER BY "index"'
    return b"".join(row[0] for row in connection.execute(chosen, (start, end)))


class TileTree(HashTree):
    """A tree over leaf hashes in one piece: 33 bytes a leaf, and every hash of it computed from the leaves."""

    def __init__(self, leaves: bytes) -> None:
        #: ``_rows[k]`` holds the hashes of the perfect subtrees of 256**k leaves.
        self._rows = [leaves]
        while len(self._rows[-1]) >= _TILE_BYTES:
            row = self._rows[-1]
            self._rows.append(
                b"".join(
                    _tile_root(row[at : at + _TILE_BYTES])
                    for at in range(0, len(row) // _TILE_BYTES * _TILE_BYTES, _TILE_BYTES)
                )
            )
        self._nodes: dict[tuple[int, int], bytes] = {}

    @property
    def size(self) -> int:
        return len(self._rows[0]) // HASH_BYTES

    @property
    def levels(self) -> int:
        """How many levels of tiles there are."""
        return len(self._rows)

    def node(self, level: int, number: int) -> bytes:
        known = self._nodes.get((level, number))
        if known is None:
            floor, height = divmod(level, 8)
            at, end = number << height, (number + 1) << height
            row = self._rows[floor]
            hashes = [row[one * HASH_BYTES : (one + 1) * HASH_BYTES] for one in range(at, end)]
            known = self._nodes[level, number] = perfect_root(hashes)
        return known

    def tiles(self, level: int) -> Iterator[tuple[int, bytes]]:
        """Number and hashes of each tile of a level; the last one may be partial."""
        row = self._rows[level]
        for at in range(0, len(row), _TILE_BYTES):
            yield at // _TILE_BYTES, row[at : at + _TILE_BYTES]


def _tile_root(hashes: bytes) -> bytes:
    """Root over 256 hashes. Two that stand side by side are hashed as they stand, without being taken apart."""
    sha256 = hashlib.sha256
    while len(hashes) > HASH_BYTES:
        hashes = b"".join([sha256(b"\x01" + hashes[at : at + 64]).digest() for at in range(0, len(hashes), 64)])
    return hashes
