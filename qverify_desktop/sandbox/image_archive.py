"""Reading an image from a file that ``docker save`` wrote, with every digest checked on the way.

Format: Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format" (``manifest.json``); newer engines
write the same file beside an OCI image layout. Layers may be compressed with gzip; their digests are those of the content.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.sandbox.unpack import Stream, Unpacker

#: What a container engine gives an image that sets no PATH.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIG_MOST = 4 * 1024 * 1024
#: The name under which an image of a runtime is known.
_OURS = re.compile(r"qverify/([a-z][a-z0-9_-]{0,30}):")
_GZIP = b"\x1f\x8b"
#: Where a file with several runtimes has what the engine wrote, and among how many members it is looked for.
_BUNDLED = "images.tar"
_FIRST = 4
_AGAIN = "Make it again with `docker save IMAGE -o FILE`."
_NONSENSE = (
    tarfile.TarError, ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError, EOFError
)  # fmt: skip


@dataclass(frozen=True)
class ImageConfig:
    """What an archive says of its image. ``digest`` is the image's id in hex; ``layers`` are pairs of a member's name and the
    digest (``sha256:…``) that its content must have once it is decompressed, the lowest layer first."""

    digest: str
    reference: str
    layers: list[tuple[str, str]]
    labels: dict[str, str]
    env: dict[str, str]


@contextlib.contextmanager
def _images(file: Path) -> Iterator[tarfile.TarFile]:
    """The archive that the engine wrote: ``file`` itself, or the member ``images.tar`` of a file with several runtimes."""
    with tarfile.open(file, "r:") as archive:
        inner = archive.extractfile(_BUNDLED) if _BUNDLED in archive.getnames()[:_FIRST] else None
        if inner is None:
            yield archive
            return
        with tarfile.open(fileobj=inner, mode="r:") as images:
            yield images


def read_config(file: Path, runtime: str) -> ImageConfig | None:
    """What the archive says of the image of ``runtime``; ``None`` for one that is no image but a plain root file system.

    Of several images it is the one whose name is that of the runtime; a single one is taken whatever it is called, but not under the
    name of another runtime. Raises
    ``BadInput``.
    """
    try:
        with _images(file) as archive:
            try:
                manifest = json.loads(_member(archive, "manifest.json"))
            except KeyError:
                return None
            return _config(archive, _chosen(manifest, runtime, file))
    except _NONSENSE as error:
        raise BadInput(
            f"The archive {file.name} can't be read as an image ({error}). Nothing of it was kept.", _AGAIN
        ) from error


def _chosen(manifest: list[dict[str, Any]], runtime: str, file: Path) -> dict[str, Any]:
    if len(manifest) == 1:
        named = [match[1] for tag in manifest[0].get("RepoTags") or () if (match := _OURS.match(str(tag)))]
        if named and runtime not in named:
            raise BadInput(
                f"The archive {file.name} holds the runtime {named[0]!r}, not {runtime!r}. Nothing of it was kept.",
                f"Type: qverify runtimes import {file} {named[0]}",
            )
        return manifest[0]
    for image in manifest:
        if any(str(tag).startswith(f"qverify/{runtime}:") for tag in image.get("RepoTags") or ()):
            return image
    raise BadInput(
        f"The archive {file.name} holds {len(manifest)} images and none of them for the runtime {runtime!r}.", _AGAIN
    )


def _config(archive: tarfile.TarFile, image: dict[str, Any]) -> ImageConfig:
    text = _member(archive, image["Config"])
    config = json.loads(text)
    names, digests = image["Layers"], config["rootfs"]["diff_ids"]
    if len(names) != len(digests):
        raise ValueError("layers are missing")
    settings = config.get("config") or {}
    variables = [str(line).partition("=") for line in settings.get("Env") or ()]
    return ImageConfig(
        hashlib.sha256(text).hexdigest(),
        str((image.get("RepoTags") or [""])[0]),
        list(zip(names, digests, strict=True)),
        {str(k): str(v) for k, v in (settings.get("Labels") or {}).items()},
        {"PATH": DEFAULT_PATH} | {name: value for name, _, value in variables},
    )


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    if not member.isreg() or member.size > _CONFIG_MOST:
        raise ValueError(f"{name[:100]!r} is no file of a sane size")
    content = archive.extractfile(member)
    assert content is not None
    return content.read()


def unpack_layer(file: Path, name: str, expected: str, unpacker: Unpacker) -> None:
    """Unpack the member ``name`` of ``file``. Raises ``BadInput`` where its content has not the digest ``expected``."""
    with _images(file) as archive:
        try:
            # A layer that several images have is a link to where it lies; a link that leads to itself has no end.
            content = archive.extractfile(name)
        except (KeyError, RecursionError):
            content = None
        if content is None:
            raise BadInput(f"The archive {file.name} lacks a layer of its image. Nothing of it was kept.", _AGAIN)
        compressed = content.read(len(_GZIP)) == _GZIP
        content.seek(0)
        hashed = Hashed(gzip.GzipFile(fileobj=content) if compressed else content)
        unpacker.unpack(hashed)
        if f"sha256:{hashed.sha256.hexdigest()}" != expected:
            raise BadInput(
                f"A layer in the archive {file.name} is not the one that its image names. Nothing of it was kept.",
                _AGAIN,
            )


class Hashed:
    """Reads a stream and hashes what was read."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        data = self._stream.read(size)
        self.sha256.update(data)
        return data
