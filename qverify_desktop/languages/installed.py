"""What an installed set holds, read from its archive ``deps.tar``: every package with its version and the digest it is known by.

The archive comes out of a container, so it is read as hostile: nothing is unpacked, no link is followed, what can't be read names no
package. Where a package came from is never taken over: an address may carry a password.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from email.parser import BytesHeaderParser
from typing import Any

from backports import tarfile
from packaging.utils import canonicalize_name

from qverify_desktop.domain.execution import GIB
from qverify_desktop.domain.project import InstalledPackage

#: Packages of one set, and characters of each field.
MOST_PACKAGES = 20_000
MOST_CHARACTERS = 300
#: Files of an archive that are looked at, and their bytes.
_MOST_FILES = 100_000
_MOST_BYTES = 1 * GIB
#: Names of files that say what a package is.
_TELLING = re.compile(
    r"[^/]+\.dist-info/METADATA"
    r"|\.npm/(?:[^/]+/)+node_modules/\.package-lock\.json"
    r"|\.go/mod/cache/download/.+\.ziphash|\.go/vendor/[^/]+/modules\.txt"
    r"|\.maven/.+\.jar"
    r"|\.cargo/[^/]+/(?:Cargo\.toml|\.cargo-checksum\.json)"
)

_DIGEST = re.compile(r"(?:sha256:[0-9a-f]{64}|sha(?:1|256|384|512)-[A-Za-z0-9+/=]{20,100}|h1:[A-Za-z0-9+/=]{20,60})")
_ECOSYSTEM = re.compile(r"[a-z]{1,20}")
_MAVEN = re.compile(r"\.maven/(?P<group>.+)/(?P<artefact>[^/]+)/(?P<version>[^/]+)/(?P<file>[^/]+\.jar)")
_GO = re.compile(r"\.go/mod/cache/download/(?P<module>.+)/@v/(?P<version>[^/]+)\.ziphash")
_GO_VENDORED = re.compile(r"# (\S{1,300}) (v\S{1,200})")


def installed_packages(archive: bytes, answer: bytes = b"") -> tuple[InstalledPackage, ...]:
    """The packages of ``deps.tar`` in order, each once. ``answer`` is what the installer of Python's packages said (``install.json``):
    the digests of its wheels."""
    files = _telling(archive)
    found = {one for read in _READERS for one in read(files) if is_plain(one)}
    wheels = _wheels(answer)
    digests = (
        replace(one, digest=wheels.get((one.name, one.version), "")) for one in found if one.ecosystem == "python"
    )
    kept = {*digests, *(one for one in found if one.ecosystem != "python")}
    return tuple(sorted(kept, key=_order)[:MOST_PACKAGES])


def is_plain(one: InstalledPackage) -> bool:
    """Whether its texts can be shown, and its digest is one."""
    texts = (one.name, one.version)
    return (
        _ECOSYSTEM.fullmatch(one.ecosystem) is not None
        and all(0 < len(text) <= MOST_CHARACTERS and text.isprintable() and " " not in text for text in texts)
        and (not one.digest or _DIGEST.fullmatch(one.digest) is not None)
    )


def written(packages: Iterable[InstalledPackage]) -> bytes:
    """Packages as a content of the evidence: a JSON array of ``[ecosystem, name, version, digest]``, sorted."""
    rows = [[one.ecosystem, one.name, one.version, one.digest] for one in sorted(packages, key=_order)]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def read_written(content: bytes) -> tuple[InstalledPackage, ...] | None:
    """``written`` read again, out of a stranger's bundle as well; ``None`` for anything else."""
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError):
        return None
    if not isinstance(rows, list) or len(rows) > MOST_PACKAGES:
        return None
    found = []
    for row in rows:
        if not isinstance(row, list) or len(row) != 4 or not all(isinstance(text, str) for text in row):
            return None
        one = InstalledPackage(*row)
        if not is_plain(one):
            return None
        found.append(one)
    return tuple(found)


def _order(one: InstalledPackage) -> tuple[str, str, str, str]:
    return one.ecosystem, one.name, one.version, one.digest


def _wheels(answer: bytes) -> dict[tuple[str, str], str]:
    """Digests by name and version, of pip's installation report (pip documentation, "Installation Report")."""
    found: dict[tuple[str, str], str] = {}
    listed = _json(answer).get("wheels")
    for row in listed[:MOST_PACKAGES] if isinstance(listed, list) else ():
        if isinstance(row, list) and len(row) == 3 and all(isinstance(text, str) for text in row):
            found[canonicalize_name(row[0]), row[1]] = f"sha256:{row[2]}"
    return found


