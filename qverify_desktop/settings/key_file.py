"""Keys of models in a file that a passphrase opens, for machines with no keyring.

Three lines of ASCII. First a JSON object with the parameters; then, in base64, the HMAC-SHA256 (RFC 2104) of that line; then
ChaCha20-Poly1305's ciphertext (RFC 8439) of the keys with that line as its associated data. scrypt (RFC 7914) makes 64 bytes out of
the passphrase: the first half is the cipher's key, the second that of the HMAC. The HMAC tells a wrong passphrase from a damaged
file and gives a guesser nothing that the cipher's own tag would not give.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import stat
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, WrongPassphrase
from qverify_desktop.settings.private_files import replace_private

FOLDER = "keys"
FILE = "keys.sealed"
FORMAT = "qverify-keys"
VERSION = 1
CIPHER = "chacha20-poly1305"

#: scrypt as it is written: 128 * n * r bytes, here 128 MiB, and about half a second.
N, R, P = 2**17, 8, 1
#: What is accepted of a file: a hostile one may ask for no more than 256 MiB and some seconds.
MOST_MEMORY = 256 * 2**20
MOST_P = 4
LEAST_N = 2**10
SALT_BYTES, NONCE_BYTES = 32, 12
MOST_BYTES = 256 * 1024
MOST_KEYS, MOST_KEY = 100, 16_384
#: The plain text is filled up to a multiple of this, so that the file's size says little of its keys.
BLOCK = 1024
SHORTEST_PASSPHRASE, LONGEST_PASSPHRASE = 8, 1024

_AGAIN = "Put it back from a backup, or remove it and set the keys again."


@dataclass(frozen=True)
class _Head:
    """The first line as it is in the file, and what it says."""

    line: bytes
    n: int
    r: int
    p: int
    salt: bytes
    nonce: bytes


class KeyFile:
    """The file of a state folder. Every method blocks; ``read`` and ``write`` take half a second for scrypt."""

    def __init__(self, home: Path, *, n: int = N) -> None:
        self._folder = home / FOLDER
        self.path = self._folder / FILE
        self._n = n

    def exists(self) -> bool:
        return os.path.lexists(self.path)

    def read(self, passphrase: str) -> dict[str, str]:
        """The keys by provider. Raises ``WrongPassphrase``, and ``MissingPrerequisite`` for a file that can't be used."""
        head, check, sealed = self._parts(self._content())
        cipher_key, check_key = _derived(passphrase, head)
        if not hmac.compare_digest(hmac.digest(check_key, head.line, "sha256"), check):
            raise WrongPassphrase(
                "This passphrase does not open the key file, or the file's first line was changed. Nothing was changed.",
                f"Try again. Without the passphrase the keys are lost: remove {self.path} and set them anew.",
            )
        try:
            plain = ChaCha20Poly1305(cipher_key).decrypt(head.nonce, sealed, head.line)
        except InvalidTag:
            raise MissingPrerequisite(
                f"The key file {self.path} was changed or damaged after QVerify wrote it, so no key of it is used.",
                _AGAIN,
            ) from None
        return self._keys(plain)

    def write(self, passphrase: str, keys: Mapping[str, str]) -> None:
        """Seal the keys under a new salt, in one piece: after a power cut there is the old file or the new one.

        Raises ``BadInput`` for a passphrase that is too short, ``MissingPrerequisite`` where the disk does not take it.
        """
        check_passphrase(passphrase)
        salt, nonce = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(NONCE_BYTES)
        fields = {
            "format": FORMAT,
            "version": VERSION,
            "kdf": "scrypt",
            "n": self._n,
            "r": R,
            "p": P,
            "salt": _text(salt),
            "cipher": CIPHER,
            "nonce": _text(nonce),
        }
        line = json.dumps(fields, separators=(",", ":")).encode("ascii")
        cipher_key, check_key = _derived(passphrase, _Head(line, self._n, R, P, salt, nonce))
        plain = json.dumps({"keys": dict(keys)}).encode()
        sealed = ChaCha20Poly1305(cipher_key).encrypt(nonce, plain + b" " * (-len(plain) % BLOCK), line)
        check = hmac.digest(check_key, line, "sha256")
        self._store(b"".join((line, b"\n", _text(check).encode(), b"\n", _text(sealed).encode(), b"\n")))

    def _content(self) -> bytes:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            with os.fdopen(descriptor, "rb") as file:
                facts = os.fstat(descriptor)
                if not stat.S_ISREG(facts.st_mode):
                    raise self._unusable("is no plain file")
                self._check_private(self.path, facts, 0o600)
                self._check_private(self._folder, self._folder.stat(), 0o700)
                content = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            raise MissingPrerequisite(
                f"There is no key file {self.path}.", "Make one: qverify keys set PROVIDER --store file"
            ) from None
        except OSError as error:
            raise self._unusable(f"can't be read ({(error.strerror or str(error)).lower()})") from None
        if len(content) > MOST_BYTES:
            raise self._unusable("is larger than any that QVerify writes")
        return content

    def _check_private(self, path: Path, facts: os.stat_result, right: int) -> None:
        if sys.platform == "win32":
            return
        mode = stat.S_IMODE(facts.st_mode)
        if mode & 0o077:
            raise MissingPrerequisite(
                f"{path} is open to others (permissions {mode:04o}), so no key of it was used.",
                f"Type: chmod {right:o} {path}",
            )
        if facts.st_uid != os.geteuid():
            raise MissingPrerequisite(
                f"{path} belongs to another account, so no key of it was used.", "Remove it and set the keys again."
            )

    def _parts(self, content: bytes) -> tuple[_Head, bytes, bytes]:
        """Head, check and ciphertext. Raises ``MissingPrerequisite`` with what is wrong about their form."""
        lines = content.split(b"\n")
        if len(lines) < 4 and (not content or content.startswith(b'{"format":"' + FORMAT.encode())):
            raise self._unusable("is cut off")
        try:
            fields = json.loads(lines[0].decode("ascii"))
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict) or fields.get("format") != FORMAT:
            raise self._unusable("is no key file of QVerify")
        version = fields.get("version")
        if type(version) is int and version > VERSION:
            raise MissingPrerequisite(
                f"The key file {self.path} was written by a newer QVerify (form {version}); this one reads form {VERSION}.",
                "Update QVerify, or set the keys again under another state folder (QVERIFY_HOME).",
            )
        if type(version) is not int or version != VERSION or len(lines) != 4 or lines[3]:
            raise self._unusable("is damaged")
        return self._head(lines[0], fields), self._bytes(lines[1], 32), self._bytes(lines[2])

    def _head(self, line: bytes, fields: Mapping[str, Any]) -> _Head:
        n, r, p = fields.get("n"), fields.get("r"), fields.get("p")
        salt, nonce = fields.get("salt"), fields.get("nonce")
        if fields.get("kdf") != "scrypt" or fields.get("cipher") != CIPHER:
            raise self._unusable("names a cipher that QVerify does not know")
        if type(n) is not int or type(r) is not int or type(p) is not int:
            raise self._unusable("is damaged")
        if n < LEAST_N or n & (n - 1) or r < 1 or not 1 <= p <= MOST_P or 128 * n * r > MOST_MEMORY:
            raise self._unusable("asks for work that QVerify does not do (n, r and p of scrypt are out of bounds)")
        if not isinstance(salt, str) or not isinstance(nonce, str):
            raise self._unusable("is damaged")
        return _Head(line, n, r, p, self._bytes(salt.encode(), SALT_BYTES), self._bytes(nonce.encode(), NONCE_BYTES))

    def _bytes(self, text: bytes, length: int = 0) -> bytes:
        try:
            value = base64.b64decode(text, validate=True)
        except ValueError:
            raise self._unusable("is damaged") from None
        # One value has one spelling (RFC 4648 section 3.5): what was changed is told, even where it means the same.
        if (length and len(value) != length) or not value or base64.b64encode(value) != text:
            raise self._unusable("is damaged")
        return value

    def _keys(self, plain: bytes) -> dict[str, str]:
        try:
            keys = json.loads(plain)["keys"]
            sound = isinstance(keys, dict) and len(keys) <= MOST_KEYS
            sound = sound and all(isinstance(key, str) and 0 < len(key) <= MOST_KEY for key in keys.values())
        except (ValueError, KeyError, TypeError, RecursionError):
            sound = False
        if not sound:
            raise self._unusable("does not hold what it should")
        return dict(keys)

    def _unusable(self, what: str) -> MissingPrerequisite:
        return MissingPrerequisite(f"The key file {self.path} {what}, so no key of it is used.", _AGAIN)

    def _store(self, content: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._check_private(self._folder, self._folder.stat(), 0o700)
            replace_private(self.path, content)
        except OSError as error:
            raise MissingPrerequisite(
                f"The key file {self.path} can't be written ({error.strerror or error}). Nothing was changed.",
                "Make room or make the folder writable, then try again.",
            ) from None


def check_passphrase(passphrase: str) -> None:
    """Raises ``BadInput`` for a passphrase that is refused for a new file."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise BadInput(
            f"The passphrase is too short: it needs at least {SHORTEST_PASSPHRASE} characters.",
            "Take several words: whoever copies the file can guess short ones.",
        )
    if len(passphrase) > LONGEST_PASSPHRASE or "\0" in passphrase:
        raise BadInput(f"The passphrase can't be used: it may have at most {LONGEST_PASSPHRASE} characters.")


def _derived(passphrase: str, head: _Head) -> tuple[bytes, bytes]:
    """The cipher's key and the HMAC's. One passphrase typed on two systems is the same text in Unicode's form NFC."""
    text = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
    try:
        made = Scrypt(salt=head.salt, length=64, n=head.n, r=head.r, p=head.p).derive(text)
    except MemoryError:
        raise MissingPrerequisite(
            f"There is not enough memory to open the key file ({128 * head.n * head.r // 2**20} MiB are needed).",
            "Close other programs and try again.",
        ) from None
    return made[:32], made[32:]


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
