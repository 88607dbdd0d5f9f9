"""Root file systems for sandboxes without a container engine: brought in from an image or archive, found again later.

Each lies in a folder of its own, ``ROOTS/<digest>``: ``root/`` is what the sandbox sees as ``/``, ``root.json`` says where it
comes from. The digest is the image's id, which is SHA-256 over its configuration (OCI image specification, "ImageID"); that
names the SHA-256 of every layer, so a changed archive is refused. A plain archive of a root file system has its own SHA-256.
"""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docker

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.bubblewrap_entry import OVERLAY
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, words_of
from qverify_desktop.sandbox.image_archive import DEFAULT_PATH, Hashed, read_config, unpack_layer
from qverify_desktop.sandbox.owner import BOOT, BORN, PID, Process
from qverify_desktop.sandbox.unpack import Unpacker, remove_tree

ROOT = "root"
FACTS = "root.json"
_NEW = ".new-"
#: Folders that a sandbox mounts something on; an exported image need not have them, and a read-only root can't get them.
_MOUNT_POINTS = (
    "proc",
    "dev",
    "tmp",
    *(path.lstrip("/") for path in (entry.WORK, entry.SOURCE, entry.DEPENDENCIES, OVERLAY)),
)
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")

Lines = Callable[[str], None]


@dataclass(frozen=True)
class Root:
    """A root file system on this machine. ``env`` is the environment that its image sets, ``recipe`` the digest of the
    recipe that its image was built from (empty for a plain archive)."""

    image: RuntimeImage
    folder: Path
    env: Mapping[str, str]
    recipe: str = ""


def find_roots(roots: Path) -> list[Root]:
    """Every root file system below ``roots``, the newest first. What can't be read is left out."""
    found: list[tuple[float, Root]] = []
    with contextlib.suppress(OSError):
        for folder in roots.iterdir():
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                root = _read(folder)
                found.append(((folder / FACTS).stat().st_mtime, root))
    return [root for _, root in sorted(found, key=lambda pair: -pair[0])]


def import_root(
    source: Path | str,
    runtime: str,
    roots: Path,
    progress: Lines = lambda _: None,
    *,
    client: docker.APIClient | None = None,
    languages: tuple[str, ...] = (),
    checkpoint: Callable[[], None] = lambda: None,
) -> Root:
    """Bring in the root file system of ``runtime``. Blocks for about ten seconds.

    ``source`` is a file (what ``docker save`` or ``docker export`` writes) or the name of an image that the engine of
    ``client`` has. One that is there already is taken as it is. ``progress`` takes lines; ``checkpoint`` is called often and may raise to stop. Raises ``BadInput``
    for an archive that is refused, ``MissingPrerequisite`` where there is no such file or image, or no room for it.
    """
    try:
        roots.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _new_folder(roots) as folder:
            making = _Making(RuntimeImage(runtime, "", languages=languages), roots, folder, progress, checkpoint)
            if isinstance(source, Path):
                return _import_file(source, making)
            archive = folder / "image.tar"
            progress(f"Taking the image {source} from the engine.")
            _save(client, source, archive, checkpoint)
            return _import_file(archive, making, source)
    except OSError as error:
        raise MissingPrerequisite(
            f"The root file system can't be unpacked below {roots} ({error.strerror or error}). Nothing of it was kept.",
            "Free some space there or make it writable, and try again.",
        ) from error


def sweep_roots(roots: Path) -> int:
    """Remove what imports of dead processes left half done; answers how many."""
    removed = 0
    with contextlib.suppress(OSError):
        for folder in roots.glob(f"{_NEW}*"):
            words = folder.name.removeprefix(_NEW).split("_")
            labels = dict(zip((PID, BORN, BOOT), words, strict=False))
            process = Process.from_labels(labels)
            if process is None or not process.alive():
                remove_tree(folder)
                removed += 1
    return removed


@contextlib.contextmanager
def _new_folder(roots: Path) -> Any:
    process = Process.current()
    name = f"{_NEW}{process.pid}_{process.born}_{process.boot}_"
    folder = Path(tempfile.mkdtemp(prefix=name, dir=roots))
    try:
        yield folder
    finally:
        remove_tree(folder)


