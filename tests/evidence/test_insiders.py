"""Attacks by who has more than a bundle: the signing key, the database, the names of files."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.evidence import verify
from qverify_desktop.evidence.merkle import leaf_hash
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence import forger
from tests.evidence.forger import SIGNER, Forgery, deflated, entry, run_of
from tests.evidence.logs import House, members, packed

KEY = str(SIGNER.verifier_key)


# Who holds the key


def test_nothing_follows_the_close_of_a_run(tmp_path: Path) -> None:
    """A run that ended badly goes on until it ends well: two closes, each of which counts right."""
    forged, seq, prev = Forgery("r1"), 0, ""
    for type, outcome in (("run_opened", ""), ("run_closed", "failed"), ("x", ""), ("run_closed", "done")):
        key = {"verifier": KEY, "protection": "keyring"}
        data = {"key": key, "outcome": outcome, "entries": seq + 1, "others": {"opened": 0, "closed": 0}}
        leaf = entry("r1", seq, prev, type, data)
        forged.add(leaf)
        seq, prev = seq + 1, leaf_hash(leaf).hex()
    answer = verify_bundle(forged.write(tmp_path / "b.zip"), public_key=KEY)
    assert (answer["grade"], answer["problems"]) == ("INVALID", ["Entry 2 of the run follows its close."])


def test_a_log_under_another_name_is_not_the_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written anew under another name, a log would be compared with no checkpoint that anybody knows of the old one."""
    monkeypatch.setattr(forger, "ORIGIN", "other.log")
    forged = Forgery("r1")
    for leaf in run_of("r1", ()):
        forged.add(leaf)
    for key in ("", KEY):
        answer = verify_bundle(forged.write(tmp_path / "b.zip"), public_key=key)
        assert (answer["grade"], answer["problems"]) == ("INVALID", ["bundle.json names a key of another log."])


def other(forged: Forgery, run: str, outcome: str, close: bool = True) -> None:
    """Another run of two entries, or one that is left open."""
    opening = entry(run, 0, "", "run_opened", {})
    forged.add(opening, "headers")
    if close:
        closing = {"outcome": outcome, "entries": 2}
        forged.add(entry(run, 1, leaf_hash(opening).hex(), "run_closed", closing), "headers")


def graded(forged: Forgery, path: Path) -> dict[str, object]:
    """With the proofs that the forger leaves out: what else there is to say."""
    answer = verify_bundle(forged.write(path), public_key=KEY)
    answer["problems"] = [one for one in answer["problems"] if "proofs/" not in one]
    return answer


def test_a_bad_run_can_not_be_hidden_where_no_run_is_open(tmp_path: Path) -> None:
    forged = Forgery("r1")
    other(forged, "r0", "done")
    forged.leaves += [bytes(32)] * 2
    for leaf in run_of("r1", (), (1, 1)):
        forged.add(leaf)
    problems = graded(forged, tmp_path / "b.zip")["problems"]
    assert problems == ["The headers of the other runs do not account for all entries of the log."]


def test_a_bad_run_among_the_entries_of_one_left_open_is_not_shown_and_that_is_said(tmp_path: Path) -> None:
    """Whoever holds the key may claim that hidden entries are an open run's: nothing in this bundle shows the contrary."""
    forged = Forgery("r1")
    other(forged, "r0", "", close=False)
    forged.leaves += [bytes(32)] * 9
    for leaf in run_of("r1", (), (1, 0)):
        forged.add(leaf)
    answer = graded(forged, tmp_path / "b.zip")
    assert answer["problems"] == []
    assert any("have 9 entries" in one and "that no further run is among them" in one for one in answer["notices"])  # type: ignore[attr-defined]


