"""Short records in the evidence log about a run that is closed: what a person decided, wrote, or sent away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.analysis.services import Services
from qverify_desktop.engine import naming


def record_about(
    services: Services, run: str, type: str, data: Mapping[str, Any], blobs: Mapping[str, bytes], name: str = ""
) -> None:
    """Write one, once for its ``name`` (empty: a new one). The evidence of a run ends with its close, so that its bundle stays the same; what people do later stands in a
    record of its own between an opening and a close, which can't be left out of the log unseen. Blocking."""
    journal, name = services.journal, name or naming.new_record()
    events = [
        Evidence("run_opened", {"kind": type, "about": run}, {}),
        Evidence(type, {**data, "about": run}, blobs),
        Evidence("run_closed", {"outcome": type}, {}),
    ]
    digest = services.artefacts.put(json.dumps(data, sort_keys=True).encode())
    journal.record(name, type, digest, events)
    journal.checkpoint(name)
