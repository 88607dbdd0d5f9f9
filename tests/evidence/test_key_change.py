"""The signing key is rotated and revoked by records of the log: what a verifier makes of it, and of who signs with the wrong one."""

from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.evidence.merkle import Tree
from qverify_desktop.evidence.note import Checkpoint, VerifierKey, open_note
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import KEY, ORIGIN, OTHER_KEY, RESULT, House, event, members, packed

OLD, NEW = Signer(ORIGIN, KEY, "keyring"), Signer(ORIGIN, OTHER_KEY, "unprotected key")
THIRD = Signer(ORIGIN, b"\x09" * 32, "keyring")
OLD_KEY, NEW_KEY, THIRD_KEY = (str(one.verifier_key) for one in (OLD, NEW, THIRD))


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path / "home")
    house.whole_run("r1")
    return house


def graded(house: House, run: str, key: str = "") -> dict[str, Any]:
    return verify_bundle(house.bundle(run), public_key=key)


def test_a_rotation_is_signed_by_both_and_what_follows_by_the_new_one(house: House) -> None:
    house.journal.change_key("d1", "rotated", NEW, "yearly")
    size = house.journal.closing("d1")
    text, signers = open_note(house.journal.note(size), [VerifierKey.parse(OLD_KEY), VerifierKey.parse(NEW_KEY)])
    assert [str(one) for one in signers] == [OLD_KEY, NEW_KEY] and Checkpoint.parse(text).size == size
    house.whole_run("r2")
    files = members(house.bundle("r2"))
    later = [name for name in files if name.startswith("checkpoints/") and int(name[12:]) > size]
    for name in later:
        _, signers = open_note(files[name].decode(), [VerifierKey.parse(OLD_KEY), VerifierKey.parse(NEW_KEY)])
        assert [str(one) for one in signers] == [NEW_KEY]
    assert later and house.journal.verifier_key == NEW_KEY

    answer = graded(house, "r2", NEW_KEY)
    assert answer["valid"] and answer["notices"] == ["Protection of the signing key: unprotected key."]
    answer = graded(house, "r2", OLD_KEY)
    assert answer["valid"] and any("was rotated at entry" in one for one in answer["notices"])
    assert graded(house, "r1", OLD_KEY)["valid"], "what was sealed before stays as it was"
    assert not graded(house, "r1", NEW_KEY)["valid"], "and is not the new key's"
    assert not graded(house, "r2", THIRD_KEY)["valid"]
    assert graded(house, "d1", OLD_KEY)["valid"], "the record has a bundle of its own"


def test_a_rotation_after_a_rotation(house: House) -> None:
    house.journal.change_key("d1", "rotated", NEW)
    house.whole_run("r2")
    house.journal.change_key("d2", "rotated", THIRD)
    house.whole_run("r3")
    for key in (OLD_KEY, NEW_KEY, THIRD_KEY):
        answer = graded(house, "r3", key)
        assert answer["valid"] and not any("Earlier" in one for one in answer["notices"]), answer
    assert graded(house, "r2", OLD_KEY)["valid"] and graded(house, "r2", NEW_KEY)["valid"]
    assert not graded(house, "r2", THIRD_KEY)["valid"]


def test_a_revoked_key_hands_no_trust_on(house: House) -> None:
    house.journal.change_key("d1", "revoked", NEW, "the laptop was stolen")
    house.whole_run("r2")
    answer = graded(house, "r2", NEW_KEY)
    assert answer["valid"] and any(f"{OLD.verifier_key.id.hex()} was revoked" in one for one in answer["notices"])
    answer = graded(house, "r2", OLD_KEY)
    assert answer["grade"] == "INVALID" and any("was revoked at entry" in one for one in answer["problems"])


def test_a_key_before_is_revoked_later(house: House) -> None:
    house.journal.change_key("d1", "rotated", NEW)
    house.whole_run("r2")
    house.journal.change_key("d2", "revoked", None, "found on a disk", revoked=OLD_KEY)
    house.whole_run("r3")
    answer = graded(house, "r3", NEW_KEY)
    assert answer["valid"] and any("was revoked" in one for one in answer["notices"])
    assert house.journal.verifier_key == NEW_KEY
    for wrong in (OLD_KEY, NEW_KEY, THIRD_KEY, "nonsense"):
        with pytest.raises(BadInput, match="Nothing was changed"):
            house.journal.change_key("d3", "revoked", None, revoked=wrong)


