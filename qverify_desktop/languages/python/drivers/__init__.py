"""Programs that run inside the sandbox, kept as files and laid over the snapshot in the folder ``.qverify``.

They are never imported here. Each needs only the standard library, pytest and coverage, and CPython 3.9 or later.
"""

from __future__ import annotations

from importlib import resources

FOLDER = ".qverify"


def driver_files(*names: str) -> dict[str, bytes]:
    """Overlay (path to content) of the programs ``names``."""
    here = resources.files(__name__)
    return {f"{FOLDER}/{name}": here.joinpath(name).read_bytes() for name in names}
