"""What a finished run leaves for a person: accepted tests, report and bundle, without touching files of others."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Set
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path, PurePosixPath

from qverify_desktop.analysis.ports import Journal
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.domain.report import Seal, Supplement
from qverify_desktop.domain.results import RunResult
from qverify_desktop.storage.durable_file import replacing

MANIFEST = ".qverify.json"
RECORD = "delivery.json"
BUNDLE_SUFFIX = ".qvevidence.zip"


@dataclass(frozen=True)
class Delivery:
    """Absolute paths of what was written, the bundle's verified grade, and sentences on what had to go elsewhere."""

    folder: str
    bundle: str
    report: str
    grade: str
    notices: tuple[str, ...] = ()


class Outbox:
    """A folder that is written into. A file that stands there already is replaced only when it was written from here."""

    def __init__(self, folder: Path, run: str) -> None:
        self._folder = folder
        self._run = run
        self.notices: list[str] = []
        self._ours: dict[str, str] = _read_manifest(folder / MANIFEST)

    def write(self, relative: str, content: bytes) -> Path | None:
        """Write ``content`` at ``relative`` or, where a foreign file or a link is in the way, below a folder of the run's.

        Answers the path, ``None`` for a name that is no path below the folder. Raises ``OSError``.
        """
        parts = PurePosixPath(relative).parts
        if not parts or PurePosixPath(relative).is_absolute() or any(p in ("..", ".") or "\0" in p for p in parts):
            self.notices.append(f"The file {relative!r} has no place below {self._folder} and was not written.")
            return None
        for place in (parts, (self._run, *parts)):
            target = self._folder.joinpath(*place)
            if self._is_free(place, content):
                break
        else:
            self.notices.append(f"Files that QVerify did not write are in the way of {relative}; it was not written.")
            return None
        if place != parts:
            self.notices.append(f"{relative} was there already and is not QVerify's, so the new one is {target}.")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, content)
        self._ours["/".join(place)] = hashlib.sha256(content).hexdigest()
        return target

    def close(self) -> None:
        """Remember what was written, so that the next run may replace it."""
        text = json.dumps({"written_by": "QVerify Desktop", "files": self._ours}, indent=1, sort_keys=True)
        write_whole(self._folder / MANIFEST, text.encode())

    def _is_free(self, place: tuple[str, ...], content: bytes) -> bool:
        folder = self._folder
        for part in place[:-1]:
            folder = folder / part
            if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
                return False
        target = folder / place[-1]
        if target.is_symlink() or target.is_dir():
            return False
        if not target.exists():
            return True
        standing = hashlib.sha256(target.read_bytes()).hexdigest()
        return standing in (self._ours.get("/".join(place)), hashlib.sha256(content).hexdigest())


def deliver(
    result: RunResult,
    journal: Journal,
    home: Path,
    supplement: Callable[[RunResult, Seal], Supplement] = lambda _, seal: Supplement(seal=seal),
) -> Delivery:
    """Write the bundle, check it with the stand-alone verifier, and write report and accepted tests; blocking.

    ``supplement`` gives what the report shows beside the result, for the seal that the verifier found.
    Everything goes to the request's ``out`` folder or, without one, to the run's folder in the state folder. The latter
    keeps a bundle in any case. Doing it again gives the same files. Raises ``MissingPrerequisite`` when the disk is full
    or a folder can't be written.
    """
    from qverify_desktop.engine.history import seal_of
    from qverify_desktop.evidence.verify import verify_bundle
    from qverify_desktop.export.formats import FORMATS

    own = run_folder(home, result.run)
    out = Path(result.request.out) if result.request.out else own
    try:
        own.mkdir(mode=0o700, parents=True, exist_ok=True)
        out.mkdir(parents=True, exist_ok=True)
        kept = bundle_of(home, result.run)
        journal.bundle(result.run, kept)
        checked = verify_bundle(kept)
        outbox = Outbox(out, result.run)
        if not checked["valid"]:
            outbox.notices += [
                "The evidence bundle does not verify; don't rely on it.",
                *map(str, checked["problems"]),
            ]
        for path, text in sorted(result.files.items()):
            outbox.write(path, text.encode("utf-8", "replace"))
        report = outbox.write("report.html", FORMATS["html"](result, supplement(result, seal_of(checked))))
        bundle = kept if out == own else outbox.write(kept.name, kept.read_bytes())
        outbox.close()
        delivery = Delivery(
            str(out), str(bundle or kept), str(report or ""), str(checked["grade"]), tuple(outbox.notices)
        )
        write_whole(own / RECORD, json.dumps(asdict(delivery)).encode())
    except OSError as error:
        raise unwritable(out, error) from error
    return delivery


