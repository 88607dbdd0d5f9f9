"""Reading an image from a file that ``docker save`` wrote, with every digest checked on the way.

Format: Docker image specification 1.2, "Combined Image JSON + Filesystem Changeset Format" (``manifest.json``); newer engines
write the same file beside an OCI image layout. Layers may be compressed with gzip; their digests are those of the content.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.sandbox.unpack import Stream, Unpacker

#: What a container engine gives an image that sets no PATH.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CONFIG_MOST = 4 * 1024 * 1024
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class ImageConfig:
    """What an archive says of its image. ``digest`` is the image's id in hex; ``layers`` are pairs of a member's name and the
    digest (``sha256:…``) that its content must have once it is decompressed, the lowest layer first."""

    digest: str
    reference: str
    layers: list[tuple[str, str]]
    labels: dict[str, str]
    env: dict[str, str]


def read_config(file: Path) -> ImageConfig | None:
    """What the archive says of its image; ``None`` for one that is no image but a plain root file system."""
    try:
        with tarfile.open(file, "r:") as archive:
            try:
                manifest = json.loads(_member(archive, "manifest.json"))
            except KeyError:
                return None
            if len(manifest) != 1:
                raise BadInput(f"The archive {file.name} holds {len(manifest)} images.", "Save one image only.")
            text = _member(archive, manifest[0]["Config"])
            config = json.loads(text)
            names, digests = manifest[0]["Layers"], config["rootfs"]["diff_ids"]
            if len(names) != len(digests):
                raise ValueError("layers are missing")
            settings = config.get("config") or {}
            variables = [str(line).partition("=") for line in settings.get("Env") or ()]
            return ImageConfig(
                hashlib.sha256(text).hexdigest(),
                str((manifest[0].get("RepoTags") or [""])[0]),
                list(zip(names, digests, strict=True)),
                {str(k): str(v) for k, v in (settings.get("Labels") or {}).items()},
                {"PATH": DEFAULT_PATH} | {name: value for name, _, value in variables},
            )
    except (tarfile.TarError, ValueError, KeyError, TypeError, IndexError, AttributeError, UnicodeError) as error:
        raise BadInput(
            f"The archive {file.name} can't be read as an image ({error}). Nothing of it was kept.",
            "Make it again with `docker save IMAGE -o FILE`.",
        ) from error


def _member(archive: tarfile.TarFile, name: str) -> bytes:
    member = archive.getmember(name)
    if not member.isreg() or member.size > _CONFIG_MOST:
        raise ValueError(f"{name[:100]!r} is no file of a sane size")
    content = archive.extractfile(member)
    assert content is not None
    return content.read()


def unpack_layer(file: Path, name: str, expected: str, unpacker: Unpacker) -> None:
    """Unpack the member ``name`` of ``file``. Raises ``BadInput`` where its content has not the digest ``expected``."""
    with tarfile.open(file, "r:") as archive:
        try:
            member = archive.getmember(name)
        except KeyError as error:
            raise BadInput(f"The archive {file.name} lacks a layer of its image. Nothing of it was kept.") from error
        content = archive.extractfile(member)
        if content is None:
            raise BadInput(f"A layer in the archive {file.name} is no file. Nothing of it was kept.")
        compressed = content.read(len(_GZIP)) == _GZIP
        content.seek(0)
        hashed = Hashed(gzip.GzipFile(fileobj=content) if compressed else content)
        unpacker.unpack(hashed)
        if f"sha256:{hashed.sha256.hexdigest()}" != expected:
            raise BadInput(
                f"A layer in the archive {file.name} is not the one that its image names. Nothing of it was kept.",
                "Make it again with `docker save IMAGE -o FILE`.",
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
