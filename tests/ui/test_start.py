"""The window starts, and shows the pages about models, without the model library, which takes seconds to import."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.ui
ROOT = Path(__file__).resolve().parents[2]
CODE = """
import os, sys
from PySide6.QtCore import QTimer
from qverify_desktop.app import main
from qverify_desktop.ui.page import Place

def on_window(window):
    def walk():
        for name in ("models", "usage", "settings", "home"):
            window.go(Place(name))
    def look():
        assert window.front is not None and "qverify_desktop.gateway.gateway" in sys.modules, "the engine is open"
        print(sorted({"litellm", "openai", "tiktoken", "detect_secrets"} & set(sys.modules)), flush=True)
        os._exit(0)
    window.bridge.ready.connect(walk)
    window.bridge.ready.connect(lambda: QTimer.singleShot(1500, look))

main([], on_window)
"""


def test_nothing_of_the_model_library_is_imported_by_starting(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("QVERIFY")}
    more = {"QT_QPA_PLATFORM": "offscreen", "QVERIFY_HOME": str(tmp_path / "home"), "QVERIFY_KEYRING": "false"}
    ran = subprocess.run(
        [sys.executable, "-c", CODE],
        cwd=tmp_path,
        env={**kept, **more, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, "[]\n"), ran.stderr
