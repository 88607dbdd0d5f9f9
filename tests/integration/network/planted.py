"""Planted keys and secrets, and a search that finds them in whatever form a file of ours could hold them."""

from __future__ import annotations

import base64
import gzip
import io
import json
import sqlite3
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

#: Unpacked content that is looked through at most, bytes.
MOST = 256 * 1024 * 1024


def forms(secret: str) -> dict[str, bytes]:
    """The ways in which a file could hold a text: as it is, in UTF-16, turned round, in Base64 at any offset, in hex."""
    raw = secret.encode()
    found = {"plain": raw, "utf-16": secret.encode("utf-16-le"), "reversed": raw[::-1], "hex": raw.hex().encode()}
    for offset in range(3):
        # The characters at both ends depend on what stands beside it.
        coded = base64.b64encode(b"\0" * offset + raw)
        found[f"base64+{offset}"] = coded[4 if offset else 0 : -4]
    return found


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """A file's name and bytes, and of archives, compressed files and databases also what is inside."""
    raw = path.read_bytes()
    yield str(path), raw
    yield from _inside(str(path), raw)
    if raw.startswith(b"SQLite format 3\0"):
        # Through the database, so that what is only in its write-ahead log is read as well.
        yield f"{path} (rows)", "\n".join(_rows(path)).encode("utf-8", "surrogatepass")


def _inside(name: str, raw: bytes, depth: int = 0) -> Iterator[tuple[str, bytes]]:
    if depth > 3:
        return
    inner: list[tuple[str, bytes]] = []
    if raw.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            inner += [(f"{name}!{one}", archive.read(one)) for one in archive.namelist()]
    elif raw.startswith(b"\x1f\x8b"):
        inner.append((f"{name}!gzip", gzip.decompress(raw)[:MOST]))
    elif raw[:1] == b"x" and raw[1:2] in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        # As git and others compress (RFC 1950).
        try:
            inner.append((f"{name}!zlib", zlib.decompressobj().decompress(raw, MOST)))
        except zlib.error:
            return
    for one, content in inner:
        yield one, content
        yield from _inside(one, content, depth + 1)


def _rows(path: Path) -> Iterator[str]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        database.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in database.execute(f'SELECT * FROM "{table}"'):
                yield json.dumps(
                    [one.decode("latin-1") if isinstance(one, bytes) else one for one in row], default=str
                )


def hits(folders: list[Path], secrets: dict[str, str]) -> list[tuple[str, str, str]]:
    """(secret's name, form, place) of every hit in content and names of files below the folders."""
    wanted = {(name, form): sought for name, secret in secrets.items() for form, sought in forms(secret).items()}
    found = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            for (name, form), sought in wanted.items():
                if sought in str(path.relative_to(folder)).encode():
                    found.append((name, f"{form} in a name", str(path)))
            if path.is_file() and not path.is_symlink():
                for place, raw in contents(path):
                    found += [(name, form, place) for (name, form), sought in wanted.items() if sought in raw]
    return found
