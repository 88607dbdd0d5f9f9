"""Hashes in tiles: against the tree in memory, kept while a log grows, and never relied on."""

import hashlib
import random
from pathlib import Path

import pytest

from qverify_desktop.evidence.merkle import Tree, leaf_hash
from qverify_desktop.evidence.tiles import TileTree, read_hashes
from qverify_desktop.evidence.verify import Leaves, verify_bundle
from tests.evidence.logs import RESULT, House, event, members

SIZES = (1, 2, 255, 256, 257, 511, 512, 65_535, 65_536, 66_000)


@pytest.fixture(scope="module")
def leaves() -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(max(SIZES))]


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_proofs_are_those_of_the_whole_tree(size: int, leaves: list[bytes]) -> None:
    whole, tiled, chance = Tree(leaves[:size]), TileTree(b"".join(leaves[:size])), random.Random(size)
    assert (tiled.size, tiled.root()) == (size, whole.root())
    for index in {0, size - 1, size // 2, *(chance.randrange(size) for _ in range(5))}:
        assert tiled.inclusion_proof(index) == whole.inclusion_proof(index)
        assert tiled.consistency_proof(index + 1) == whole.consistency_proof(index + 1)
    for level in range(tiled.levels):
        rows = [hashes for _, hashes in tiled.tiles(level)]
        assert b"".join(rows) == b"".join(whole.node(8 * level, number) for number in range(size >> 8 * level))
        assert all(len(hashes) == 8192 for hashes in rows[:-1])


def many(house: House, run: str, count: int) -> None:
    house.open_run(run)
    events = [event("execution", {"number": number}) for number in range(count)]
    for at in range(0, count, 100):
        house.journal.record(run, f"step {at}", RESULT, events[at : at + 100])
    house.close_run(run)


def test_whole_tiles_are_kept_while_the_log_grows(tmp_path: Path) -> None:
    house = House(tmp_path)
    many(house, "r1", 700)
    with house.database.question() as connection:
        assert connection.execute("SELECT count(*) FROM tiles").fetchone() == (2,)
        assert read_hashes(connection, 600) == read_hashes(connection, 600, anew=True)
    house.close()


@pytest.mark.parametrize(
    "damage", ["DELETE FROM tiles", "DELETE FROM tiles WHERE number = 1", "UPDATE tiles SET hashes = x'00'"]
)
def test_tiles_that_are_missing_or_wrong_are_made_anew(damage: str, tmp_path: Path) -> None:
    house = House(tmp_path)
    many(house, "r1", 700)
    before = house.bundle("r1").read_bytes()
    with house.database.statements() as connection:
        connection.execute(damage)
    assert house.bundle("r1").read_bytes() == before
    assert verify_bundle(house.bundle("r1"))["valid"]
    with house.database.question() as connection:
        assert connection.execute("SELECT count(*) FROM tiles").fetchone() == (2,)
    assert len(members(house.bundle("r1"))["tile/1/000.p/2"]) == 64
    house.close()


def test_the_verifier_finds_the_first_leaf_that_differs() -> None:
    hashes = [hashlib.sha256(bytes([number])).digest() for number in range(40)]
    shown = Leaves()
    for first, count in ((2, 3), (10, 5), (20, 10)):
        shown.begin(first).extend(b"".join(hashes[first : first + count]))
    everything = b"".join(hashes)
    assert shown.differs(0, everything) is None
    assert shown.find(5) is None and shown.find(1) is None and shown.find(30) is None
    assert shown.find(4) == hashes[4] and shown.find(29) == hashes[29]
    for place in (2, 4, 10, 14, 20, 29):
        wrong = everything[: 32 * place] + b"\0" * 32 + everything[32 * (place + 1) :]
        assert shown.differs(0, wrong) == place
        for start in range(place + 1):
            assert shown.differs(start, wrong[32 * start :]) == place
    for place in (0, 5, 9, 15, 30, 39):
        assert shown.differs(0, everything[: 32 * place] + b"\0" * 32 + everything[32 * (place + 1) :]) is None
    assert shown.overlaps(4, 1) and shown.overlaps(0, 40) and not shown.overlaps(5, 5) and not shown.overlaps(30, 1)
