"""Cosignatures of a witness over HTTP: first contact, growth, a fork, a log that was set back, and all that must not count."""

import base64
import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.evidence.exchange import Confirmed, NotConfirmed
from qverify_desktop.evidence.merkle import Tree
from qverify_desktop.evidence.note import COSIGNATURE, BadNote, VerifierKey, cosigned, open_note
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle
from qverify_desktop.evidence.witness import cosign, witness_key
from qverify_desktop.storage.anchors import WITNESS, AnchorStore, Wanted
from qverify_desktop.storage.schema import EntryRow
from tests.evidence.authority import served
from tests.evidence.logs import KEY, ORIGIN, House, members, packed
from tests.evidence.witness_server import WitnessServer, consistent

LOG_KEY = Signer(ORIGIN, KEY, "").public


@pytest.fixture
def witness(tmp_path: Path) -> WitnessServer:
    return WitnessServer("witness.test/one", tmp_path / "witness", {ORIGIN: [LOG_KEY]})


@pytest.fixture
def house(tmp_path: Path, witness: WitnessServer) -> House:
    house = House(tmp_path / "home", wanted=[Wanted(WITNESS, witness.verifier_key)])
    house.whole_run("r1")
    return house


def ask(house: House, witness: WitnessServer, url: str, run: str, old: int = 0) -> Confirmed:
    note = members(house.bundle(run))["checkpoint"].decode()
    return cosign(note, witness_key(witness.verifier_key), url, old, house.journal.growth, Gate())


def test_the_example_of_the_specification() -> None:
    """The key id of the example in C2SP tlog-cosignature stands before its time, and its time is what the text says."""
    raw = base64.b64decode(
        "jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA=="
    )
    assert len(raw) == 76 and int.from_bytes(raw[4:12]) == 1679315147


def test_it_is_asked_kept_exported_and_graded(house: House, witness: WitnessServer) -> None:
    bare = members(house.bundle("r1"))
    store = AnchorStore(house.database)
    (row,) = store.waiting()
    with witness.running() as (url, asked):
        came = ask(house, witness, url, "r1")
    assert len(asked) == 1 and asked[0].startswith(b"old 0\n\n" + ORIGIN.encode())
    assert witness.seen(ORIGIN)[0] == row.size
    store.hold(row, came.content, came.by, came.made_at)
    bundle = house.bundle("r1")
    name = f"anchors/{row.size}.checkpoint"
    added = members(bundle)
    assert {one for one in added if one not in bare} == {name}
    assert added[name] == bare["checkpoint"] + came.content, "further lines below the same note"

    answer = verify_bundle(bundle, witnesses=[witness.verifier_key], public_key=house.journal.verifier_key)
    assert (answer["grade"], answer["valid"], answer["notices"]) == ("WITNESSED", True, [])
    assert answer["anchors"] == [{"kind": "witness", "by": "witness.test/one", "at": came.made_at, "counts": True}]
    answer = verify_bundle(bundle)
    assert answer["grade"] == "UNANCHORED"
    assert any("did not name" in one and "--witness" in one for one in answer["notices"])
    stranger = WitnessServer("witness.test/one", bundle.parent / "w", {}, b"\x22" * 32)
    assert verify_bundle(bundle, witnesses=[stranger.verifier_key])["grade"] == "UNANCHORED", (
        "the name alone is nothing"
    )
    both = [stranger.verifier_key, witness.verifier_key]
    assert verify_bundle(bundle, witnesses=both)["grade"] == "WITNESSED"
    known = bundle.parent / "known"
    known.write_bytes(added[name])
    assert verify_bundle(bundle, known_checkpoint=known)["valid"], "a cosigned checkpoint is a checkpoint to keep"
    text, signers = open_note(added[name].decode(), [VerifierKey.parse(house.journal.verifier_key)])
    assert len(signers) == 1 and text.startswith(ORIGIN)


def test_it_sees_the_log_grow(house: House, witness: WitnessServer) -> None:
    with witness.running() as (url, asked):
        ask(house, witness, url, "r1")
        first = witness.seen(ORIGIN)[0]
        for number in range(2, 7):
            house.whole_run(f"r{number}", steps=number)
        ask(house, witness, url, "r3", old=first)
        assert len(asked) == 2, "who knows how much it has seen asks once"
        ask(house, witness, url, "r4")
        assert len(asked) == 4 and asked[2].startswith(b"old 0\n"), "otherwise it says so, and is asked again"
        ask(house, witness, url, "r4", old=witness.seen(ORIGIN)[0])
        ask(house, witness, url, "r6", old=1)
    assert witness.seen(ORIGIN)[0] == int(members(house.bundle("r6"))["checkpoint"].split(b"\n")[1])