def _telling(archive: bytes) -> dict[str, bytes]:
    """The files of an archive that name packages, by path; of a jar its digest alone."""
    files: dict[str, bytes] = {}
    size = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            for member in tar:
                name = member.name.removeprefix("./")
                if not member.isreg() or not _TELLING.fullmatch(name):
                    continue
                size += member.size
                # A sparse file is larger than what holds it.
                if size > min(_MOST_BYTES, len(archive)) or len(files) >= _MOST_FILES:
                    break
                file = tar.extractfile(member)
                content = file.read() if file is not None else b""
                files[name] = hashlib.sha256(content).digest() if name.endswith(".jar") else content
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError, OSError):
        return {}
    return files


Files = Mapping[str, bytes]


def _python(files: Files) -> Iterator[InstalledPackage]:
    """Core metadata of installed distributions (PyPA, "Recording installed projects")."""
    for name, content in files.items():
        if name.endswith(".dist-info/METADATA"):
            headers = BytesHeaderParser().parsebytes(content)
            package = canonicalize_name(str(headers.get("Name", "")))
            yield InstalledPackage("python", package, str(headers.get("Version", "")))


def _npm(files: Files) -> Iterator[InstalledPackage]:
    """The lock file that npm leaves in ``node_modules`` of what it really put there (npm documentation, "Hidden Lockfiles")."""
    for name, content in files.items():
        packages = _table(_json(content).get("packages")) if name.startswith(".npm/") else {}
        for path, entry in packages.items():
            if isinstance(entry, dict) and "node_modules/" in path and not entry.get("link"):
                package = entry.get("name") or path.rpartition("node_modules/")[2]
                digest = _text(entry.get("integrity")).split(" ")[0]
                yield InstalledPackage("npm", _text(package), _text(entry.get("version")), digest)


def _go(files: Files) -> Iterator[InstalledPackage]:
    """The digest that the go command keeps beside each module, capitals written ``!x`` (Go Modules Reference); a vendor folder's
    ``modules.txt`` knows none."""
    for name, content in files.items():
        if (match := _GO.fullmatch(name)) is not None:
            module, version = (
                re.sub("!([a-z])", lambda m: m[1].upper(), match[key]) for key in ("module", "version")
            )
            yield InstalledPackage("go", module, version, content.decode("ascii", "replace").strip())
        elif name.startswith(".go/vendor/"):
            for line in content.decode("utf-8", "replace").splitlines():
                if (vendored := _GO_VENDORED.match(line)) is not None:
                    yield InstalledPackage("go", vendored[1], vendored[2])


def _maven(files: Files) -> Iterator[InstalledPackage]:
    """Jars in the layout of a Maven repository; the digest is the jar's own. A classifier stands behind the version."""
    for name, digest in files.items():
        match = _MAVEN.fullmatch(name)
        if match is None or not match["file"].startswith(f"{match['artefact']}-{match['version']}"):
            continue
        classifier = match["file"].removeprefix(f"{match['artefact']}-{match['version']}").removesuffix(".jar")
        package = f"{match['group'].replace('/', '.')}:{match['artefact']}"
        yield InstalledPackage("maven", package, f"{match['version']}{classifier}", f"sha256:{digest.hex()}")


def _cargo(files: Files) -> Iterator[InstalledPackage]:
    """Vendored crates: their manifests, and the digest that cargo keeps beside each (the Cargo book, "Directory Sources")."""
    for name, content in files.items():
        if not name.startswith(".cargo/") or not name.endswith("/Cargo.toml"):
            continue
        package = _table(_toml(content).get("package"))
        digest = _text(_json(files.get(name.replace("Cargo.toml", ".cargo-checksum.json"), b"")).get("package"))
        known = f"sha256:{digest}" if digest else ""
        yield InstalledPackage("cargo", _text(package.get("name")), _text(package.get("version")), known)


_READERS: Sequence[Callable[[Files], Iterator[InstalledPackage]]] = (_python, _npm, _go, _maven, _cargo)


def _json(content: bytes) -> dict[str, Any]:
    try:
        return _table(json.loads(content))
    except (ValueError, RecursionError):
        return {}


def _toml(content: bytes) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
