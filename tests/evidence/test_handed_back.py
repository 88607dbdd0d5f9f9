"""A record that comes back: it adds REPRODUCED to exactly the bundle that was executed, and only where all of it agreed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.evidence.disclosed import Disclosed, checkpoint_digest
from qverify_desktop.evidence.handed_back import handed_back, read_reproduction
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import OTHER_KEY, RESULT, House, event, members, packed


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    (tmp_path / "theirs").mkdir()
    house = House(tmp_path / "theirs")
    house.whole_run("r1original")
    made = house.bundle("r1original")
    house.close()
    return made


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[House]:
    (tmp_path / "mine").mkdir()
    house = House(tmp_path / "mine", key=OTHER_KEY)
    yield house
    house.close()


def record_of(house: House, bundle: Path, name: str = "d1record", **changes: Any) -> Path:
    with Disclosed(bundle) as original:
        digest = checkpoint_digest(original.checkpoint)
        of = {"run": original.run, "origin": original.origin, "checkpoint_sha256": digest}
    told = {"outcome": "reproduced", "tests": 3, "agrees": 3, "differs": 0, "not_run": 0, "of": of, **changes}
    house.open_run(name)
    house.journal.record(name, "result", RESULT, [event("reproduced", told)])
    house.close_run(name)
    return house.bundle(name)


def test_a_record_of_this_bundle_adds_to_its_grade(bundle: Path, auditor: House) -> None:
    record = record_of(auditor, bundle)
    told = handed_back(verify_bundle(bundle), record, auditor.journal.verifier_key)
    assert told["holds"] and told["record"] == "d1record" and told["tests"] == 3
    assert "signed by the key that you gave" in told["sentence"]
    assert "give --reproduction-key" in handed_back(verify_bundle(bundle), record)["sentence"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "differs", "agrees": 2, "differs": 1}, "differs; of 3 tests 2 agree, 1 differ"),
        ({"outcome": "other_environment"}, "other environment; of 3"),
        ({"agrees": 2}, "2 agree"),
        ({"tests": 0, "agrees": 0}, "of 0 tests"),
        ({"of": {"run": "r1original", "checkpoint_sha256": "0" * 64}}, "is of another bundle"),
        ({"of": "nonsense", "tests": "many"}, "is of another bundle"),
    ],
)
def test_anything_less_adds_nothing(bundle: Path, auditor: House, changes: dict[str, Any], said: str) -> None:
    told = handed_back(verify_bundle(bundle), record_of(auditor, bundle, **changes))
    assert not told["holds"] and said in told["sentence"]


def test_a_record_under_another_key_adds_nothing(bundle: Path, auditor: House, tmp_path: Path) -> None:
    record = record_of(auditor, bundle)
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other", key=b"\x05" * 32)
    told = handed_back(verify_bundle(bundle), record, other.journal.verifier_key)
    other.close()
    assert not told["holds"] and "INVALID" in told["sentence"]


def test_a_changed_record_adds_nothing(bundle: Path, auditor: House, tmp_path: Path) -> None:
    files = members(record_of(auditor, bundle, outcome="differs", agrees=2, differs=1))
    lines = files["entries.jsonl"].replace(b'"outcome":"differs"', b'"outcome":"reproduced"')
    changed = tmp_path / "changed.qvevidence.zip"
    changed.write_bytes(packed({**files, "entries.jsonl": lines}))
    told = handed_back(verify_bundle(bundle), changed)
    assert not told["holds"] and "INVALID" in told["sentence"]


def test_an_ordinary_bundle_is_no_record(bundle: Path) -> None:
    assert read_reproduction(bundle) is None
    assert "no record of a reproduction" in handed_back(verify_bundle(bundle), bundle)["sentence"]


def test_what_a_bundle_discloses_is_read_whole(bundle: Path) -> None:
    with Disclosed(bundle) as disclosed:
        assert [one.type for one in disclosed.events] == ["run_opened", "execution", "execution", "run_closed"]
        second = disclosed.events[2]
        assert disclosed.content(second, "output") == b"r1original printed 1"
        assert disclosed.content(second, "purpose") is None


def test_a_cosignature_that_came_later_leaves_it_the_same_checkpoint(bundle: Path, auditor: House) -> None:
    record, answer = record_of(auditor, bundle), verify_bundle(bundle)
    cosigned = answer | {"checkpoint": answer["checkpoint"] + "\N{EM DASH} witness.example AAAAAAAA\n"}
    assert handed_back(cosigned, record)["holds"]
    size = answer["size"]
    other = answer | {"checkpoint": answer["checkpoint"].replace(f"\n{size}\n", f"\n{size + 1}\n")}
    assert not handed_back(other, record)["holds"]
