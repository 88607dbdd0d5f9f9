"""Time stamps (RFC 3161): asked of OpenSSL's authority over HTTP, kept, exported, graded; and all that must not count."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.network import networks
from qverify_desktop.evidence.exchange import MOST_BYTES, NotConfirmed
from qverify_desktop.evidence.time_stamp import stamp
from qverify_desktop.evidence.verify import Broken, parse_stamp, verify_bundle, why_not
from qverify_desktop.storage.anchors import TIME_STAMP, AnchorStore, Wanted
from tests.evidence.authority import (
    NOW,
    Authority,
    openssl,
    query_by_openssl,
    reply_by_openssl,
    served,
    stamp_by_hand,
    tlv,
)
from tests.evidence.logs import House, members, packed

REPLY = "application/timestamp-reply"


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make()


@pytest.fixture(scope="module")
def folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("authority")
    authority.write(folder)
    return folder


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path / "home", wanted=[Wanted(TIME_STAMP)])
    house.whole_run("r1")
    return house


def test_it_is_asked_kept_exported_and_graded(
    house: House, folder: Path, authority: Authority, tmp_path: Path
) -> None:
    store = AnchorStore(house.database)
    bare = members(house.bundle("r1"))
    (row,) = store.waiting()
    note = bare["checkpoint"]
    with served(lambda query: (200, REPLY, reply_by_openssl(folder, query))) as (url, asked):
        made = stamp(note, url, [authority.root], Gate())
    assert len(asked) == 1 and note not in asked[0], "only a digest leaves the machine"
    store.hold(row, made.content, made.by, made.made_at)
    bundle = house.bundle("r1")
    assert house.bundle("r1").read_bytes() == bundle.read_bytes(), "the same anchors give the same bytes"
    added = {name: content for name, content in members(bundle).items() if name not in bare}
    assert {name: content for name, content in members(bundle).items() if name in bare} == bare
    assert list(added) == [f"anchors/{row.size}.tsr"]

    answer = verify_bundle(bundle, tsa_certificates=[folder / "root.pem"], public_key=house.journal.verifier_key)
    assert (answer["grade"], answer["valid"], answer["notices"]) == ("TIMESTAMPED", True, [])
    assert answer["anchors"] == [{"kind": "time_stamp", "by": "CN=Time of tests", "at": made.made_at, "counts": True}]
    assert verify_bundle(bundle, tsa_certificates=[folder / "tsa.pem"])["grade"] == "TIMESTAMPED", (
        "or its own certificate"
    )
    answer = verify_bundle(bundle)
    assert answer["grade"] == "UNANCHORED" and any("you named no authority" in one for one in answer["notices"])

    # A verifier that nobody here wrote, with what the bundle holds.
    (tmp_path / "checkpoint").write_bytes(note)
    (tmp_path / "stamp.tsr").write_bytes(added[f"anchors/{row.size}.tsr"])
    foreign = ("ts", "-verify", "-data", tmp_path / "checkpoint", "-in", tmp_path / "stamp.tsr")
    assert b"Verification: OK" in openssl(*foreign, "-CAfile", folder / "root.pem").stdout


@pytest.mark.parametrize("curve", [False, True])
@pytest.mark.parametrize("ess", ["sha1", "sha256", "sha512"])
def test_every_kind_of_stamp_that_openssl_makes(curve: bool, ess: str, tmp_path: Path) -> None:
    authority = Authority.make(curve=curve)
    authority.write(tmp_path, ess)
    raw = reply_by_openssl(tmp_path, query_by_openssl(tmp_path, b"data"))
    made = parse_stamp(raw, b"data")
    assert why_not(made, [authority.root]) == "" and why_not(made, []) != ""
    assert abs(made.at - NOW) < timedelta(minutes=30)


def test_a_stamp_by_hand_is_one_for_openssl_too(folder: Path, authority: Authority, tmp_path: Path) -> None:
    """So what the tests below change is the only thing wrong with theirs."""
    (tmp_path / "data").write_bytes(b"data")
    (tmp_path / "stamp.tsr").write_bytes(stamp_by_hand(authority, b"data"))
    command = (
        "ts",
        "-verify",
        "-data",
        tmp_path / "data",
        "-in",
        tmp_path / "stamp.tsr",
        "-CAfile",
        folder / "root.pem",
    )
    assert b"Verification: OK" in openssl(*command).stdout
    assert why_not(parse_stamp(stamp_by_hand(authority, b"data"), b"data"), [authority.root]) == ""


STRANGER = Authority.make(curve=True)
OLD = Authority.make(valid=(NOW - timedelta(days=9), NOW - timedelta(days=2)))
#: Stamps that are whole but prove nothing: who made them, whom one trusts, and the words.
PROVE_NOTHING: list[tuple[str, Callable[[], tuple[Authority, x509.Certificate]], str]] = [
    ("another root", lambda: (Authority.make(), STRANGER.root), "did not name"),
    ("not valid then", lambda: (one := OLD, one.root), "not valid then"),
    (
        "not valid yet",
        lambda: (one := Authority.make(valid=(NOW + timedelta(days=1), NOW + timedelta(days=2))), one.root),
        "not valid then",
    ),
    (
        "for servers",
        lambda: (one := Authority.make(usage=(ExtendedKeyUsageOID.SERVER_AUTH,)), one.root),
        "time stamps alone",
    ),
    (
        "for all",
        lambda: (
            one := Authority.make(usage=(ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)),
            one.root,
        ),
        "time stamps alone",
    ),
    ("not critical", lambda: (one := Authority.make(critical=False), one.root), "time stamps alone"),
    ("issued by no authority", lambda: (one := Authority.make(issuer_is_ca=False), one.root), "did not name"),
]


@pytest.mark.parametrize(("case", "who", "words"), PROVE_NOTHING, ids=[case for case, _, _ in PROVE_NOTHING])
def test_what_proves_nothing(
    case: str, who: Callable[[], tuple[Authority, x509.Certificate]], words: str, house: House, tmp_path: Path
) -> None:
    authority, trusted = who()
    note = members(house.bundle("r1"))["checkpoint"]
    raw = stamp_by_hand(authority, note)
    assert words in why_not(parse_stamp(raw, note), [trusted])
    (tmp_path / "root.pem").write_bytes(trusted.public_bytes(Encoding.PEM))
    answer = verify_bundle(_with(house, raw, tmp_path), tsa_certificates=[tmp_path / "root.pem"])
    assert answer["grade"] == "UNANCHORED" and any(words in one for one in answer["notices"])
    with served(lambda query: (200, REPLY, raw)) as (url, _), pytest.raises(NotConfirmed):
        stamp(note, url, [trusted], Gate())


def test_one_that_expired_since_still_counts_and_says_so(house: House, tmp_path: Path) -> None:
    authority = OLD
    note = members(house.bundle("r1"))["checkpoint"]
    raw = stamp_by_hand(authority, note, at=NOW - timedelta(days=3))
    root = authority.root.public_bytes(Encoding.PEM)
    # The root itself is younger than the stamp, so the certificate of the authority is what is named.
    (tmp_path / "tsa.pem").write_bytes(authority.certificate.public_bytes(Encoding.PEM) + root)
    answer = verify_bundle(_with(house, raw, tmp_path), tsa_certificates=[tmp_path / "tsa.pem"])
    assert answer["grade"] == "TIMESTAMPED" and any("expired since" in one for one in answer["notices"])


#: Stamps whose bytes contradict each other or the checkpoint: part of the bundle was changed.
BROKEN: list[tuple[str, Callable[[Authority, bytes], bytes], str]] = [
    ("over something else", lambda one, note: stamp_by_hand(one, note + b"x"), "over something else"),
    ("refused", lambda one, note: stamp_by_hand(one, note, status=2), "refused"),
    (
        "names another certificate",
        lambda one, note: stamp_by_hand(one, note, bound=STRANGER.certificate),
        "names another",
    ),
    (
        "digest of another content",
        lambda one, note: stamp_by_hand(one, note, digest=b"x" * 32),
        "over something else",
    ),
    (
        "signed by another key",
        lambda one, note: stamp_by_hand(Authority(one.root, one.certificate, Authority.make().key), note),
        "does not hold",
    ),
    ("without a certificate", lambda one, note: stamp_by_hand(one, note, carry=False), "does not carry"),
    ("empty", lambda one, note: b"", "not what it should be"),
    ("words", lambda one, note: b"<html>Internal error</html>", "DER"),
    ("cut", lambda one, note: stamp_by_hand(one, note)[:-1], "DER"),
    ("with more behind it", lambda one, note: stamp_by_hand(one, note) + b"\x05\x00", "not what it should be"),
    ("without an end", lambda one, note: b"\x30\x80" + stamp_by_hand(one, note)[4:] + b"\0\0", "DER"),
    ("a long length", lambda one, note: b"\x30\x84\xff\xff\xff\xff", "DER"),
    ("deep", lambda one, note: b"\x30\x80" * 60_000, "DER"),
    ("deep with lengths", lambda one, note: _deep(), "missing"),
    ("many values", lambda one, note: b"\x30\x83\x00\xff\xfe" + b"\x05\x00" * 32767, "DER"),
]


def _deep() -> bytes:
    """A sequence in a sequence in a sequence …, 5000 deep."""
    value = b"\x05\x00"
    for _ in range(5000):
        value = tlv(0x30, value)
    return value


@pytest.mark.parametrize(("case", "make", "words"), BROKEN, ids=[case for case, _, _ in BROKEN])
def test_what_was_changed(
    case: str,
    make: Callable[[Authority, bytes], bytes],
    words: str,
    authority: Authority,
    folder: Path,
    house: House,
    tmp_path: Path,
) -> None:
    note = members(house.bundle("r1"))["checkpoint"]
    raw = make(authority, note)
    with pytest.raises(Broken):
        parse_stamp(raw, note)
    for given in ([], [folder / "root.pem"]):
        answer = verify_bundle(_with(house, raw, tmp_path), tsa_certificates=given)
        assert answer["grade"] == "INVALID", answer
        assert any("time stamp" in one and words in one for one in answer["problems"]), answer["problems"]
    with served(lambda query: (200, REPLY, raw)) as (url, _), pytest.raises(NotConfirmed, match=r"127\.0\.0\.1"):
        stamp(note, url, [authority.root], Gate())


def test_every_flipped_byte(authority: Authority, folder: Path, house: House, tmp_path: Path) -> None:
    """A changed stamp is found out, proves nothing, or says the very same thing (bytes that nobody signs, as in the status)."""
    note = members(house.bundle("r1"))["checkpoint"]
    raw = stamp_by_hand(authority, note)
    genuine, same, seen = parse_stamp(raw, note), 0, set()
    for at in range(len(raw)):
        damaged = bytearray(raw)
        damaged[at] ^= 1 << at % 8
        try:
            made = parse_stamp(bytes(damaged), note)
        except Broken as broken:
            seen.add(str(broken))
            continue
        if not why_not(made, [authority.root]):
            assert (made.at, made.nonce, made.signer) == (genuine.at, genuine.nonce, genuine.signer)
            same += 1
    assert same <= 50 and len(seen) > 8, (same, seen)


def test_a_stamp_without_its_certificate_needs_it_named(
    authority: Authority, house: House, folder: Path, tmp_path: Path
) -> None:
    note = members(house.bundle("r1"))["checkpoint"]
    bundle = _with(house, stamp_by_hand(authority, note, carry=False), tmp_path)
    assert verify_bundle(bundle, tsa_certificates=[folder / "tsa.pem"])["grade"] == "TIMESTAMPED"


def test_the_answer_to_another_question(authority: Authority, house: House) -> None:
    note = members(house.bundle("r1"))["checkpoint"]
    with (
        served(lambda query: (200, REPLY, stamp_by_hand(authority, note, nonce=8))) as (url, _),
        pytest.raises(NotConfirmed, match="onc"),
    ):
        stamp(note, url, [authority.root], Gate())
    with (
        served(lambda query: (200, REPLY, stamp_by_hand(authority, note, nonce=None))) as (url, _),
        pytest.raises(NotConfirmed, match="another question"),
    ):
        stamp(note, url, [], Gate())


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((500, "text/html", b"<h1>no</h1>"), "status 500"),
        ((302, "text/html", b""), "status 302"),
        ((200, REPLY, b"\x30" * (MOST_BYTES + 2)), "more than 128 KiB"),
    ],
)
def test_a_service_that_does_not_work(reply: tuple[int, str, bytes], words: str) -> None:
    with served(lambda query: reply) as (url, _), pytest.raises(NotConfirmed, match=words) as caught:
        stamp(b"data", url, [], Gate())
    assert not caught.value.final


def test_nobody_there_and_nobody_may_be_asked() -> None:
    with pytest.raises(NotConfirmed, match="can't be reached"):
        stamp(b"data", "http://127.0.0.1:9/", [], Gate())
    for policy in (Policy(air_gap=True), Policy(frozenset({"allow_time_stamps"}))):
        with pytest.raises(NotConfirmed, match="stamp") as caught:
            stamp(b"data", "http://192.0.2.1/", [], Gate(policy))
        assert caught.value.closed
    allowed = Policy(air_gap=True, allowed=networks(["127.0.0.0/8"]))
    with pytest.raises(NotConfirmed, match="can't be reached"):
        stamp(b"data", "http://127.0.0.1:9/", [], Gate(allowed))


def test_one_in_place_of_another_runs(authority: Authority, folder: Path, house: House, tmp_path: Path) -> None:
    """A stamp of an earlier checkpoint does not date the later one."""
    earlier = members(house.bundle("r1"))["checkpoint"]
    house.whole_run("r2")
    files = members(house.bundle("r2"))
    size = files["checkpoint"].split(b"\n")[1].decode()
    target = tmp_path / "swapped.zip"
    target.write_bytes(packed({**files, f"anchors/{size}.tsr": stamp_by_hand(authority, earlier)}))
    assert verify_bundle(target, tsa_certificates=[folder / "root.pem"])["grade"] == "INVALID"
    target.write_bytes(packed({**files, "anchors/1.tsr": stamp_by_hand(authority, earlier)}))
    assert verify_bundle(target, tsa_certificates=[folder / "root.pem"])["grade"] == "INVALID", (
        "a file that is no part of it"
    )


def _with(house: House, raw: bytes, folder: Path) -> Path:
    """The bundle of the run with a time stamp put in."""
    files = members(house.bundle("r1"))
    size = files["checkpoint"].split(b"\n")[1].decode()
    target = folder / "with.zip"
    target.write_bytes(packed({**files, f"anchors/{size}.tsr": raw}))
    return target


@pytest.mark.parametrize("disclosure", list(Disclosure))
def test_a_bundle_that_shows_less_is_confirmed_as_well(
    disclosure: Disclosure, authority: Authority, folder: Path, house: House, tmp_path: Path
) -> None:
    (row,) = AnchorStore(house.database).waiting()
    note = house.journal.note(row.size).encode()
    AnchorStore(house.database).hold(row, stamp_by_hand(authority, note), "by", "at")
    house.journal.bundle("r1", tmp_path / "b.zip", disclosure)
    assert verify_bundle(tmp_path / "b.zip", tsa_certificates=[folder / "root.pem"])["grade"] == "TIMESTAMPED"


def test_nothing_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, qverify_desktop.evidence.time_stamp, qverify_desktop.evidence.witness\n"
        "assert not {'rfc3161_client', 'httpx'} & set(sys.modules)"
    )
    import sys

    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
