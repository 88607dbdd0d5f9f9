"""``qverify defects``: what a run suspects, and what a person decides about it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.commands import _ask
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

#: Options, and the decision that each means; an empty one takes an earlier one back.
DECISIONS = {"confirm": "confirmed", "dismiss": "dismissed", "take_back": ""}


def defects(options: argparse.Namespace) -> int:
    """List them, after a decision where one is given; 0 also where something is suspected."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        found = await engine.ask("run_defects", run=options.name)
        for option, decision in DECISIONS.items():
            if beginning := getattr(options, option):
                defect = _named(found, beginning)
                await engine.ask(
                    "defect_decide", run=options.name, defect=defect, decision=decision, note=options.note
                )
                found = await engine.ask("run_defects", run=options.name)
        screen.print_defects(found)
        return 0

    if options.note and not any(getattr(options, option) for option in DECISIONS):
        raise BadInput(
            "A note belongs to a decision, and none was given. Nothing was changed.",
            "Add --confirm ID, --dismiss ID or --take-back ID.",
        )
    return _ask(options, ask)


def _named(found: Sequence[Mapping[str, Any]], beginning: str) -> str:
    """The id that begins so. Raises ``BadInput`` for none or several."""
    ids = [str(one["id"]) for one in found if str(one["id"]).startswith(beginning)]
    if len(ids) == 1:
        return ids[0]
    raise BadInput(
        f"{len(ids) or 'None'} of the suspected defects of this run begin{'' if ids else 's'} with {beginning!r}. Nothing was changed.",
        "The first word of each line of the list is its id.",
    )
