"""Signed notes and checkpoints: foreign signatures, and everything that is not quite one."""

import base64
import json

import pytest

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.note import BadNote, Checkpoint, VerifierKey, open_note
from qverify_desktop.evidence.signing import Signer
from tests.evidence.vectors import vectors

SIGNER = Signer("example.com/log", b"\x01" * 32, "keyring")
KEY = SIGNER.verifier_key
TEXT = str(Checkpoint("example.com/log", 3, b"r" * 32))
NOTE = SIGNER.sign(TEXT)
SIGNATURE = NOTE.split(" ")[-1].strip()


def test_wycheproof_ed25519() -> None:
    groups = json.loads((vectors("ed25519") / "ed25519_test.json").read_text())["testGroups"]
    counted = 0
    for group in groups:
        public = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
            expected = case["result"] == "valid"
            assert VerifierKey("x", public).verifies(message, signature) is expected, case
            assert verify.signature_holds(public, message, signature) is expected, case
            counted += 1
    assert counted == 151


def test_the_example_of_the_specification() -> None:
    note = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
    )
    head = verify.parse_checkpoint(note.encode(), verify.named([]), "it")
    assert (head.origin, head.size, head.signers) == ("example.com/behind-the-sofa", 20852163, [])
    with pytest.raises(BadNote, match="No known key"):
        open_note(note, [KEY])


def test_what_was_signed_opens_and_the_key_travels_as_text() -> None:
    key = VerifierKey.parse(str(KEY))
    assert key == KEY
    assert open_note(NOTE, [key]) == (TEXT, (key,))
    assert verify.parse_checkpoint(NOTE.encode(), verify.named([verify.parse_key(str(KEY))]), "it").size == 3
    assert "\\x01" not in repr(SIGNER) and "private" not in repr(SIGNER)


def test_signatures_of_strangers_count_nothing() -> None:
    stranger = Signer("witness.example", b"\x02" * 32, "keyring")
    both = NOTE + stranger.sign(TEXT).rpartition("\n\n")[2]
    assert open_note(both, [KEY])[1] == (KEY,)
    assert set(open_note(both, [KEY, stranger.verifier_key])[1]) == {KEY, stranger.verifier_key}
    namesake = Signer("example.com/log", b"\x03" * 32, "keyring")
    assert open_note(namesake.sign(TEXT)[:-1] + "\n" + NOTE.rpartition("\n\n")[2], [KEY])[1] == (KEY,)
    with pytest.raises(BadNote, match="No known key"):
        open_note(namesake.sign(TEXT), [KEY])


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        TEXT + "\n",
        NOTE[:-1],
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        NOTE.replace("\n3\n", "\n4\n"),
        NOTE.replace("\n3\n", "\n3\r\n"),
        NOTE + NOTE.rpartition("\n\n")[2][:-3] + "\n",
        NOTE.replace(SIGNATURE, SIGNATURE[:-4]),
        NOTE.replace(SIGNATURE, SIGNATURE + "\n— x"),
        NOTE.replace(SIGNATURE, SIGNATURE.rstrip("=")),
        NOTE + "\n",
        "\n" + NOTE,
        NOTE.replace("— example.com/log", "— example.com/+log"),
    ],
)
def test_what_is_not_quite_a_note_is_refused_by_both(note: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(open_note(note, [KEY])[0])
    with pytest.raises(verify.Broken):
        head = verify.parse_checkpoint(note.encode(), verify.named([verify.parse_key(str(KEY))]), "it")
        raise verify.Broken("unsigned") if not head.signers else AssertionError(note)


def test_base64_has_one_spelling() -> None:
    """The last digit before the padding has bits that mean nothing: another digit there is another note."""
    raw = base64.b64decode(SIGNATURE)
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    at = len(SIGNATURE.rstrip("=")) - 1
    other = SIGNATURE[:at] + digits[digits.index(SIGNATURE[at]) + 1] + SIGNATURE[at + 1 :]
    assert base64.b64decode(other) == raw
    with pytest.raises(BadNote):
        open_note(NOTE.replace(SIGNATURE, other), [KEY])
    with pytest.raises(verify.Broken):
        verify.parse_checkpoint(
            NOTE.replace(SIGNATURE, other).encode(), verify.named([verify.parse_key(str(KEY))]), "it"
        )


@pytest.mark.parametrize(
    "text",
    [
        "example.com/log\n3\n",
        "example.com/log\n03\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "example.com/log\n-1\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "example.com/log\n٣\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "\n3\n" + base64.b64encode(b"r" * 32).decode() + "\n",
        "example.com/log\n3\n" + base64.b64encode(b"r" * 31).decode() + "\n",
        TEXT + "extension\n",
        TEXT[:-1],
    ],
)
def test_a_checkpoint_has_three_lines(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.parse(text)
    with pytest.raises(verify.Broken):
        verify.parse_checkpoint(f"{text}\n— a {SIGNATURE}\n".encode(), verify.named([]), "it")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a+b",
        "a+00000000+" + base64.b64encode(b"\x01" + b"k" * 32).decode(),
        str(KEY)[:-4],
        str(KEY).replace("example", "exemple"),
        str(KEY).replace("example.com", "example com"),
        str(KEY).upper(),
        "+" + str(KEY).partition("+")[2],
        str(KEY) + "\n",
    ],
)
def test_a_verifier_key_is_whole_or_refused(text: str) -> None:
    with pytest.raises(BadNote):
        VerifierKey.parse(text)
    with pytest.raises(verify.Broken):
        verify.parse_key(text)


def test_a_note_ends_in_one_newline() -> None:
    for text in ("no newline", "two\n\n"):
        with pytest.raises(ValueError, match="newline"):
            SIGNER.sign(text)
