"""The operating system's keyring, used only after it proved that it keeps what it is given.

A locked keyring looks healthy and then hangs or asks on a display that nobody sees. So every call runs in a thread with
a time-out, and the first use is a probe: write, read back, delete.
"""

from __future__ import annotations

import importlib
import secrets
import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

SERVICE = "qverify-desktop"
PROBE_SECONDS = 5.0

#: Back ends that keep secrets with the operating system. keyrings.alt (plain files, terminal prompts) is never taken.
_BACKENDS = {
    "linux": ("keyring.backends.SecretService.Keyring", "keyring.backends.kwallet.DBusKeyring"),
    "darwin": ("keyring.backends.macOS.Keyring",),
    "win32": ("keyring.backends.Windows.WinVaultKeyring",),
}

T = TypeVar("T")


class KeyringUnavailable(Exception):
    """There is no keyring, or it is locked, or it did not answer in time; the text is a sentence."""


class Backend(Protocol):
    """What is used of ``keyring``'s back ends."""

    def get_password(self, service: str, username: str) -> str | None: ...

    def set_password(self, service: str, username: str, password: str) -> None: ...

    def delete_password(self, service: str, username: str) -> None: ...


def _in_thread(call: Callable[[], T], timeout_s: float) -> T:
    """Run a call that may hang for ever; a thread that hangs is left behind as a daemon, so that it holds up no exit."""
    answer: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            answer.append(call())
        except BaseException as error:  # noqa: BLE001  (back ends raise errors of D-Bus, of Windows, and plain Exception)
            failure.append(error)

    thread = threading.Thread(target=body, name="keyring", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if failure and isinstance(failure[0], KeyringUnavailable):
        raise failure[0]
    if failure:
        raise KeyringUnavailable(f"The keyring refused ({type(failure[0]).__name__}).") from None
    if not answer:
        raise KeyringUnavailable(f"The keyring did not answer within {timeout_s:g} seconds; it may be locked.")
    return answer[0]


def _system_backend() -> Backend:
    names = _BACKENDS.get(sys.platform, _BACKENDS["linux"])
    for name in names:
        module, _, kind = name.rpartition(".")
        try:
            backend: Any = getattr(importlib.import_module(module), kind)
            if backend.priority > 0:
                made: Backend = backend()
                return made
        except Exception:  # noqa: BLE001, S112  (a back end says in its own way that it is not for this machine)
            continue
    raise KeyringUnavailable("This session has no keyring.")


class OsKeyring:
    """A keyring that was probed. Entries are named by ``SERVICE`` and a name."""

    def __init__(self, backend: Backend, timeout_s: float = PROBE_SECONDS) -> None:
        self._backend = backend
        self._timeout_s = timeout_s

    @classmethod
    def open(cls, backend: Backend | None = None, timeout_s: float = PROBE_SECONDS) -> OsKeyring:
        """The session's keyring after a probe. Blocking, up to ``timeout_s`` a call. Raises ``KeyringUnavailable``."""
        keyring = cls(backend or _in_thread(_system_backend, timeout_s), timeout_s)
        name, value = f"probe-{secrets.token_hex(8)}", secrets.token_hex(16)
        keyring.put(name, value)
        kept = keyring.get(name)
        keyring.remove(name)
        if kept != value:
            raise KeyringUnavailable("The keyring does not give back what it is given.")
        return keyring

    def get(self, name: str) -> str | None:
        return _in_thread(lambda: self._backend.get_password(SERVICE, name), self._timeout_s)

    def put(self, name: str, value: str) -> None:
        _in_thread(lambda: self._backend.set_password(SERVICE, name, value), self._timeout_s)

    def remove(self, name: str) -> None:
        _in_thread(lambda: self._backend.delete_password(SERVICE, name), self._timeout_s)
