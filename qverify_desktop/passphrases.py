"""Where passphrases and keys come from: a prompt, a file descriptor, or for the passphrase a file named in the environment.

They are never arguments, and a passphrase is never in the environment itself: both are shown to every process of the account.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
import warnings
from pathlib import Path

from qverify_desktop.domain.errors import BadInput

VARIABLE = "QVERIFY_PASSPHRASE_FILE"
MOST_BYTES = 4096


def of_named_file() -> str:
    """The first line of the file that ``QVERIFY_PASSPHRASE_FILE`` names; empty where the variable is not set.

    Blocking. Raises ``BadInput`` for a file that can't be read, holds nothing, or may be read by others.
    """
    name = os.environ.get(VARIABLE, "").strip()
    if not name:
        return ""
    remedy = f"Name a file of your own with one line: chmod 600 FILE; export {VARIABLE}=FILE"
    try:
        descriptor = os.open(Path(name).expanduser(), os.O_RDONLY)
    except OSError as error:
        raise BadInput(f"{VARIABLE} names a file that can't be read ({error.strerror}).", remedy) from None
    try:
        facts = os.fstat(descriptor)
        if sys.platform != "win32" and stat.S_ISREG(facts.st_mode) and stat.S_IMODE(facts.st_mode) & 0o077:
            raise BadInput(f"The file that {VARIABLE} names may be read by others, so it was not used.", remedy)
        return _first_line(descriptor, f"The file that {VARIABLE} names", remedy)
    finally:
        os.close(descriptor)


def of_descriptor(descriptor: int) -> str:
    """The first line of an open file (``--passphrase-fd``). Blocking. Raises ``BadInput``."""
    return _first_line(
        descriptor, f"The file descriptor {descriptor}", "Open it for reading, such as: --passphrase-fd 3 3<FILE"
    )


def new_of_prompt(prompt: str) -> str:
    """A new passphrase, typed twice. Blocking. Raises ``BadInput`` where the two differ."""
    first = of_prompt(prompt)
    if of_prompt("The same once more: ") != first:
        raise BadInput("The two passphrases differ. Nothing was changed.", "Try again.")
    return first


def of_prompt(prompt: str) -> str:
    """What the person types, not shown. Blocking. Raises ``BadInput`` where there is no terminal to ask on."""
    if not can_prompt():
        raise BadInput(
            "A passphrase is needed, and there is no terminal to ask on.",
            f"Give --passphrase-fd N, or set {VARIABLE} to a file that holds it.",
        )
    with warnings.catch_warnings():
        # Where the terminal can't be made silent, getpass would show what is typed.
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt, stream=sys.stderr)
        except (getpass.GetPassWarning, EOFError):
            raise BadInput(
                "This terminal shows what is typed, so nothing was asked.", "Use --passphrase-fd N."
            ) from None


def key_of_input(prompt: str) -> str:
    """A key: typed and not shown, or the first line of standard input. Blocking. Raises ``BadInput``."""
    if can_prompt():
        return of_prompt(prompt).strip()
    return _first_line(0, "Standard input", "Hand the key in, such as: qverify keys set openai < FILE").strip()


def can_prompt() -> bool:
    """Whether a person can be asked here."""
    return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()


def _first_line(descriptor: int, what: str, remedy: str) -> str:
    content = b""
    try:
        while b"\n" not in content and len(content) <= MOST_BYTES:
            read = os.read(descriptor, MOST_BYTES)
            if not read:
                break
            content += read
    except OSError as error:
        raise BadInput(f"{what} can't be read ({error.strerror}).", remedy) from None
    line = content.partition(b"\n")[0].rstrip(b"\r")
    try:
        text = line.decode("utf-8")
    except ValueError:
        raise BadInput(f"{what} holds no text.", remedy) from None
    if not text:
        raise BadInput(f"{what} holds nothing.", remedy)
    return text