def test_how_the_other_runs_ended_is_told(tmp_path: Path) -> None:
    """A bad run is in the headers; whoever reads the answer sees it without looking there."""
    forged = Forgery("r9")
    for number, outcome in enumerate(["done", "failed", "done", "\x1b[2J\u202edone", "x" * 99]):
        other(forged, f"r{number}", outcome)
    other(forged, "r8", "", close=False)
    for leaf in run_of("r9", (), (6, 5)):
        forged.add(leaf)
    answer = verify_bundle(forged.write(tmp_path / "b.zip"))
    expected = {"done": 2, "failed": 1, "\\x1b[2J\\u202edone": 1, "unknown": 1}
    assert answer["others"] == {"closed": expected, "open": 1}
    told = [*verify.lines_of({**answer, "valid": True})]
    assert any("done 2, failed 1, unknown 1, not ended 1" in line for line in told), told


def test_very_many_ways_to_end_are_told_shortly(tmp_path: Path) -> None:
    forged = Forgery("r1")
    for number in range(100):
        other(forged, f"o{number}", f"way {number}")
    for leaf in run_of("r1", (), (100, 100)):
        forged.add(leaf)
    closed = verify_bundle(forged.write(tmp_path / "b.zip"))["others"]["closed"]
    assert len(closed) == 21 and closed["otherwise"] == 80


def test_the_name_of_another_run_has_an_end(tmp_path: Path) -> None:
    forged = Forgery("r1")
    other(forged, "x" * 201, "done")
    for leaf in run_of("r1", (), (1, 1)):
        forged.add(leaf)
    assert "no header of another run" in verify_bundle(forged.write(tmp_path / "b.zip"))["problems"][0]


# Who can edit the database


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "home")
    house.whole_run("r1")
    house.whole_run("r2", exit_code=1)
    yield house
    house.close()


EDITS = {
    "a leaf's text": "UPDATE entries SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"exit_code\":1', '\"exit_code\":0') AS BLOB)",
    "leaves that are no JSON": "UPDATE entries SET leaf = CAST('{' AS BLOB)",
    "leaves that say nothing": "UPDATE entries SET leaf = CAST('{}' AS BLOB)",
    "checkpoints that are none": "UPDATE checkpoints SET note = 'x'",
    "attestations that are no JSON": "UPDATE attestations SET envelopes = CAST('x' AS BLOB)",
    "a leaf's hash": "UPDATE entries SET leaf_hash = zeroblob(32) WHERE run = 'r2' AND seq = 1",
    "two leaves exchanged": "UPDATE entries SET leaf = (SELECT leaf FROM entries WHERE run = 'r2' AND seq = 2) "
    "WHERE run = 'r2' AND seq = 1",
    "a leaf dropped": "DELETE FROM entries WHERE run = 'r2' AND seq = 1",
    "another run's opening dropped": "DELETE FROM entries WHERE run = 'r1' AND seq = 0",
    "another run's name": "UPDATE entries SET run = 'r2', seq = 9 WHERE run = 'r1' AND seq = 1",
    "an entry of another type": "UPDATE entries SET type = 'x' WHERE run = 'r1' AND seq = 0",
    "a salt": "UPDATE salts SET salt = zeroblob(32)",
    "a content's digest": 'UPDATE salts SET sha256 = (SELECT sha256 FROM salts ORDER BY "index" LIMIT 1)',
    "a content's length": "UPDATE salts SET bytes = bytes + 1",
    "a checkpoint's note": "UPDATE checkpoints SET note = replace(note, 'qverify', 'qwerify')",
    "a checkpoint of another size": "UPDATE checkpoints SET note = (SELECT note FROM checkpoints ORDER BY size LIMIT 1)",
    "the key of a checkpoint": "UPDATE checkpoints SET verifier_key = 'a+00000000+AA=='",
    "a checkpoint dropped": "DELETE FROM checkpoints WHERE size = (SELECT max(size) FROM checkpoints)",
    "the log's length": "UPDATE log SET size = 4",
    "the log's name": "UPDATE log SET origin = 'other.log'",
    "the attestations": "UPDATE attestations SET envelopes = CAST('{}' || char(10) || '{}' || char(10) AS BLOB)",
}