def signed_again(house: House, run: str, size_after: int, signer: Signer) -> bytes:
    """The bundle of a run with all checkpoints beyond a size signed by ``signer`` alone, otherwise whole: what the holder of that key
    could make."""
    files = members(house.bundle(run))
    closing = files["checkpoint"]
    for name in [name for name in files if name.startswith("checkpoints/")]:
        if int(name[12:]) >= size_after:
            text = files[name].decode().rpartition("\n\n")[0] + "\n"
            files[name] = signer.sign(text).encode()
    size = closing.split(b"\n")[1].decode()
    new = files[f"checkpoints/{size}"]
    for name, content in files.items():
        if name.startswith("proofs/"):
            files[name] = content.replace(closing, new)
    files["checkpoint"] = new
    used = [key for key in (OLD_KEY, NEW_KEY) if any(_signed(files, key))]
    manifest = files["bundle.json"].decode()
    start = manifest.index('"keys":[')
    keys = ",".join(f'"{key}"' for key in used)
    files["bundle.json"] = (
        manifest[:start] + f'"keys":[{keys}]' + manifest[manifest.index("]", start) + 1 :]
    ).encode()
    return packed(files)


def _signed(files: dict[str, bytes], key: str) -> list[bool]:
    parsed = VerifierKey.parse(key)
    notes = [content.decode() for name, content in files.items() if name.startswith("checkpoints/")]
    both = [VerifierKey.parse(OLD_KEY), VerifierKey.parse(NEW_KEY)]
    return [parsed in open_note(note, both)[1] for note in notes]


@pytest.mark.parametrize("kind", ["rotated", "revoked"])
def test_who_still_signs_with_the_old_key_is_found_out(house: House, kind: str, tmp_path: Path) -> None:
    house.journal.change_key("d1", kind, NEW)
    size = house.journal.closing("d1")
    house.whole_run("r2")
    target = tmp_path / "attacked.zip"
    target.write_bytes(signed_again(house, "r2", size + 1, NEW))
    assert verify_bundle(target, public_key=NEW_KEY)["valid"], "the control: nothing changes"
    for start, words in ((size + 1, "not in use then"), (size, "not signed by the keys")):
        target.write_bytes(signed_again(house, "r2", start, OLD))
        for key in ("", OLD_KEY):
            answer = verify_bundle(target, public_key=key)
            assert answer["grade"] == "INVALID" and any(words in one for one in answer["problems"]), answer[
                "problems"
            ]
    target.write_bytes(signed_again(house, "r2", size, NEW))
    answer = verify_bundle(target)
    assert answer["grade"] == "INVALID", "a rotation that the old key did not sign is nobody's"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "rotated", "old": OLD_KEY},
        {"kind": "rotated", "old": OLD_KEY, "new": OLD_KEY},
        {"kind": "forgotten", "old": OLD_KEY, "new": NEW_KEY},
        {"kind": "rotated", "old": OLD_KEY, "new": "nonsense"},
        {"kind": "rotated", "old": OLD_KEY, "new": NEW_KEY, "more": 1},
        {"kind": "rotated", "old": NEW_KEY, "new": THIRD_KEY},
        {"kind": "rotated", "old": OLD_KEY, "new": NEW_KEY},
        "rotated",
    ],
)
def test_records_that_are_none(house: House, change: Any) -> None:
    """Whoever holds the key may write what they like into the log: a record that no QVerify writes makes it invalid."""
    said = [
        event("run_opened", {"kind": "key_rotated", "key_change": change}),
        event("run_closed", {"outcome": "key_rotated"}),
    ]
    house.journal.record("d1", "key_rotated", RESULT, said)
    house.journal.checkpoint("d1")
    house.whole_run("r2")
    assert graded(house, "r2")["grade"] == "INVALID"


def test_a_run_that_goes_on_while_the_key_changes(house: House) -> None:
    house.open_run("r2")
    house.work("r2")
    house.journal.change_key("d1", "rotated", NEW)
    house.close_run("r2")
    answer = graded(house, "r2", NEW_KEY)
    assert answer["valid"], answer["problems"]
    sealed = house.journal.sealed("r2")
    assert sealed is not None and house.journal.sealed("r1") is None, "nothing relies on a run of the old key"


def test_another_process_that_holds_the_old_key_signs_nothing_more(house: House, tmp_path: Path) -> None:
    other = House(house.folder)
    house.journal.change_key("d1", "rotated", NEW)
    with pytest.raises(QVerifyError, match="another one now"):
        other.journal.checkpoint("r1")
        other.open_run("r2")
    with pytest.raises(QVerifyError, match="another one now"):
        other.journal.change_key("d2", "rotated", THIRD)
    house.whole_run("r3")
    assert graded(house, "r3", NEW_KEY)["valid"]


def test_roots_are_those_of_the_whole_log(house: House) -> None:
    """The record's three entries are leaves like any other."""
    house.journal.change_key("d1", "rotated", NEW)
    files = members(house.bundle("d1"))
    width = max(name for name in files if name.startswith("tile/0/"))
    tree = Tree(files[width][at : at + 32] for at in range(0, len(files[width]), 32))
    text = files["checkpoint"].decode().rpartition("\n\n")[0] + "\n"
    assert Checkpoint.parse(text).root == tree.root()
    assert [line.count(b"key_change") for line in files["entries.jsonl"].splitlines()] == [1, 0, 0]
