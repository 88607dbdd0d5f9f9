"""Programs that run inside the sandbox, kept as files and laid over the snapshot in the folder ``.qverify``.

They are Rust, built in the container by the compiler that is there, with the standard library only. ``watch.rs`` is no part of
the driver: it becomes a module of the generated tests and reports what they see.
"""

from __future__ import annotations

from importlib import resources

FOLDER = ".qverify"
_PROGRAM = (
    "main.rs", "json.rs", "process.rs", "build.rs", "coverage.rs", "testing.rs", "suite.rs", "schemata.rs", "mutants.rs"
)  # fmt: skip
_START = """\
set -eu
mkdir -p /tmp/qverify
rustc --edition 2021 -C debuginfo=0 -C panic=abort -C debug-assertions=off -o /tmp/qverify/driver .qverify/driver/main.rs
exec /tmp/qverify/driver .qverify/request.json
"""
#: Builds the driver and runs it.
COMMAND = ("sh", f"{FOLDER}/start.sh")


def driver_files(request: bytes) -> dict[str, bytes]:
    """Overlay (path to content) of the driver and its request, a JSON document."""
    here = resources.files(__name__)
    found = {f"{FOLDER}/driver/{name}": here.joinpath(name).read_bytes() for name in _PROGRAM}
    return {**found, f"{FOLDER}/start.sh": _START.encode(), f"{FOLDER}/request.json": request}


def watch_module() -> str:
    """Source of the module through which generated tests report."""
    return resources.files(__name__).joinpath("watch.rs").read_text(encoding="utf-8")
