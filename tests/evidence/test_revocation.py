"""Certificates of time-stamp authorities that were revoked: an authority of OpenSSL's revokes, its list is given, and OpenSSL agrees."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from qverify_desktop.evidence.verify import BundleUnreadable, read_revoked, verify_bundle
from tests.evidence.authority import CONFIGURATION, openssl, query_by_openssl, reply_by_openssl
from tests.evidence.logs import House, members, packed

CA = """
[ca]
default_ca = here
[here]
dir = {folder}
database = $dir/index.txt
new_certs_dir = $dir
serial = $dir/serial-ca
crlnumber = $dir/number
certificate = $dir/root.pem
private_key = $dir/root.key
default_md = sha256
default_days = 365
default_crl_days = 30
policy = any
[any]
commonName = supplied
[stamping]
basicConstraints = critical, CA:false
extendedKeyUsage = critical, timeStamping
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[req]
distinguished_name = name
[name]
"""


@dataclass
class Office:
    """A root and a time-stamp authority below it, all by the openssl program, in a folder."""

    folder: Path

    def set_up(self) -> "Office":
        self.folder.mkdir()
        (self.folder / "ca.cnf").write_text(CA.format(folder=self.folder))
        (self.folder / "ts.cnf").write_text(CONFIGURATION.format(folder=self.folder, ess="sha256"))
        (self.folder / "index.txt").touch()
        for name in ("serial", "serial-ca", "number"):
            (self.folder / name).write_text("01\n")
        root = ("-x509", "-days", 3650, "-extensions", "root", "-subj", "/CN=Root of revocations")
        self._key("root", "root.pem", *root)
        self._key("tsa", "tsa.req", "-subj", "/CN=Time of revocations")
        self._ca(
            "-extensions", "stamping", "-in", self.folder / "tsa.req", "-out", self.folder / "tsa.pem", "-notext"
        )
        return self

    def _key(self, name: str, out: str, *options: object) -> None:
        made = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", self.folder / "ca.cnf")
        files = ("-keyout", self.folder / f"{name}.key", "-out", self.folder / out)
        openssl("req", "-new", *made, *files, *options)

    def _ca(self, *options: object) -> None:
        openssl("ca", "-batch", "-config", self.folder / "ca.cnf", *options)

    def stamped(self, house: House) -> Path:
        """The bundle of the run with a time stamp."""
        files = members(house.bundle("r1"))
        size = files["checkpoint"].split(b"\n")[1].decode()
        reply = reply_by_openssl(self.folder, query_by_openssl(self.folder, files["checkpoint"]))
        target = self.folder / f"{time.monotonic_ns()}.zip"
        target.write_bytes(packed({**files, f"anchors/{size}.tsr": reply}))
        return target

    def revoke(self, reason: str = "") -> None:
        time.sleep(1.1)
        self._ca("-revoke", self.folder / "tsa.pem", *(("-crl_reason", reason) if reason else ()))

    def crl(self, name: str = "list") -> Path:
        time.sleep(1.1)
        self._ca("-gencrl", "-out", self.folder / f"{name}.pem")
        return self.folder / f"{name}.pem"

    @property
    def root(self) -> Path:
        return self.folder / "root.pem"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path / "home")
    house.whole_run("r1")
    return house


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path / "office").set_up()


def graded(bundle: Path, office: Office, *crls: Path) -> tuple[str, list[str]]:
    answer = verify_bundle(bundle, tsa_certificates=[office.root], tsa_crls=crls)
    return answer["grade"], [one for one in answer["notices"] if "public-key" not in one]


def agrees(bundle: Path, office: Office, crl: Path) -> bool:
    """OpenSSL's word, which looks at the list alone and not at when it was revoked."""
    files = members(bundle)
    stamp = next(name for name in files if name.startswith("anchors/"))
    (office.folder / "note").write_bytes(files["checkpoint"])
    (office.folder / "stamp").write_bytes(files[stamp])
    both = office.folder / "both.pem"
    both.write_bytes(office.root.read_bytes() + crl.read_bytes())
    given = ("-data", office.folder / "note", "-in", office.folder / "stamp", "-CAfile", both, "-crl_check")
    done = openssl("ts", "-verify", *given, check=False)
    assert b"Verification: OK" in done.stdout or b"certificate revoked" in done.stdout + done.stderr, done
    return done.returncode == 0


def test_a_list_that_names_nobody(house: House, office: Office) -> None:
    bundle = office.stamped(house)
    assert graded(bundle, office) == ("TIMESTAMPED", [])
    crl = office.crl()
    assert graded(bundle, office, crl) == ("TIMESTAMPED", []) and agrees(bundle, office, crl)
    answer = verify_bundle(bundle, tsa_certificates=[office.root])
    assert "was not revoked, unless you gave its list with --tsa-crl" in answer["meaning"]


