"""One file with the images of the runtimes, for a machine that has no network.

The file is a tar archive of two members: ``images.tar``, as the engine's own save gives it (Docker Engine API, "Export
several images", with shared layers once), and ``runtimes.json``, which names every image with the digest of its
configuration. A configuration holds the digests of the image's layers, and the engine checks these while it loads; so
with the digest of ``images.tar`` every byte is accounted for before anything is loaded.
"""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import json
import os
import re
import tarfile
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

import docker
import requests

from qverify_desktop.domain.errors import BadInput, Cancelled, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import MIB, RuntimeImage
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, mending, unavailable, words_of

IMAGES = "images.tar"
INDEX = "runtimes.json"
KIND = "qverify-runtimes/1"
#: Beside the manifest in what newer engines save (OCI image layout specification).
OCI_INDEX = "index.json"
#: Bounds on what is read of a file from somewhere else before its digests are known.
MAX_INDEX_BYTES = MIB
MAX_CONFIG_BYTES = 4 * MIB
MAX_MEMBERS = 100_000

_REFERENCE = re.compile(r"qverify/[a-z][a-z0-9_-]{0,30}:[0-9a-f]{12}\Z")
_PIECE = MIB
_REPORTED = 256 * MIB
#: The engine says nothing for long while it packs or unpacks gigabytes.
ANSWER_TIMEOUT_S = 1800.0
_DAMAGED = "Nothing was loaded. Copy the file again, or save it anew with: qverify runtimes save"

Progress = Callable[[str], None]
#: Whether the person has called it off; asked once a piece.
Stopped = Callable[[], bool]


def _never() -> bool:
    return False


@dataclass(frozen=True)
class SavedImage:
    """An image in the file: ``config`` is SHA-256 of its configuration, in lower-case hex."""

    runtime: str
    reference: str
    config: str
    tools: dict[str, str]


@dataclass(frozen=True)
class Saved:
    """What a file holds. ``digest`` is SHA-256 of ``images.tar``, ``size`` its bytes."""

    images: tuple[SavedImage, ...]
    digest: str
    size: int


def save_images(
    client: docker.APIClient,
    images: Sequence[RuntimeImage],
    path: Path,
    progress: Progress,
    stopped: Stopped = _never,
) -> Saved:
    """Write ``images``, all of them built, into the new file ``path``; blocks for a while (gigabytes).

    Raises ``BadInput`` where the file exists or can't be written, ``MissingPrerequisite`` where the engine does not answer or
    the disk is full, ``Cancelled`` soon after ``stopped`` says so. A file that could not be written whole is removed.
    """
    _check_place(path)
    try:
        # One request for all, so that a layer which several images share is written once. The engine packs them before it
        # says a word; the file is made after that, so that nothing is left where this process ends meanwhile.
        answer = client.get(
            f"{client.base_url}/v{client.api_version}/images/get",
            params={"names": [image.reference for image in images]},
            stream=True,
            timeout=ANSWER_TIMEOUT_S,
        )
        with answer:
            if answer.status_code != requests.codes.ok:
                raise SandboxFailure(
                    f"Docker did not give the images ({_said(answer)}), so nothing was saved.",
                    "Build what is missing with: qverify runtimes build",
                )
            return _save(answer, images, path, progress, stopped)
    except ENGINE_ERRORS as error:
        raise _failed(error, " Nothing was saved.") from error


def _check_place(path: Path) -> None:
    """Refuse what can be seen to fail before the engine packs gigabytes."""
    try:
        path.lstat()
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise BadInput(f"{path} can't be written (its folder is not there).", "Name another file.") from None
    except OSError as error:
        raise BadInput(f"{path} can't be written ({error.strerror}).", "Name another file.") from error
    else:
        raise BadInput(f"{path} exists already and was left as it is.", "Name another file.")


def _save(
    answer: requests.Response, images: Sequence[RuntimeImage], path: Path, progress: Progress, stopped: Stopped
) -> Saved:
    _go_on(stopped)
    try:
        file = path.open("x+b")
    except FileExistsError as error:
        raise BadInput(f"{path} exists already and was left as it is.", "Name another file.") from error
    except OSError as error:
        raise BadInput(f"{path} can't be written ({error.strerror}).", "Name another file.") from error
    try:
        with file:
            return _write(answer, images, file, progress, stopped)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _go_on(stopped: Stopped) -> None:
    if stopped():
        raise Cancelled("It was stopped.")


