"""Time-stamp authorities: certificates, stamps by OpenSSL over real HTTP, and stamps that no honest authority would make."""

import hashlib
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
NOW = datetime.now(UTC).replace(microsecond=0)
STAMPING = (ExtendedKeyUsageOID.TIME_STAMPING,)

CONFIGURATION = """
[tsa]
default_tsa = here
[here]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = no
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = {ess}
"""


@dataclass
class Authority:
    """A root, and a certificate for time stamps that it issued."""

    root: x509.Certificate
    certificate: x509.Certificate
    key: Key
    chain: list[x509.Certificate] = field(default_factory=list)

    @classmethod
    def make(
        cls,
        *,
        usage: tuple[x509.ObjectIdentifier, ...] = STAMPING,
        critical: bool = True,
        valid: tuple[datetime, datetime] = (NOW - timedelta(days=1), NOW + timedelta(days=365)),
        issuer_is_ca: bool = True,
        curve: bool = False,
    ) -> "Authority":
        root_key, key = ec.generate_private_key(ec.SECP256R1()), _key(curve)
        root = _certificate("Root of tests", "Root of tests", root_key, root_key, ca=issuer_is_ca)
        extension = x509.ExtendedKeyUsage(usage)
        leaf = _certificate(
            "Time of tests", "Root of tests", key, root_key, valid=valid, extra=((extension, critical),)
        )
        return cls(root, leaf, key)

    def write(self, folder: Path, ess: str = "sha256") -> Path:
        """Everything as ``openssl ts`` wants it; answers the file of the root."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "root.pem").write_bytes(self.root.public_bytes(Encoding.PEM))
        (folder / "tsa.pem").write_bytes(self.certificate.public_bytes(Encoding.PEM))
        plain = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "tsa.key").write_bytes(plain)
        (folder / "serial").write_text("01\n")
        (folder / "ts.cnf").write_text(CONFIGURATION.format(folder=folder, ess=ess))
        return folder / "root.pem"


def _key(curve: bool) -> Key:
    return ec.generate_private_key(ec.SECP256R1()) if curve else rsa.generate_private_key(65537, 2048)


def _certificate(
    subject: str,
    issuer: str,
    key: Key,
    signer: ec.EllipticCurvePrivateKey,
    *,
    ca: bool = False,
    valid: tuple[datetime, datetime] = (NOW - timedelta(days=2), NOW + timedelta(days=3650)),
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    return builder.sign(signer, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def openssl(*arguments: object, check: bool = True) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=check, timeout=30)


def reply_by_openssl(folder: Path, query: bytes) -> bytes:
    """What ``openssl ts`` answers to a query."""
    (folder / "query.tsq").write_bytes(query)
    files = ("-queryfile", folder / "query.tsq", "-signer", folder / "tsa.pem", "-inkey", folder / "tsa.key")
    openssl("ts", "-reply", "-config", folder / "ts.cnf", *files, "-out", folder / "reply.tsr")
    return (folder / "reply.tsr").read_bytes()


def query_by_openssl(folder: Path, data: bytes) -> bytes:
    (folder / "data").write_bytes(data)
    made = openssl("ts", "-query", "-data", folder / "data", "-sha256", "-cert")
    return made.stdout


# -- stamps of our own making


def tlv(tag: int, *parts: bytes) -> bytes:
    """One value of DER."""
    content = b"".join(parts)
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size) + content


def number(value: int) -> bytes:
    return tlv(0x02, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


def name_of(dotted: str) -> bytes:
    parts = [int(part) for part in dotted.split(".")]
    encoded = b""
    for part in (40 * parts[0] + parts[1], *parts[2:]):
        group = bytes([part & 0x7F])
        while part := part >> 7:
            group = bytes([0x80 | part & 0x7F]) + group
        encoded += group
    return tlv(0x06, encoded)


SHA256_ID = tlv(0x30, name_of("2.16.840.1.101.3.4.2.1"))


def stamp_by_hand(
    authority: Authority,
    data: bytes,
    *,
    at: datetime = NOW,
    nonce: int | None = 7,
    status: int = 0,
    bound: x509.Certificate | None = None,
    digest: bytes | None = None,
    carry: bool = True,
    others: tuple[x509.Certificate, ...] = (),
) -> bytes:
    """A TimeStampResp over ``data``. ``bound`` is the certificate that the signed attributes name, ``digest`` what they say of the
    content, ``carry`` whether the signer's certificate is in it."""
    parts = [
        number(1),
        name_of("1.2.3.4.1"),
        tlv(0x30, SHA256_ID, tlv(0x04, hashlib.sha256(data).digest())),
        number(1),
        tlv(0x18, at.strftime("%Y%m%d%H%M%SZ").encode()),
    ]
    info = tlv(0x30, *parts, *([] if nonce is None else [number(nonce)]))
    named = (bound or authority.certificate).fingerprint(hashes.SHA256())
    attributes = sorted(
        (
            tlv(0x30, name_of("1.2.840.113549.1.9.3"), tlv(0x31, name_of("1.2.840.113549.1.9.16.1.4"))),
            tlv(0x30, name_of("1.2.840.113549.1.9.4"), tlv(0x31, tlv(0x04, digest or hashlib.sha256(info).digest()))),
            tlv(
                0x30,
                name_of("1.2.840.113549.1.9.16.2.47"),
                tlv(0x31, tlv(0x30, tlv(0x30, tlv(0x30, tlv(0x04, named))))),
            ),
        )
    )
    message = tlv(0x31, *attributes)
    if isinstance(authority.key, rsa.RSAPrivateKey):
        scheme, signature = "1.2.840.113549.1.1.11", authority.key.sign(message, PKCS1v15(), hashes.SHA256())
    else:
        scheme, signature = "1.2.840.10045.4.3.2", authority.key.sign(message, ec.ECDSA(hashes.SHA256()))
    signer = tlv(
        0x30,
        number(1),
        tlv(0x30, authority.certificate.issuer.public_bytes(), number(authority.certificate.serial_number)),
        SHA256_ID,
        tlv(0xA0, *attributes),
        tlv(0x30, name_of(scheme)),
        tlv(0x04, signature),
    )
    carried = [*([authority.certificate] if carry else []), *others]
    signed = tlv(
        0x30,
        number(3),
        tlv(0x31, SHA256_ID),
        tlv(0x30, name_of("1.2.840.113549.1.9.16.1.4"), tlv(0xA0, tlv(0x04, info))),
        *([tlv(0xA0, *sorted(one.public_bytes(Encoding.DER) for one in carried))] if carried else []),
        tlv(0x31, signer),
    )
    return tlv(0x30, tlv(0x30, number(status)), tlv(0x30, name_of("1.2.840.113549.1.7.2"), tlv(0xA0, signed)))


# -- over HTTP

#: What a service answers to a body: status, type, content.
Reply = Callable[[bytes], tuple[int, str, bytes]]


@contextmanager
def served(reply: Reply) -> Iterator[tuple[str, list[bytes]]]:
    """A real HTTP server on loopback; yields its address and the bodies that it was asked."""
    asked: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            asked.append(body)
            status, kind, content = reply(body)
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsa", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