@pytest.mark.parametrize("reason", ["", "keyCompromise", "CACompromise"])
def test_a_key_that_was_lost_stamps_nothing_and_never_did(reason: str, house: House, office: Office) -> None:
    """RFC 3161, section 4: so where the reason is another or not said; nobody knows when it was lost."""
    before = office.stamped(house)
    office.revoke(reason)
    after, crl = office.stamped(house), office.crl()
    for bundle in (before, after):
        grade, notices = graded(bundle, office, crl)
        assert grade == "UNANCHORED" and "was revoked on" in notices[0], notices
        assert not agrees(bundle, office, crl)
        assert graded(bundle, office)[0] == "TIMESTAMPED", "what nobody gives can't be looked at"


@pytest.mark.parametrize("reason", ["superseded", "cessationOfOperation", "affiliationChanged"])
def test_a_key_that_was_given_up_stamped_well_before(reason: str, house: House, office: Office) -> None:
    before = office.stamped(house)
    office.revoke(reason)
    after, crl = office.stamped(house), office.crl()
    assert graded(before, office, crl) == ("TIMESTAMPED", [])
    grade, notices = graded(after, office, crl)
    assert grade == "UNANCHORED" and "was revoked on" in notices[0] and not agrees(after, office, crl)


def test_a_list_that_says_nothing_about_the_stamp_is_named(house: House, office: Office, tmp_path: Path) -> None:
    old = office.crl("old")
    time.sleep(1.1)
    bundle = office.stamped(house)
    grade, notices = graded(bundle, office, old)
    assert grade == "TIMESTAMPED" and "or are older than the stamp" in notices[0]
    other = Office(tmp_path / "other").set_up()
    # Another authority of the very same name: its list takes nobody's word away, and gives none.
    grade, notices = graded(bundle, office, other.crl())
    assert grade == "UNANCHORED" and "not signed by who issued" in notices[0]


def test_lists_in_der_and_several(house: House, office: Office, tmp_path: Path) -> None:
    bundle, first = office.stamped(house), office.crl("first")
    office.revoke("keyCompromise")
    second = office.crl("second")
    der = tmp_path / "list.der"
    openssl("crl", "-in", second, "-outform", "DER", "-out", der)
    both = tmp_path / "both.pem"
    both.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(read_revoked(both)) == 2
    for given in ((der,), (both,), (first, der)):
        assert graded(bundle, office, *given)[0] == "UNANCHORED"
    assert graded(bundle, office, first)[0] == "TIMESTAMPED"


@pytest.mark.parametrize(
    "content", [b"", b"words", b"\x30\x03\x02\x01\x00", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"]
)
def test_what_is_no_list(content: bytes, house: House, office: Office, tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(content)
    for path in (tmp_path / "list", tmp_path / "nowhere", tmp_path):
        with pytest.raises(BundleUnreadable, match="revocation list"):
            graded(house.bundle("r1"), office, path)


def test_every_flipped_byte_of_a_list(house: House, office: Office, tmp_path: Path) -> None:
    """None of them makes a certificate that was revoked hold."""
    bundle = office.stamped(house)
    office.revoke("keyCompromise")
    der = tmp_path / "list.der"
    openssl("crl", "-in", office.crl(), "-outform", "DER", "-out", der)
    whole, changed, seen = der.read_bytes(), tmp_path / "changed.der", set()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        changed.write_bytes(damaged)
        try:
            grade, notices = graded(bundle, office, changed)
        except BundleUnreadable:
            seen.add("unreadable")
            continue
        # A list of another issuer is none of this authority, and that is said.
        assert grade == "UNANCHORED" or "do not cover" in notices[0], at
        seen.add(grade)
    assert {"unreadable", "UNANCHORED"} <= seen


def test_every_flipped_byte_of_a_certificate_that_is_named(house: House, office: Office, tmp_path: Path) -> None:
    """A damaged file is a sentence; a version that does not exist was an error of another kind, and a traceback."""
    bundle, changed, seen = office.stamped(house), tmp_path / "root.der", set()
    openssl("x509", "-in", office.root, "-outform", "DER", "-out", changed)
    whole = changed.read_bytes()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 1 << at % 8
        changed.write_bytes(damaged)
        try:
            seen.add(str(verify_bundle(bundle, tsa_certificates=[changed])["grade"]))
        except BundleUnreadable as error:
            assert "holds no certificate" in error.sentence
            seen.add("unreadable")
    # A root that is named is not held against its own signature: bytes that change neither name, key nor dates change nothing.
    assert {"unreadable", "UNANCHORED"} <= seen