def test_every_growth_of_a_small_log_is_seen_as_one(tmp_path: Path, house: House) -> None:
    """All pairs of sizes, checked by the witness's own reading of RFC 6962."""
    house.whole_run("r2", steps=9)
    size = int(members(house.bundle("r2"))["checkpoint"].split(b"\n")[1])

    tree = Tree()

    with house.database.reading() as session:
        for leaf in session.scalars(select(EntryRow.leaf_hash).order_by(EntryRow.index)):
            tree.append(leaf)
    for second in range(1, size + 1):
        for first in range(1, second + 1):
            proof = house.journal.growth(first, second)
            assert consistent(first, second, proof, tree.root(first), tree.root(second))
            assert not consistent(first, second, proof, tree.root(first), b"\x01" * 32)


def test_it_takes_no_checkpoint_before_its_last(house: House, witness: WitnessServer) -> None:
    house.whole_run("r2")
    with witness.running() as (url, _):
        ask(house, witness, url, "r2")
        with pytest.raises(NotConfirmed, match="a later checkpoint") as caught:
            ask(house, witness, url, "r1")
    assert caught.value.final


def test_a_log_that_was_written_anew_is_found_out(house: House, witness: WitnessServer, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    house.close()
    shutil.copytree(house.folder, backup)
    house = House(house.folder)
    house.whole_run("r2", steps=3)
    with witness.running() as (url, _):
        ask(house, witness, url, "r2")
        size = witness.seen(ORIGIN)[0]
        other = House(backup)
        with pytest.raises(NotConfirmed, match="set back") as caught:
            ask(other, witness, url, "r1")
        assert caught.value.final
        other.whole_run("r2", steps=2, exit_code=1)
        other.whole_run("r3")
        with pytest.raises(NotConfirmed, match="another history") as caught:
            ask(other, witness, url, "r3", old=size)
        assert caught.value.final
        with pytest.raises(NotConfirmed, match="another history"):
            ask(other, witness, url, "r3")
    assert witness.seen(ORIGIN)[0] == size, "and nothing of it was cosigned"


def test_the_same_size_with_another_root(house: House, witness: WitnessServer, tmp_path: Path) -> None:
    other = House(tmp_path / "other")
    other.whole_run("r1", exit_code=1)
    with witness.running() as (url, _):
        ask(house, witness, url, "r1")
        with pytest.raises(NotConfirmed, match="another history"):
            ask(other, witness, url, "r1")


def test_who_does_not_know_the_log_or_its_key(house: House, tmp_path: Path) -> None:
    for logs, words in (({}, "does not know this log"), ({ORIGIN: [b"\x01" * 32]}, "does not know the key")):
        witness = WitnessServer("witness.test/one", tmp_path / f"w{len(logs)}", logs)
        with witness.running() as (url, _), pytest.raises(NotConfirmed, match=words) as caught:
            ask(house, witness, url, "r1")
        assert caught.value.final


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((500, "text/plain", b""), "status 500"),
        ((429, "text/plain", b""), "status 429"),
        ((200, "text/plain", b""), "no cosignature"),
        ((200, "text/plain", b"<html></html>"), "no cosignature"),
        ((200, "text/plain", b"\xff\xfe\x00" * 99), "no cosignature"),
        ((200, "text/plain", b"x" * 200_000), "128 KiB"),
        ((409, "text/x.tlog.size", b"007\n"), "status 409"),
        ((409, "text/x.tlog.size", b"99999999999999999999\n"), "status 409"),
        ((409, "text/plain", b"3\n"), "status 409"),
        ((409, "text/x.tlog.size", b"0\n"), "another history"),
    ],
)
def test_a_witness_that_does_not_work(
    reply: tuple[int, str, bytes], words: str, house: House, witness: WitnessServer
) -> None:
    with served(lambda body: reply) as (url, asked), pytest.raises(NotConfirmed, match=words):
        ask(house, witness, url, "r1")
    assert len(asked) == 1


def test_one_that_says_another_size_each_time_is_left(house: House, witness: WitnessServer) -> None:
    sizes = iter((1, 2, 1, 2, 1, 2, 1, 2))
    with (
        served(lambda body: (409, "text/x.tlog.size", f"{next(sizes)}\n".encode())) as (url, asked),
        pytest.raises(NotConfirmed, match="each time"),
    ):
        ask(house, witness, url, "r1")
    assert len(asked) == 4


