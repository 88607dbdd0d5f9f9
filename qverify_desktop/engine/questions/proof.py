"""The proof that an entry stands in the signed log, computed and checked for real, step by step for a drawing; blocking."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from sqlalchemy import select

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.log_views import EventView, ProofStep
from qverify_desktop.engine.questions.entries import line_of, payload_of
from qverify_desktop.evidence.log_tree import LogTree, keep
from qverify_desktop.evidence.merkle import leaf_hash, node_hash, verify_inclusion
from qverify_desktop.evidence.note import BadNote, Checkpoint, VerifierKey, open_note
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import CheckpointRow, EntryRow

#: Problems that a wrong kept hash makes as well as a changed leaf.
_ANOTHER_ROOT = "The entries on this disk do not lead to the root that was signed: one of them was changed."
_ASTRAY = "The entry does not lead to the root that was signed."


@dataclass(frozen=True)
class _Path:
    """The way from a leaf to the root of the first ``size`` leaves."""

    path: list[bytes]
    root: bytes


def prove(database: Database, index: int) -> EventView:
    """Against the newest checkpoint; an entry that none covers yet is shown in the tree up to itself and holds nothing."""
    with database.reading() as session:
        row = session.get(EntryRow, index)
        if row is None:
            raise BadInput(f"The log has no entry {index}.")
        covering = select(CheckpointRow).where(CheckpointRow.size > index).order_by(CheckpointRow.size.desc())
        signed = session.scalars(covering.limit(1)).first()
        size = signed.size if signed is not None else index + 1
        tree = LogTree(session, size)
        way = _way(tree, index)
        problem = ""
        if signed is not None:
            problem = _problem(row, signed, way)
            if problem in (_ANOTHER_ROOT, _ASTRAY):
                tree = LogTree(session, size, anew=True)
                way = _way(tree, index)
                problem = _problem(row, signed, way)
    if not problem:
        # Hashes of changed leaves would spoil the proofs of all others.
        with contextlib.suppress(MissingPrerequisite):
            keep(database, tree.computed)
    leaf = leaf_hash(row.leaf)
    return {
        "line": line_of(index, row.leaf),
        "payload": payload_of(row.leaf),
        "leaf": row.leaf.decode("utf-8", "replace"),
        "leaf_hash": leaf.hex(),
        "proof": _steps(leaf, index, size, way.path),
        "size": size,
        "root": way.root.hex(),
        "holds": signed is not None and not problem,
        "problem": problem,
    }


def _way(tree: LogTree, index: int) -> _Path:
    try:
        return _Path(tree.inclusion_proof(index), tree.root())
    except LookupError as error:
        raise BadInput(
            "Entries that were signed are missing on this disk, so nothing can be proven from it.",
            "Keep the database as it is and compare it with a backup; bundles exported earlier stay valid.",
        ) from error


def _problem(row: EntryRow, signed: CheckpointRow, way: _Path) -> str:
    """A sentence for what does not hold; empty when all of it does."""
    try:
        text, _ = open_note(signed.note, [VerifierKey.parse(key) for key in signed.verifier_key.split()])
        checkpoint = Checkpoint.parse(text)
    except BadNote as error:
        return f"The checkpoint is not as it was signed. {error}"
    leaf = leaf_hash(row.leaf)
    if leaf != row.leaf_hash:
        return "The entry on this disk is not the one that was signed."
    if (checkpoint.size, checkpoint.root) != (signed.size, way.root):
        return _ANOTHER_ROOT
    if not verify_inclusion(leaf, row.index, checkpoint.size, way.path, checkpoint.root):
        return _ASTRAY
    return ""


def _steps(leaf: bytes, index: int, size: int, path: list[bytes]) -> list[ProofStep]:
    """The way to the root as RFC 9162, section 2.1.3.2 computes it, with the hash after each step."""
    steps: list[ProofStep] = []
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            side = "left"
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
            side = "right"
        steps.append({"side": side, "hash": sibling.hex(), "computed": node.hex()})
        fn, sn = fn >> 1, sn >> 1
    return steps
