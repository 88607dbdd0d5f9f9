"""What a tab of results says of a run that has none yet, or never will."""

from __future__ import annotations

from functools import partial

from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.run_context import RunContext
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.words import RUN_STATUS, UNKNOWN

#: Heading and sentence for each status.
WORDS = {
    "queued": (
        later("The run waits for its turn"),
        later("It starts when a container is free. Results stand here when it is finished."),
    ),
    "running": (
        later("The run is not finished"),
        later("Tests are judged together, so results stand here at its end. Progress shows how far it is."),
    ),
    "paused": (later("The run is paused"), later("What it finished is recorded. Resume it to get results.")),
    "interrupted": (
        later("The run was interrupted"),
        later("What it finished is recorded. Resume it and it goes on from its last finished step."),
    ),
    "cancelled": (
        later("The run was cancelled"),
        later("What it finished is recorded. Resume it and it goes on from its last finished step."),
    ),
    "failed": (later("The run failed"), later("It has no results. Progress says what happened and what to do next.")),
}


def show_unfinished(desk: Desk, shown: Shown, context: RunContext) -> None:
    """Say how the run stands, with a button that goes to its progress."""
    look = RUN_STATUS.get(context.status, UNKNOWN)
    heading, sentence = WORDS.get(context.status, WORDS["running"])
    told = str(context.overview["run"]["sentence"]) if context.status == "failed" else ""
    go = partial(desk.front.go, Place("progress", run=context.run))
    shown.show_state().show_state(
        look.icon, tr(heading), told or tr(sentence), token=look.token, button=(tr("Show progress"), go)
    )
