"""What a person named: a folder, a bundle file, or the address of a repository. Nothing is opened here but ``stat``."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.git_safety import TRANSPORTS
from qverify_desktop.repository.workspace import printable

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_SCP_LIKE = re.compile(r"(?:[^@/:\s]+@)?(?P<host>[^@/:\s]{2,}):(?!:)(?P<path>.+)\Z")


@dataclass(frozen=True)
class LocalFolder:
    """A folder. ``committed``: it was named as ``file://``, so its commit counts and not its work tree."""

    path: Path
    committed: bool = False


@dataclass(frozen=True)
class Remote:
    """A repository that git has to fetch. ``address`` holds no secret; user and password go to git another way. ``host`` is empty
    for a bundle, a file of this machine."""

    address: str
    name: str
    user: str = ""
    password: str = field(default="", repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    host: str = ""


def classify(source: str) -> LocalFolder | Remote:
    """Say what ``source`` is. Raises ``BadInput`` for what is neither a folder here nor an address that may be fetched."""
    text = source.strip() if not os.path.lexists(source) else source
    if not text:
        raise BadInput(
            "No folder and no address was given.", "Name a folder or the https or ssh address of a git repository."
        )
    if "\0" in text:
        raise BadInput("The name of the folder holds a zero byte, which no file system knows.")
    path = Path(text).expanduser()
    if os.path.lexists(path):
        return _local(path)
    scheme = _SCHEME.match(text)
    if scheme:
        return _address(text, scheme[1].lower())
    if "::" in text:
        raise BadInput(
            "This address asks git for a helper program, which is not allowed, because it could run anything. Nothing was run.",
            "Use an https or ssh address, or clone it yourself and give the folder.",
        )
    scp_like = _SCP_LIKE.match(text)
    if scp_like and not text.startswith("-") and not scp_like["host"].startswith("-"):
        _refuse_control_characters(text)
        return Remote(text, _name(scp_like["path"]), host=scp_like["host"])
    raise BadInput(
        f"There is no folder {printable(os.fsencode(text))}.",
        "Check the path, or give the address of a git repository.",
    )


def _local(path: Path) -> LocalFolder | Remote:
    try:
        resolved = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise BadInput(
            f"{printable(os.fsencode(path))} can't be opened. Nothing was changed.", "Check where its link points."
        ) from error
    if resolved.is_dir():
        return LocalFolder(resolved)
    if resolved.is_file() and _is_bundle(resolved):
        return Remote(str(resolved), _name(resolved.name.removesuffix(".bundle")))
    raise BadInput(
        f"{printable(os.fsencode(resolved))} is neither a folder nor a git bundle.",
        "Give the folder that holds the source.",
    )


def _is_bundle(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(16).startswith((b"# v2 git bundle", b"# v3 git bundle"))
    except OSError:
        return False


def _address(text: str, scheme: str) -> LocalFolder | Remote:
    _refuse_control_characters(text)
    if scheme == "git+ssh" or scheme == "ssh+git":
        scheme = "ssh"
    if scheme not in TRANSPORTS:
        raise BadInput(
            f"Repositories are not fetched over {scheme}://. Nothing was run.",
            "Use an https or ssh address, or clone it yourself and give the folder.",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadInput("This address is malformed.", "It should look like https://host/owner/name.git.") from error
    if scheme == "file":
        folder = Path(unquote(parts.path))
        if not folder.is_dir():
            raise BadInput(f"There is no folder {printable(os.fsencode(folder))}.", "Check the path after file://.")
        return LocalFolder(folder.resolve(), committed=True)
    host = parts.hostname or ""
    if not host or host.startswith("-"):
        raise BadInput("This address names no host.", "It should look like https://host/owner/name.git.")
    return _remote(scheme, parts, f"[{host}]" if ":" in host else host, port)


def _remote(scheme: str, parts: SplitResult, host: str, port: int | None) -> Remote:
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    place = host if port is None else f"{host}:{port}"
    raw = tuple(value for value in (parts.password, password) if value)
    if scheme == "ssh":
        shown = f"{quote(user)}@{place}" if user else place
        return Remote(f"ssh://{shown}{parts.path}", _name(parts.path), secrets=raw, host=parts.hostname or "")
    secrets = raw + tuple(value for value in (parts.username, user, parts.query) if value)
    return Remote(f"{scheme}://{place}{parts.path}", _name(parts.path), user, password, secrets, parts.hostname or "")


def _name(path: str) -> str:
    last = unquote(path).rstrip("/").rpartition("/")[2].removesuffix(".git")
    return last or "repository"


def _refuse_control_characters(text: str) -> None:
    if any(ord(character) < 32 or character == "\x7f" for character in text):
        raise BadInput("This address holds control characters.", "It should look like https://host/owner/name.git.")
