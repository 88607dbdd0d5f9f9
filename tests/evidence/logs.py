"""Logs and bundles to test with, and ways to take a bundle apart and put it together again."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.signing import AttestationSigner, Signer
from qverify_desktop.storage.anchors import Wanted
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database

ORIGIN = "qverify.test/log"
KEY, OTHER_KEY, ATTESTATION_KEY = b"\x07" * 32, b"\x08" * 32, b"\x0a" * 32
RESULT = "ab" * 32


def event(type: str, data: Mapping[str, Any] | None = None, **blobs: bytes) -> Evidence:
    return Evidence(type, data or {}, blobs)


class House:
    """A log with everything it needs, in a folder; opened again it goes on."""

    def __init__(
        self,
        folder: Path,
        key: bytes = KEY,
        protection: str = "keyring",
        attestation_key: bytes | None = ATTESTATION_KEY,
        wanted: Sequence[Wanted] = (),
    ) -> None:
        self.folder = folder
        self.database = Database(folder / "qverify.db")
        self.artefacts = ArtefactStore(folder / "artefacts")
        attester = None if attestation_key is None else AttestationSigner(attestation_key, protection)
        signer = Signer(ORIGIN, key, protection)
        self.journal = EvidenceJournal(
            self.database, self.artefacts, signer, attester=attester, wanted=lambda: wanted
        )

    def close(self) -> None:
        self.database.close()

    def open_run(self, run: str) -> None:
        self.journal.record(run, "open", RESULT, [event("run_opened", {"plan": "all"})])
        self.journal.checkpoint(run)

    def work(self, run: str, steps: int = 2, exit_code: int = 0) -> None:
        for number in range(steps):
            output = f"{run} printed {number}".encode()
            data = {"purpose": "judge", "exit_code": exit_code, "naïve": "é☃\U0001f600\x01"}
            self.journal.record(run, f"work {number}", RESULT, [event("execution", data, output=output)])

    def close_run(self, run: str) -> None:
        self.journal.record(
            run, "close", RESULT, [event("run_closed", {"outcome": "done"}, sentence=b"All is well.")]
        )
        self.journal.checkpoint(run)

    def whole_run(self, run: str, steps: int = 2, exit_code: int = 0) -> None:
        self.open_run(run)
        self.work(run, steps, exit_code)
        self.close_run(run)

    def bundle(self, run: str) -> Path:
        path = self.folder / f"{run}.qvevidence.zip"
        self.journal.bundle(run, path)
        return path


def members(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Mapping[str, bytes]) -> bytes:
    """The archive in the layout of a bundle, so that nothing but the contents can give a change away."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o100644 << 16
            archive.writestr(info, files[name])
    return buffer.getvalue()


TREE, COMMIT, IMAGE = "1c" * 20, "2d" * 20, "3e" * 32


def whole_analysis(
    house: House,
    run: str,
    *,
    verdict: str = "nothing_suspected",
    dirty: bool = False,
    commit: str = COMMIT,
    tree: str = TREE,
) -> None:
    """A run with every kind of entry that an attestation is made of, as an analysis records them."""
    house.open_run(run)
    snapshot = {"origin": "/src", "commit": commit, "tree": tree, "files": 3, "dirty": dirty}
    image = {"language": "python", "commit": commit, "tree": tree, "image_digest": f"sha256:{IMAGE}"}
    events = [event("snapshot", snapshot), event("plan", image)]
    kinds = ["accepted", "accepted", "refused"]
    if verdict == "defects_suspected":
        kinds.append("suspected")
    for number, kind in enumerate(kinds):
        judged = {"test": f"tests/test_é.py::test_{number}", "verdict": kind, "gain": {"lines": number}}
        events.append(event("judgement", judged, code=f"assert {number}".encode()))
    house.journal.record(run, "analysis", RESULT, events)
    figures = {"verdict": verdict, "accepted": 2, "tests": len(kinds), "lines_after": [3, 4]}
    house.journal.record(run, "result", RESULT, [event("verdict", figures)])
    house.close_run(run)
