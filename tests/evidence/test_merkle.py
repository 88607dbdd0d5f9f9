"""The tree against vectors of another implementation, a real log, and its own slow definition."""

import base64
import hashlib
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.merkle import (
    EMPTY_ROOT,
    Edge,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from qverify_desktop.evidence.note import Checkpoint, VerifierKey, open_note
from tests.evidence.vectors import vectors

GOLDEN_KEY = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"


def cases(kind: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(vectors(f"rfc6962/{kind}").rglob("*.json")):
        yield path, json.loads(path.read_text())


def hashes(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(value) for value in values or []]


def test_inclusion_vectors() -> None:
    verdicts = []
    for path, case in cases("inclusion"):
        proof = hashes(case["proof"])
        leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
        arguments = (leaf, case["leafIdx"], case["treeSize"], proof, root)
        assert verify_inclusion(*arguments) is not case["wantErr"], path
        assert verify.included(*arguments) is not case["wantErr"], path
        verdicts.append(case["wantErr"])
    assert len(verdicts) == 98 and 0 < sum(verdicts) < 98


def test_consistency_vectors() -> None:
    verdicts = []
    for path, case in cases("consistency"):
        roots = base64.b64decode(case["root1"]), base64.b64decode(case["root2"])
        holds = verify_consistency(case["size1"], case["size2"], hashes(case["proof"]), *roots)
        assert holds is not case["wantErr"], path
        verdicts.append(case["wantErr"])
    assert len(verdicts) == 98 and 0 < sum(verdicts) < 98


def golden_entries(folder: Path, size: int = 15) -> list[bytes]:
    raw, entries = (folder / f"tile/entries/000.p/{size}").read_bytes(), []
    while raw:
        (length,) = struct.unpack(">H", raw[:2])
        entries.append(raw[2 : 2 + length])
        raw = raw[2 + length :]
    return entries


def test_a_real_log() -> None:
    folder = vectors("tlog-golden")
    entries = golden_entries(folder)
    leaves = [leaf_hash(entry) for entry in entries]
    assert (folder / "checkpoint").read_bytes() == (folder / "checkpoint.15").read_bytes()
    head = (folder / "checkpoint.0").read_bytes()
    assert verify.parse_checkpoint(head, verify.named([verify.parse_key(GOLDEN_KEY)]), "it").root == EMPTY_ROOT
    tree, edge, key = Tree(leaves), Edge(), VerifierKey.parse(GOLDEN_KEY)
    for size in range(16):
        if size:
            edge.append(leaves[size - 1])
        note = (folder / f"checkpoint.{size}").read_text()
        text, signers = open_note(note, [key])
        head = Checkpoint.parse(text)
        assert (head.origin, head.size, signers) == ("example.com/log/testdata", size, (key,))
        assert head.root == edge.root() == tree.root(size)
        other = verify.parse_checkpoint(note.encode(), verify.named([verify.parse_key(GOLDEN_KEY)]), "it")
        assert (other.size, other.root, len(other.signers)) == (size, head.root, 1)
        if size:
            assert (folder / f"tile/0/000.p/{size}").read_bytes() == b"".join(leaves[:size])
            assert golden_entries(folder, size) == entries[:size]
        for index in range(size):
            assert verify_inclusion(leaves[index], index, size, tree.inclusion_proof(index, size), head.root)
        for earlier in range(1, size + 1):
            proof = tree.consistency_proof(earlier, size)
            assert verify_consistency(earlier, size, proof, tree.root(earlier), head.root)


def slow_root(leaves: list[bytes]) -> bytes:
    """MTH as RFC 6962, section 2.1, writes it."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(slow_root(leaves[:split]), slow_root(leaves[split:]))


def test_every_small_tree_against_the_definition() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(40)]
    tree, edge = Tree(leaves), Edge()
    assert tree.root(0) == edge.root() == EMPTY_ROOT == slow_root([])
    for size in range(1, 41):
        edge.append(leaves[size - 1])
        edge = Edge(edge.size, edge.to_bytes())
        assert tree.root(size) == edge.root() == slow_root(leaves[:size])
        for index in range(size):
            proof = tree.inclusion_proof(index, size)
            assert verify_inclusion(leaves[index], index, size, proof, tree.root(size))
            assert not verify_inclusion(leaves[index - 1], index, size, proof, tree.root(size)) or size == 1
            assert not verify_inclusion(leaves[index], index, size, [*proof, leaves[0]], tree.root(size))
        for first in range(1, size):
            proof = tree.consistency_proof(first, size)
            assert verify_consistency(first, size, proof, tree.root(first), tree.root(size))
            assert not verify_consistency(first, size, proof, tree.root(first - 1), tree.root(size))
            assert not verify_consistency(first, size, proof[:-1], tree.root(first), tree.root(size))


def test_an_edge_that_does_not_fit_is_refused() -> None:
    for size, stored in ((1, b""), (2, b"x" * 64), (3, b"x" * 63), (-1, b"")):
        with pytest.raises(ValueError, match="does not fit"):
            Edge(size, stored)


def test_proofs_outside_of_the_tree_are_refused() -> None:
    tree = Tree([leaf_hash(b"a")])
    for index in (-1, 1):
        with pytest.raises(IndexError):
            tree.inclusion_proof(index)
    for first, second in ((0, 1), (2, 2), (1, 2)):
        with pytest.raises(IndexError):
            tree.consistency_proof(first, second)
