"""One question over HTTP to a service that confirms checkpoints; what it may send back is bounded in bytes and time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from qverify_desktop.domain.connections import Gate, Purpose

#: Bytes of an answer, and seconds for all of it.
MOST_BYTES, MOST_SECONDS = 128 << 10, 30.0


class NotConfirmed(Exception):
    """Nothing was confirmed; ``sentence`` says why. ``final``: it won't be, however often one asks. ``closed``: it was not even asked,
    because the settings close the connection."""

    def __init__(self, sentence: str, *, final: bool = False, closed: bool = False) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.final = final
        self.closed = closed


@dataclass(frozen=True)
class Confirmed:
    """What came: the bytes to keep, who it is by, and when it was made (RFC 3339)."""

    content: bytes
    by: str
    made_at: str


@dataclass(frozen=True)
class Answer:
    status: int
    kind: str
    body: bytes


def post(url: str, body: bytes, kind: str, gate: Gate, purpose: Purpose) -> Answer:
    """Blocking. Redirects are not followed: the address is the one that a person set. Raises ``NotConfirmed``."""
    import httpx

    host = urlsplit(url).hostname or ""
    refusal = gate.refusal(purpose, host)
    if refusal is not None:
        raise NotConfirmed(refusal.sentence, closed=True)
    until = time.monotonic() + MOST_SECONDS
    headers = {"content-type": kind, "accept-encoding": "identity", "user-agent": "qverify"}
    try:
        # A service on this machine is reached past any proxy.
        with (
            httpx.Client(timeout=10.0, follow_redirects=False) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            read = bytearray()
            for chunk in response.iter_raw():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise NotConfirmed(f"{host} sent more than {MOST_BYTES >> 10} KiB, which no such answer has.")
                if time.monotonic() > until:
                    raise NotConfirmed(f"{host} did not end its answer within {MOST_SECONDS:g} seconds.")
            return Answer(response.status_code, response.headers.get("content-type", ""), bytes(read))
    except httpx.TimeoutException:
        raise NotConfirmed(f"{host} did not answer in time.") from None
    except httpx.ConnectError:
        raise NotConfirmed(f"{host} can't be reached.") from None
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        raise NotConfirmed(f"{host} could not be asked ({type(error).__name__}).") from None


def said(answer: Answer, host: str) -> NotConfirmed:
    """What a status means that is of HTTP and of no protocol above it."""
    return NotConfirmed(f"{host} answered with the status {answer.status}.")
