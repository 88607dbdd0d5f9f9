"""What a terminal shows of models: lists, and bytes on their way."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

from qverify_desktop.terminal.output import QUIET_SECONDS, note, print_json, print_lines

_FITS = {
    "gpu": "fits into the graphics card",
    "memory": "fits",
    "tight": "fits once memory is free",
    "too_large": "WON'T FIT",
    "unknown": "fit unknown",
}


def size(count: int) -> str:
    """Bytes as a person reads them (decimal units, like Ollama's own list)."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count} B"


class TransferProgress(Protocol):
    """Takes views of transfers as they come."""

    def tell(self, transfer: Mapping[str, Any]) -> None: ...


class ModelScreen:
    """Prints a command's answer, as text or as one JSON document."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json

    def note(self, text: str) -> None:
        """A line beside the answer."""
        note(text)

    @contextmanager
    def progress(self) -> Iterator[TransferProgress]:
        """A bar on a terminal, plain lines elsewhere."""
        if not sys.stderr.isatty():
            yield PlainTransfers()
            return
        from qverify_desktop.terminal.models_bar import BarTransfers

        with BarTransfers() as bar:
            yield bar

    def print_stored(self, stored: Mapping[str, Any], transfers: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({**stored, "transfers": list(transfers)})
            return
        if stored["sentence"]:
            print_lines([str(stored["sentence"]), f"  {stored['remedy']}"])
        print_lines(_row(one) for one in stored["models"])
        if transfers:
            print_lines(["On their way:"])
            self.print_transfers(transfers)

    def print_model(self, one: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(one)
            return
        parts = [one["parameters"], one["quantization"], one["family"]]
        print_lines(
            [
                str(one["name"]),
                f"  Size        {size(one['bytes'])}  {' · '.join(part for part in parts if part)}",
                f"  Context     {one['context_tokens']:,} tokens"
                if one["context_tokens"]
                else "  Context     unknown",
                f"  Can         {', '.join(one['capabilities']) or 'unknown'}",
                f"  Memory      {one['sentence']}",
            ]
        )

    def print_done(self, sentence: str, document: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(document)
        else:
            print_lines([sentence])

    def print_transfers(self, transfers: Sequence[Mapping[str, Any]]) -> None:
        if self.as_json:
            print_json({"transfers": list(transfers)})
        else:
            print_lines(f"{one['name']}: {_state(one)}" for one in transfers)

    def print_recommendation(self, view: Mapping[str, Any]) -> None:
        if self.as_json:
            print_json(view)
            return
        print_lines([str(view["sentence"]), ""])
        for one in view["models"]:
            mark = "→" if one["name"] == view["name"] else " "
            fits = _FITS.get(one["fit"], "")
            memory = f"{size(one['memory_8k'])} / {size(one['memory_32k'])} with 8k / 32k"
            here = ", is here" if one["stored"] else ""
            measured = f"; {', '.join(one['languages'])}" if one["languages"] else ""
            print_lines([f"{mark} {one['name']:<20} {size(one['bytes']):>8}  {memory:<36} {fits}{here}{measured}"])
        if view["name"] and not any(one["stored"] for one in view["models"] if one["name"] == view["name"]):
            print_lines(["", f"Fetch it with: qverify models pull {view['name']}"])
        for one in view["models"][:1]:
            print_lines(
                [f"Facts as of {one['as_of']}, languages as they were measured; sources: resources/models.toml"]
            )


class PlainTransfers:
    """One line at the beginning, one every few seconds."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}

    def tell(self, transfer: Mapping[str, Any]) -> None:
        now = time.monotonic()
        if now - self._last.get(transfer["transfer"], -QUIET_SECONDS) >= QUIET_SECONDS:
            self._last[transfer["transfer"]] = now
            note(f"  {transfer['name']}: {_state(transfer)}")


def _state(one: Mapping[str, Any]) -> str:
    counted = f"{size(one['done'])} of {size(one['total'])}" if one["total"] else ""
    if one["state"] == "done":
        return f"is there ({size(one['total'])})"
    if one["state"] == "running":
        return " ".join(part for part in (one["status"] or "begins", counted) if part)
    return " ".join(part for part in (one["state"], counted, one["sentence"], one["remedy"]) if part)


def _row(one: Mapping[str, Any]) -> str:
    context = f"{one['context_tokens']:,} tokens" if one["context_tokens"] else ""
    kind = " ".join(part for part in (one["parameters"], one["quantization"]) if part)
    needs = f"needs {size(one['needed_bytes'])}" if one["needed_bytes"] else ""
    fits = _FITS.get(one["fit"], "")
    return f"{one['name']:<32} {size(one['bytes']):>9}  {kind:<16} {context:>15}  {needs}, {fits}".rstrip(" ,")
