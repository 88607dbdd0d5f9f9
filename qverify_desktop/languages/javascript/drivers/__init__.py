"""Programs for Node.js that run inside the sandbox, kept as files and laid over the snapshot in the folder ``.qverify``.

They are never imported here. They need Node.js 20 and what the runtime ``node`` brings: TypeScript, and Jest's ``expect`` and
``jest-mock``. Generated and existing tests run in processes of their own below a supervisor that runs no repository code.
"""

from __future__ import annotations

from importlib import resources

FOLDER = ".qverify"


def driver_files(*names: str) -> dict[str, bytes]:
    """Overlay (path to content) of the programs ``names``."""
    here = resources.files(__name__)
    return {f"{FOLDER}/{name}": here.joinpath(name).read_bytes() for name in names}
