"""Secrets: the key that signs the evidence log, and the keys of paid models.

Neither is ever logged, printed, put into an event, or left in the environment of a child process.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, MutableMapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring

KEYRING_PROTECTION = "keyring"
FILE_PROTECTION = "unprotected key"

KEY_FILE = "signing-key"
PLACE_FILE = "signing-key.place"


class SigningKeyStore:
    """Keeps the installation's Ed25519 private key (RFC 8032, 32 raw bytes) in the keyring, or else in a 0600 file.

    Where the key was put once it is looked for ever after: a log whose key changed in silence would look forked. The file
    ``signing-key.place`` names the keyring's entry; it holds no secret.
    """

    def __init__(
        self, home: Path, *, keyring: bool = True, open_keyring: Callable[[], OsKeyring] = OsKeyring.open
    ) -> None:
        self._home = home
        self._keyring = keyring
        self._open_keyring = open_keyring

    def load_or_create(self) -> tuple[bytes, str]:
        """The private key and its protection, ``"keyring"`` or ``"unprotected key"``. Blocking: call it in a thread.

        Raises ``MissingPrerequisite`` when the key is there but can't be used (permissions too wide, keyring locked,
        damaged), or when the home folder can't be written to.
        """
        try:
            if (self._home / KEY_FILE).exists():
                return self._read_file(), FILE_PROTECTION
            if (self._home / PLACE_FILE).exists():
                return self._read_keyring(), KEYRING_PROTECTION
            return self._create()
        except OSError as error:
            raise MissingPrerequisite(
                f"The signing key in {self._home} can't be read or written ({(error.strerror or str(error)).lower()}).",
                "Point QVERIFY_HOME at a folder you may write, for example: export QVERIFY_HOME=$HOME/qverify",
            ) from None

    def _create(self) -> tuple[bytes, str]:
        private = Ed25519PrivateKey.generate().private_bytes_raw()
        if self._keyring:
            try:
                keyring = self._open_keyring()
                entry = f"signing-key-{secrets.token_hex(8)}"
                keyring.put(entry, base64.b64encode(private).decode())
                if keyring.get(entry) == base64.b64encode(private).decode():
                    write_private(self._home / PLACE_FILE, json.dumps({"keyring": entry}).encode())
                    return private, KEYRING_PROTECTION
            except KeyringUnavailable:
                pass
        try:
            write_private(self._home / KEY_FILE, base64.b64encode(private) + b"\n")
        except FileExistsError:
            return self._read_file(), FILE_PROTECTION
        return private, FILE_PROTECTION

    def _read_file(self) -> bytes:
        path = self._home / KEY_FILE
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
        with os.fdopen(descriptor, "rb") as file:
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            if sys.platform != "win32" and mode & 0o077:
                raise MissingPrerequisite(
                    f"The signing key {path} may be read by others (permissions {mode:04o}), so it was not used.",
                    f"Type: chmod 600 {path}",
                )
            return _decoded(file.read(4096), str(path))

    def _read_keyring(self) -> bytes:
        place = self._home / PLACE_FILE
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


def write_private(path: Path, content: bytes) -> None:
    """Create ``path`` with 0600 in one step: it is never there half, never wider, and an existing file stays as it is.

    Raises ``FileExistsError`` when it is there already.
    """
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if sys.platform == "win32":
            os.rename(temporary, path)  # noqa: PTH104  (fails where the name is taken, as link does elsewhere)
        else:
            os.link(temporary, path)
    finally:
        Path(temporary).unlink(missing_ok=True)


#: Environment variables that hold a model's key, and the provider they are for ("" for whatever end point is used).
KEY_VARIABLES = {
    "QVERIFY_API_KEY": "",
    "OPENAI_API_KEY": "openai",
    "ANTHROPIC_API_KEY": "anthropic",
    "AZURE_API_KEY": "azure",
    "AZURE_OPENAI_API_KEY": "azure",
    "OLLAMA_API_KEY": "ollama",
}


#: Name in the keyring of the key for whatever end point is used; a provider's own has the provider's name behind it.
_ANY_KEY = "api-key-"


class ApiKeys:
    """Keys of models, from the environment or the keyring.

    ``take`` removes them from the environment, so that no child process (git, docker, a build) inherits them.
    """

    def __init__(self, keys: dict[str, SecretStr], keyring: OsKeyring | None = None) -> None:
        self._keys = keys
        self._keyring = keyring
        self._is_kept = True
        self._used: set[str] = set()

    @classmethod
    def take(cls, environ: MutableMapping[str, str] | None = None, keyring: OsKeyring | None = None) -> ApiKeys:
        """Take the keys out of ``environ`` (``os.environ`` by default)."""
        environ = os.environ if environ is None else environ
        keys: dict[str, SecretStr] = {}
        for variable, provider in KEY_VARIABLES.items():
            value = environ.pop(variable, "").strip()
            if value:
                keys.setdefault(provider, SecretStr(value))
        return cls(keys, keyring)

    def for_provider(self, provider: str, *, general: bool = True) -> SecretStr | None:
        """The key for a provider: its own variable, then its own in the keyring. Then, where ``general`` allows it, the key for
        whatever end point is used (``QVERIFY_API_KEY``, the keyring): never where several end points are asked, or one provider
        would be sent another's key. May block.
        """
        key = self._keys.get(provider)
        if key is None:
            own = self._kept(f"{_ANY_KEY}{provider}") if provider else ""
            if not own and general and (anybodys := self._keys.get("")) is not None:
                return anybodys
            kept = own or (self._kept(_ANY_KEY) if general else "")
            key = SecretStr(kept) if kept else None
            if key is not None:
                self._used.add(kept)
        return key

    def values(self) -> list[str]:
        """The keys of this process, for looking whether one of them stands where it must not."""
        return [key.get_secret_value() for key in self._keys.values()] + sorted(self._used)

    def _kept(self, name: str) -> str:
        """An entry of the keyring, empty where there is none."""
        if self._keyring is None:
            return ""
        try:
            return self._keyring.get(name) or ""
        except KeyringUnavailable:
            return ""

    def keep(self, key: str) -> None:
        """Use this key from now on, and keep it in the keyring where there is one; empty forgets it. Blocking.

        Raises ``MissingPrerequisite`` when the keyring does not let go of it; then nothing was changed.
        """
        if not key:
            self._remove()
            return
        self._keys[""] = SecretStr(key)
        self._is_kept = False
        if self._keyring is not None:
            with contextlib.suppress(KeyringUnavailable):
                self._keyring.put(_ANY_KEY, key)
                self._is_kept = True

    def _remove(self) -> None:
        if self._keyring is not None:
            try:
                if self._keyring.get(_ANY_KEY) is not None:
                    self._keyring.remove(_ANY_KEY)
            except KeyringUnavailable as error:
                raise MissingPrerequisite(
                    f"The key may still be in the keyring: {error} Nothing was changed.",
                    "Unlock the keyring, then remove the key again.",
                ) from None
        self._keys.pop("", None)
        self._is_kept = True

    def has_one(self) -> bool:
        """Whether there is a key for whatever end point is used. May block."""
        return self.for_provider("") is not None

    def place(self) -> str:
        """Where a key is kept, as a sentence."""
        if self._keyring is None:
            return "There is no keyring here, so it is kept only until QVerify ends."
        if not self._is_kept:
            return "The keyring did not take it, so it is kept only until QVerify ends."
        return "It is kept in the keyring of this session."

    def without(self, text: str) -> str:
        """The text with every key that is known here taken out. May block."""
        known = [key.get_secret_value() for key in self._keys.values()]
        known += [kept for name in ("", *KEY_VARIABLES.values()) if (kept := self._kept(f"{_ANY_KEY}{name}"))]
        for key in sorted({*known}, key=len, reverse=True):
            text = text.replace(key, "[key]")
        return text

    def __repr__(self) -> str:
        return f"ApiKeys({len(self._keys)} from the environment)"
