"""The bundle: the same bytes at every export, the layout of the standards it names, and what may be missing from it."""

import base64
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.evidence import bundle as bundle_module
from qverify_desktop.evidence.bundle import tile_name
from qverify_desktop.evidence.merkle import leaf_hash, verify_inclusion
from qverify_desktop.evidence.note import Checkpoint, VerifierKey, open_note
from qverify_desktop.evidence.verify import tile_name as verifier_tile_name
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import RESULT, House, event, members


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_a_run_exported_twice_gives_the_same_bytes(house: House) -> None:
    house.whole_run("r1")
    house.open_run("r2")
    house.whole_run("r3")
    first = {run: house.bundle(run).read_bytes() for run in ("r1", "r3")}
    house.work("r2")
    house.close_run("r2")
    house.whole_run("r4")
    house.close()
    again = House(house.folder, protection="unprotected key")
    assert {run: again.bundle(run).read_bytes() for run in ("r1", "r3")} == first
    again.close()


def test_a_bundle_holds_its_own_entries_and_only_headers_of_others(house: House) -> None:
    house.whole_run("r1")
    house.open_run("r2")
    house.whole_run("r3")
    files = members(house.bundle("r3"))
    own = [json.loads(line) for line in files["entries.jsonl"].splitlines()]
    others = [json.loads(line) for line in files["headers.jsonl"].splitlines()]
    assert {entry["run"] for entry in own} == {"r3"}
    assert [(entry["run"], entry["type"]) for entry in others] == [
        ("r1", "run_opened"),
        ("r1", "run_closed"),
        ("r2", "run_opened"),
    ]
    manifest = json.loads(files["bundle.json"])
    assert (manifest["size"], manifest["entries"], manifest["headers"]) == (9, [[5, 4]], [[0, 1], [3, 2]])
    assert sum(name.startswith("blobs/") for name in files) == 3
    everything = b"".join(files.values())
    assert b"r3 printed 0" in everything and b"r1 printed" not in everything
    answer = verify_bundle(house.bundle("r3"), public_key=house.journal.verifier_key)
    assert answer["valid"] and (answer["events"], answer["size"]) == (4, 9)
    assert any("1 other runs had not ended" in notice for notice in answer["notices"])


def test_runs_that_take_turns_are_told_apart(house: House) -> None:
    for run in ("r1", "r2"):
        house.open_run(run)
    for number in range(3):
        for run in ("r1", "r2"):
            house.journal.record(run, f"turn {number}", RESULT, [event("x", {"n": number}, output=b"same for both")])
    for run in ("r2", "r1"):
        house.close_run(run)
    for run in ("r1", "r2"):
        answer = verify_bundle(house.bundle(run), public_key=house.journal.verifier_key)
        assert answer["valid"], answer["problems"]
        assert answer["events"] == 5


def test_a_close_without_its_checkpoint_is_sealed_at_the_export(house: House) -> None:
    house.open_run("r1")
    house.journal.record("r1", "close", RESULT, [event("run_closed")])
    assert verify_bundle(house.bundle("r1"))["valid"]


def test_proofs_and_tiles_are_those_of_the_standards(house: House) -> None:
    house.whole_run("r0", steps=300)
    house.whole_run("r1", steps=3)
    files = members(house.bundle("r1"))
    assert len(files["tile/0/000"]) == 256 * 32
    assert len(files["tile/0/001.p/51"]) == 51 * 32
    text, _ = open_note(files["checkpoint"].decode(), [VerifierKey.parse(house.journal.verifier_key)])
    head = Checkpoint.parse(text)
    assert head.size == 307
    for index, leaf in zip(range(302, 307), files["entries.jsonl"].splitlines(), strict=True):
        header, number, *lines = files[f"proofs/{index}.tlog-proof"].decode().split("\n\n")[0].split("\n")
        assert (header, number) == ("c2sp.org/tlog-proof@v1", f"index {index}")
        proof = [base64.b64decode(line) for line in lines]
        assert verify_inclusion(leaf_hash(leaf), index, head.size, proof, head.root)
        assert files[f"proofs/{index}.tlog-proof"].endswith(b"\n\n" + files["checkpoint"])
    assert verify_bundle(house.bundle("r1"))["valid"]


def test_names_of_tiles() -> None:
    for name in (tile_name, verifier_tile_name):
        assert name(0, 256) == "tile/0/000"
        assert name(273, 112) == "tile/0/273.p/112"
        assert name(1234067, 256) == "tile/0/x001/x234/067"
        assert name(1000, 1) == "tile/0/x001/000.p/1"


def test_the_archive_is_an_ordinary_one(house: House) -> None:
    house.whole_run("r1")
    with zipfile.ZipFile(house.bundle("r1")) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
    assert [info.filename for info in infos] == sorted(info.filename for info in infos)
    assert {(info.compress_type, info.date_time, info.external_attr) for info in infos} == {
        (zipfile.ZIP_STORED, (1980, 1, 1, 0, 0, 0), 0o100644 << 16)
    }


def test_a_deleted_or_damaged_blob_is_left_out_and_every_proof_holds(house: House) -> None:
    house.whole_run("r1")
    whole = members(house.bundle("r1"))
    gone, damaged = sorted(name.removeprefix("blobs/") for name in whole if name.startswith("blobs/"))[:2]
    house.artefacts.delete(gone)
    house.artefacts.path(damaged).write_bytes(b"other")
    rest = members(house.bundle("r1"))
    assert whole.keys() - rest.keys() == {f"blobs/{gone}", f"blobs/{damaged}"}
    answer = verify_bundle(house.bundle("r1"))
    assert answer["valid"]
    assert any("(withheld or deleted): 2." in notice for notice in answer["notices"])


def test_a_long_run_carries_the_proofs_of_its_ends(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.whole_run("r1", steps=6)
    monkeypatch.setattr(bundle_module, "PROVEN_ENTRIES", 5)
    monkeypatch.setattr("qverify_desktop.evidence.verify.PROVEN_ENTRIES", 5)
    proofs = {name for name in members(house.bundle("r1")) if name.startswith("proofs/")}
    assert proofs == {"proofs/0.tlog-proof", "proofs/7.tlog-proof"}
    assert verify_bundle(house.bundle("r1"))["valid"]


def test_the_budget_for_blobs_holds(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.open_run("r1")
    house.journal.record("r1", "x", RESULT, [event("x", {}, small=b"s" * 10, large=b"l" * 1000)])
    house.close_run("r1")
    monkeypatch.setattr(bundle_module, "MAX_BLOB_BYTES", 500)
    assert sum(name.startswith("blobs/") for name in members(house.bundle("r1"))) == 2
    assert verify_bundle(house.bundle("r1"))["valid"]


def test_a_place_that_can_not_be_written_is_a_sentence(house: House, tmp_path: Path) -> None:
    house.whole_run("r1")
    with pytest.raises(MissingPrerequisite, match="evidence log itself is safe"):
        house.journal.bundle("r1", tmp_path / "nowhere" / "r1.zip")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MissingPrerequisite, match="can't be written"):
        house.journal.bundle("r1", tmp_path / "folder")
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".bundle-")] == []
