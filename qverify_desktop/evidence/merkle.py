"""Merkle tree of RFC 6962, section 2.1; verification of proofs as in RFC 9162, sections 2.1.3.2 and 2.1.4.2.

Hashes are 32 raw bytes. Proofs list node hashes from the leaf's side to the root's.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Hash of one entry: SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """The right edge of a tree: hashes of its perfect subtrees, largest first. Enough to append and to know the root."""

    def __init__(self, size: int = 0, hashes: bytes = b"") -> None:
        """``hashes`` is what ``to_bytes`` gave for that size; raises ``ValueError`` when the two don't fit."""
        if size < 0 or len(hashes) != HASH_BYTES * size.bit_count():
            raise ValueError(f"The stored edge does not fit a tree of {size} leaves.")
        self.size = size
        self._stack = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash. Constant on average, logarithmic at worst."""
        node, size = leaf, self.size
        while size & 1:
            node, size = node_hash(self._stack.pop(), node), size >> 1
        self._stack.append(node)
        self.size += 1

    def root(self) -> bytes:
        """Merkle tree hash of all leaves appended so far."""
        if not self._stack:
            return EMPTY_ROOT
        node = self._stack[-1]
        for left in reversed(self._stack[:-1]):
            node = node_hash(left, node)
        return node

    def to_bytes(self) -> bytes:
        """The hashes, to be stored beside the size."""
        return b"".join(self._stack)


class HashTree(ABC):
    """Roots and proofs out of the hashes of perfect subtrees, wherever these are kept; logarithmic in the tree's size."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of leaves."""

    @abstractmethod
    def node(self, level: int, number: int) -> bytes:
        """Hash of the perfect subtree over the ``2**level`` leaves from ``number * 2**level``; all of them are in the tree."""

    def root(self, size: int | None = None) -> bytes:
        """Merkle tree hash of the first ``size`` leaves (all by default)."""
        return self._hash(0, self._checked(size))

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """PATH of RFC 6962, section 2.1.1. Raises ``IndexError`` outside the tree."""
        start, end = 0, self._checked(size)
        if not 0 <= index < end:
            raise IndexError(f"leaf {index} is outside a tree of {end}")
        path: list[bytes] = []
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        return path[::-1]

    def consistency_proof(self, first: int, second: int | None = None) -> list[bytes]:
        """PROOF of RFC 6962, section 2.1.2. Raises ``IndexError`` when there is no such proof."""
        start, end = 0, self._checked(second)
        if not 0 < first <= end:
            raise IndexError(f"no proof from {first} leaves to {end}")
        path: list[bytes] = []
        while first < end:
            middle = start + _split(end - start)
            if first <= middle:
                path.append(self._hash(middle, end))
                end = middle
            else:
                path.append(self._hash(start, middle))
                start = middle
        # The old tree's own last subtree is left out when it is the old tree itself: its root is known.
        if start > 0:
            path.append(self._hash(start, end))
        return path[::-1]

    def _hash(self, start: int, end: int) -> bytes:
        """MTH(D[start:end]); every range that comes up here begins at a multiple of its own power of two."""
        size = end - start
        if size == 0:
            return EMPTY_ROOT
        level = size.bit_length() - 1
        if size == 1 << level:
            return self.node(level, start >> level)
        middle = start + _split(size)
        return node_hash(self._hash(start, middle), self._hash(middle, end))

    def _checked(self, size: int | None) -> int:
        if size is not None and not 0 <= size <= self.size:
            raise IndexError(f"a tree of {self.size} has no tree of {size}")
        return self.size if size is None else size


class Tree(HashTree):
    """All hashes of a growing tree in memory (64 bytes a leaf)."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        #: ``_levels[k]`` holds the hashes of the perfect subtrees of 2**k leaves, one after the other.
        self._levels = [bytearray()]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Add a leaf's hash."""
        node = leaf
        for level in range(len(self._levels) + 1):
            if level == len(self._levels):
                self._levels.append(bytearray())
            row = self._levels[level]
            row += node
            if len(row) // HASH_BYTES & 1:
                return
            node = node_hash(bytes(row[-2 * HASH_BYTES : -HASH_BYTES]), bytes(row[-HASH_BYTES:]))

    def node(self, level: int, number: int) -> bytes:
        at = number * HASH_BYTES
        return bytes(self._levels[level][at : at + HASH_BYTES])


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Root over hashes whose count is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``proof`` shows the leaf at ``index`` in the tree of ``size`` (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size or len(leaf) != HASH_BYTES:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0 or len(sibling) != HASH_BYTES:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether ``proof`` shows that the second tree extends the first (RFC 9162, section 2.1.4.2).

    A proof from an empty tree proves nothing and is refused.
    """
    if first <= 0 or first > second or any(len(node) != HASH_BYTES for node in proof):
        return False
    if first == second:
        return not proof and first_root == second_root
    path = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    if not path:
        return False
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = path[0]
    for node in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            old, new = node_hash(node, old), node_hash(node, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, node)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size``."""
    return 1 << (size - 1).bit_length() - 1
