"""``qverify checkpoint`` and ``qverify signing-key``: what a person keeps of the log, and the key that signs it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.commands import _ask
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

#: Edge of one module of a QR code in an SVG file, in millimetres: read well by a telephone from paper.
_MODULE_MM = 0.8
#: Seconds that a person is let wait for those who were asked to confirm a checkpoint, and between two looks.
_PATIENCE_S, _PAUSE_S = 30.0, 0.2


def checkpoint(options: argparse.Namespace) -> int:
    """The checkpoint as text that can be kept and given to ``verify --known-checkpoint``, or as a QR code of it."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        if options.ask_again and not options.name:
            raise BadInput(
                "Name the run whose checkpoint others are to confirm.",
                "For example: qverify checkpoint r1k --ask-again",
            )
        view = await engine.ask("evidence_checkpoint", run=options.name)
        anchors = None
        if options.name:
            question = "evidence_anchor" if options.ask_again else "evidence_anchors"
            anchors = await engine.ask(question, run=options.name)
            if options.ask_again:
                anchors = await _answered(engine, options.name, anchors)
        document = {**view, "anchors": anchors["anchors"] if anchors else []}
        in_file = options.qr not in ("", "-")
        if in_file:
            write_qr(view["note"], Path(options.qr))
        told = [f"Verifier key: {view['verifier_key']}"]
        if view["protection"] != "keyring":
            told.append(f"The key is not kept in a keyring: {view['protection']}.")
        told += map(anchor_line, document["anchors"])
        note = qr_text(view["note"]) if options.qr == "-" and not screen.as_json else view["note"]
        screen.print_checkpoint({**document, "note": note}, told)
        if in_file:
            screen.note(f"The QR code is in {options.qr}.")
        return 0

    return _ask(options, ask)


async def _answered(engine: AnyEngine, run: str, anchors: Mapping[str, Any]) -> Mapping[str, Any]:
    """The anchors once each who was asked has answered or can't be reached; those of now where that takes too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE_S):
            while any(one["state"] == "waiting" and not one["sentence"] for one in anchors["anchors"]):
                await asyncio.sleep(_PAUSE_S)
                anchors = await engine.ask("evidence_anchors", run=run)
    return anchors


def signing_key(options: argparse.Namespace) -> int:
    """Show, rotate or revoke the key that signs the log."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        if options.action != "revoke" and options.key:
            raise BadInput(f"{options.action} names no key: it is about the one in use. Nothing was changed.")
        if options.action == "rotate":
            view = await engine.ask("signing_key_rotate", reason=options.reason)
            told = "A new key signs the log from now on; the old one signed the entry that says so, and is deleted."
        elif options.action == "revoke":
            view = await engine.ask("signing_key_revoke", key=options.key, reason=options.reason)
            told = "The key is revoked; the log says so. Tell those who know it, and give them the one in use."
        else:
            view, told = await engine.ask("signing_key"), ""
        screen.print_signing_keys(view, told)
        return 0

    return _ask(options, ask)


def anchor_line(anchor: Mapping[str, Any]) -> str:
    """Who confirmed a checkpoint, or why not."""
    what = "Time-stamped" if anchor["kind"] == "time_stamp" else "Cosigned"
    by = f" by {anchor['by']}" if anchor["by"] else ""
    if anchor["state"] == "held":
        return f"{what}{by} on {anchor['at']}."
    until = "not yet" if anchor["state"] == "waiting" else "not"
    return f"{what}{by}: {until}. {anchor['sentence']}".rstrip()


def qr_text(note: str) -> str:
    """A QR code in characters, two rows of it in each line."""
    import segno

    drawn = io.StringIO()
    segno.make(note, error="m", micro=False).terminal(drawn, compact=True)
    return drawn.getvalue()


def write_qr(note: str, path: Path) -> None:
    """A QR code as SVG, in millimetres. Raises ``BadInput`` for another kind of file, ``MissingPrerequisite`` where it can't be written."""
    import segno

    if path.suffix.lower() != ".svg":
        raise BadInput(
            f"{path} names no SVG file, so no QR code was written.",
            "Let the name end in .svg, or give - for the terminal.",
        )
    drawn = io.BytesIO()
    segno.make(note, error="m", micro=False).save(drawn, kind="svg", scale=_MODULE_MM, unit="mm", title="Checkpoint")
    try:
        path.write_bytes(drawn.getvalue())
    except OSError as error:
        raise MissingPrerequisite(
            f"The QR code can't be written to {path} ({error.strerror}).", "Choose another file."
        ) from None
