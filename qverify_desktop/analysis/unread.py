"""Examples that nobody could read: said, not guessed and not passed over."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.project import Project, Snapshot, Target

#: Places that a notice names.
NAMED = 3
_MOST_WORDS = 80


async def unread_notice(steps: Steps, snapshot: Snapshot, project: Project, targets: Sequence[Target]) -> str:
    """A sentence on the written examples of the targets that can't be read in one way only; empty where there are none."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> str:
        found = await asyncio.to_thread(language.unread_examples, snapshot, project, targets)
        if not found:
            return ""
        context.record("unread_examples", {"examples": len(found), "language": project.language})
        places = "; ".join(f"{file}:{line} {_short(words)}" for file, line, words in found[:NAMED])
        more = f", and {len(found) - NAMED} more" if len(found) > NAMED else ""
        count = "1 written example" if len(found) == 1 else f"{len(found)} written examples"
        return f"{count} could not be read in one way only, so nothing follows from them: {places}{more}."

    return await steps.step(f"{project.language}.unread", str, body)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return f"“{line if len(line) <= _MOST_WORDS else line[: _MOST_WORDS - 1] + '…'}”"