def delivered(home: Path, run: str) -> Delivery | None:
    """What ``deliver`` recorded for a run, ``None`` when it has not finished."""
    try:
        fields = json.loads((run_folder(home, run) / RECORD).read_text(encoding="utf-8"))
        told = Delivery(**{**fields, "notices": tuple(fields.get("notices", ()))})
        own = run_folder(home, run)
        return replace(
            told,
            folder=_moved(own, told.folder),
            bundle=_moved(own, told.bundle),
            report=_moved(own, told.report),
        )
    except (OSError, ValueError, TypeError):
        return None


def _moved(own: Path, recorded: str) -> str:
    """A path that was in the run's folder when it was recorded, in the folder as it is now: the state folder may have been moved."""
    path = Path(recorded)
    if path.parts[-2:] == own.parts[-2:]:
        return str(own)
    return str(own / path.name) if path.parts[-3:-1] == own.parts[-2:] else recorded


def check_out(out: str) -> None:
    """Refuse an ``out`` that can't become a folder before any work is done. Raises ``BadInput``."""
    if not out:
        return
    path = Path(out)
    if not path.is_absolute():
        raise BadInput(f"The folder for results {out} is no absolute path.")
    existing = next((p for p in (path, *path.parents) if os.path.lexists(p)), path)
    if not existing.is_dir():
        raise BadInput(
            f"The folder for results {out} can't be made: {existing} is no folder.", "Choose another --out."
        )
    if not os.access(existing, os.W_OK | os.X_OK):
        raise BadInput(f"The folder for results {out} can't be written.", "Choose another --out.")


def bundle_of(home: Path, run: str) -> Path:
    """Where the run's bundle is kept; it may not be there yet."""
    return run_folder(home, run) / f"{run}{BUNDLE_SUFFIX}"


def kept_bundle(home: Path, journal: Journal, run: str) -> Path:
    """The run's bundle. It follows from the log, so one that is gone, torn, or lacks anchors that came since is written anew.

    Raises ``BadInput`` when the run is not closed, ``MissingPrerequisite`` for a full disk, ``QVerifyError`` when the log on the
    disk is not the one that was signed.
    """
    kept = bundle_of(home, run)
    if not _is_whole(kept, journal.anchor_files(run)):
        try:
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(kept.parent, error) from error
        journal.bundle(run, kept)
    return kept


def _is_whole(archive: Path, anchors: Set[str]) -> bool:
    """Whether all of it can be read, has its checksums, and the anchors are in it. What it says is the verifier's to judge."""
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.testzip() is None and anchors <= set(opened.namelist())
    except (OSError, zipfile.BadZipFile, ValueError, RuntimeError, NotImplementedError):
        return False


def copy_bundle(home: Path, journal: Journal, run: str, path: Path, disclosure: Disclosure = Disclosure.FULL) -> None:
    """Copy the run's bundle, or write one that shows less. Raises as ``kept_bundle`` and ``write_for_person`` do."""
    if disclosure is Disclosure.FULL:
        write_for_person(path, kept_bundle(home, journal, run).read_bytes(), make_folder=True)
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritten(path, error) from error
    journal.bundle(run, path, disclosure)


def write_verifier(path: Path) -> str:
    """Write the verifier that stands alone, and answer its SHA-256 in hexadecimal. Raises as ``write_for_person`` does."""
    content = resources.files("qverify_desktop.evidence").joinpath("verify.py").read_bytes()
    write_for_person(path, content)
    return hashlib.sha256(content).hexdigest()


def write_for_person(path: Path, content: bytes, *, make_folder: bool = False) -> None:
    """Write a file that a person asked for, all or nothing: what stood there before stays where it fails.

    Raises ``MissingPrerequisite`` for a full disk, ``BadInput`` otherwise.
    """
    try:
        if make_folder:
            path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        raise unwritten(path, error) from error


def unwritten(path: Path, error: OSError) -> QVerifyError:
    """The sentence for a file that a person asked for and that could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingPrerequisite(
            f"The disk of {path} is full. Nothing was written, and what stood there before is unchanged.",
            "Make room there, or name a file elsewhere.",
        )
    return BadInput(
        f"The file {path} can't be written ({error.strerror or error}). Nothing was changed.", "Name another file."
    )


def run_folder(home: Path, run: str) -> Path:
    return home / "runs" / run


def unwritable(folder: Path, error: OSError) -> MissingPrerequisite:
    """The sentence for results that can't be written."""
    reason = error.strerror or str(error)
    return MissingPrerequisite(
        f"The results can't be written to {folder} ({reason}). The run's findings are recorded and safe.",
        "Make room or choose another folder, then go on with: qverify resume RUN",
    )


def _read_manifest(path: Path) -> dict[str, str]:
    try:
        files = json.loads(path.read_text(encoding="utf-8"))["files"]
        return {str(name): str(digest) for name, digest in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_whole(path: Path, content: bytes) -> None:
    """All or nothing: a reader never sees half a file."""
    with replacing(path, 0o644) as file:
        file.write(content)
