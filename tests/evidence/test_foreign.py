"""Our bundles under verifiers that others wrote: Go's log packages, Sigstore's, OpenSSL, in-toto's own message types."""

import base64
import json
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage

from qverify_desktop.evidence.signing import AttestationSigner
from tests.evidence.foreign import tools
from tests.evidence.logs import ATTESTATION_KEY, COMMIT, House, event, whole_analysis

ATTESTER = AttestationSigner(ATTESTATION_KEY, "keyring")
PEM = f"-----BEGIN PUBLIC KEY-----\n{base64.b64encode(ATTESTER.public).decode()}\n-----END PUBLIC KEY-----\n"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Three runs whose log has tiles of two levels, full and partial ones."""
    house = House(tmp_path_factory.mktemp("house"))
    house.whole_run("r1", steps=3)
    house.open_run("r2")
    house.journal.record("r2", "many", "00" * 32, [event("execution", {"number": n}) for n in range(600)])
    house.close_run("r2")
    whole_analysis(house, "r3", verdict="defects_suspected")
    yield house
    house.close()


@pytest.fixture
def unpacked(house: House, tmp_path: Path) -> Path:
    with zipfile.ZipFile(house.bundle("r3")) as archive:
        archive.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def run(*command: str | Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)


def flipped(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def test_go_checks_every_checkpoint_consistency_entry_and_proof(house: House, unpacked: Path) -> None:
    done = run(tools.note_checker(), unpacked, house.journal.verifier_key)
    assert done.returncode == 0, done.stderr
    manifest = json.loads((unpacked / "bundle.json").read_text())
    signed, own = len(manifest["checkpoints"]), sum(count for _, count in manifest["entries"])
    assert json.loads(done.stdout) == {
        "checkpoints": signed,
        "consistency": signed * (signed + 1) // 2,
        "entries": own,
        "proofs": own,
        "headers": 4,
    }
    assert (unpacked / "tile/1/000.p/2").stat().st_size == 64, "a tile of the second level was there to be read"


@pytest.mark.parametrize("name", ["checkpoint", "entries.jsonl", "headers.jsonl", "tile/0/000", "tile/1/000.p/2"])
def test_go_finds_one_flipped_bit(name: str, house: House, unpacked: Path) -> None:
    flipped(unpacked / name, -2)
    assert run(tools.note_checker(), unpacked, house.journal.verifier_key).returncode == 1


def test_sigstore_checks_both_bundles(unpacked: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(PEM)
    paths = [unpacked / "attest/run.sigstore.json", unpacked / "attest/test-result.sigstore.json"]
    command = (*tools.sigstore_checker(), tmp_path / "key.pem", ATTESTER.key_id)
    done = run(*command, *paths)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [
        "https://qverify.local/attestation/run/v1",
        "https://in-toto.io/attestation/test-result/v0.1",
    ]
    for path in paths:
        document = json.loads(path.read_text())
        payload = bytearray(base64.b64decode(document["dsseEnvelope"]["payload"]))
        payload[-3] ^= 1
        document["dsseEnvelope"]["payload"] = base64.b64encode(payload).decode()
        path.write_text(json.dumps(document))
        done = run(*command, path)
        assert done.returncode != 0 and "signature verification failed" in done.stderr


def test_sigstore_refuses_another_key(unpacked: Path, tmp_path: Path) -> None:
    other = base64.b64encode(AttestationSigner(b"\x01" * 32, "keyring").public).decode()
    (tmp_path / "key.pem").write_text(f"-----BEGIN PUBLIC KEY-----\n{other}\n-----END PUBLIC KEY-----\n")
    done = run(
        *tools.sigstore_checker(), tmp_path / "key.pem", ATTESTER.key_id, unpacked / "attest/run.sigstore.json"
    )
    assert done.returncode != 0 and "signature verification failed" in done.stderr


def openssl(pem: str, message: bytes, signature: bytes, folder: Path) -> bool:
    for name, content in (("key.pem", pem.encode()), ("message", message), ("signature", signature)):
        (folder / name).write_bytes(content)
    done = run(
        *("openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", folder / "key.pem"),
        *("-in", folder / "message", "-sigfile", folder / "signature"),
    )
    assert ("Signature Verified Successfully" in done.stdout) is (done.returncode == 0), done.stderr
    return done.returncode == 0


def test_openssl_checks_checkpoints_and_envelopes(house: House, unpacked: Path, tmp_path: Path) -> None:
    raw = base64.b64decode(house.journal.verifier_key.rpartition("+")[2] + "==")[1:]
    note_pem = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + raw).decode()
    note_pem = f"-----BEGIN PUBLIC KEY-----\n{note_pem}\n-----END PUBLIC KEY-----\n"
    for path in (unpacked / "checkpoints").iterdir():
        text, _, line = path.read_text().rpartition("\n\n")
        signature = base64.b64decode(line.split(" ")[2])[4:]
        assert openssl(note_pem, f"{text}\n".encode(), signature, tmp_path)
        assert not openssl(note_pem, f"{text}x\n".encode(), signature, tmp_path)
    for line in (unpacked / "attest/run.intoto.jsonl").read_text().splitlines():
        envelope = json.loads(line)
        payload = base64.b64decode(envelope["payload"])
        head = f"DSSEv1 {len(envelope['payloadType'])} {envelope['payloadType']} {len(payload)} ".encode()
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        assert openssl(PEM, head + payload, signature, tmp_path)
        assert not openssl(note_pem, head + payload, signature, tmp_path), "the log's key signs no attestations"


def test_in_toto_reads_the_statements(unpacked: Path) -> None:
    statements = []
    for line in (unpacked / "attest/run.intoto.jsonl").read_text().splitlines():
        document = json.loads(base64.b64decode(json.loads(line)["payload"]))
        message = ParseDict(document, StatementMessage())
        Statement.copy_from_pb(message).validate()
        statements.append((message, document))
    message, document = statements[1]
    assert {entry.name: dict(entry.digest) for entry in message.subject}["commit"] == {"gitCommit": COMMIT}
    result = ParseDict(document["predicate"], test_result_pb2.TestResult())
    assert (result.result, list(result.failed_tests)) == ("FAILED", ["tests/test_é.py::test_3"])
    assert list(result.passed_tests) == ["tests/test_é.py::test_0", "tests/test_é.py::test_1"]
    assert [one.name for one in result.configuration] == ["run_opened", "image python"]
