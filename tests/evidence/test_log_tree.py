"""Proofs out of the database against the tree in memory, over sizes around every border; what is kept is never relied on."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, func, insert, select, update

from qverify_desktop.evidence.log_tree import LogTree, keep
from qverify_desktop.evidence.merkle import Tree, leaf_hash, verify_inclusion
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.schema import EntryRow, StepRow, SubtreeRow

#: One more than two subtrees of the second level and a piece of the third.
LEAVES = 2 * 65_536 + 3 * 256 + 5


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(LEAVES)]


@pytest.fixture(scope="module")
def whole(leaves: list[bytes]) -> Tree:
    return Tree(leaves)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, leaves: list[bytes]) -> Iterator[Database]:
    database = Database(tmp_path_factory.mktemp("log") / "qverify.db")
    with database.transaction() as session:
        session.add(StepRow("r", "s", "", 0, LEAVES, ""))
        session.flush()
        rows = [
            {"index": at, "run": "r", "seq": at, "step": "s", "type": "t", "leaf": b"", "leaf_hash": hash}
            for at, hash in enumerate(leaves)
        ]
        session.execute(insert(EntryRow), rows)
    yield database
    database.close()


@pytest.fixture
def database(filled: Database) -> Database:
    with filled.transaction() as session:
        session.execute(delete(SubtreeRow))
    return filled


SIZES = (1, 2, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, 131_072, LEAVES)


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_proofs_are_those_of_the_whole_tree(
    database: Database, whole: Tree, leaves: list[bytes], size: int
) -> None:
    chance = random.Random(size)
    for index in {0, size - 1, size // 2, *(chance.randrange(size) for _ in range(5))}:
        with database.reading() as session:
            tree = LogTree(session, size)
            proof, root = tree.inclusion_proof(index), tree.root()
        assert root == whole.root(size)
        assert proof == whole.inclusion_proof(index, size)
        assert verify_inclusion(leaves[index], index, size, proof, root)
        keep(database, tree.computed)
    with database.reading() as session:
        again = LogTree(session, size)
        again.inclusion_proof(0)
        assert not again.computed, "what was computed once is kept"
        kept = session.scalar(select(func.count()).select_from(SubtreeRow))
        assert (kept or 0) <= size // 256 + size // 65_536


def test_a_log_that_grew_computes_only_what_is_new(database: Database) -> None:
    with database.reading() as session:
        first = LogTree(session, 131_072)
        first.root(), first.inclusion_proof(5)
    keep(database, first.computed)
    with database.reading() as session:
        second = LogTree(session, LEAVES)
        second.inclusion_proof(LEAVES - 1)
    assert set(second.computed) == {(1, 512), (1, 513), (1, 514)}


def test_a_wrong_kept_hash_gives_a_wrong_root_and_is_healed_from_the_leaves(database: Database, whole: Tree) -> None:
    with database.reading() as session:
        tree = LogTree(session, LEAVES)
        tree.inclusion_proof(0)
    keep(database, tree.computed)
    with database.transaction() as session:
        session.execute(update(SubtreeRow).where(SubtreeRow.level == 2).values(hash=b"x" * 32))
    with database.reading() as session:
        assert LogTree(session, LEAVES).root() != whole.root()
        healed = LogTree(session, LEAVES, anew=True)
        assert healed.root() == whole.root()
    keep(database, healed.computed)
    with database.reading() as session:
        assert LogTree(session, LEAVES).root() == whole.root()


def test_a_log_shorter_than_asked_for_is_no_proof(database: Database) -> None:
    with database.reading() as session, pytest.raises(LookupError):
        LogTree(session, LEAVES + 1).root()
