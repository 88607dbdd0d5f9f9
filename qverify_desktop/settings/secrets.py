"""Keys of models: from the environment, the keyring, a file that a passphrase opens, or typed for this process alone.

None is ever logged, printed, put into an event, or left in the environment of a child process. The key that signs the evidence
log is kept by ``signing_key``.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import re
import threading
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from enum import StrEnum

from pydantic import SecretStr

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError, WrongPassphrase
from qverify_desktop.domain.key_variables import StartKeys, taken_from
from qverify_desktop.settings.key_file import KeyFile, check_passphrase
from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring

#: Name in the keyring of the key for whatever end point is used; a provider's own has the provider's name behind it.
_ANY_KEY = "api-key-"
#: Name in the keyring of the list of providers whose keys are in it: a keyring can't be listed.
_NAMES = "api-keys"
#: Providers whose keys may be in a keyring that has no such list.
_KNOWN = ("", "openai", "anthropic", "azure", "ollama")

#: Names of the tokens of the hosted service, which no provider can have.
_TOKENS = ("hosted/access", "hosted/refresh", "hosted/session")

_PROVIDER = re.compile(r"[a-z0-9]([a-z0-9.:-]{0,252})", re.ASCII)
LONGEST_BARE_NAME = 20
MOST_KEY = 4096
#: So much of a key's end may be shown, and only of a key that is far longer.
ENDING, LONG_ENOUGH = 4, 16


class Store(StrEnum):
    """Where a key is, in the order in which they are asked: the first that has one counts."""

    ENVIRONMENT = "environment"
    SESSION = "session"
    KEYRING = "keyring"
    FILE = "file"


@dataclass(frozen=True)
class KeptKey:
    """A key without the key. ``provider`` is empty for whatever end point is used; ``ending`` at most its last four characters;
    ``counts`` whether it is the one that is used of those for one provider."""

    provider: str
    store: Store
    ending: str
    counts: bool


class ApiKeys:
    """The keys of this installation. Everything may block; safe from any thread.

    ``take`` removes them from the environment, so that no child process (git, docker, a build) inherits them.
    """

    def __init__(
        self, keys: dict[str, SecretStr], keyring: OsKeyring | None = None, file: KeyFile | None = None
    ) -> None:
        self._given = keys
        self._session: dict[str, SecretStr] = {}
        self._keyring = keyring
        self._file = file
        self._opened: dict[str, SecretStr] | None = None
        self._passphrase = SecretStr("")
        self._used: set[SecretStr] = set()
        self._changing = threading.RLock()
        #: Why ``unlock_with`` could not open the key file.
        self.problem: QVerifyError | None = None

    @classmethod
    def take(
        cls,
        environ: MutableMapping[str, str] | None = None,
        keyring: OsKeyring | None = None,
        file: KeyFile | None = None,
    ) -> ApiKeys:
        """Take the keys out of ``environ`` (by default those that this process was started with)."""
        taken = StartKeys.take() if environ is None else taken_from(environ)
        return cls({provider: SecretStr(key) for provider, key in taken.items()}, keyring, file)

    # What the gateway asks

    def for_provider(self, provider: str, *, general: bool = True) -> SecretStr | None:
        """The key for a provider: its own, then, where ``general`` allows it, the key for whatever end point is used: never where
        several end points are asked, or one provider would be sent another's key. Each is looked for in the order of ``Store``.
        """
        key = self._find(provider) if provider else None
        if key is None and general:
            key = self._find("")
        if key is not None:
            self._used.add(key)
        return key

    def values(self) -> list[str]:
        """The keys of this process, for looking whether one of them stands where it must not."""
        held = {*self._given.values(), *self._session.values(), *(self._opened or {}).values(), *self._used}
        return sorted({key.get_secret_value() for key in held})

    def without(self, text: str) -> str:
        """The text with every key that is known here taken out, and the passphrase that opened the key file."""
        kept = {self._in_keyring(name) for name in [*self._names(), *_TOKENS]} - {""}
        secrets = dict.fromkeys({*self.values(), *kept}, "[key]")
        if passphrase := self._passphrase.get_secret_value():
            secrets.setdefault(passphrase, "[passphrase]")
        for secret in sorted(secrets, key=len, reverse=True):
            text = text.replace(secret, secrets[secret])
        return text

    def _find(self, provider: str) -> SecretStr | None:
        for held in (self._given, self._session):
            if provider in held:
                return held[provider]
        kept = self._in_keyring(provider)
        return SecretStr(kept) if kept else (self._opened or {}).get(provider)

    # What a person sees and does

    def has_one(self) -> bool:
        """Whether any key is known."""
        return bool(self.listed())

    def listed(self) -> list[KeptKey]:
        """All keys that are known, by provider; those of a locked file are not."""
        found: dict[tuple[str, Store], str] = {}
        for store, held in (
            (Store.ENVIRONMENT, self._given),
            (Store.SESSION, self._session),
            (Store.FILE, self._opened or {}),
        ):
            found |= {(name, store): key.get_secret_value() for name, key in held.items() if name not in _TOKENS}
        found |= {(name, Store.KEYRING): key for name in self._names() if (key := self._in_keyring(name))}
        order = [*Store]
        told: list[KeptKey] = []
        for provider, store in sorted(found, key=lambda one: (one[0], order.index(one[1]))):
            first = not any(one.provider == provider for one in told)
            told.append(KeptKey(provider, store, _ending(found[provider, store]), first))
        return told

    def stores(self) -> dict[Store, str]:
        """The stores that take a key now, with a sentence each."""
        told = {Store.SESSION: "It is kept only until QVerify ends."}
        if self._file is not None:
            told[Store.FILE] = "It is kept in a file that your passphrase opens."
        if self._keyring is not None:
            told[Store.KEYRING] = "It is kept in the keyring of this session."
        return told

    def place(self) -> str:
        """Where a key is kept where nothing else is said, as a sentence."""
        return self.stores()[self.usual()]

    def usual(self) -> Store:
        """Where a key is kept where nothing else is said: in the keyring, in a key file that is there, for this process."""
        if self._keyring is not None:
            return Store.KEYRING
        return Store.FILE if self._file is not None and self._file.exists() else Store.SESSION

    def put(self, provider: str, key: str, store: str = "", passphrase: str = "") -> None:
        """Use this key from now on and keep it in one store; the other stores let go of theirs.

        ``passphrase`` makes a key file that is not there yet, or opens a locked one. Raises ``BadInput`` for what is no key, no
        provider or no store, ``MissingPrerequisite`` when a store does not take it; then nothing was changed.
        """
        provider, chosen = _provider(provider), _store(store) if store else self.usual()
        if not key or len(key) > MOST_KEY or any(not 32 < ord(char) < 127 for char in key):
            raise BadInput("An API key is one line of plain characters without spaces.")
        if chosen not in self.stores():
            raise MissingPrerequisite(
                f"Nothing can be kept in the {chosen.value} here. Nothing was changed.",
                f"Choose one of {', '.join(self.stores())}.",
            )
        with self._changing:
            if chosen is Store.FILE:
                self._open_for_change(passphrase)
                self._write_file({**(self._opened or {}), provider: SecretStr(key)})
            elif chosen is Store.KEYRING:
                self._to_keyring(provider, key)
            else:
                self._session[provider] = SecretStr(key)
            # Last, so that a store that refuses costs nothing: the key is kept, and the old one said to be there still.
            for other in (Store.SESSION, Store.KEYRING, Store.FILE):
                if other is not chosen:
                    self._let_go(provider, other)

    def remove(self, provider: str, store: str = "") -> None:
        """Forget a key in one store, or in all but the environment. Raises ``MissingPrerequisite`` where one does not let go."""
        provider = _provider(provider)
        chosen = [_store(store)] if store else [Store.SESSION, Store.KEYRING, Store.FILE]
        if Store.ENVIRONMENT in chosen:
            raise BadInput("A key of the environment is removed there: it is never stored here.")
        with self._changing:
            for one in chosen:
                self._let_go(provider, one)

    def _let_go(self, provider: str, store: Store) -> None:
        if store is Store.SESSION:
            self._session.pop(provider, None)
        elif store is Store.KEYRING and self._keyring is not None:
            try:
                if self._keyring.get(_entry(provider)) is not None:
                    self._keyring.remove(_entry(provider))
                    self._keep_names({*self._names()} - {provider})
            except KeyringUnavailable as error:
                raise MissingPrerequisite(
                    f"The key may still be in the keyring: {error}", "Unlock the keyring, then remove the key again."
                ) from None
        elif store is Store.FILE and self._opened and provider in self._opened:
            self._write_file({name: key for name, key in self._opened.items() if name != provider})

    # The key file

    def is_locked(self) -> bool:
        """Whether there is a key file that no passphrase opened yet."""
        return self._file is not None and self._file.exists() and self._opened is None

    def has_file(self) -> bool:
        """Whether there is a key file, open or not."""
        return self._file is not None and self._file.exists()

    def unlock(self, passphrase: str) -> int:
        """Open the key file for this process; answers how many keys it holds. Raises like ``KeyFile.read``."""
        with self._changing:
            keys = self._there().read(passphrase)
            self._opened = {provider: SecretStr(key) for provider, key in keys.items()}
            self._passphrase = SecretStr(passphrase)
            return len(keys.keys() - {*_TOKENS})

    def unlock_with(self, give: Callable[[], str]) -> None:
        """Open a locked key file with the passphrase that ``give`` finds; nothing where that is empty. A file that does not
        open stays locked and leaves ``problem``: no reason to end, for much works without a key.
        """
        try:
            if self.is_locked() and (given := give()):
                self.unlock(given)
        except QVerifyError as error:
            self.problem = error

    def check(self, passphrase: str) -> int:
        """Whether a passphrase opens the key file, with nothing changed; answers how many keys it holds."""
        return len(self._there().read(passphrase).keys() - {*_TOKENS})

    def change_passphrase(self, old: str, new: str) -> None:
        """Seal the key file under another passphrase. Raises like ``unlock``; then nothing was changed."""
        with self._changing:
            file = self._there()
            keys = file.read(old)
            file.write(new, keys)
            self._opened = {provider: SecretStr(key) for provider, key in keys.items()}
            self._passphrase = SecretStr(new)

    def _there(self) -> KeyFile:
        if self._file is None:
            raise MissingPrerequisite("There is no key file here.")
        return self._file

    def _open_for_change(self, passphrase: str) -> None:
        if self._opened is not None and self.has_file():
            return
        if self.has_file():
            if not passphrase:
                raise WrongPassphrase("The key file is locked. Nothing was changed.", "Give its passphrase.")
            self.unlock(passphrase)
            return
        if not passphrase:
            raise WrongPassphrase(
                "There is no key file yet, and one needs a passphrase. Nothing was changed.", "Choose a passphrase."
            )
        check_passphrase(passphrase)
        self._opened, self._passphrase = {}, SecretStr(passphrase)

    def _write_file(self, keys: dict[str, SecretStr]) -> None:
        plain = {provider: key.get_secret_value() for provider, key in keys.items()}
        self._there().write(self._passphrase.get_secret_value(), plain)
        self._opened = keys

    # Tokens of the hosted service: kept where keys are, and no keys

    def secret(self, name: str) -> str:
        """The token of that name (``_TOKENS``), empty where none is known."""
        key = self._find(name) if name in _TOKENS else None
        return key.get_secret_value() if key is not None else ""

    def keep_secrets(self, secrets: Mapping[str, str], store: str = "", passphrase: str = "") -> None:
        """Keep tokens in a store: where nothing is said, where they are, otherwise where keys are kept. Raises like ``put``; then
        nothing was changed."""
        with self._changing:
            chosen = _store(store) if store else self._place_of_tokens()
            if chosen not in self.stores():
                raise MissingPrerequisite(
                    f"Nothing can be kept in the {chosen.value} here. Nobody is signed in.",
                    f"Choose one of {', '.join(self.stores())}.",
                )
            held = {name: SecretStr(value) for name, value in secrets.items()}
            if chosen is Store.FILE:
                self._open_for_change(passphrase)
                self._write_file({**(self._opened or {}), **held})
            elif chosen is Store.KEYRING:
                for name, value in secrets.items():
                    self._to_keyring(name, value)
            else:
                self._session |= held
            for name, other in itertools.product(secrets, {Store.SESSION, Store.KEYRING, Store.FILE} - {chosen}):
                self._let_go(name, other)

    def forget_secrets(self, names: tuple[str, ...]) -> None:
        """Forget tokens wherever they are. Raises ``MissingPrerequisite`` where a store does not let go."""
        with self._changing:
            for name, store in itertools.product(names, (Store.SESSION, Store.KEYRING, Store.FILE)):
                self._let_go(name, store)

    def place_of_tokens(self) -> str:
        """Where tokens are kept, as a sentence."""
        return self.stores().get(self._place_of_tokens(), "")

    def _place_of_tokens(self) -> Store:
        for name in _TOKENS:
            if name in self._session:
                return Store.SESSION
            if self._in_keyring(name):
                return Store.KEYRING
            if name in (self._opened or {}):
                return Store.FILE
        return self.usual()

    # The keyring

    def _in_keyring(self, provider: str) -> str:
        """The keyring's key for a provider, empty where there is none."""
        if self._keyring is None:
            return ""
        try:
            return self._keyring.get(_entry(provider)) or ""
        except KeyringUnavailable:
            return ""

    def _to_keyring(self, provider: str, key: str) -> None:
        try:
            if self._keyring is not None:
                self._keyring.put(_entry(provider), key)
                self._keep_names({*self._names(), provider} - {*_TOKENS})
        except KeyringUnavailable as error:
            raise MissingPrerequisite(
                f"The keyring did not take the key: {error} Nothing was changed.",
                "Unlock the keyring, or choose another store.",
            ) from None

    def _names(self) -> list[str]:
        """Providers that may have a key in the keyring."""
        named: object = None
        if self._keyring is not None:
            with contextlib.suppress(KeyringUnavailable, ValueError, RecursionError):
                named = json.loads(self._keyring.get(_NAMES) or "[]")
        listed = named if isinstance(named, list) else []
        return sorted({*_KNOWN, *(name for name in listed if isinstance(name, str))})

    def _keep_names(self, names: set[str]) -> None:
        if self._keyring is not None and names - {*_KNOWN} != {*self._names()} - {*_KNOWN}:
            self._keyring.put(_NAMES, json.dumps(sorted(names - {*_KNOWN})))

    def __repr__(self) -> str:
        return f"ApiKeys({len(self._given)} from the environment)"


def _provider(text: str) -> str:
    """A provider or an end point's host name; ``any`` and nothing are the key for whatever end point is used."""
    name = text.strip().lower() if isinstance(text, str) else "?"
    if name in ("", "any"):
        return ""
    # A long name without a dot is rather a key that was put into the wrong place.
    if not _PROVIDER.fullmatch(name) or (len(name) > LONGEST_BARE_NAME and "." not in name and ":" not in name):
        raise BadInput(
            "This is the name of no provider and no host.",
            "Name openai, anthropic, azure, ollama, the host of an end point, or any.",
        )
    return name


def _entry(name: str) -> str:
    """Name in the keyring."""
    return name if name in _TOKENS else f"{_ANY_KEY}{name}"


def _store(text: str) -> Store:
    try:
        return Store(text)
    except ValueError:
        raise BadInput("There is no such store for keys.", "Choose keyring, file or session.") from None


def _ending(key: str) -> str:
    return key[-ENDING:] if len(key) >= LONG_ENOUGH else ""