@pytest.mark.parametrize("name", EDITS)
def test_who_edits_the_database_is_found_out_or_changes_nothing(name: str, house: House, tmp_path: Path) -> None:
    """Exports of what was edited are refused with a sentence, INVALID, or say nothing else than before."""
    key, before = house.journal.verifier_key, house.bundle("r2").read_bytes()
    house.close()
    with sqlite3.connect(house.folder / "qverify.db") as connection:
        changed = connection.execute(EDITS[name]).rowcount
    connection.close()
    assert changed > 0
    again = House(house.folder)
    try:
        after = again.bundle("r2")
    except QVerifyError as error:
        assert str(error)
        return
    finally:
        again.close()
    answer = verify_bundle(after, public_key=key)
    if answer["valid"]:
        (tmp_path / "before.zip").write_bytes(before)
        same = members(tmp_path / "before.zip")
        for part in ("entries.jsonl", "headers.jsonl", "checkpoint"):
            assert members(after)[part] == same[part], name


# Names that act on a terminal, or pass for others


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_names_can_not_act_on_a_terminal(locale: str, house: House, tmp_path: Path) -> None:
    lone = tmp_path / "verify.py"
    lone.write_bytes(Path(verify.__file__).read_bytes())
    files = members(house.bundle("r1"))
    home, foreign = os.fsencode(tmp_path), {"LC_ALL": locale}

    def run(*words: bytes) -> "subprocess.CompletedProcess[bytes]":
        command = [os.fsencode(sys.executable), b"-I", b"-X", b"utf8=0", os.fsencode(lone), *words]
        return subprocess.run(command, env=foreign, capture_output=True, timeout=60)

    for name in ("evil\x1b[2J\u202e", "\u0441heckpoint", "e\u0301", "\x9b31m", "a\u2028b"):
        bundle = tmp_path / "b.zip"
        # Packed anew, or the name's own flag in its header gives it away before anybody reads it.
        bundle.write_bytes(deflated({**files, name: b"x"}))
        done = run(os.fsencode(bundle))
        assert done.returncode == 1 and done.stderr == b""
        assert ascii(name)[1:-1].encode() in done.stdout, "a letter that looks like another is told by its number"
        assert done.stdout.isascii()
    for name in (b"\x1b[2Jevil.zip", "\u202eevil".encode(), b"\xff\xfe"):
        path = home + b"/" + name
        Path(os.fsdecode(path)).write_bytes(b"x")
        for words in ((path,), (os.fsencode(house.bundle("r1")), b"--known-checkpoint", path)):
            done = run(*words)
            assert done.returncode == 2 and b"Traceback" not in done.stderr
            assert b"\x1b" not in done.stderr and b"\xe2\x80\xae" not in done.stderr


def test_a_name_in_another_normal_form_is_another_name(house: House, tmp_path: Path) -> None:
    """Composed and decomposed letters are never taken for each other (Unicode Standard Annex 15): what was signed are bytes."""
    (tmp_path / "b.zip").write_bytes(house.bundle("r1").read_bytes())
    files = members(tmp_path / "b.zip")
    assert "naïve".encode() in files["entries.jsonl"]
    decomposed = files["entries.jsonl"].replace("naïve".encode(), "nai\u0308ve".encode())
    (tmp_path / "b.zip").write_bytes(packed({**files, "entries.jsonl": decomposed}))
    assert verify_bundle(tmp_path / "b.zip")["grade"] == "INVALID"


def test_a_key_whose_name_looks_alike_is_another_key(house: House) -> None:
    """A Cyrillic letter in the name changes the hash in the key, and a name is compared by its bytes."""
    name, _, rest = house.journal.verifier_key.partition("+")
    with pytest.raises(verify.BundleUnreadable, match="malformed") as caught:
        verify_bundle(house.bundle("r1"), public_key=f"{name.replace('e', chr(0x435))}+{rest}")
    assert "\\u0435" in caught.value.sentence
