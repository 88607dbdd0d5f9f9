"""Short records in the evidence log beside the runs: what a person decided, changed, wrote, or sent away."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.analysis.services import Services
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.engine import naming

#: Settings that say how the window serves the person; all others bear on what is analysed, what leaves the machine, or who confirms it.
WITHOUT_WEIGHT = frozenset({"editor", "answer_cache_mb", "answer_cache_days"})


def record_about(
    services: Services, run: str, type: str, data: Mapping[str, Any], blobs: Mapping[str, bytes], name: str = ""
) -> None:
    """Write one about a run that is closed; of the installation itself where ``run`` is empty. Once for its ``name`` (empty: a new one).

    The evidence of a run ends with its close, so that its bundle stays the same; what people do later stands in a record of
    its own between an opening and a close, which can't be left out of the log unseen. Blocking."""
    journal, name = services.journal, name or naming.new_record()
    about = {"about": run} if run else {}
    events = [
        Evidence("run_opened", {"kind": type, **about}, {}),
        Evidence(type, {**data, **about}, blobs),
        Evidence("run_closed", {"outcome": type}, {}),
    ]
    digest = services.artefacts.put(json.dumps(data, sort_keys=True).encode())
    journal.record(name, type, digest, events)
    journal.checkpoint(name)


def record_settings(services: Services, changes: Mapping[str, Any]) -> None:
    """Note settings that are about to have other values. Texts may name servers, folders and people, so they are contents. Blocking."""
    matter = {name: value for name, value in changes.items() if name not in WITHOUT_WEIGHT}
    if matter:
        texts = {name: value.encode("utf-8", "replace") for name, value in matter.items() if isinstance(value, str)}
        values = {name: value for name, value in matter.items() if name not in texts}
        record_about(services, "", "settings_changed", {"values": values, "texts": sorted(texts)}, texts)


def record_saved(services: Services, run: str, format: str, file: Path) -> None:
    """Note that a person saved a report or a bundle of a run into ``file``, which stands there. Raises ``QVerifyError`` where that can't
    be noted. Blocking."""
    with file.open("rb") as written:
        digest, size = hashlib.file_digest(written, "sha256").hexdigest(), file.stat().st_size
    try:
        place = {"place": str(file).encode("utf-8", "replace")}
        record_about(services, run, "saved", {"format": format, "bytes": size, "sha256": digest}, place)
    except QVerifyError as error:
        raise type(error)(
            f"{file} is written and whole, but the evidence log could not note that. {error.sentence}", error.remedy
        ) from error