def _write(
    answer: requests.Response,
    images: Sequence[RuntimeImage],
    file: IO[bytes],
    progress: Progress,
    stopped: Stopped,
) -> Saved:
    file.write(bytes(tarfile.BLOCKSIZE))
    digest, size = hashlib.sha256(), 0
    for piece in answer.iter_content(_PIECE):
        _go_on(stopped)
        file.write(piece)
        digest.update(piece)
        if size // _REPORTED != (size + len(piece)) // _REPORTED:
            progress(f"{(size + len(piece)) // MIB} MB written.")
        size += len(piece)
    file.write(bytes(-size % tarfile.BLOCKSIZE))
    end = file.tell()
    file.seek(0)
    file.write(_header(IMAGES, size))
    configs = _configs(_Part(file, tarfile.BLOCKSIZE, size))
    saved = Saved(
        tuple(SavedImage(i.runtime, i.reference, configs[i.reference], dict(i.tools)) for i in images),
        digest.hexdigest(),
        size,
    )
    index = json.dumps({"kind": KIND, **asdict(saved)}, indent=1, sort_keys=True).encode() + b"\n"
    file.seek(end)
    file.write(_header(INDEX, len(index)) + index + bytes(-len(index) % tarfile.BLOCKSIZE))
    file.write(bytes(2 * tarfile.BLOCKSIZE))
    file.flush()
    os.fsync(file.fileno())
    return saved


def read_saved(path: Path, progress: Progress, stopped: Stopped = _never) -> Saved:
    """Check every digest of the file at ``path`` and answer what it holds. Nothing is loaded; blocks while it reads.

    Raises ``BadInput`` where the file is not readable, no such archive, cut off, changed, or names what it should not.
    """
    try:
        with path.open("rb") as file:
            return _check(file, progress, stopped)
    except OSError as error:
        raise BadInput(f"{path} can't be read ({error.strerror}).", "Name the file that was saved.") from error
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        if _is_engines(path):
            raise BadInput(
                f"{path} is what Docker's own save wrote, so nothing in it can be checked. Nothing was loaded.",
                "Save it anew with: qverify runtimes save FILE",
            ) from error
        raise BadInput(f"{path} is no file of saved runtimes, or it is damaged.", _DAMAGED) from error


def _is_engines(path: Path) -> bool:
    """Whether this may be an archive of the engine without our index: the commonest mistake gets a word of its own."""
    try:
        with tarfile.open(path, "r:") as archive:
            return any(member.name == "manifest.json" for member in itertools.islice(archive, MAX_MEMBERS))
    except (OSError, tarfile.TarError, ValueError, RecursionError):
        return False


def load_images(client: docker.APIClient, path: Path, progress: Progress, stopped: Stopped = _never) -> Saved:
    """Load the images of ``path`` into the engine, after every digest was checked. Images of the same name are replaced.
    ``Cancelled`` soon after ``stopped`` says so.

    Raises as ``read_saved``, ``MissingPrerequisite`` where the engine does not answer, ``SandboxFailure`` where it refuses.
    """
    saved = read_saved(path, progress, stopped)
    progress("Every digest is right; loading.")
    try:
        with path.open("rb") as file:
            part = _Part(file, tarfile.BLOCKSIZE, saved.size)
            for said in client.load_image(_pieces(part, stopped)):  # type: ignore[no-untyped-call]
                if said.get("error"):
                    raise SandboxFailure(f"Docker refused to load the images: {said['error']}.", _DAMAGED)
        for image in saved.images:
            client.inspect_image(image.reference)  # type: ignore[no-untyped-call]
    except ENGINE_ERRORS as error:
        raise _failed(error) from error
    return saved


