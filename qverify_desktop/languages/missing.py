"""Which package a failed run lacks, read from what each tool prints, and what a person can do.

What is read is hostile output: patterns are bounded, nothing raises, and only what looks like a package's name is repeated.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence

from qverify_desktop.languages.ecosystems import OFFLINE_FOLDERS, Ecosystem

MAX_NAMED = 20
MAX_OUTPUT = 1024 * 1024

_NODE_NAME = re.compile(r"(?:@[a-z0-9~-][\w.~-]{0,100}/)?[a-z0-9~_-][\w.~-]{0,200}", re.ASCII | re.IGNORECASE)
#: Modules of Node.js itself (Node.js documentation, ``module.builtinModules``) that a message could name.
_NODE_MODULES = """
assert async_hooks buffer child_process cluster console constants crypto dgram diagnostics_channel dns domain events
fs http http2 https inspector module net os path perf_hooks process punycode querystring readline repl stream
string_decoder sys timers tls tty url util v8 vm wasi worker_threads zlib
"""
_NODE_OWN = frozenset(_NODE_MODULES.split())
_PATTERNS: Mapping[Ecosystem, tuple[str, ...]] = {
    Ecosystem.PYTHON: (
        r"No module named ['\"]?([\w.]{1,200})",
        r"No matching distribution found for ([\w.-]{1,200})",
    ),
    Ecosystem.NPM: (
        # Node.js and Jest; TypeScript (TS2307); imports of ECMAScript modules; Vite.
        r"Cannot find (?:module|package) ['\"]([^'\"\s]{1,300})['\"]",
        r"Failed to resolve import ['\"]([^'\"\s]{1,300})['\"]",
        r"ENOTCACHED\s+(?:npm (?:error|ERR!)\s+)?request to https?://[^/\s]{1,200}/([^\s]{1,300}?)(?:/-/[^\s]{1,300})? failed",
    ),
    Ecosystem.GO: (
        r"no required module provides package ([\w.~/-]{1,300})",
        r"missing go\.sum entry for module providing package ([\w.~/-]{1,300})",
        r"cannot find module providing package ([\w.~/-]{1,300})",
        r"missing go\.sum entry for go\.mod file;? ?.{0,40}?([\w.~-]{1,100}/[\w.~/-]{1,200})@",
        r"([\w.~-]{1,100}\.[\w~-]{1,40}/[\w.~/-]{1,200})@v[\w.+-]{1,100}: (?:module lookup disabled|reading file|missing go\.sum entry)",
        r"downloading ([\w.~-]{1,100}\.[\w~-]{1,40}/[\w.~/-]{1,200}) v",
    ),
    Ecosystem.MAVEN: (
        r"(?:the artifact|Could not find artifact) ([\w.-]{1,100}:[\w.-]{1,100}:[\w.:-]{1,100}) (?:has not been|in |\()",
        r"The following artifacts could not be resolved: ([\w.-]{1,100}:[\w.-]{1,100}:[\w.:-]{1,100})",
        r"dependency: ([\w.-]{1,100}:[\w.-]{1,100}:[\w.:-]{1,100}) \(",
        r"Plugin ([\w.-]{1,100}:[\w.-]{1,100}:[\w.-]{1,100}) or one of its dependencies could not be resolved",
    ),
    Ecosystem.CARGO: (
        r"no matching package named `([\w-]{1,100})`",
        r"searched package name: `([\w-]{1,100})`",
        r"failed to select a version for the requirement `([\w-]{1,100})",
        r"failed to (?:get|download) `([\w-]{1,100})",
        r"can't find crate for `([\w-]{1,100})`",
    ),
}
_PATTERNS = {**_PATTERNS, Ecosystem.GRADLE: _PATTERNS[Ecosystem.MAVEN]}
_COMPILED = {ecosystem: [re.compile(one) for one in patterns] for ecosystem, patterns in _PATTERNS.items()}
#: Digests that differ: npm, Go, pip, cargo, Maven.
_OTHER_CONTENT = re.compile(
    r"EINTEGRITY|checksum mismatch|DO NOT MATCH THE HASHES|checksum for `[^`]{1,200}` changed|checksum validation failed",
    re.IGNORECASE,
)
#: No name server, no route, no listener, no trust: Node.js, Go, pip and curl, Java.
_NO_ANSWER = re.compile(
    r"\b(?:EAI_AGAIN|ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|SELF_SIGNED_CERT_IN_CHAIN)\b"
    r"|no such host|connection refused|[Cc]ould not resolve host|Name or service not known|Temporary failure in name resolution"
    r"|Network is unreachable|i/o timeout|No plugin found for prefix|Unknown host|certificate (?:verify failed|signed by unknown)"
)
#: How the person declares a package that the project itself forgot to name.
_DECLARE: Mapping[Ecosystem, str] = {
    Ecosystem.PYTHON: "requirements.txt or pyproject.toml",
    Ecosystem.NPM: "package.json and its package-lock.json",
    Ecosystem.GO: "go.mod and go.sum (go mod tidy)",
    Ecosystem.MAVEN: "pom.xml",
    Ecosystem.GRADLE: "the build file",
    Ecosystem.CARGO: "Cargo.toml and Cargo.lock",
}


def missing_packages(ecosystem: Ecosystem, output: str) -> tuple[str, ...]:
    """Packages that ``output`` says are missing, in the order it names them, at most ``MAX_NAMED``."""
    places: dict[str, int] = {}
    text = output[-MAX_OUTPUT:]
    for pattern in _COMPILED[ecosystem]:
        for count, match in enumerate(pattern.finditer(text)):
            if count > 1000:
                break
            name = _package(ecosystem, match[1])
            if name:
                places[name] = min(match.start(), places.get(name, match.start()))
    return tuple(sorted(places, key=lambda name: places[name])[:MAX_NAMED])


def missing_words(ecosystem: Ecosystem, output: str, *, installed: bool = False) -> str:
    """What is missing and what to do next, in sentences; empty where ``output`` names nothing.

    ``installed`` says that the project's packages were installed for this run, so that the project itself does not name it.
    """
    return words_for(ecosystem, missing_packages(ecosystem, output), installed=installed)


def words_for(ecosystem: Ecosystem, names: Sequence[str], *, installed: bool = False) -> str:
    """As ``missing_words``, for packages whose ``names`` are known."""
    if not names:
        return ""
    listed = ", ".join(names)
    if installed:
        return f"The project does not name the packages that it uses: {listed}. Add them to {_DECLARE[ecosystem]}, and run again."
    first = f"The project needs packages that the sandbox lacks: {listed}. Code that uses them can't be tested; nothing was fetched."
    folder = OFFLINE_FOLDERS.get(ecosystem)
    if folder is None:
        return f"{first} Gradle is not in the sandbox, so they can't be installed."
    return f"{first} Run again with --allow-install to install them, or with --packages and a folder that holds {folder}."


def failed_install_words(ecosystem: Ecosystem, output: str, *, offline: bool) -> str:
    """Why an install did not work and what to do next, in sentences, from what the installer printed."""
    text = output[-MAX_OUTPUT:]
    folder = OFFLINE_FOLDERS.get(ecosystem, "packages")
    names = ", ".join(missing_packages(ecosystem, text))
    if _OTHER_CONTENT.search(text):
        return (
            "What was offered is not what the lock file names: the digests differ. Nothing of it was installed. "
            "If the lock file is right, take the packages from somewhere else."
        )
    if not offline and _NO_ANSWER.search(text):
        return (
            "The registry did not answer, so nothing was installed. Run again with a network, or with --packages and a "
            f"folder that holds {folder}."
        )
    if names and offline:
        return f"The folder of packages does not hold {names}. Nothing was installed. Add what is missing ({folder}), and run again."
    if names:
        return f"The registry does not have {names}. Nothing was installed. Correct the lock file, and run again."
    said = " ".join(text.split())[-300:]
    return f"The installer failed, and nothing was installed. It said: {''.join(c for c in said if c.isprintable()) or 'nothing'}"


def _package(ecosystem: Ecosystem, text: str) -> str:
    text = text.strip(".:-/") if ecosystem is not Ecosystem.NPM else text
    if ecosystem is Ecosystem.PYTHON:
        top = text.partition(".")[0]
        return "" if top in sys.stdlib_module_names else top
    if ecosystem is Ecosystem.NPM:
        return _node_package(text.replace("%2f", "/").replace("%2F", "/"))
    if ecosystem is Ecosystem.MAVEN or ecosystem is Ecosystem.GRADLE:
        return ":".join(_maven_parts(text.split(":")))
    return text


def _node_package(specifier: str) -> str:
    """The package of an import; empty for a file (``./x``), a module of Node.js, an address, and an alias (``#x``, ``@/x``)."""
    if specifier.startswith((".", "/", "#", "@/", "~/", "node:", "file:", "data:")) or ":" in specifier:
        return ""
    parts = specifier.split("/")
    name = "/".join(parts[:2]) if specifier.startswith("@") else parts[0]
    if name in _NODE_OWN or (specifier.startswith("@") and len(parts) < 2):
        return ""
    return name if _NODE_NAME.fullmatch(name) else ""


def _maven_parts(parts: Sequence[str]) -> Iterator[str]:
    """``group:artifact:version`` of ``group:artifact:type[:classifier]:version`` (Maven, "Coordinates")."""
    yield from (part for part in (*parts[:2], *parts[2:][-1:]) if part)
