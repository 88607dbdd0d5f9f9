"""The key that signs the evidence log: never logged, printed, or put into an event."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import stat
import sys
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring
from qverify_desktop.settings.private_files import create_private, replace_private

KEYRING_PROTECTION = "keyring"
FILE_PROTECTION = "unprotected key"

KEY_FILE = "signing-key"
PLACE_FILE = "signing-key.place"
#: What is behind the name of a file while it holds the key that is to come.
NEXT = ".next"
#: The key of attestations (DSSE): beside the log's, and never the same.
ATTESTATION_KEY_FILE = "attestation-key"


class SigningKeyStore:
    """Keeps one of the installation's Ed25519 private keys (RFC 8032, 32 raw bytes) in the keyring, or else in a 0600 file.

    Where the key was put once it is looked for ever after: a log whose key changed in silence would look forked. The file
    ``<name>.place`` names the keyring's entry; it holds no secret.
    """

    def __init__(
        self,
        home: Path,
        *,
        keyring: bool = True,
        open_keyring: Callable[[], OsKeyring] = OsKeyring.open,
        name: str = KEY_FILE,
    ) -> None:
        self._home = home
        self._name = name
        self._file = home / name
        self._place = home / f"{name}.place"
        self._keyring = keyring
        self._open_keyring = open_keyring

    def load_or_create(self) -> tuple[bytes, str]:
        """The private key and its protection, ``"keyring"`` or ``"unprotected key"``. Blocking: call it in a thread.

        Raises ``MissingPrerequisite`` when the key is there but can't be used (permissions too wide, keyring locked,
        damaged), or when the home folder can't be written to.
        """
        try:
            if self._file.exists():
                return self._read_file(), FILE_PROTECTION
            if self._place.exists():
                return self._read_keyring(), KEYRING_PROTECTION
            return self._create()
        except OSError as error:
            raise MissingPrerequisite(
                f"The signing key in {self._home} can't be read or written ({(error.strerror or str(error)).lower()}).",
                "Point QVERIFY_HOME at a folder you may write, for example: export QVERIFY_HOME=$HOME/qverify",
            ) from None

    def prepare(self) -> tuple[bytes, str]:
        """A new key beside the one in use, kept as safely as this machine can; ``promote`` puts it in its place. One that was prepared
        before and not promoted is given up. Raises ``MissingPrerequisite``; the key in use stays as it is in any case."""
        self.discard()
        return self._create(NEXT)

    def prepared(self) -> tuple[bytes, str] | None:
        """The key that is to come, where one was prepared. Raises ``MissingPrerequisite`` as ``load_or_create`` does."""
        if (self._home / f"{self._name}{NEXT}").exists():
            return self._read_file(NEXT), FILE_PROTECTION
        if (self._home / f"{self._name}.place{NEXT}").exists():
            return self._read_keyring(NEXT), KEYRING_PROTECTION
        return None

    def promote(self) -> None:
        """Put the prepared key in the place of the one in use, whose private half is then gone for good. It may be cut off anywhere and
        done again. Raises ``OSError``."""
        old = self._entry("")
        if (self._home / f"{self._name}{NEXT}").exists():
            (self._place).unlink(missing_ok=True)
            (self._home / f"{self._name}{NEXT}").replace(self._file)
        elif (self._home / f"{self._name}.place{NEXT}").exists():
            content = (self._home / f"{self._name}.place{NEXT}").read_bytes()
            replace_private(self._place, content)
            (self._file).unlink(missing_ok=True)
            (self._home / f"{self._name}.place{NEXT}").unlink()
        if old and old != self._entry(""):
            self._forget(old)

    def discard(self) -> None:
        """Give up a prepared key: nothing was signed with it."""
        entry = self._entry(NEXT)
        (self._home / f"{self._name}.place{NEXT}").unlink(missing_ok=True)
        (self._home / f"{self._name}{NEXT}").unlink(missing_ok=True)
        if entry and entry != self._entry(""):
            self._forget(entry)

    def _entry(self, which: str) -> str:
        """Name of the keyring's entry; empty where the key is in none."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            return str(json.loads((self._home / f"{self._name}.place{which}").read_bytes())["keyring"])
        return ""

    def _forget(self, entry: str) -> None:
        """An entry that no file names any more is of no harm, so a keyring that does not answer now is none either."""
        with contextlib.suppress(KeyringUnavailable):
            self._open_keyring().remove(entry)

    def _create(self, which: str = "") -> tuple[bytes, str]:
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        if self._keyring:
            try:
                keyring = self._open_keyring()
                entry = f"{self._name}-{secrets.token_hex(8)}"
                keyring.put(entry, base64.b64encode(private).decode())
                if keyring.get(entry) == base64.b64encode(private).decode():
                    create_private(self._home / f"{self._name}.place{which}", json.dumps({"keyring": entry}).encode())
                    return private, KEYRING_PROTECTION
            except KeyringUnavailable:
                pass
        try:
            create_private(self._home / f"{self._name}{which}", base64.b64encode(private) + b"\n")
        except FileExistsError:
            return self._read_file(which), FILE_PROTECTION
        return private, FILE_PROTECTION

    def _read_file(self, which: str = "") -> bytes:
        path = self._home / f"{self._name}{which}"
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if sys.platform != "win32" and mode & 0o077:
                raise MissingPrerequisite(
                    f"The signing key {path} may be read by others (permissions {mode:04o}), so it was not used.",
                    f"Type: chmod 600 {path}",
                )
            return _decoded(file.read(4096), str(path))

    def _read_keyring(self, which: str = "") -> bytes:
        place = self._home / f"{self._name}.place{which}"
        try:
            entry = str(json.loads(place.read_bytes())["keyring"])
        except (ValueError, KeyError, TypeError):
            raise _damaged(str(place)) from None
        try:
            value = self._open_keyring().get(entry)
        except KeyringUnavailable as error:
            raise MissingPrerequisite(
                f"This installation's signing key lies in the keyring, which can't be used now: {error}",
                "Unlock the keyring (sign in to the desktop), or set QVERIFY_HOME to a folder of its own for this session.",
            ) from None
        if value is None:
            raise MissingPrerequisite(
                "The keyring no longer holds this installation's signing key; the log can't be continued under it.",
                f"Move {self._home} away to keep its evidence, and start anew.",
            )
        return _decoded(value.encode(), "the keyring")


def _decoded(text: bytes, where: str) -> bytes:
    try:
        private = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise _damaged(where) from None
    if len(private) != 32:
        raise _damaged(where)
    return private


def _damaged(where: str) -> MissingPrerequisite:
    return MissingPrerequisite(
        f"The signing key in {where} is damaged, so nothing can be signed under it.",
        "Put it back from a backup, or move the state folder away to start with a new key.",
    )
