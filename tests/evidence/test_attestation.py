"""Attestations: what they say, that nothing else can be said, and the specification's own vector."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.dsse import Envelope

from qverify_desktop.evidence import attestation, verify
from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.evidence.signing import AttestationSigner
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import (
    ATTESTATION_KEY,
    COMMIT,
    IMAGE,
    KEY,
    TREE,
    House,
    event,
    members,
    packed,
    whole_analysis,
)

SCHEMA = json.loads((Path(__file__).parents[2] / "docs/attestation-run-v1.schema.json").read_text())
ENVELOPES, (RUN_BUNDLE, TEST_BUNDLE) = attestation.ENVELOPES_FILE, attestation.SIGSTORE_FILES
Files = dict[str, bytes]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "house")
    yield house
    house.close()


def statements(files: Files) -> list[dict[str, Any]]:
    lines = files[ENVELOPES].splitlines()
    return [json.loads(base64.b64decode(json.loads(line)["payload"])) for line in lines]


def test_the_vector_of_the_specification() -> None:
    """DSSE protocol.md, "Test Vectors": ECDSA over P-256, r and s one after the other. Our own encoding is under that signature."""
    document = {
        "payload": "aGVsbG8gd29ybGQ=",
        "payloadType": "http://example.com/HelloWorld",
        "signatures": [
            {
                "keyid": "",
                "sig": "A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUjW2JIZA==",
            }
        ],
    }
    raw = base64.b64decode(document["signatures"][0]["sig"])  # type: ignore[index]
    signature = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    point = (
        46950820868899156662930047687818585632848591499744589407958293238635476079160,
        5640078356564379163099075877009565129882514886557779369047442380624545832820,
    )
    key = ec.EllipticCurvePublicNumbers(*point, ec.SECP256R1()).public_key()
    for encoded in (
        verify.dsse_message("http://example.com/HelloWorld", b"hello world"),
        Envelope.from_dict(document).pae(),
    ):
        assert encoded == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
        key.verify(signature, encoded, ec.ECDSA(SHA256()))


def test_the_same_payload_gives_the_same_envelope() -> None:
    one, other = (AttestationSigner(ATTESTATION_KEY, "keyring").envelope("a/b", b"content") for _ in range(2))
    assert one == other
    assert "\\n" not in repr(AttestationSigner(ATTESTATION_KEY, "keyring")) and "private" not in repr(
        AttestationSigner(ATTESTATION_KEY, "keyring")
    )


def test_what_a_run_attests_to(house: House) -> None:
    whole_analysis(house, "r1")
    files = members(house.bundle("r1"))
    run, result = statements(files)
    text = files["checkpoint"].rpartition(b"\n\n")[0] + b"\n"
    subject = [
        {"name": "checkpoint", "digest": {"sha256": hashlib.sha256(text).hexdigest()}},
        {"name": "commit", "digest": {"gitCommit": COMMIT}},
        {"name": "tree", "digest": {"gitTree": TREE}},
    ]
    assert run["subject"] == result["subject"] == subject
    assert result["predicate"] == {
        "result": "PASSED",
        "configuration": [
            {
                "name": "run_opened",
                "digest": {"sha256": hashlib.sha256(files["entries.jsonl"].splitlines()[0]).hexdigest()},
            },
            {"name": "image python", "digest": {"sha256": IMAGE}},
        ],
        "passedTests": ["tests/test_é.py::test_0", "tests/test_é.py::test_1"],
        "warnedTests": [],
        "failedTests": [],
    }
    predicate = run["predicate"]
    jsonschema.validate(predicate, SCHEMA, format_checker=jsonschema.FormatChecker())
    assert predicate["request"] == {"plan": "all"}
    assert predicate["verdict"]["verdict"] == "nothing_suspected" and predicate["verdict"]["lines_after"] == [3, 4]
    assert predicate["tests"] == {"accepted": 2, "refused": 1, "suspected": 0}
    assert predicate["events"]["judgement"] == 3 and sum(predicate["events"].values()) == 8
    assert (predicate["dirty"], predicate["baseCommit"], predicate["reliesOn"]) == (False, COMMIT, None)
    answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
    assert (answer["problems"], answer["notices"], answer["attestations"]) == ([], [], 2)


@pytest.mark.parametrize(
    ("verdict", "result"),
    [("nothing_suspected", "PASSED"), ("defects_suspected", "FAILED"), ("inconclusive", "WARNED")],
)
def test_the_result_follows_from_the_verdict(verdict: str, result: str, house: House) -> None:
    whole_analysis(house, "r1", verdict=verdict)
    assert statements(members(house.bundle("r1")))[1]["predicate"]["result"] == result
    assert verify_bundle(house.bundle("r1"))["attestations"] == 2


def test_a_run_that_was_refused_attests_to_that(house: House) -> None:
    house.open_run("r1")
    house.journal.record("r1", "close", "ab" * 32, [event("run_closed", {"outcome": "refused"})])
    run, result = statements(members(house.bundle("r1")))
    jsonschema.validate(run["predicate"], SCHEMA)
    assert (run["predicate"]["outcome"], run["predicate"]["verdict"]) == ("refused", None)
    assert (result["predicate"]["result"], [one["name"] for one in run["subject"]]) == ("WARNED", ["checkpoint"])
    assert verify_bundle(house.bundle("r1"))["attestations"] == 2


def test_uncommitted_changes_are_not_attested_to_the_commit(house: House) -> None:
    whole_analysis(house, "r1", dirty=True)
    run, _ = statements(members(house.bundle("r1")))
    assert [one["name"] for one in run["subject"]] == ["checkpoint", "tree"]
    assert (run["predicate"]["dirty"], run["predicate"]["baseCommit"]) == (True, COMMIT)
    assert verify_bundle(house.bundle("r1"))["attestations"] == 2


def test_what_was_taken_over_is_named(house: House) -> None:
    whole_analysis(house, "r1")
    sealed = house.journal.sealed("r1")
    assert sealed is not None
    relies = {"run": sealed.run, "index": sealed.index, "leaf": sealed.leaf}
    house.open_run("r2")
    figures = event("verdict", {"verdict": "defects_suspected"})
    house.journal.record("r2", "reuse", "ab" * 32, [event("reused", {"relies_on": relies}), figures])
    house.close_run("r2")
    run, result = statements(members(house.bundle("r2")))
    jsonschema.validate(run["predicate"], SCHEMA)
    assert run["predicate"]["reliesOn"] == relies
    assert result["predicate"]["result"] == "FAILED", "the earlier run's findings count"
    assert verify_bundle(house.bundle("r2"))["problems"] == []


@pytest.mark.parametrize(
    "odd",
    [
        event("snapshot", {"commit": "no hash", "tree": ["x"], "dirty": "perhaps"}),
        event("snapshot", {}, tree=b"as a content"),
        event("plan", {"language": {"a": 1}, "image_digest": "sha256:short"}),
        event("judgement", {"test": 7, "verdict": "accepted"}),
        event("judgement", {"test": "a", "verdict": ["accepted"]}),
        event("judgement", {"test": "x" * 60_000, "verdict": "accepted"}),
        event("verdict", {"verdict": None, "deep": {"a": [[1]]}, "list": [1, "2", None, True]}),
        event("reused", {"about": "nothing"}),
    ],
)
def test_entries_of_another_shape_are_attested_and_checked_alike(odd: Any, house: House) -> None:
    house.open_run("r1")
    house.journal.record("r1", "odd", "ab" * 32, [odd])
    house.close_run("r1")
    answer = verify_bundle(house.bundle("r1"))
    assert (answer["problems"], answer["attestations"]) == ([], 2)
    jsonschema.validate(statements(members(house.bundle("r1")))[0]["predicate"], SCHEMA)


def test_of_very_many_tests_only_the_number_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attestation, "MOST_NAMES", 1)
    monkeypatch.setattr(verify, "MOST_NAMES", 1)
    whole_analysis(house, "r1")
    run, result = statements(members(house.bundle("r1")))
    assert "passedTests" not in result["predicate"] and run["predicate"]["tests"]["accepted"] == 2
    assert verify_bundle(house.bundle("r1"))["attestations"] == 2


def test_a_run_of_a_log_without_such_a_key_has_none_and_is_written_as_before(tmp_path: Path) -> None:
    house = House(tmp_path, attestation_key=None)
    whole_analysis(house, "r1")
    before = house.bundle("r1").read_bytes()
    house.close()
    again = House(tmp_path)
    assert again.bundle("r1").read_bytes() == before
    files = members(again.bundle("r1"))
    assert json.loads(files["bundle.json"])["version"] == 1 and not any("attest" in name for name in files)
    answer = verify_bundle(again.bundle("r1"))
    assert (answer["problems"], answer["attestations"]) == ([], 0)
    whole_analysis(again, "r2")
    assert verify_bundle(again.bundle("r2"))["attestations"] == 2
    again.close()


def test_another_key_later_changes_nothing_that_was_signed(tmp_path: Path) -> None:
    house = House(tmp_path)
    whole_analysis(house, "r1")
    whole_analysis(house, "r2")
    before = house.bundle("r1").read_bytes()
    house.close()
    again = House(tmp_path, attestation_key=b"\x0b" * 32)
    assert again.bundle("r1").read_bytes() == before
    answer = verify_bundle(again.bundle("r2"))
    assert answer["valid"] and answer["attestations"] == 0, "the key that the run announced is gone"
    assert any("attestations were left out" in notice for notice in answer["notices"])
    whole_analysis(again, "r3")
    assert verify_bundle(again.bundle("r3"))["attestations"] == 2
    again.close()


def resigned(files: Files, change: Callable[[list[dict[str, Any]]], None], key: bytes = ATTESTATION_KEY) -> Files:
    """The attestations made anew after a change, in every file alike and with signatures that hold."""
    told, signer = statements(files), AttestationSigner(key, "keyring")
    change(told)
    envelopes = [signer.envelope(attestation.PAYLOAD_TYPE, canonical(one)) for one in told]
    lines = b"".join(canonical(one) + b"\n" for one in envelopes)
    return {**files, ENVELOPES: lines, **dict(attestation.sigstore_bundles(lines))}


def passed(told: list[dict[str, Any]]) -> None:
    told[1]["predicate"] |= {"result": "PASSED", "failedTests": []}


def another_tree(told: list[dict[str, Any]]) -> None:
    told[0]["subject"][-1]["digest"]["gitTree"] = "ff" * 20


def one_more_field(told: list[dict[str, Any]]) -> None:
    told[0]["predicate"]["approved"] = True


def nothing(told: list[dict[str, Any]]) -> None:
    pass


def with_payload_type(files: Files) -> Files:
    envelope = AttestationSigner(ATTESTATION_KEY, "keyring").envelope(
        "application/json", base64.b64decode(json.loads(files[ENVELOPES].splitlines()[0])["payload"])
    )
    lines = canonical(envelope) + b"\n" + files[ENVELOPES].splitlines()[1] + b"\n"
    return {**files, ENVELOPES: lines, **dict(attestation.sigstore_bundles(lines))}


def signature_of(files: Files, other: Files) -> Files:
    first, second = (json.loads(line) for line in files[ENVELOPES].splitlines())
    first["signatures"] = json.loads(other[ENVELOPES].splitlines()[0])["signatures"]
    lines = canonical(first) + b"\n" + canonical(second) + b"\n"
    return {**files, ENVELOPES: lines, **dict(attestation.sigstore_bundles(lines))}


def exchanged(files: Files) -> Files:
    first, second = files[ENVELOPES].splitlines()
    return {**files, ENVELOPES: second + b"\n" + first + b"\n"}


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, Files]:
    house = House(tmp_path_factory.mktemp("two"))
    for run in ("r1", "r2"):
        whole_analysis(house, run, verdict="defects_suspected")
    found = members(house.bundle("r1")), members(house.bundle("r2"))
    house.close()
    return found


ATTACKS: dict[str, tuple[Callable[[Files, Files], Files], str]] = {
    "a test that failed said to pass": (lambda f, o: resigned(f, passed), "line 2 says something else"),
    "another tree": (lambda f, o: resigned(f, another_tree), "line 1 says something else"),
    "a claim more": (lambda f, o: resigned(f, one_more_field), "line 1 says something else"),
    "signed by another key": (lambda f, o: resigned(f, nothing, b"\x01" * 32), "no in-toto statement under the key"),
    "signed by the log's key": (lambda f, o: resigned(f, nothing, KEY), "no in-toto statement under the key"),
    "another payload type": (lambda f, o: with_payload_type(f), "no in-toto statement under the key"),
    "the signature of another run": (signature_of, "The signature of attest/run.intoto.jsonl line 1 does not hold"),
    "the attestations of another run": (
        lambda f, o: {**f, **{name: o[name] for name in (ENVELOPES, RUN_BUNDLE, TEST_BUNDLE)}},
        "line 1 says something else",
    ),
    "envelopes exchanged": (lambda f, o: exchanged(f), "line 1 says something else"),
    "one envelope only": (
        lambda f, o: {**f, ENVELOPES: f[ENVELOPES].splitlines()[0] + b"\n"},
        "does not hold two attestations",
    ),
    "one envelope more": (lambda f, o: {**f, ENVELOPES: f[ENVELOPES] + b"{}\n"}, "does not hold two attestations"),
    "no envelopes": (lambda f, o: {**f, ENVELOPES: b""}, "does not hold two attestations"),
    "only the Sigstore bundles": (
        lambda f, o: {name: content for name, content in f.items() if name != ENVELOPES},
        "attest/run.intoto.jsonl is missing",
    ),
    "one Sigstore bundle missing": (
        lambda f, o: {name: content for name, content in f.items() if name != TEST_BUNDLE},
        "attest/test-result.sigstore.json is missing",
    ),
    "a Sigstore bundle of another run": (
        lambda f, o: {**f, RUN_BUNDLE: o[RUN_BUNDLE]},
        "attest/run.sigstore.json is not the same attestation",
    ),
    "a Sigstore bundle with another spelling": (
        lambda f, o: {**f, RUN_BUNDLE: f[RUN_BUNDLE].replace(b'":', b'": ', 1)},
        "attest/run.sigstore.json is not the same attestation",
    ),
    "a file more": (lambda f, o: {**f, "attest/more.json": b"{}"}, "no part of a bundle: 'attest/more.json'"),
    "an envelope spelled otherwise": (
        lambda f, o: {**f, ENVELOPES: f[ENVELOPES].replace(b'":', b'": ', 1)},
        "line 1 is not strict JSON",
    ),
    "a key twice in an envelope": (
        lambda f, o: {**f, ENVELOPES: f[ENVELOPES].replace(b'{"payload":', b'{"payload":"","payload":', 1)},
        "line 1 is not strict JSON",
    ),
    "an envelope nested deeply": (
        lambda f, o: {**f, ENVELOPES: b"[" * 100_000 + b"\n" + f[ENVELOPES].splitlines()[1] + b"\n"},
        "line 1 is not strict JSON",
    ),
    "an envelope with bad UTF-8": (
        lambda f, o: {**f, ENVELOPES: b"\xff" + f[ENVELOPES]},
        "line 1 is not strict JSON",
    ),
    "an envelope that is huge": (lambda f, o: {**f, ENVELOPES: b"x" * (129 << 20)}, "is over"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_attestations(name: str, two: tuple[Files, Files], tmp_path: Path) -> None:
    attack, place = ATTACKS[name]
    attacked = attack(*two)
    assert attacked != two[0]
    (tmp_path / "attacked.zip").write_bytes(packed(attacked))
    answer = verify_bundle(tmp_path / "attacked.zip")
    assert (answer["grade"], answer["valid"]) == ("INVALID", False)
    assert any(place in problem for problem in answer["problems"]), answer["problems"]


def test_attestations_may_be_left_out_all_together(two: tuple[Files, Files], tmp_path: Path) -> None:
    (tmp_path / "b.zip").write_bytes(packed({n: c for n, c in two[0].items() if not n.startswith("attest/")}))
    answer = verify_bundle(tmp_path / "b.zip")
    assert answer["valid"] and answer["attestations"] == 0
    assert any("attestations were left out" in notice for notice in answer["notices"])
