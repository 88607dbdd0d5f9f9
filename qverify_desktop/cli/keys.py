"""``qverify keys``, and opening the key file before a run: what is secret is typed or handed in, never an argument, never shown."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import TYPE_CHECKING, Any

from qverify_desktop import passphrases
from qverify_desktop.cli.commands import _ask
from qverify_desktop.domain.errors import BadInput, WrongPassphrase
from qverify_desktop.domain.key_variables import StartKeys
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

#: How often a person may mistype before a command ends.
TRIES = 3
PROMPT = "Passphrase of the key file: "


def keys(options: argparse.Namespace) -> int:
    """List, set, remove; check or change the passphrase."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        await _ACTIONS[options.action](engine, screen, options)
        return 0

    return _ask(options, ask)


async def _list(engine: AnyEngine, screen: Screen, options: argparse.Namespace) -> None:
    if (await engine.ask("keys"))["file"] == "locked":
        await open_key_file(engine, screen, options.passphrase_fd)
    screen.print_keys(await engine.ask("keys"))


async def _set(engine: AnyEngine, screen: Screen, options: argparse.Namespace) -> None:
    view = await engine.ask("keys")
    store = options.store or view["usual"]
    if store not in ("keyring", "file"):
        raise BadInput(
            "There is no keyring here, so the key would be gone when this command ends. Nothing was changed.",
            "Keep it in a file that a passphrase opens: qverify keys set PROVIDER --store file",
        )
    key = await asyncio.to_thread(passphrases.key_of_input, "The key (it is not shown): ")
    passphrase = ""
    if store == "file" and view["file"] != "open":
        is_new = view["file"] == "none"
        ask = passphrases.new_of_prompt if is_new else passphrases.of_prompt
        prompt = "Passphrase for the new key file: " if is_new else PROMPT
        passphrase = _handed_in(options.passphrase_fd) or await asyncio.to_thread(ask, prompt)
    view = await engine.ask("key_set", provider=options.provider, key=key, store=store, passphrase=passphrase)
    screen.print_keys(view, f"The key for {options.provider} is kept in the {_STORES[store]}.")


async def _remove(engine: AnyEngine, screen: Screen, options: argparse.Namespace) -> None:
    view = await engine.ask("keys")
    if view["file"] == "locked" and options.store in ("", "file"):
        await _unlock(engine, options.passphrase_fd)
        view = await engine.ask("keys")
    provider = "" if options.provider == "any" else options.provider.lower()
    stores = (options.store,) if options.store else ("session", "keyring", "file")
    if not any(one["provider"] == provider and one["store"] in stores for one in view["keys"]):
        raise BadInput("There is no such key to remove.", "See all with: qverify keys list")
    view = await engine.ask("key_remove", provider=options.provider, store=options.store)
    screen.print_keys(view, f"The key for {options.provider} is removed.")


async def _need_file(engine: AnyEngine) -> None:
    if (await engine.ask("keys"))["file"] == "none":
        raise BadInput("There is no key file yet.", "Make one: qverify keys set PROVIDER --store file")


async def _check(engine: AnyEngine, screen: Screen, options: argparse.Namespace) -> None:
    await _need_file(engine)
    passphrase = _handed_in(options.passphrase_fd) or await asyncio.to_thread(passphrases.of_prompt, PROMPT)
    count = await engine.ask("keys_check", passphrase=passphrase)
    screen.print_told(f"The passphrase opens the key file ({count} {'key' if count == 1 else 'keys'}).", keys=count)


async def _change(engine: AnyEngine, screen: Screen, options: argparse.Namespace) -> None:
    await _need_file(engine)
    old = _handed_in(options.passphrase_fd) or await asyncio.to_thread(passphrases.of_prompt, PROMPT)
    await engine.ask("keys_check", passphrase=old)
    if options.new_passphrase_fd is not None:
        new = await asyncio.to_thread(passphrases.of_descriptor, options.new_passphrase_fd)
    else:
        new = await asyncio.to_thread(passphrases.new_of_prompt, "New passphrase: ")
    await engine.ask("keys_passphrase", old=old, new=new)
    screen.print_told("The key file has its new passphrase; the old one opens it no more.")


_ACTIONS = {"list": _list, "set": _set, "remove": _remove, "unlock-check": _check, "change-passphrase": _change}
_STORES = {"keyring": "keyring", "file": "key file"}


async def open_key_file(engine: AnyEngine, screen: Screen, descriptor: int | None) -> None:
    """Before models are asked: open a key file that is locked. A person may leave it locked with an empty passphrase.

    Raises ``WrongPassphrase`` for one that was handed in and does not open it.
    """
    if StartKeys.take() and isinstance(engine, RemoteEngine):
        screen.note("Another QVerify does the work, so the keys in this command's environment are not used.")
    view: dict[str, Any] = await engine.ask("keys")
    if view["file"] != "locked":
        return
    if view["problem"]:
        screen.note(view["problem"])
    if descriptor is not None or (_names_a_file() and not view["problem"]):
        await _unlock(engine, descriptor)
    elif passphrases.can_prompt():
        await _prompted(engine, screen)
    else:
        screen.note(
            "The key file is locked, so no key of it is used. Give --passphrase-fd N, or set "
            f"{passphrases.VARIABLE} to a file that holds its passphrase."
        )


async def _prompted(engine: AnyEngine, screen: Screen) -> None:
    for _ in range(TRIES):
        typed = await asyncio.to_thread(passphrases.of_prompt, "Passphrase of the key file (empty: go on without): ")
        if not typed:
            return
        try:
            await engine.ask("keys_unlock", passphrase=typed)
            return
        except WrongPassphrase as error:
            screen.note(str(error))
    screen.note("The key file stays locked, so no key of it is used.")


async def _unlock(engine: AnyEngine, descriptor: int | None) -> None:
    passphrase = _handed_in(descriptor) or await asyncio.to_thread(passphrases.of_prompt, PROMPT)
    await engine.ask("keys_unlock", passphrase=passphrase)


def _handed_in(descriptor: int | None) -> str:
    """The passphrase of the descriptor or of the file that the environment names; empty where there is neither."""
    return passphrases.of_named_file() if descriptor is None else passphrases.of_descriptor(descriptor)


def _names_a_file() -> bool:
    return bool(os.environ.get(passphrases.VARIABLE, "").strip())
