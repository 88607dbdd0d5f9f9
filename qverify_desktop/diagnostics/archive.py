"""The archive that a person may send to somebody who helps: versions, checks, settings, and where crashes happened.

Nothing of a repository and no secret is in it. What can't be told apart is left out: messages of errors may quote source, and
addresses may name hosts that are nobody's business.
"""

from __future__ import annotations

import importlib.metadata
import io
import json
import platform
import re
import sys
import sysconfig
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qverify_desktop import __version__
from qverify_desktop.domain.settings_views import CheckView, SettingsView

PACKAGES = (
    "PySide6-Essentials",
    "qasync",
    "SQLAlchemy",
    "dbos",
    "docker",
    "litellm",
    "pydantic",
    "keyring",
    "cryptography",
)
#: Folders of the system, whose names say nothing of a person.
_SYSTEM = (
    "/usr/",
    "/bin/",
    "/sbin/",
    "/lib/",
    "/etc/",
    "/var/run/",
    "/run/docker",
    "/proc/",
    "/dev/",
    "/var/log/qverify",
)
_LEFT_OUT = "[message left out]"
_README = """Diagnostics of QVerify Desktop. Nothing in here was sent anywhere; you decide who gets it.

versions.json  programs and packages       checks.json  what the doctor found
settings.json  settings, addresses by kind  crashes/     where unexpected errors happened

Left out: everything of a repository, file names outside the application, addresses, keys, and the messages of errors, because
they may quote source. The whole crash reports can be read in the application, on the page Environment.
"""

_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^\s/\"'<>]*@")
_QUERY = re.compile(r"(://[^\s\"'<>?#]*)[?#][^\s\"'<>]*")
_TOKEN = re.compile(r"\b(?:sk|pk|ghp|gho|ghs|ghu|github_pat|glpat|xox[abps]|hf|AKIA|eyJ)[-_A-Za-z0-9.]{12,}")
_BEARER = re.compile(r"\b(bearer|basic|authorization:?|api[-_]?key[=:]?)\s+\S+", re.IGNORECASE)
_REST = r"[^\s\"'<>,;)\]]"
_PATH = re.compile(rf"(?<![\w/.\]~-])/(?!/){_REST}+")
_BELOW = re.compile(rf"(~/|\[repository\]){_REST}+")

_FRAME = re.compile(r'  File "(?P<file>[^"]*)", line (?P<line>\d+)(?:, in (?P<name>[\w.<>]{1,200}))?\s*\Z')
_ERROR = re.compile(r"(?P<type>[A-Za-z_][\w.]{0,200})(?::.*)?\Z")
_HEADS = (
    "Traceback (most recent call last):",
    "Exception Group Traceback (most recent call last):",
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
#: What stands before each line inside an exception group.
_GROUP = re.compile(r" *[|+] ?(?:Exception Group )?(?=[ TA-Za-z_])")


def make(
    checks: Sequence[CheckView],
    settings: SettingsView,
    crashes: Mapping[str, str],
    clean: Callable[[str], str],
) -> bytes:
    """The archive (ZIP). ``crashes`` are reports by name, newest first; ``clean`` takes out what the caller knows as secret."""

    def cleaned(value: Any) -> Any:
        if isinstance(value, str):
            return clean(value)
        if isinstance(value, list):
            return [cleaned(one) for one in value]
        if isinstance(value, dict):
            return {name: cleaned(one) for name, one in value.items()}
        return value

    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README.txt", _README)
        for name, value in (("versions", versions()), ("checks", [*checks]), ("settings", by_kind(settings))):
            archive.writestr(f"{name}.json", json.dumps(cleaned(value), indent=1, ensure_ascii=False) + "\n")
        for name, text in crashes.items():
            archive.writestr(f"crashes/{name}", clean(where_it_happened(text)))
    return memory.getvalue()


def versions() -> dict[str, str]:
    """Programs and packages that run here."""
    found = {
        "qverify": __version__,
        "python": sys.version,
        "system": platform.platform(),
        "machine": platform.machine(),
    }
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not found"
    return found


def by_kind(settings: SettingsView) -> dict[str, Any]:
    """Settings without addresses, folders and commands: of those only their kind."""
    base, engine = settings["api_base"], settings["docker_host"]
    return {
        "air_gap": settings["air_gap"],
        "model": settings["model"],
        "api_base": urlsplit(base).scheme if base else "",
        "containers": settings["containers"],
        "docker_host": engine.partition("://")[0] if "://" in engine else ("set" if engine else ""),
        "patience_s": settings["patience_s"],
        "editor": "set" if settings["editor"] else "",
        "keyring": settings["keyring"],
        "api_key_set": settings["api_key_set"],
    }


def without_secrets(text: str, folders: Mapping[str, str]) -> str:
    """A text without user names, passwords and queries in addresses, tokens, and paths outside the system and the application.

    ``folders`` says what stands for a folder that is known, such as ``~`` for the person's own.
    """
    for folder in sorted(folders, key=len, reverse=True):
        if len(folder) > 1:
            text = text.replace(folder, folders[folder])
    text = _USER_INFO.sub(r"\1[hidden]@", text)
    text = _QUERY.sub(r"\1?[hidden]", text)
    text = _BEARER.sub(r"\1 [hidden]", _TOKEN.sub("[hidden]", text))
    text = _PATH.sub(lambda found: found[0] if found[0].startswith(_SYSTEM) else "[path]", text)
    return _BELOW.sub(r"\1[path]", text)


def where_it_happened(report: str) -> str:
    """A traceback as its places and the types of its errors, nothing else of it: a message may quote anything."""
    kept: list[str] = []
    in_frames = False
    for raw in report.splitlines():
        line = _GROUP.sub("", raw, count=1) if raw.lstrip()[:1] in ("|", "+") else raw
        if line.strip() in _HEADS:
            kept.append(line.strip())
            in_frames = False
            continue
        frame = _FRAME.match(line)
        if frame:
            place = _place(frame["file"])
            kept.append(f"  {place}, line {frame['line']}, in {frame['name']}" if place else "  [elsewhere]")
            in_frames = True
            continue
        error = _ERROR.match(line) if in_frames else None
        if error:
            kept.append(f"{error['type']}: {_LEFT_OUT}")
            in_frames = False
    return "\n".join(kept) + "\n" if kept else _LEFT_OUT + "\n"


def _place(file: str) -> str:
    """A file of the application, of Python or of a package by its place there; empty for any other."""
    package = Path(__file__).parents[1]
    if re.fullmatch(r"<frozen [\w.]+>", file):
        return file
    path = Path(file)
    if ".." in path.parts:
        return ""
    if path.is_relative_to(package):
        return path.relative_to(package.parent).as_posix()
    for root in (sysconfig.get_path("purelib"), sysconfig.get_path("stdlib")):
        if root and path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return ""
