"""Programs that run inside the sandbox, kept as files and laid over the snapshot in the folder ``.qverify``.

They are Go, built in the container with the standard library only. ``watch.go`` is no part of the driver: it is laid beside
generated tests and reports what they see.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

FOLDER = ".qverify"
_PROGRAM = (
    "main.go", "build.go", "testfiles.go", "process.go", "coverage.go", "outline.go", "suite.go", "schemata.go", "mutants.go",
    "observe.go",
)  # fmt: skip
_START = """\
set -eu
mkdir -p /tmp/qverify
(cd .qverify/driver && GOWORK=off GOFLAGS=-buildvcs=false go build -o /tmp/qverify/driver .)
exec /tmp/qverify/driver .qverify/request.json
"""
#: Builds the driver and runs it.
COMMAND = ("sh", f"{FOLDER}/start.sh")


def driver_files(request: Mapping[str, Any]) -> dict[str, bytes]:
    """Overlay (path to content) of the driver and its request."""
    here = resources.files(__name__)
    watch = here.joinpath("watch.go").read_text(encoding="utf-8")
    found = {f"{FOLDER}/driver/{name}": here.joinpath(name).read_bytes() for name in _PROGRAM}
    found[f"{FOLDER}/driver/go.mod"] = b"module qverify\n\ngo 1.21\n"
    found[f"{FOLDER}/request.json"] = json.dumps({**request, "watch": watch}).encode("utf-8", "replace")
    return {**found, f"{FOLDER}/start.sh": _START.encode()}
