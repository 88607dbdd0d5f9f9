"""Whom the person trusts to confirm when a log was as it is, as the settings name them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

_KEY = re.compile(r"[^\s+,]{1,200}\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}={0,2}")


@dataclass(frozen=True)
class Witness:
    """A witness of C2SP tlog-witness: its verifier key (``name+hash+base64``) and its submission prefix."""

    key: str
    url: str

    @property
    def name(self) -> str:
        return self.key.partition("+")[0]


def witnesses_of(text: str) -> tuple[Witness, ...]:
    """Read ``KEY URL, KEY URL``. Raises ``ValueError`` with a sentence's end that says what is wrong."""
    found = []
    for part in text.split(","):
        words = part.split()
        if not words:
            continue
        if len(words) != 2 or not _KEY.fullmatch(words[0]):
            raise ValueError(
                "each witness is its verifier key (name+hash+key), a space and its address; commas stand between them"
            )
        check_address(words[1])
        found.append(Witness(words[0], words[1]))
    if len({one.key for one in found}) != len(found):
        raise ValueError("a witness stands twice")
    return tuple(found)


def check_address(url: str) -> None:
    """Raises ``ValueError`` for what is no address of a service: it is shown and kept in the open, so it holds no password."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it is what checks it)
    except ValueError:
        raise ValueError("an address can't be read") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable():
        raise ValueError("an address begins with https:// or http://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("an address here has no user name, no password and no fragment")
