"""Small repositories written to a folder, as snapshots."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path

from qverify_desktop.domain.project import Snapshot


def snapshot_of(root: Path, files: Mapping[str, str | bytes]) -> Snapshot:
    """Write ``files`` below ``root`` (text dedented) and describe them as a snapshot."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
    return Snapshot(origin="", name=root.name, root=str(root), tree="0" * 40, files=tuple(sorted(files)))
