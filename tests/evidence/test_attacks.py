"""Attacks on a bundle, each with the grade and the place that the verifier must name."""

import base64
import hashlib
import io
import json
import random
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.evidence.merkle import Tree, leaf_hash
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle
from tests.evidence.logs import ATTESTATION_KEY, KEY, ORIGIN, OTHER_KEY, RESULT, House, event, members, packed

VKEY = str(Signer(ORIGIN, KEY, "").verifier_key)
Files = dict[str, bytes]


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The second of two runs: four own entries (leaves 3 to 6) after three of another run (leaves 0 to 2)."""
    house = House(tmp_path_factory.mktemp("genuine"))
    house.whole_run("r1", steps=1)
    house.whole_run("r2", steps=2)
    path = house.bundle("r2")
    house.close()
    return path


def smallest(folder: Path, attestation_key: bytes | None) -> Path:
    house = House(folder, attestation_key=attestation_key)
    house.whole_run("r1", steps=0)
    path = house.bundle("r1")
    house.close()
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest bundle without attestations: one run of two entries and one blob."""
    return smallest(tmp_path_factory.mktemp("small"), None)


@pytest.fixture(scope="module")
def attested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with attestations, which are most of it."""
    return smallest(tmp_path_factory.mktemp("attested"), ATTESTATION_KEY)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "attacked.zip"


def grade(path: Path, content: bytes, **known: Any) -> str:
    path.write_bytes(content)
    try:
        return str(verify_bundle(path, **known)["grade"])
    except BundleUnreadable:
        return "UNREADABLE"


def test_the_genuine_one_is_whole(genuine: Path, target: Path) -> None:
    answer = verify_bundle(genuine, public_key=VKEY)
    assert (answer["grade"], answer["valid"], answer["problems"], answer["notices"]) == ("UNANCHORED", True, [], [])
    assert packed(members(genuine)) == genuine.read_bytes(), "the tests attack contents, not the layout"


def places(bundle: Path) -> list[tuple[range, str]]:
    """Where the content of each member lies in the archive."""
    with zipfile.ZipFile(bundle) as archive:
        starts = [(info.header_offset + 30 + len(info.filename), info) for info in archive.infolist()]
        return [(range(start, start + info.file_size), info.filename) for start, info in starts]


def test_every_flipped_byte_of_the_file(small: Path, target: Path) -> None:
    """Inside of a member's content the member is named, outside of all of them the archive."""
    whole, answers, contents = small.read_bytes(), set(), places(small)
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        target.write_bytes(damaged)
        inside = next((name for place, name in contents if at in place), "")
        try:
            answer = verify_bundle(target)
        except BundleUnreadable:
            answers.add("UNREADABLE")
            assert not inside, at
            continue
        assert answer["grade"] == "INVALID", at
        answers.add("INVALID")
        if inside:
            assert any(f"{inside} is damaged" in problem for problem in answer["problems"]), (at, inside, answer)
    assert answers == {"INVALID", "UNREADABLE"}


def test_flipped_bytes_of_a_large_bundle(tmp_path: Path) -> None:
    """A log of three tiles on two levels, a run of 600 entries: some two thousand files. Each member once, and places by chance."""
    house = House(tmp_path / "large")
    house.whole_run("r1")
    house.open_run("r2")
    for number in range(6):
        events = [event("execution", {"number": n}, output=b"%d" % (n * 7 + number)) for n in range(100)]
        house.journal.record("r2", f"step {number}", RESULT, events)
    house.close_run("r2")
    bundle, target, chance = house.bundle("r2"), tmp_path / "attacked.zip", random.Random(1)
    house.close()
    whole, contents = bundle.read_bytes(), places(bundle)
    assert len(contents) > 1200 and len(whole) > 500_000
    chosen = chance.sample([(name, place) for place, name in contents if len(place)], 25)
    wanted = ("bundle.json", "checkpoint", "entries.jsonl", "headers.jsonl", "salts.jsonl", "tile/0/002", "tile/1/")
    chosen += [(name, place) for place, name in contents if name.startswith(wanted)]
    for name, place in chosen:
        at = chance.choice(place)
        damaged = bytearray(whole)
        damaged[at] ^= 1 << chance.randrange(8)
        target.write_bytes(damaged)
        answer = verify_bundle(target)
        assert answer["grade"] == "INVALID", at
        assert any(f"{name} is damaged" in problem for problem in answer["problems"]), (at, name, answer["problems"])


