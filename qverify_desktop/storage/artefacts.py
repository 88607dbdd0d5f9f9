"""Content-addressed store of artefacts: a file per content, named by its SHA-256."""

from __future__ import annotations

import errno
import hashlib
import re
from pathlib import Path

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.domain.execution import MIB
from qverify_desktop.storage.durable_file import replacing

#: Largest content that is taken (bytes): the largest archive a sandbox hands out, with room for the JSON around it.
LARGEST = 256 * MIB

_DIGEST = re.compile(r"[0-9a-f]{64}")


class ArtefactStore:
    """A folder of contents, each at ``ab/abcd…``. A content that ``put`` has answered survives a power cut.

    Safe from any thread and several processes: equal contents get equal names, and a file appears whole or not at all.
    """

    def __init__(self, folder: Path, largest: int = LARGEST) -> None:
        self._folder = folder
        self._largest = largest

    def put(self, content: bytes) -> str:
        """Keep ``content`` and answer its digest. Raises ``MissingPrerequisite`` (full disk, read-only folder) or
        ``QVerifyError`` (over the cap)."""
        if len(content) > self._largest:
            raise QVerifyError(
                f"An artefact of {len(content)} bytes is over the limit of {self._largest} bytes and was not kept."
            )
        digest = hashlib.sha256(content).hexdigest()
        path = self.path(digest)
        try:
            if not _holds(path, content):
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                with replacing(path) as file:
                    file.write(content)
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        return digest

    def get(self, digest: str) -> bytes:
        """The content of that digest. Raises ``QVerifyError`` when it is gone or its bytes were changed."""
        try:
            content = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            raise QVerifyError(f"The artefact {digest} is not in the store any more.") from error
        except OSError as error:
            raise QVerifyError(
                f"The artefact {digest} can't be read ({error.strerror}).", "Check the disk."
            ) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise QVerifyError(
                f"The artefact {digest} was changed on the disk, so it is not used.", "Analyse the repository again."
            )
        return content

    def has(self, digest: str) -> bool:
        """Whether there is a content of that digest (its bytes are checked when it is read)."""
        return self.path(digest).is_file()

    def delete(self, digest: str) -> None:
        """Remove a content; nothing happens when there is none."""
        self.path(digest).unlink(missing_ok=True)

    def path(self, digest: str) -> Path:
        """Where a content lies. Raises ``BadInput`` for anything but 64 hexadecimal digits."""
        if not _DIGEST.fullmatch(digest):
            raise BadInput(f"{digest[:80]!r} is no SHA-256 digest.")
        return self._folder / digest[:2] / digest


def _holds(path: Path, content: bytes) -> bool:
    try:
        return path.stat().st_size == len(content) and path.read_bytes() == content
    except FileNotFoundError:
        return False


def _unwritable(folder: Path, error: OSError) -> MissingPrerequisite:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingPrerequisite(
            f"The disk of {folder} is full. What was recorded before is safe.",
            "Make room there, then go on with: qverify resume RUN",
        )
    return MissingPrerequisite(
        f"QVerify can't keep its records in {folder} ({error.strerror or error}). What was recorded before is safe.",
        "Make the folder writable, or choose another one with the environment variable QVERIFY_HOME.",
    )
