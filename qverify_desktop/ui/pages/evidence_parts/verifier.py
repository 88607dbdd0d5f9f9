"""The stand-alone verifier, saved for somebody who has no QVerify."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.log_views import VerifierView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Notice


def save_verifier(desk: Desk, owner: QWidget) -> None:
    """Ask where, write it, and say its digest. ``owner`` is the page that asks."""

    def write(path: str) -> None:
        desk.bridge.ask(owner, "evidence_verifier", saved, file=path)

    def saved(view: VerifierView) -> None:
        said = tr(
            "The stand-alone verifier is saved: {path} (SHA-256 {digest}…)",
            path=view["path"],
            digest=view["sha256"][:16],
        )
        show = partial(desk.front.open_path, str(Path(view["path"]).parent))
        desk.front.tell(Notice(said, "success", tr("Open folder"), show))

    desk.front.save_as("verify.py", "*.py", write)
