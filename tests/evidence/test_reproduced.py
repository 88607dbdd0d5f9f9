"""A record that comes back: it adds REPRODUCED to exactly the bundle that was executed, and only where all of it agreed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.evidence import verify
from qverify_desktop.evidence.disclosed import Disclosed, checkpoint_digest
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import OTHER_KEY, RESULT, House, event, members, packed, whole_analysis

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/verify.schema.json").read_text())
#: What ``whole_analysis`` accepts and suspects.
TESTS = (
    ("tests/test_é.py::test_0", "accepted"),
    ("tests/test_é.py::test_1", "accepted"),
    ("tests/test_é.py::test_3", "suspected"),
)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    house = House(tmp_path / "theirs")
    whole_analysis(house, "r1original", verdict="defects_suspected")
    made = house.bundle("r1original")
    house.close()
    return made


@pytest.fixture
def auditor(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "mine", key=OTHER_KEY)
    yield house
    house.close()


def record_of(
    house: House,
    bundle: Path,
    name: str = "d1record",
    *,
    listed: Sequence[tuple[str, str]] = TESTS,
    state: str = "agrees",
    same: bool = True,
    packages: bool = True,
    opened: Mapping[str, Any] | None = None,
    closed: str = "",
    **changes: Any,
) -> Path:
    """A record as ``analysis.reproduction`` writes it; ``changes`` are of its result."""
    with Disclosed(bundle) as original:
        digest = checkpoint_digest(original.checkpoint)
        of = {"run": original.run, "origin": original.origin, "checkpoint_sha256": digest}
    counts = {"tests": len(listed), "agrees": len(listed), "differs": 0, "not_run": 0}
    told = {"outcome": "reproduced", **counts, "of": of, **changes}
    opening = {"kind": "reproduction", "about": of["run"], "of": told["of"], **(opened or {})}
    compared = [
        event("test_compared", {"test": test, "verdict": verdict, "state": state}) for test, verdict in listed
    ]
    house.journal.record(name, "open", RESULT, [event("run_opened", opening)])
    house.journal.record(name, "image", RESULT, [event("image_compared", {"language": "python", "same": same})])
    house.journal.record(name, "packages", RESULT, [event("packages_compared", {"differ": 0, "same": packages})])
    house.journal.record(name, "again", RESULT, compared)
    house.journal.record(name, "result", RESULT, [event("reproduced", told)])
    house.journal.record(name, "close", RESULT, [event("run_closed", {"outcome": closed or told["outcome"]})])
    return house.bundle(name)


def held_against(bundle: Path, record: Path, key: str = "") -> dict[str, Any]:
    answer = verify_bundle(bundle, reproduction=record, reproduction_key=key)
    jsonschema.validate(answer, SCHEMA)
    told: dict[str, Any] = answer["reproduction"]
    assert answer["grades"] == [answer["grade"], *(["REPRODUCED"] if told["holds"] else [])]
    assert verify.exit_code(answer) == (0 if told["holds"] else 1)
    return told


def test_a_record_of_this_bundle_adds_to_its_grade(bundle: Path, auditor: House) -> None:
    record = record_of(auditor, bundle)
    told = held_against(bundle, record, auditor.journal.verifier_key)
    assert told["holds"] and told["record"] == "d1record" and told["tests"] == 3
    assert "signed by the key that you gave" in told["sentence"] and "nobody else" not in told["sentence"]


def test_a_record_of_nobody_adds_nothing(bundle: Path, auditor: House) -> None:
    """Whoever wrote the bundle could have written such a record under a key made for it."""
    told = held_against(bundle, record_of(auditor, bundle))
    assert not told["holds"] and "give the verifier key" in told["sentence"]


def test_a_record_by_the_author_of_the_bundle_says_so(tmp_path: Path) -> None:
    house = House(tmp_path / "theirs")
    whole_analysis(house, "r1original", verdict="defects_suspected")
    bundle = house.bundle("r1original")
    told = held_against(bundle, record_of(house, bundle), house.journal.verifier_key)
    house.close()
    assert told["holds"] and "nobody else executed them" in told["sentence"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcome": "differs", "agrees": 2, "differs": 1}, "differs; of 3 tests 2 agree, 1 differ"),
        ({"outcome": "other_environment"}, "other environment; of 3"),
        ({"agrees": 2}, "2 agree"),
        ({"tests": 0, "agrees": 0}, "of 0 tests"),
        ({"of": {"run": "r1original", "checkpoint_sha256": "0" * 64}}, "is of another bundle"),
        ({"of": "nonsense", "tests": "many"}, "is of another bundle"),
        ({"outcome": ["reproduced"]}, "is the record of"),
        ({"listed": TESTS[:2]}, "leaves out 1 of the 3 tests"),
        ({"listed": [*TESTS, ("tests/more.py::test_x", "accepted")]}, "does not have"),
        ({"listed": [*TESTS[:2], (TESTS[2][0], "accepted")]}, "leaves out 1 of the 3"),
        ({"listed": [TESTS[0], TESTS[1], TESTS[1]]}, "does not show it test by test"),
        ({"listed": [], "tests": 3, "agrees": 3}, "does not show it test by test"),
        ({"state": "differs"}, "does not show it test by test"),
        ({"same": False}, "does not show that its tests were executed in the pinned images"),
        ({"packages": False}, "with other packages than the run's"),
        ({"opened": {"of": {"run": "r9"}}}, "says other things at its opening"),
        ({"closed": "stopped"}, "says other things at its opening or its close"),
    ],
)
def test_anything_less_adds_nothing(bundle: Path, auditor: House, changes: dict[str, Any], said: str) -> None:
    told = held_against(bundle, record_of(auditor, bundle, **changes), auditor.journal.verifier_key)
    assert not told["holds"] and said in told["sentence"], told["sentence"]


def test_a_record_of_another_bundle_of_the_same_log(auditor: House, tmp_path: Path) -> None:
    """Replayed: the same tests, the same run of the same log as it was before, another run."""
    house = House(tmp_path / "theirs")
    for run in ("r1", "r2"):
        whole_analysis(house, run, verdict="defects_suspected")
    first, second = house.bundle("r1"), house.bundle("r2")
    house.close()
    record = record_of(auditor, first)
    assert held_against(first, record, auditor.journal.verifier_key)["holds"]
    told = held_against(second, record, auditor.journal.verifier_key)
    assert not told["holds"] and "is of another bundle, of the run r1" in told["sentence"]
    anew = House(tmp_path / "anew")
    anew.open_run("r0")
    whole_analysis(anew, "r1", verdict="defects_suspected")
    told = held_against(anew.bundle("r1"), record, auditor.journal.verifier_key)
    anew.close()
    assert not told["holds"] and "is of another bundle" in told["sentence"]


def test_a_record_under_another_key_adds_nothing(bundle: Path, auditor: House, tmp_path: Path) -> None:
    record = record_of(auditor, bundle)
    other = House(tmp_path / "other", key=b"\x05" * 32)
    told = held_against(bundle, record, other.journal.verifier_key)
    other.close()
    assert not told["holds"] and "INVALID" in told["sentence"]


def test_a_changed_record_adds_nothing(bundle: Path, auditor: House, tmp_path: Path) -> None:
    files = members(record_of(auditor, bundle, outcome="differs", agrees=2, differs=1))
    lines = files["entries.jsonl"].replace(b'"outcome":"differs"', b'"outcome":"reproduced"')
    changed = tmp_path / "changed.qvevidence.zip"
    changed.write_bytes(packed({**files, "entries.jsonl": lines}))
    told = held_against(bundle, changed, auditor.journal.verifier_key)
    assert not told["holds"] and "INVALID" in told["sentence"]


@pytest.mark.parametrize("disclosure", list(Disclosure))
def test_how_much_the_bundle_and_the_record_must_show(
    disclosure: Disclosure, auditor: House, tmp_path: Path, bundle: Path
) -> None:
    house = House(bundle.parent)
    house.journal.bundle("r1original", tmp_path / "less.zip", disclosure)
    house.close()
    record_of(auditor, bundle)
    auditor.journal.bundle("d1record", tmp_path / "record.zip", disclosure)
    for one, other, words in (
        (tmp_path / "less.zip", auditor.bundle("d1record"), "The bundle shows headers only"),
        (bundle, tmp_path / "record.zip", "shows headers only, so it does not say"),
    ):
        told = held_against(one, other, auditor.journal.verifier_key)
        assert told["holds"] is (disclosure is not Disclosure.HEADERS)
        assert told["holds"] or words in told["sentence"]


def test_an_ordinary_bundle_is_no_record(bundle: Path, auditor: House) -> None:
    answer = verify_bundle(bundle)
    assert answer["record"] is None and "reproduction" not in answer
    assert "no record of a reproduction" in held_against(bundle, bundle)["sentence"]
    told = verify_bundle(record_of(auditor, bundle))["record"]
    assert told["about"] == "r1original" and "of 3 tests 3 agree" in told["sentence"]


def test_a_bundle_that_is_not_whole_is_not_held_against_anything(
    bundle: Path, auditor: House, tmp_path: Path
) -> None:
    record = record_of(auditor, bundle)
    files = members(bundle)
    (tmp_path / "broken.zip").write_bytes(packed({**files, "more": b""}))
    answer = verify_bundle(tmp_path / "broken.zip", reproduction=record)
    assert answer["grades"] == ["INVALID"] and "reproduction" not in answer and verify.exit_code(answer) == 1


def test_what_a_bundle_discloses_is_read_whole(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.whole_run("r1original")
    with Disclosed(house.bundle("r1original")) as disclosed:
        assert [one.type for one in disclosed.events] == ["run_opened", "execution", "execution", "run_closed"]
        second = disclosed.events[2]
        assert disclosed.content(second, "output") == b"r1original printed 1"
        assert disclosed.content(second, "purpose") is None
    house.close()


def test_who_signs_a_checkpoint_changes_nothing_about_which_it_is(bundle: Path) -> None:
    note = verify_bundle(bundle)["checkpoint"].encode()
    cosigned = note + "\N{EM DASH} witness.example AAAAAAAA\n".encode()
    for digest in (checkpoint_digest, verify.checkpoint_digest):
        assert digest(note) == digest(cosigned) != digest(note.replace(b"\n", b"\n1", 1))


def test_an_auditor_reads_it_without_the_application(bundle: Path, auditor: House, tmp_path: Path) -> None:
    lone = tmp_path / "verify.py"
    lone.write_bytes(Path(verify.__file__).read_bytes())
    record, key = record_of(auditor, bundle), auditor.journal.verifier_key

    def run(*words: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", str(lone), str(bundle), *map(str, words)]
        return subprocess.run(command, env={}, capture_output=True, text=True, timeout=60)

    done = run("--reproduction", record, "--reproduction-key", key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("UNANCHORED, REPRODUCED. ") and "  reproduction: All of its 3 tests" in done.stdout
    done = run("--reproduction", record)
    assert (
        done.returncode == 1 and "  not shown to be reproduced: " in done.stdout and "REPRODUCED." not in done.stdout
    )
    document = json.loads(run("--reproduction", record, "--reproduction-key", key, "--json").stdout)
    assert document == verify_bundle(bundle, reproduction=record, reproduction_key=key)
    done = run("--reproduction", "/nowhere")
    assert done.returncode == 2 and "can't be read" in done.stderr
