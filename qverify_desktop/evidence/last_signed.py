"""The last checkpoint that was signed here, in a file beside the database. It outlives a database that is put back from a backup, that
lost its write-ahead log, or that is gone: who signed on from there would give two histories of one log away."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from sqlalchemy.orm import Session

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.evidence.note import Checkpoint
from qverify_desktop.storage.durable_file import replacing
from qverify_desktop.storage.schema import CheckpointRow


class LastSigned:
    """One file per log, in the folder ``signed`` beside ``database``. It guards against accidents: who may write the folder may delete the
    file as well."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._folder = database.parent / "signed"
        #: Entries of the checkpoint that the log does not lead to; 0 where it leads to the last one.
        self._lost = 0

    def of(self, origin: str) -> Checkpoint | None:
        """``None`` where nothing was signed yet, or the file is not what was written."""
        try:
            checkpoint = Checkpoint.parse(_text(self._file(origin).read_text("utf-8")))
        except (OSError, ValueError):
            return None
        return checkpoint if checkpoint.origin == origin else None

    def keep(self, note: str) -> None:
        """After the transaction that holds the checkpoint. Where the disk is full the one before stays, which holds as well."""
        checkpoint = Checkpoint.parse(_text(note))
        standing = self.of(checkpoint.origin)
        if standing is None or standing.size < checkpoint.size:
            with contextlib.suppress(OSError):
                self._folder.mkdir(mode=0o700, exist_ok=True)
                with replacing(self._file(checkpoint.origin)) as file:
                    file.write(note.encode())

    def compare(self, session: Session, origin: str) -> None:
        """See whether the log leads to its last checkpoint."""
        last = self.of(origin)
        row = None if last is None else session.get(CheckpointRow, last.size)
        self._lost = 0 if last is None or (row is not None and _text(row.note) == str(last)) else last.size

    def refuse(self) -> None:
        """Raises ``MissingPrerequisite`` for a log that must not be gone on with."""
        if self._lost:
            name = self._database.name
            raise MissingPrerequisite(
                f"The evidence log in {self._database} does not lead to the last checkpoint that was signed here, of {self._lost} entries: "
                "it was put back from a backup, or lost its last writes. Nothing was added, because whoever knows that checkpoint "
                "would find two histories of one log (DIVERGED). What is in it can be read.",
                f"Put the newer {name} back, with its -wal file. If it is lost, move this one away: a new log begins, and bundles that were "
                "exported stay valid.",
            )

    def _file(self, origin: str) -> Path:
        return self._folder / f"{hashlib.sha256(origin.encode()).hexdigest()[:16]}.checkpoint"


def _text(note: str) -> str:
    """What was signed, without the signatures."""
    return note.rpartition("\n\n")[0] + "\n"