def test_cosignatures_that_do_not_hold(house: House, witness: WitnessServer) -> None:
    """Over another checkpoint, another time, cut: refused when they come, INVALID in a bundle."""
    bundle = house.bundle("r1")
    files = members(bundle)
    note = files["checkpoint"].decode()
    text = note.rpartition("\n\n")[0] + "\n"
    size = text.split("\n")[1]
    good = witness.cosignature(text, 1_700_000_000)
    raw = bytearray(base64.b64decode(good.split(" ")[2]))
    later = (
        f"— {witness.name} {base64.b64encode(bytes(raw[:11]) + bytes([raw[11] ^ 1]) + bytes(raw[12:])).decode()}\n"
    )
    cut = f"— {witness.name} {base64.b64encode(bytes(raw[:-1])).decode()}\n"
    key = witness_key(witness.verifier_key)
    target = bundle.parent / "attacked.zip"
    assert cosigned(text, good, key) == (good, 1_700_000_000)
    for line in (witness.cosignature(text + "x"), later, cut):
        with pytest.raises(BadNote):
            cosigned(text, line, key)
        with (
            served(lambda body, line=line: (200, "text/plain", line.encode())) as (url, _),
            pytest.raises(NotConfirmed),
        ):
            ask(house, witness, url, "r1")
        target.write_bytes(packed({**files, f"anchors/{size}.checkpoint": (note + line).encode()}))
        assert verify_bundle(target, witnesses=[witness.verifier_key])["grade"] == "INVALID"
    wrong = {
        "another note": note.replace("r", "s", 1) + good,
        "nothing added": note,
        "no line": note + "hello\n",
        "no end": note + good[:-1],
        "too many": note + good * 65,
        "a note of another log": f"other\n{text.partition(chr(10))[2]}\n{good}",
    }
    for case, content in wrong.items():
        target.write_bytes(packed({**files, f"anchors/{size}.checkpoint": content.encode()}))
        assert verify_bundle(target, witnesses=[witness.verifier_key])["grade"] == "INVALID", case
    target.write_bytes(packed({**files, f"anchors/{size}.checkpoint": (note + good * 3).encode()}))
    answer = verify_bundle(target, witnesses=[witness.verifier_key])
    assert answer["grade"] == "WITNESSED" and len(answer["anchors"]) == 1, "the same witness twice is one witness"


def test_every_flipped_byte_of_a_cosigned_checkpoint(house: House, witness: WitnessServer) -> None:
    files = members(house.bundle("r1"))
    note = files["checkpoint"].decode()
    text = note.rpartition("\n\n")[0] + "\n"
    name = f"anchors/{text.split(chr(10))[1]}.checkpoint"
    whole = (note + witness.cosignature(text)).encode()
    target = house.folder / "flipped.zip"
    grades = set()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        target.write_bytes(packed({**files, name: bytes(damaged)}))
        grades.add(verify_bundle(target, witnesses=[witness.verifier_key])["grade"])
    assert grades == {"INVALID", "UNANCHORED"}, "a line under another name or key counts nothing"


def test_keys_of_witnesses_are_of_their_own_kind(house: House, witness: WitnessServer) -> None:
    """A key that signs notes can't be named as a witness: what it signed for the one purpose says nothing for the other."""
    for text in (house.journal.verifier_key, "nonsense", "", witness.verifier_key + "A"):
        with pytest.raises(NotConfirmed):
            witness_key(text)
        with pytest.raises(BundleUnreadable):
            verify_bundle(house.bundle("r1"), witnesses=[text])
    with pytest.raises(BundleUnreadable):
        verify_bundle(house.bundle("r1"), public_key=witness.verifier_key)
    assert VerifierKey.parse(witness.verifier_key, COSIGNATURE).public == witness.public


def test_nobody_may_be_asked(house: House, witness: WitnessServer) -> None:
    note = members(house.bundle("r1"))["checkpoint"].decode()
    key = witness_key(witness.verifier_key)
    for policy in (Policy(air_gap=True), Policy(frozenset({"allow_witnesses"}))):
        with pytest.raises(NotConfirmed, match="cosignature") as caught:
            cosign(note, key, "https://192.0.2.1/", 0, house.journal.growth, Gate(policy))
        assert caught.value.closed


def test_a_diverged_log_is_not_saved_by_a_witness(house: House, witness: WitnessServer, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(members(house.bundle("r1"))["checkpoint"])
    other = House(tmp_path / "other", key=KEY)
    other.whole_run("r1", exit_code=1)
    files = members(other.bundle("r1"))
    text = files["checkpoint"].decode().rpartition("\n\n")[0] + "\n"
    name = f"anchors/{text.split(chr(10))[1]}.checkpoint"
    target = tmp_path / "other.zip"
    target.write_bytes(packed({**files, name: files["checkpoint"] + witness.cosignature(text).encode()}))
    assert verify_bundle(target, witnesses=[witness.verifier_key])["grade"] == "WITNESSED"
    assert verify_bundle(target, witnesses=[witness.verifier_key], known_checkpoint=kept)["grade"] == "DIVERGED"
