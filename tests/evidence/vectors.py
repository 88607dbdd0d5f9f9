"""Test vectors that nobody here wrote; they lie outside of the project."""

import os
from pathlib import Path

import pytest

_PROJECT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("QVERIFY_VECTORS", "") or _PROJECT.parent / "shared" / "vectors")


def vectors(name: str) -> Path:
    """A folder of vectors; the test is skipped, never passed, where it is absent."""
    folder = FOLDER / name
    if not folder.is_dir():
        pytest.skip(f"The test vectors {name} are not here (QVERIFY_VECTORS={FOLDER}).")
    return folder