def test_flipped_bytes_of_a_file_with_attestations(attested: Path, target: Path) -> None:
    whole = attested.read_bytes()
    for at in range(0, len(whole), 5):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        assert grade(target, bytes(damaged)) in ("INVALID", "UNREADABLE"), at


def test_every_flipped_byte_of_the_attestations_with_its_checksum_mended(attested: Path, target: Path) -> None:
    """The Sigstore bundles are compared with the envelopes, so that of these some bytes stand for all."""
    files = members(attested)
    for name in (one for one in files if one.startswith("attest/")):
        for at in range(0, len(files[name]), 1 if name.endswith(".jsonl") else 9):
            damaged = bytearray(files[name])
            damaged[at] ^= 1 << at % 8
            assert grade(target, packed({**files, name: bytes(damaged)}), public_key=VKEY) == "INVALID", (name, at)


def test_every_flipped_byte_of_every_member_with_its_checksum_mended(small: Path, target: Path) -> None:
    files = members(small)
    for name, content in files.items():
        for at in range(len(content)):
            damaged = bytearray(content)
            damaged[at] ^= 1 << at % 8
            answer = grade(target, packed({**files, name: bytes(damaged)}), public_key=VKEY)
            assert answer in ("INVALID", "UNREADABLE"), (name, at)


def test_every_truncation(genuine: Path, target: Path) -> None:
    whole = genuine.read_bytes()
    for end in range(0, len(whole), 37):
        assert grade(target, whole[:end]) == "UNREADABLE"


def manifest(files: Files, **fields: Any) -> Files:
    changed = {**json.loads(files["bundle.json"]), **fields}
    return {**files, "bundle.json": json.dumps(changed, sort_keys=True, separators=(",", ":")).encode()}


def lines(files: Files, name: str, change: Callable[[list[bytes]], list[bytes]]) -> Files:
    return {**files, name: b"".join(line + b"\n" for line in change(files[name].splitlines()))}


def entries(files: Files, change: Callable[[list[bytes]], list[bytes]]) -> Files:
    return lines(files, "entries.jsonl", change)


def with_tile(files: Files, leaves: list[bytes]) -> Files:
    rest = {name: content for name, content in files.items() if not name.startswith("tile/")}
    return {**rest, f"tile/0/000.p/{len(leaves)}": b"".join(leaves)}


def tile(files: Files) -> list[bytes]:
    content = files["tile/0/000.p/7"]
    return [content[at : at + 32] for at in range(0, len(content), 32)]


def edited(line: bytes) -> bytes:
    assert b'"exit_code":0' in line
    return line.replace(b'"exit_code":0', b'"exit_code":1')