def _save(client: docker.APIClient | None, reference: str, archive: Path, checkpoint: Callable[[], None]) -> None:
    if client is None:
        raise MissingPrerequisite(f"There is no file {reference} and no engine that could have such an image.")
    try:
        with archive.open("wb") as file:
            for chunk in client.get_image(reference):
                checkpoint()
                file.write(chunk)
    except ENGINE_ERRORS as error:
        if isinstance(error, OSError) and error.errno is not None and error.filename == str(archive):
            raise
        raise MissingPrerequisite(
            f"The image {reference} could not be taken from the Docker Engine ({words_of(error)}).",
            "Build it with `qverify runtimes build`, or give a file that `docker save` wrote.",
        ) from error


@dataclass(frozen=True)
class _Making:
    """An import at work: the image so far, where it will lie, the folder it is made in, and whom it tells."""

    image: RuntimeImage
    roots: Path
    folder: Path
    progress: Lines
    checkpoint: Callable[[], None]


def _import_file(file: Path, making: _Making, reference: str = "") -> Root:
    if not file.is_file():
        raise BadInput(
            f"There is no file {file}.", "Name a file that `qverify runtimes save` or `docker save` wrote."
        )
    config = read_config(file, making.image.runtime)
    if config is not None and (known := _known(making.roots, config.digest)) is not None:
        return known
    target = making.folder / "made" / ROOT
    target.mkdir(parents=True)
    unpacker = Unpacker(target, making.checkpoint)
    if config is None:
        making.progress(f"Unpacking {file.name}.")
        with file.open("rb") as raw:
            hashed = Hashed(raw)
            unpacker.unpack(hashed)
        digest = hashed.sha256.hexdigest()
        note = f"Its root file system was given as a file ({file.name}) and not built from QVerify's recipe."
        image = replace(making.image, reference=f"file/{making.image.runtime}:{digest[:12]}", differences=(note,))
        root = Root(image, target, {"PATH": DEFAULT_PATH})
    else:
        digest = config.digest
        for number, (name, expected) in enumerate(config.layers, 1):
            making.progress(f"Unpacking layer {number} of {len(config.layers)}.")
            unpack_layer(file, name, expected, unpacker)
        image = replace(
            making.image,
            reference=reference or config.reference or f"image/{making.image.runtime}:{digest[:12]}",
            tools=_json(config.labels.get("qverify.tools"), dict),
            differences=tuple(str(one) for one in _json(config.labels.get("qverify.differences"), list)),
        )
        root = Root(image, target, config.env, config.labels.get("qverify.recipe", ""))
    image = replace(image, digest=f"sha256:{digest}", size_bytes=unpacker.size_bytes)
    return _keep(replace(root, image=image), making, digest)


def _keep(root: Root, making: _Making, digest: str) -> Root:
    made = making.folder / "made"
    for name in _MOUNT_POINTS:
        point = made / ROOT / name
        if point.is_symlink() or (point.exists() and not point.is_dir()):
            point.unlink()
        point.mkdir(mode=0o755, exist_ok=True)
        point.chmod(0o755)
    if not (made / ROOT / "bin").exists():
        raise BadInput(
            "The archive holds no root file system (there is no folder /bin in it). Nothing of it was kept."
        )
    (made / ROOT).chmod(0o755)
    facts = {
        "runtime": root.image.runtime,
        "reference": root.image.reference,
        "digest": root.image.digest,
        "languages": list(root.image.languages),
        "tools": dict(root.image.tools),
        "differences": list(root.image.differences),
        "size_bytes": root.image.size_bytes,
        "env": dict(root.env),
        "recipe": root.recipe,
    }
    (made / FACTS).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    try:
        made.rename(making.roots / digest)
    except OSError:
        # Another process brought in the same one meanwhile.
        if (known := _known(making.roots, digest)) is not None:
            return known
        raise
    return replace(root, folder=making.roots / digest / ROOT)


def _known(roots: Path, digest: str) -> Root | None:
    try:
        return _read(roots / digest)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _read(folder: Path) -> Root:
    if not _DIGEST.match(folder.name):
        raise ValueError
    facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
    image = RuntimeImage(
        runtime=facts["runtime"],
        reference=facts["reference"],
        digest=f"sha256:{folder.name}",
        languages=tuple(facts["languages"]),
        tools=facts["tools"],
        differences=tuple(facts["differences"]),
        size_bytes=int(facts["size_bytes"]),
    )
    if not (folder / ROOT).is_dir():
        raise ValueError
    return Root(image, folder / ROOT, facts["env"], facts["recipe"])


def _json(text: str | None, kind: type) -> Any:
    try:
        value = json.loads(text or "")
    except ValueError:
        return kind()
    return value if isinstance(value, kind) else kind()
