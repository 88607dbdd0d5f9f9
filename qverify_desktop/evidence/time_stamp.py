"""A time stamp (RFC 3161) of a checkpoint, asked of the authority that the person chose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.evidence.exchange import Confirmed, NotConfirmed, post, said
from qverify_desktop.evidence.verify import Broken, BundleUnreadable, Stamp, parse_stamp, read_certificates, why_not

_QUERY = "application/timestamp-query"


def authorities(path: str) -> list[x509.Certificate]:
    """The trusted certificates of a file; none for no file. Raises ``NotConfirmed``."""
    try:
        return read_certificates(Path(path)) if path else []
    except BundleUnreadable as error:
        raise NotConfirmed(f"{error.sentence} Correct the setting time_stamp_certificate.") from None


def stamp(note: bytes, url: str, trusted: Sequence[x509.Certificate], gate: Gate) -> Confirmed:
    """Have the bytes of a checkpoint's note stamped. What comes is read twice, by the library that asked and by the auditor's own
    verifier, and kept only where both are content; without ``trusted`` certificates nobody says who it is by. Blocking.

    Raises ``NotConfirmed``.
    """
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    host = urlsplit(url).hostname or ""
    request = (
        TimestampRequestBuilder()
        .data(note)
        .hash_algorithm(HashAlgorithm.SHA256)
        .cert_request(cert_request=True)
        .build()
    )
    answer = post(url, request.as_bytes(), _QUERY, gate, Purpose.TIME_STAMP)
    if answer.status != 200:
        raise said(answer, host)
    try:
        _read_by_library(answer.body, note, request, trusted)
        made = parse_stamp(answer.body, note, trusted)
    except Broken as broken:
        raise NotConfirmed(f"What {host} sent is no use as a time stamp: {broken}.") from None
    if made.nonce != request.nonce:
        raise NotConfirmed(f"What {host} sent answers another question (its nonce differs).")
    reason = why_not(made, trusted) if trusted else ""
    if reason:
        raise NotConfirmed(f"What {host} sent proves nothing: {reason}.")
    return Confirmed(answer.body, name_of(made), made.at.strftime("%Y-%m-%dT%H:%M:%SZ"))


def name_of(made: Stamp) -> str:
    """Whom the signer's certificate names, on one printable line."""
    return ascii(made.signer.subject.rfc4514_string())[1:-1][:200]


def _read_by_library(body: bytes, note: bytes, request: object, trusted: Sequence[x509.Certificate]) -> None:
    """Raises ``Broken``."""
    from rfc3161_client import TimeStampRequest, VerificationError, VerifierBuilder, decode_timestamp_response

    assert isinstance(request, TimeStampRequest)
    try:
        response = decode_timestamp_response(body)
        if response.status not in (0, 1):
            raise Broken("the authority refused to stamp")
        roots = [one for one in trusted if one.issuer == one.subject]
        # The library knows trust by roots alone; where others are named, the verifier below judges.
        if roots and len(roots) == len(trusted):
            builder = VerifierBuilder.from_request(request)
            for root in roots:
                builder = builder.add_root_certificate(root)
            builder.build().verify_message(response, note)
    except VerificationError as error:
        raise Broken(str(error)[:200]) from None
    except ValueError as error:
        raise Broken(f"it can't be read ({ascii(str(error))[1:-1][:100]})") from None