def relinked(old: list[bytes]) -> list[bytes]:
    """The last work entry edited and the close linked to the edit, as a forger without the key would."""
    work = edited(old[2])
    close = json.loads(old[3])
    close["prev"] = leaf_hash(work).hex()
    return [*old[:2], work, json.dumps(close, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()]


def rechained(files: Files) -> Files:
    forged = entries(files, relinked)
    own = [leaf_hash(line) for line in forged["entries.jsonl"].splitlines()]
    return with_tile(forged, [*tile(files)[:3], *own])


def dropped_middle(old: list[bytes]) -> list[bytes]:
    return [old[0], *old[2:]]


def blob_of(files: Files, text: bytes) -> str:
    return "blobs/" + hashlib.sha256(text).hexdigest()


def swap_blobs(files: Files) -> Files:
    one, two = blob_of(files, b"r2 printed 0"), blob_of(files, b"r2 printed 1")
    return {**files, one: files[two], two: files[one]}


def change_salt(files: Files, **fields: Any) -> Files:
    def change(old: list[bytes]) -> list[bytes]:
        first = {**json.loads(old[0]), **fields}
        return [json.dumps(first, sort_keys=True, separators=(",", ":")).encode(), *old[1:]]

    return lines(files, "salts.jsonl", change)


def swapped_salts(old: list[bytes]) -> list[bytes]:
    one, two = json.loads(old[0]), json.loads(old[1])
    one["salt"], two["salt"] = two["salt"], one["salt"]
    return [*(json.dumps(line, sort_keys=True, separators=(",", ":")).encode() for line in (one, two)), *old[2:]]


#: A line of a proof.
HASH = base64.b64encode(bytes(32)) + b"\n"


def from_another_tree(files: Files) -> bytes:
    """The proof of the same entry, at the same place, in a log of the same length with other entries around it."""
    leaves = [hashlib.sha256(bytes([number])).digest() for number in range(7)]
    leaves[4] = tile(files)[4]
    proof = b"".join(base64.b64encode(node) + b"\n" for node in Tree(leaves).inclusion_proof(4))
    return b"c2sp.org/tlog-proof@v1\nindex 4\n" + proof + b"\n" + files["checkpoint"]


ATTACKS: dict[str, tuple[Callable[[Files], Files], str]] = {
    "an entry edited": (
        lambda f: entries(f, lambda o: [o[0], edited(o[1]), *o[2:]]),
        "Leaf 4 of the log is not the entry",
    ),
    "the last entry edited": (
        lambda f: entries(f, lambda o: [*o[:3], o[3].replace(b'"outcome":"done"', b'"outcome":"none"')]),
        "Leaf 6 of the log is not the entry",
    ),
    "an entry edited and relinked": (lambda f: entries(f, relinked), "Leaf 5 of the log is not the entry"),
    "an entry edited, relinked and rehashed": (rechained, "do not lead to the root signed in checkpoints/7"),
    "an entry dropped": (lambda f: entries(f, dropped_middle), "Leaf 4 of the log is not the entry"),
    "an entry dropped and unlisted": (
        lambda f: manifest(entries(f, dropped_middle), entries=[[3, 1], [5, 2]]),
        "Entry 1 of the run does not follow",
    ),
    "the close dropped": (
        lambda f: manifest(entries(f, lambda o: o[:3]), entries=[[3, 3]]),
        "does not end with a close",
    ),
    "the opening dropped": (lambda f: manifest(entries(f, lambda o: o[1:]), entries=[[4, 3]]), "Entry 0 of the run"),
    "all entries dropped": (lambda f: manifest(entries(f, lambda o: []), entries=[]), "does not end with a close"),
    "a line fewer than listed": (lambda f: entries(f, lambda o: o[:3]), "does not end|fewer lines"),
    "entries reordered": (
        lambda f: entries(f, lambda o: [o[0], o[2], o[1], o[3]]),
        "Leaf 4 of the log is not the entry",
    ),
    "an entry doubled": (
        lambda f: entries(f, lambda o: [*o[:2], o[1], *o[2:]]),
        "Leaf 5 of the log is not the entry",
    ),
    "an entry inserted": (
        lambda f: entries(f, lambda o: [*o[:2], o[1].replace(b'"seq":1', b'"seq":2'), *o[2:]]),
        "Leaf 5 of the log is not the entry",
    ),
    "an entry after the close": (lambda f: entries(f, lambda o: [*o, o[3]]), "line 5 has no place in the log"),
    "an entry moved": (lambda f: manifest(f, entries=[[2, 4]]), "headers.jsonl line 2 has no place in the log"),
    "entries listed outside": (lambda f: manifest(f, entries=[[4, 4]]), "not in order within the log"),
    "entries listed twice": (lambda f: manifest(f, entries=[[3, 4], [3, 4]]), "not in order within the log"),
    "a header dropped": (
        lambda f: manifest(lines(f, "headers.jsonl", lambda o: o[:1]), headers=[[0, 1]]),
        "do not account for all entries",
    ),
    "all headers dropped": (
        lambda f: manifest(lines(f, "headers.jsonl", lambda o: []), headers=[]),
        "do not account for all entries",
    ),
    "a header edited": (
        lambda f: lines(f, "headers.jsonl", lambda o: [o[0].replace(b'"plan":"all"', b'"plan":"few"'), o[1]]),
        "Leaf 0 of the log is not the entry",
    ),
    "an own entry as a header": (
        lambda f: manifest(
            lines(f, "headers.jsonl", lambda o: [*o, f["entries.jsonl"].splitlines()[0]]), headers=[[0, 1], [2, 2]]
        ),
        "has no place in the log",
    ),
    "another run's name": (lambda f: manifest(f, run="r1"), "Entry 0 of the run does not follow"),
    "another log's name": (lambda f: manifest(f, origin="other.log"), "names a key of another log"),
    "another protection": (lambda f: manifest(f, key_protection="hardware"), "another protection"),
    "a field more": (lambda f: manifest(f, grade="WITNESSED"), "does not have the fields"),
    "a key more": (
        lambda f: manifest(f, keys=[VKEY, str(Signer(ORIGIN, OTHER_KEY, "").verifier_key)]),
        "signed nothing",
    ),
    "a key twice": (lambda f: manifest(f, keys=[VKEY, VKEY]), "names a key twice"),
    "no key": (lambda f: manifest(f, keys=[]), "not a signed checkpoint"),
    "a size of nonsense": (lambda f: manifest(f, size=True), "does not have the fields"),
    "an earlier checkpoint as the closing one": (
        lambda f: {**f, "checkpoint": f["checkpoints/4"]},
        "checkpoint and the last of checkpoints/ differ",
    ),
    "rolled back to an earlier checkpoint": (
        lambda f: manifest({**f, "checkpoint": f["checkpoints/4"]}, size=4, checkpoints=[1, 3, 4]),
        "not in order within the log",
    ),
    "an old checkpoint under another size": (
        lambda f: {**f, "checkpoints/3": f["checkpoints/4"]},
        "checkpoints/3 is not a signed checkpoint",
    ),
    "a checkpoint missing": (
        lambda f: {n: c for n, c in f.items() if n != "checkpoints/3"},
        "checkpoints/3 is missing",
    ),
    "a hash changed": (
        lambda f: with_tile(f, [hashlib.sha256(b"").digest(), *tile(f)[1:]]),
        "Leaf 0 of the log is not the entry",
    ),
    "a hidden leaf changed": (
        lambda f: with_tile(f, [tile(f)[0], b"\0" * 32, *tile(f)[2:]]),
        "do not lead to the root signed in checkpoints/3",
    ),
    "a tile cut": (lambda f: {**f, "tile/0/000.p/7": f["tile/0/000.p/7"][:-32]}, "does not hold 7 hashes"),
    "a tile missing": (lambda f: {n: c for n, c in f.items() if "tile" not in n}, "tile/0/000.p/7 is missing"),
    "a tile more": (lambda f: {**f, "tile/0/000": b"\0" * 8192}, "no part of a bundle: 'tile/0/000'"),
    "a proof missing": (
        lambda f: {n: c for n, c in f.items() if n != "proofs/4.tlog-proof"},
        "proofs/4.tlog-proof is missing",
    ),
    "a proof of another entry": (
        lambda f: {**f, "proofs/4.tlog-proof": f["proofs/5.tlog-proof"]},
        "proofs/4.tlog-proof is no proof for this entry",
    ),
    "a proof of another entry, renamed": (
        lambda f: {**f, "proofs/4.tlog-proof": f["proofs/5.tlog-proof"].replace(b"index 5", b"index 4")},
        "proofs/4.tlog-proof does not lead to the signed root",
    ),
    "a proof from another tree": (
        lambda f: {**f, "proofs/4.tlog-proof": from_another_tree(f)},
        "proofs/4.tlog-proof does not lead to the signed root",
    ),
    "a proof that carries another checkpoint": (
        lambda f: {**f, "proofs/4.tlog-proof": f["proofs/4.tlog-proof"].replace(f["checkpoint"], f["checkpoints/4"])},
        "proofs/4.tlog-proof is no proof for this entry and checkpoint",
    ),
    "a proof with a hash more": (
        lambda f: {**f, "proofs/4.tlog-proof": f["proofs/4.tlog-proof"].replace(b"index 4\n", b"index 4\n" + HASH)},
        "proofs/4.tlog-proof does not lead to the signed root",
    ),
    "blobs swapped": (swap_blobs, "is not what the run committed to"),
    "a blob changed": (
        lambda f: {**f, blob_of(f, b"r2 printed 0"): b"r2 printed 9"},
        "is not what the run committed to",
    ),
    "a blob more": (lambda f: {**f, blob_of(f, b"new"): b"new"}, "no part of a bundle"),
    "a salt changed": (lambda f: change_salt(f, salt="00" * 32), "salts.jsonl line 1 does not open"),
    "salts swapped": (lambda f: lines(f, "salts.jsonl", swapped_salts), "salts.jsonl line 1 does not open"),
    "a salt of another entry": (lambda f: change_salt(f, index=3), "salts.jsonl line 1 belongs to no commitment"),
    "a salt twice": (lambda f: lines(f, "salts.jsonl", lambda o: [o[0], *o]), "line 2 belongs to no commitment"),
    "a salt for a blob of one's own": (
        lambda f: {
            **change_salt(f, sha256=hashlib.sha256(b"new").hexdigest()),
            blob_of(f, b"new"): b"new",
        },
        "does not open its commitment",
    ),
    "a salt that is no object": (
        lambda f: lines(f, "salts.jsonl", lambda o: [b"[]", *o]),
        "line 1 is not strict JSON",
    ),
    "a salt with an index of a list": (lambda f: change_salt(f, index=[]), "does not have the fields"),
    "a file more": (lambda f: {**f, "README.txt": b"Trust me."}, "no part of a bundle: 'README.txt'"),
    "a path that climbs": (lambda f: {**f, "../../evil": b"x"}, "no part of a bundle: '../../evil'"),
    "an absolute path": (lambda f: {**f, "/etc/passwd": b"x"}, "no part of a bundle: '/etc/passwd'"),
    "a folder": (lambda f: {**f, "blobs/": b""}, "no part of a bundle: 'blobs/'"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_contents(name: str, genuine: Path, target: Path) -> None:
    attack, place = ATTACKS[name]
    attacked = attack(members(genuine))
    assert attacked != members(genuine)
    target.write_bytes(packed(attacked))
    answer = verify_bundle(target, public_key=VKEY)
    assert (answer["grade"], answer["valid"]) == ("INVALID", False)
    assert any(part in problem for problem in answer["problems"] for part in place.split("|")), answer["problems"]


JSON_TRICKS = {
    "bad UTF-8": b'{"a":"\xff"}',
    "a key twice": b'{"format":"qverify-evidence","format":"qverify-evidence"}',
    "a float": b'{"format":1.5}',
    "a number of a million digits": b'{"format":' + b"9" * 1_000_000 + b"}",
    "deep nesting": b'{"format":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "objects, deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "other spelling": b'{ "format": "qverify-evidence" }',
    "no object": b"[]",
    "nothing": b"",
    "UTF-16": '{"format":"qverify-evidence"}'.encode("utf-16"),
    "huge": b'{"a":"' + b"x" * (17 << 20) + b'"}',
}


@pytest.mark.parametrize("name", JSON_TRICKS)
@pytest.mark.parametrize("member", ["bundle.json", "entries.jsonl", "headers.jsonl", "salts.jsonl"])
def test_json_tricks(name: str, member: str, genuine: Path, target: Path) -> None:
    newline = b"" if member == "bundle.json" else b"\n"
    target.write_bytes(packed({**members(genuine), member: JSON_TRICKS[name] + newline}))
    answer = verify_bundle(target)
    assert answer["grade"] == "INVALID"
    assert member in answer["problems"][0]
    assert len(answer["problems"][0]) < 300


def test_a_log_written_anew_with_the_same_key_diverges(genuine: Path, tmp_path: Path) -> None:
    """Nothing in the bundle shows it; the checkpoint that somebody kept does."""
    kept = tmp_path / "kept"
    kept.write_bytes(members(genuine)["checkpoints/3"])
    house = House(tmp_path / "anew")
    house.whole_run("r1", steps=1, exit_code=1)
    house.whole_run("r2")
    anew = house.bundle("r2")
    house.close()
    assert verify_bundle(anew, public_key=VKEY)["grade"] == "UNANCHORED"
    answer = verify_bundle(anew, public_key=VKEY, known_checkpoint=kept)
    assert (answer["grade"], answer["valid"]) == ("DIVERGED", False)
    assert "first 3 entries" in answer["problems"][0]
    assert verify_bundle(genuine, public_key=VKEY, known_checkpoint=kept)["grade"] == "UNANCHORED"


def test_a_log_that_was_truncated_and_went_on_diverges(genuine: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(members(genuine)["checkpoint"])
    house = House(tmp_path / "short")
    house.whole_run("r1", steps=1)
    house.whole_run("r3", steps=5)
    answer = verify_bundle(house.bundle("r3"), public_key=VKEY, known_checkpoint=kept)
    house.close()
    assert answer["grade"] == "DIVERGED"


def test_what_a_known_checkpoint_can_not_show_is_said(genuine: Path, tmp_path: Path) -> None:
    younger = tmp_path / "younger"
    younger.write_text(Signer(ORIGIN, KEY, "").sign(str(Checkpoint(ORIGIN, 99, b"r" * 32))))
    answer = verify_bundle(genuine, known_checkpoint=younger)
    assert answer["valid"] and any("younger" in notice for notice in answer["notices"])
    other = tmp_path / "other"
    other.write_text(Signer("other.log", KEY, "").sign(str(Checkpoint("other.log", 3, b"r" * 32))))
    answer = verify_bundle(genuine, known_checkpoint=other)
    assert answer["valid"] and any("another log" in notice for notice in answer["notices"])


@pytest.mark.parametrize("content", [b"", b"\xff", b"no note", b"a\n1\nAAAA\n\nno signature\n"])
def test_a_known_checkpoint_that_is_none_is_unreadable(content: bytes, genuine: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(content)
    with pytest.raises(BundleUnreadable, match="known checkpoint"):
        verify_bundle(genuine, known_checkpoint=tmp_path / "kept")
    with pytest.raises(BundleUnreadable, match="can't be read"):
        verify_bundle(genuine, known_checkpoint=tmp_path / "nowhere")


def test_a_damaged_known_checkpoint_is_no_proof_of_a_forgery(genuine: Path, tmp_path: Path) -> None:
    damaged = members(genuine)["checkpoint"].replace(b"\n7\n", b"\n6\n")
    (tmp_path / "kept").write_bytes(damaged)
    with pytest.raises(BundleUnreadable, match="does not hold"):
        verify_bundle(genuine, public_key=VKEY, known_checkpoint=tmp_path / "kept")


def test_a_bundle_of_another_key_needs_the_right_key_to_be_found_out(tmp_path: Path) -> None:
    house = House(tmp_path, key=OTHER_KEY)
    house.whole_run("r2")
    forged = house.bundle("r2")
    house.close()
    alone = verify_bundle(forged)
    assert alone["valid"] and any("--public-key" in notice for notice in alone["notices"])
    answer = verify_bundle(forged, public_key=VKEY)
    assert answer["grade"] == "INVALID"
    assert answer["problems"] == ["The closing checkpoint was not signed by the key that you gave."]


def test_a_closing_checkpoint_signed_by_another_key(genuine: Path, target: Path) -> None:
    files, other = members(genuine), Signer(ORIGIN, OTHER_KEY, "")
    root = Tree(tile(files)).root()
    forged = other.sign(str(Checkpoint(ORIGIN, 7, root))).encode()
    proofs = {n: c.replace(files["checkpoint"], forged) for n, c in files.items() if n.startswith("proofs/")}
    files = {**files, **proofs, "checkpoint": forged, "checkpoints/7": forged}
    target.write_bytes(packed(manifest(files, keys=[VKEY, str(other.verifier_key)])))
    assert verify_bundle(target)["valid"]
    assert verify_bundle(target, public_key=VKEY)["grade"] == "INVALID"


@pytest.mark.parametrize("key", ["nonsense", "a+b+c", VKEY[:-2], VKEY.replace("qverify", "qwerify")])
def test_a_malformed_public_key_is_said(key: str, genuine: Path) -> None:
    with pytest.raises(BundleUnreadable, match="public key is malformed"):
        verify_bundle(genuine, public_key=key)


def raw_zip(files: list[tuple[zipfile.ZipInfo, bytes]], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for info, content in files:
            info.compress_type = compression
            archive.writestr(info, content)
    return buffer.getvalue()


def infos(files: Files) -> list[tuple[zipfile.ZipInfo, bytes]]:
    return [(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content) for name, content in files.items()]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_zip_tricks(genuine: Path, target: Path) -> None:
    files, whole = members(genuine), genuine.read_bytes()
    link = zipfile.ZipInfo("blobs/" + "0" * 64)
    link.external_attr = 0o120777 << 16
    bomb = zipfile.ZipInfo("blobs/" + "1" * 64)
    tricks = {
        "a name twice": raw_zip([*infos(files), *infos({"checkpoint": files["checkpoint"]})]),
        "a name twice in our own layout": raw_zip([*infos(files), *infos({"bundle.json": b"{}"})]),
        "a link": raw_zip([*infos(files), (link, b"/etc/passwd")]),
        "a bomb": raw_zip([*infos(files), (bomb, b"\0" * (200 << 20))], zipfile.ZIP_DEFLATED),
        "another compression": raw_zip(infos(files), zipfile.ZIP_BZIP2),
        "bytes before": b"#!/bin/sh\n" + whole,
        "bytes after": whole + b"\n",
        "a comment": whole[:-2] + b"\x05\x00hello",
        "a name with a null": whole.replace(b"salts.jsonl", b"salts.js\x00nl"),
        "an encrypted file": whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01", 1),
        "an offset below zero": whole[:-6] + b"\xff\xff\xff\x7f\x00\x00",
    }
    said = {
        "a name twice": "has a name twice",
        "a name twice in our own layout": "has a name twice",
        "a link": "something else than a plain file: 'blobs/000",
        "a bomb": "would unpack to 2097",
        "another compression": "compressed in a way that is not known",
        "a comment": "around its files",
        "a name with a null": "something else than a plain file",
        "an encrypted file": "something else than a plain file",
        "bytes before": "around its files",
        "bytes after": "around its files",
        "an offset below zero": "The directory of the archive is damaged",
    }
    assert said.keys() == tricks.keys()
    for name, content in tricks.items():
        target.write_bytes(content)
        answer = verify_bundle(target)
        assert answer["grade"] == "INVALID" and said[name] in answer["problems"][0], (name, answer["problems"])


def test_a_directory_that_contradicts_the_files(genuine: Path, target: Path) -> None:
    """Programs that read the one and programs that read the other would see two different bundles."""
    whole = genuine.read_bytes()
    start = whole.index(b"entries.jsonl")
    assert grade(target, whole[:start] + b"entries.jsonk" + whole[start + 13 :]) == "INVALID"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_packed_anew_by_another_program_it_is_whole_all_the_same(
    compression: int, genuine: Path, target: Path
) -> None:
    target.write_bytes(raw_zip(infos(members(genuine)), compression))
    answer = verify_bundle(target, public_key=VKEY)
    assert answer["valid"], answer["problems"]
    assert any("packed anew" in notice for notice in answer["notices"])


def test_contents_withheld_are_a_notice(genuine: Path, target: Path) -> None:
    files = {name: content for name, content in members(genuine).items() if not name.startswith("blobs/")}
    target.write_bytes(packed(files))
    answer = verify_bundle(target, public_key=VKEY)
    assert answer["valid"] and any("(withheld or deleted): 3." in notice for notice in answer["notices"])
    target.write_bytes(packed({**files, "salts.jsonl": b""}))
    answer = verify_bundle(target, public_key=VKEY)
    assert answer["valid"] and any("(withheld or deleted): 3." in notice for notice in answer["notices"])


@pytest.mark.skipif(shutil.which("zip") is None, reason="Info-ZIP is not installed")
def test_a_blob_deleted_with_an_ordinary_program(genuine: Path, target: Path) -> None:
    shutil.copy(genuine, target)
    blob = blob_of({}, b"r2 printed 0")
    subprocess.run(["zip", "-q", "-d", str(target), blob], check=True, timeout=60)
    answer = verify_bundle(target, public_key=VKEY)
    assert answer["valid"], answer["problems"]
    assert any("(withheld or deleted): 1." in notice for notice in answer["notices"])


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all", b"\x1f\x8b" + b"x" * 100])
def test_what_is_no_bundle_is_unreadable(content: bytes, target: Path) -> None:
    target.write_bytes(content)
    with pytest.raises(BundleUnreadable):
        verify_bundle(target)


def test_other_archives_and_later_versions_are_unreadable(genuine: Path, target: Path, tmp_path: Path) -> None:
    files = members(genuine)
    assert grade(target, packed({"holiday.jpg": b"x"})) == "UNREADABLE"
    assert grade(target, packed(manifest(files, format="something"))) == "UNREADABLE"
    target.write_bytes(packed(manifest(files, version=3)))
    with pytest.raises(BundleUnreadable, match="reads versions 1 and 2"):
        verify_bundle(target)
    with pytest.raises(BundleUnreadable, match="can't be read"):
        verify_bundle(tmp_path)
    with pytest.raises(BundleUnreadable, match="can't be read"):
        verify_bundle(tmp_path / "nowhere.zip")


@pytest.mark.parametrize(
    "change",
    [
        {"index": 0},
        {"index": 1},
        {"index": 3},
        {"index": 99},
        {"index": True},
        {"run": "r2"},
        {"run": "r9"},
        {"leaf": "0" * 64},
        {"leaf": ""},
        {"more": 1},
    ],
)
def test_what_a_run_relies_on_must_be_the_close_of_an_earlier_one(change: dict[str, Any], tmp_path: Path) -> None:
    house = House(tmp_path)
    house.whole_run("r1", steps=1)
    sealed = house.journal.sealed("r1")
    assert sealed is not None and sealed.index == 2
    honest = {"run": sealed.run, "index": sealed.index, "leaf": sealed.leaf}
    for run, relied in (("r2", honest), ("r3", honest | change)):
        house.open_run(run)
        house.journal.record(run, "reuse", "cd" * 32, [event("reused", {"relies_on": relied})])
        house.close_run(run)
    assert verify_bundle(house.bundle("r2"), public_key=VKEY)["problems"] == []
    answer = verify_bundle(house.bundle("r3"), public_key=VKEY)
    assert (answer["grade"], len(answer["problems"])) == ("INVALID", 1)
    assert "relies on" in answer["problems"][0]
    house.close()
