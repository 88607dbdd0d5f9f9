"""Which key may sign a log, by the log's own records of changes (``docs/evidence-format.md``, "The signing key changes")."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.hosted_service.contract import Refusal

REVOKED = "revoked"


@dataclass(frozen=True)
class Change:
    """One record: ``size`` is that of the log right after it, ``old`` and ``new`` are verifier keys. Where an earlier key is revoked,
    ``new`` is the one in use before and after."""

    size: int
    kind: str
    old: str
    new: str


def changes_of(bundle: Path) -> list[Change]:
    """All changes of the log up to the bundle's checkpoint, in order: the openings of all runs are in every bundle. The bundle has been
    verified before. Blocking."""
    with zipfile.ZipFile(bundle) as archive:
        manifest = json.loads(archive.read("bundle.json"))
        shown = [*_numbered(archive, manifest, "headers"), *_numbered(archive, manifest, "entries")]
    closes = {entry["run"]: index for index, entry in shown if entry["type"] == "run_closed"}
    found = []
    for _, entry in shown:
        said = entry["data"].get("key_change") if entry["type"] == "run_opened" else None
        if said is not None and entry["run"] in closes:
            found.append(Change(closes[entry["run"]] + 1, said["kind"], said["old"], said["new"]))
    return sorted(found, key=lambda one: one.size)


def _numbered(archive: zipfile.ZipFile, manifest: Any, field: str) -> Iterator[tuple[int, Any]]:
    lines = iter(archive.read(f"{field}.jsonl").splitlines())
    for first, count in manifest[field]:
        for index in range(first, first + count):
            yield index, json.loads(next(lines))


def signers_at(size: int, bound: str, changes: Sequence[Change]) -> set[str]:
    """The verifier keys that may sign the checkpoint of that size: one, and both where a change is its last record. ``bound`` is the
    key of a log that never changed it."""
    before = [one for one in changes if one.size < size]
    in_use = before[-1].new if before else changes[0].old if changes else bound
    both = [one for one in changes if one.size == size and one.old == in_use]
    return {in_use, *(one.new for one in both)}


def in_use_after(bound: str, changes: Sequence[Change]) -> str:
    return changes[-1].new if changes else bound


def follow(bound: str, since: int, changes: Sequence[Change]) -> str:
    """The key that signs after the changes beyond ``since`` (the size up to which the log is known), beginning from ``bound``. Raises
    ``Refusal``: 409 where they do not begin from it."""
    for change in changes:
        if change.size <= since:
            continue
        earlier = change.kind == REVOKED and change.new == bound
        if not earlier and change.old != bound:
            raise key_changed(bound)
        bound = change.new
    return bound


def key_changed(known: str, why: str = "") -> Refusal:
    why = why or "If you have changed the key, let the log say so."
    return Refusal(
        "key-changed",
        f"This log is known under another key, and none of its records leads here. {why}",
        known_public_key=known,
    )