def _check(file: IO[bytes], progress: Progress, stopped: Stopped) -> Saved:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        images = archive.next()
        index = archive.next()
        if images is None or index is None or (images.name, index.name) != (IMAGES, INDEX):
            raise ValueError("other members")
        if (
            not (images.isreg() and index.isreg())
            or images.offset_data != tarfile.BLOCKSIZE
            or index.size > MAX_INDEX_BYTES
        ):
            raise ValueError("odd members")
        reader = archive.extractfile(index)
        assert reader is not None
        saved = _index(json.loads(reader.read()))
    if saved.size != images.size:
        raise ValueError("another size")
    digest, done = hashlib.sha256(), 0
    for piece in _pieces(_Part(file, tarfile.BLOCKSIZE, saved.size), stopped):
        digest.update(piece)
        if done // _REPORTED != (done + len(piece)) // _REPORTED:
            progress(f"{(done + len(piece)) // MIB} of {saved.size // MIB} MB checked.")
        done += len(piece)
    if done != saved.size or digest.hexdigest() != saved.digest:
        raise ValueError("another digest")
    if _configs(_Part(file, tarfile.BLOCKSIZE, saved.size)) != {i.reference: i.config for i in saved.images}:
        raise ValueError("other images")
    return saved


def _index(read: Any) -> Saved:
    if read["kind"] != KIND or not isinstance(read["size"], int) or not read["images"]:
        raise ValueError("another kind")
    images = tuple(
        SavedImage(
            str(image["runtime"]),
            str(image["reference"]),
            str(image["config"]),
            {str(tool): str(version) for tool, version in image["tools"].items()},
        )
        for image in read["images"]
    )
    for image in images:
        # A file from somewhere else must not put an image under anybody else's name.
        if not _REFERENCE.match(image.reference) or not image.reference.startswith(f"qverify/{image.runtime}:"):
            raise ValueError("another name")
    return Saved(images, str(read["digest"]), read["size"])


def _configs(part: _Part) -> dict[str, str]:
    """SHA-256 of each image's configuration by the only name that it has. Raises ``ValueError`` for anything else."""
    with tarfile.open(fileobj=part, mode="r:") as archive:
        members: dict[str, tarfile.TarInfo] = {}
        for member in archive:
            if member.name in members or len(members) >= MAX_MEMBERS:
                raise ValueError("a name twice, or too many")
            members[member.name] = member

        def content(name: str, most: int) -> bytes:
            member = members[name]
            if not member.isreg() or member.size > most:
                raise ValueError("odd member")
            reader = archive.extractfile(member)
            assert reader is not None
            return reader.read()

        found: dict[str, str] = {}
        for image in json.loads(content("manifest.json", MAX_INDEX_BYTES)):
            (reference,) = image["RepoTags"]
            if reference in found:
                raise ValueError("a name twice")
            found[reference] = hashlib.sha256(content(image["Config"], MAX_CONFIG_BYTES)).hexdigest()
        if OCI_INDEX in members:
            _check_names(json.loads(content(OCI_INDEX, MAX_INDEX_BYTES)), found)
        return found


def _check_names(index: Any, references: Collection[str]) -> None:
    """An engine that keeps its images in containerd loads by the names of the OCI layout (annotation of containerd's images)
    and not by the manifest's. Raises ``ValueError`` where they are others."""
    known = {f"docker.io/{reference}" for reference in references}
    for manifest in index["manifests"]:
        name = (manifest.get("annotations") or {}).get("io.containerd.image.name")
        if name is not None and name not in known:
            raise ValueError("another name")


class _Part(io.RawIOBase):
    """A stretch of a file as a file of its own."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file, self._start, self._size, self._at = file, start, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        wanted = min(len(buffer), max(0, self._size - self._at))
        self._file.seek(self._start + self._at)
        read = self._file.read(wanted)
        buffer[: len(read)] = read
        self._at += len(read)
        return len(read)


def _pieces(part: _Part, stopped: Stopped) -> Iterator[bytes]:
    while piece := part.read(_PIECE):
        _go_on(stopped)
        yield piece


def _said(answer: requests.Response) -> str:
    try:
        words = str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        words = f"status {answer.status_code}"
    return " ".join(words.split())[:300]


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, 0o644
    return member.tobuf(tarfile.GNU_FORMAT)


def _failed(error: BaseException, safe: str = "") -> MissingPrerequisite | SandboxFailure:
    if getattr(error, "errno", None) == errno.ENOSPC or "no space left" in words_of(error).lower():
        return MissingPrerequisite(f"The disk is full.{safe}", "Free some space and try again.")
    return MissingPrerequisite(f"{unavailable(error)}{safe}", f"{mending(None)} and try again.")
