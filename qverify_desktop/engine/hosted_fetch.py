"""The bundle of an analysis that the hosted service ran: fetched, checked by the same verifier as any other, and only then kept under
the name that was asked for."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.domain.hosted_views import HostedBundleView
from qverify_desktop.engine import hosted_bundle
from qverify_desktop.engine.countersigned import check
from qverify_desktop.engine.delivery import unwritten
from qverify_desktop.hosted.analyses import Analyses
from qverify_desktop.hosted.downloads import download
from qverify_desktop.hosted.refusals import said
from qverify_desktop.hosted.service import HostedService

#: What a bundle is called that is there and does not hold.
ASIDE = ".refused"


async def fetch(service: HostedService, analyses: Analyses, id: str, path: Path) -> HostedBundleView:
    """Write the bundle of an analysis to ``path``; what stood there is replaced once the new one holds. One that does not hold is kept
    beside it under another name, which the error says. Raises ``BadInput``, ``HostedFailure``, ``MissingPrerequisite``."""
    aside = path.with_name(path.name + ASIDE)
    if not path.is_absolute() or await asyncio.to_thread(path.is_dir):
        raise BadInput(f"{path} is no file that could be written. Nothing was fetched.", "Name a file.")
    found = await analyses.get(id)
    if found["state"] != "done":
        raise BadInput(
            f"The analysis is {found['state']} and has no bundle (yet). Nothing was written.", "Wait for its end."
        )
    result = await analyses.result(id)
    facts = await service.facts()
    part = await asyncio.to_thread(_part, path)
    try:
        there = await download(service, lambda: analyses.bundle(id), part, lambda done, total: None)
        try:
            view = await asyncio.to_thread(_checked, part, result, str(facts["cosigner"]), service.place.key)
        except HostedFailure as failure:
            await asyncio.to_thread(os.replace, part, aside)
            raise HostedFailure(
                f"The bundle came as the service announced it, but does not hold: {failure.sentence} It is kept aside in {aside}.",
                "Don't rely on it. Show it to whoever runs the service; see for yourself with: qverify verify "
                + str(aside),
            ) from None
        await asyncio.to_thread(os.replace, part, path)
    except OSError as error:
        raise unwritten(path, error) from error
    finally:
        await asyncio.to_thread(part.unlink, True)
    return {**view, "path": str(path), "bytes": there.size, "sha256": there.sha256}


def _checked(bundle: Path, result: Mapping[str, Any], cosigner: str, pinned: str) -> HostedBundleView:
    """What the verifier finds, under the key that the result names; and that this very state of the log is what was countersigned.
    Blocking. Raises ``HostedFailure`` with a sentence on what does not hold."""
    from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

    key = result.get("public_key")
    try:
        answer = verify_bundle(bundle, public_key=key if isinstance(key, str) else "-")
    except BundleUnreadable as error:
        raise HostedFailure(error.sentence) from None
    if not answer["valid"]:
        raise HostedFailure(" ".join([f"{answer['grade']}.", *answer["problems"][:3]]))
    if (answer["run"], answer["origin"]) != (result.get("run"), result.get("origin")):
        raise HostedFailure("it is of another run or another log than the result names.")
    made = hosted_bundle.read(bundle)
    found = check(result, made.note, made.key, cosigner, pinned)
    return {
        "path": "",
        "bytes": 0,
        "sha256": "",
        "run": said(answer["run"]),
        "grade": answer["grade"],
        "meaning": answer["meaning"],
        "notices": [said(one) for one in answer["notices"]],
        "events": answer["events"],
        "public_key": made.key,
        "checked": found.sentence,
    }


def _part(path: Path) -> Path:
    """A new file beside ``path`` that only its owner reads."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".qverify-", suffix=".part")
    except OSError as error:
        raise unwritten(path, error) from error
    os.close(handle)
    return Path(name)
