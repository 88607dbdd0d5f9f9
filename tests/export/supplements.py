"""What the records hold beside the results of ``values``, honest and hostile."""

from __future__ import annotations

from qverify_desktop.domain.details import FileDetails
from qverify_desktop.domain.report import Judged, Seal, Supplement
from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.results import RunResult
from qverify_desktop.domain.testing import FileCoverage
from qverify_desktop.domain.views import MeasureView

CHECKPOINT = "qverify.test/log\n12\nq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=\n\n— qverify.test/log AAAA\n"
TEXT = "def page_count(total, per_page):\n    if total < 0:\n        return 0\n    return total // per_page + 1\n\n\nodd = 1\n"


def supplement(result: RunResult, text: str = TEXT, file: str = "shelf/ranges.py", word: str = "") -> Supplement:
    """Lines 1 to 4 and 7 can run: 1 was reached before, 2 and 4 are now, the branch of 2 is taken one way only, 3 is missed.
    ``word`` stands wherever a text of the repository or of a person can."""
    can_run = frozenset({1, 2, 3, 4, 7})
    arcs = frozenset({(2, 3), (2, 4)})
    details = FileDetails(
        file,
        "python",
        text,
        before=FileCoverage(can_run, frozenset({1, 7}), arcs, frozenset()),
        after=FileCoverage(can_run, frozenset({1, 2, 4, 7}), arcs, frozenset({(2, 4)})),
    )
    return Supplement(
        sources=(details,),
        seal=Seal("UNANCHORED", f"Every event is in the signed log. {word}".strip(), f"{CHECKPOINT}{word}"),
        history=(
            entry(3, 900, word=word),
            entry(2, 800, scope="files:a.py"),
            entry(1, 700, word=word),
            entry(0, None),
        ),
        judged={
            defect.id: Judged("dismissed", "2026-01-03T00:00:00Z", word or "Old words.") for defect in result.defects
        },
        commands={defect.id: word or "python -m pytest" for defect in result.defects},
    )


def entry(number: int, lines: int | None, scope: str = "changed:main", word: str = "") -> HistoryEntry:
    """The run ``r-<number>``; ``lines`` in thousandths, ``None`` where nothing was measured."""
    measure: MeasureView = {
        "before_part": 0,
        "before_whole": 1000,
        "after_part": lines or 0,
        "after_whole": 0 if lines is None else 1000,
    }
    return {
        "run": {
            "run": f"r-{number}",
            "source": word or "/home/me/shelf",
            "name": word or "shelf",
            "status": "finished",
            "stage": "",
            "verdict": "nothing_suspected",
            "sentence": word,
            "started_at": word or f"2026-01-0{number + 1}T10:00:00Z",
            "accepted": number,
            "refused": 1,
            "suspected": 0,
        },
        "commit": word,
        "scope": word or scope,
        "model": word,
        "lines": measure,
        "branches": measure,
        "mutants": measure,
        "cost_microusd": number * 100_000,
        "duration_ms": None if lines is None else number * 1000,
    }
