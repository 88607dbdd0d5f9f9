"""The bundle that is sent to the hosted service: made, listed for the person, and what is announced of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable, QVerifyError
from qverify_desktop.domain.hosted_views import LeavingFileView
from qverify_desktop.engine import naming
from qverify_desktop.evidence.note import BadNote, Checkpoint, VerifierKey, open_note

FULL = Disclosure.FULL.value
#: How much of a run a bundle may show.
CONTENTS = tuple(one.value for one in Disclosure)
MOST_NOTE, MOST_MANIFEST = 16_384, 16 << 20

#: Writes the bundle of a run with these contents to a file; blocking (``EvidenceJournal.bundle``).
Make = Callable[[str, str, Path], None]

#: Files of a bundle by how their names begin, and what is in them.
_KINDS = (
    ("blobs/", "Source passages, prompts, answers, generated tests and logs of this run"),
    ("salts.jsonl", "Salts that tie those contents to the log"),
    (
        "entries.jsonl",
        "Entries of this run: names of files, functions and tests, commands, times, verdicts; no source",
    ),
    ("headers.jsonl", "That other runs were opened and closed, and when; nothing of their content"),
    ("checkpoints/", "Signed states of the log"),
    ("checkpoint", "The signed state of the log at this run's end"),
    ("tile/", "Hashes of the log"),
    ("proofs/", "Proofs that the entries are in the log"),
    ("attest/", "Signed statements about the run: commit, tree, verdict"),
    ("bundle.json", "The list of what is in the bundle"),
)
_OTHER = "Other files of the bundle"
SHOWS = {
    Disclosure.FULL: "Whoever gets it can read the passages of source that were quoted, prompts and answers, and every generated test.",
    Disclosure.REDACTED: "Whoever gets it can read names of files, functions and tests and what became of them, and no source.",
    Disclosure.HEADERS: "Whoever gets it can read that the run was, when, and how it ended; no names and no source.",
}


@dataclass(frozen=True)
class Taken:
    """A bundle that somebody brought as a file: the run and the contents that it says, and the copy that was verified."""

    run: str
    contents: str
    made: Made


@dataclass(frozen=True)
class Made:
    """A bundle on the disk. ``note`` is its closing checkpoint and ``key`` the verifier key that signed it."""

    path: Path
    size: int
    sha256: str
    note: str
    key: str


def make(run: str, contents: str, path: Path, write: Make) -> Made:
    """Write a bundle and read what is announced of it. Blocking. Raises like ``EvidenceJournal.bundle``."""
    if contents not in CONTENTS:
        raise BadInput(f"There are no contents {contents!r}.", f"Choose one of {', '.join(CONTENTS)}.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write(run, contents, path)
    path.chmod(0o600)
    return read(path)


def take(file: Path, folder: Path) -> Taken:
    """Copy a bundle that came as a file into ``folder``, and verify the copy: it is the copy that is sent, whatever becomes of the
    file. Blocking. Raises ``BadInput`` for one that does not hold, ``EvidenceUnreadable`` for what is none."""
    from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix="taken-", suffix=".zip")
    copy = Path(name)
    try:
        with file.open("rb") as source, os.fdopen(handle, "wb") as target:
            shutil.copyfileobj(source, target)
        answer = verify_bundle(copy)
        if not answer["valid"]:
            raise BadInput(
                f"The bundle {file.name} does not hold ({answer['grade']}), so nothing of it is sent: {' '.join(answer['problems'][:3])}",
                "Have it exported again where the run was.",
            )
        run, contents, made = str(answer["run"]), str(answer["disclosure"]), read(copy)
        if not naming.is_run(run) or contents not in CONTENTS:
            raise BadInput(f"The bundle {file.name} is of no run that could be sent. Nothing was sent.")
        kept = folder / taken_name(made.sha256)
        copy.replace(kept)
        return Taken(run, contents, replace(made, path=kept))
    except BundleUnreadable as error:
        raise EvidenceUnreadable(error.sentence.replace(str(copy), str(file))) from None
    except OSError as error:
        raise BadInput(
            f"The bundle {file} can't be copied into the queue ({error.strerror}). Nothing was sent.",
            "Look whether the file can be read, and whether there is room for a copy.",
        ) from error
    finally:
        copy.unlink(missing_ok=True)


def taken_name(sha256: str) -> str:
    """What the copy of a bundle with this digest is called."""
    return f"taken-{sha256[:32]}.zip"


def read(path: Path) -> Made:
    """What is announced of a bundle of ours. Blocking. Raises ``QVerifyError`` for one that is damaged."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    try:
        note, known = _note_and_keys(path)
        _, signers = open_note(note, known)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, BadNote, RecursionError) as error:
        raise QVerifyError(
            f"The bundle {path.name} can't be read, so it was not sent. The evidence log itself is safe.",
            "Send the run again; its bundle is made anew.",
        ) from error
    return Made(path, path.stat().st_size, digest.hexdigest(), note, str(signers[0]))


def is_signed(path: Path, note: str) -> bool:
    """Whether somebody else's note is a checkpoint of the log of this bundle, signed by one of the log's keys. Blocking."""
    if len(note) > MOST_NOTE:
        return False
    try:
        ours, known = _note_and_keys(path)
        text, _ = open_note(note, known)
        return Checkpoint.parse(text).origin == Checkpoint.parse(open_note(ours, known)[0]).origin
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, BadNote, RecursionError):
        return False


def _note_and_keys(path: Path) -> tuple[str, list[VerifierKey]]:
    """The closing checkpoint and the keys that signed the log."""
    with zipfile.ZipFile(path) as archive:
        note = _member(archive, "checkpoint", MOST_NOTE).decode()
        keys = json.loads(_member(archive, "bundle.json", MOST_MANIFEST))["keys"]
    return note, [VerifierKey.parse(str(key)) for key in keys]


def leaving(path: Path) -> list[LeavingFileView]:
    """The files of a bundle by kind, largest first. Blocking."""
    sums: dict[str, LeavingFileView] = {}
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            begin, says = next((one for one in _KINDS if info.filename.startswith(one[0])), ("…", _OTHER))
            one = sums.setdefault(begin, {"name": begin, "says": says, "files": 0, "bytes": 0})
            one["files"] += 1
            one["bytes"] += info.file_size
    return sorted(sums.values(), key=lambda one: -one["bytes"])


def _member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    with archive.open(name) as file:
        return file.read(most)
