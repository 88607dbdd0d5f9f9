"""The report as one self-contained HTML file: no script, no remote resource, readable on paper, in light and in dark."""

from __future__ import annotations

import base64
import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from qverify_desktop import __version__
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.report import NOTHING_MORE, Supplement
from qverify_desktop.domain.results import (
    SENTENCES,
    Fraction,
    JudgedTest,
    Reason,
    RunResult,
    TestVerdict,
    Verdict,
)
from qverify_desktop.domain.trend import SERIES, told
from qverify_desktop.export.amounts import counted, gained
from qverify_desktop.export.html_sources import LEGEND, sources
from qverify_desktop.export.html_trend import trend_of
from qverify_desktop.export.issue import reproducer
from qverify_desktop.export.plain_text import readable

MOST_ROWS = 1000

_SHAPES = {
    Verdict.NOTHING_SUSPECTED: ("circle-check", "success"),
    Verdict.DEFECTS_SUSPECTED: ("diamond-alert", "danger"),
    Verdict.INCONCLUSIVE: ("triangle-alert", "warning"),
}


@dataclass(frozen=True)
class Number:
    """One measure before and after; widths are thousandths of the bar."""

    title: str
    before: Fraction
    after: Fraction

    @property
    def after_width(self) -> int:
        return _permille(self.after)

    @property
    def tick(self) -> int:
        """Where the mark of the value before stands; it stays inside the bar."""
        return min(_permille(self.before), 997)


def html(result: RunResult, supplement: Supplement = NOTHING_MORE) -> bytes:
    """The report of a finished run. All text of the repository is escaped; equal values give the same bytes."""
    root = resources_root() / "resources"
    templates = environment(root)
    shape, token = _SHAPES[result.verdict]
    style = templates.get_template("style.css.jinja").render(light=colours(root, "light"), dark=colours(root, "dark"))
    tests = {judged.test.id: judged.test for judged in result.tests}
    shown = sources(result, supplement)
    text = templates.get_template("report.html.jinja").render(
        result=result,
        supplement=supplement,
        version=__version__,
        shape=shape,
        token=token,
        style=Markup(style),  # noqa: S704 (a file of our own and our own colours)
        # Only this style counts: one that a text of the repository smuggled in would not.
        style_digest=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        reproducers={defect.id: reproducer(tests.get(defect.test)) for defect in result.defects},
        sources=shown,
        places={(file.path, line.number): line.anchor for file in shown for line in file.lines if line.anchor},
        legend=LEGEND,
        trend=trend_of(supplement.history),
        series=SERIES,
        told=told,
        numbers=_numbers(result),
        kept=_by_file([judged for judged in result.tests if judged.verdict is TestVerdict.ACCEPTED]),
        suspected=[judged for judged in result.tests if judged.verdict is TestVerdict.SUSPECTED],
        refused=_by_reason(result),
        refused_count=sum(judged.verdict is TestVerdict.REFUSED for judged in result.tests),
        sentences=SENTENCES,
        most=MOST_ROWS,
    )
    return text.encode("utf-8")


@cache
def environment(root: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(root / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["percent"] = _percent
    environment.filters["of"] = _of
    environment.filters["seconds"] = _seconds
    environment.filters["counted"] = counted
    environment.filters["gained"] = gained
    environment.filters["moment"] = _moment
    environment.globals["icon"] = lambda name: _icon(root, name)
    return environment


def _finalize(value: Any) -> Any:
    """Applied to everything that is printed, before it is escaped."""
    return readable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _icon(root: Path, name: str) -> Markup:
    drawing = (root / "icons" / f"{name}.svg").read_text("utf-8").strip()
    return Markup(drawing.replace("<svg ", '<svg class="icon" aria-hidden="true" ', 1))  # noqa: S704 (a file of our own)


@cache
def colours(root: Path, theme: str) -> Mapping[str, str]:
    tokens = tomllib.loads((root / "themes" / "tokens.toml").read_text("utf-8"))
    return {
        name: value for group in tokens["theme"][theme].values() for name, value in group.items() if len(value) == 7
    }


def _numbers(result: RunResult) -> list[Number]:
    return [
        Number("Lines reached", result.before.lines, result.after.lines),
        Number("Branches reached", result.before.branches, result.after.branches),
        Number("Mutants noticed", result.before.mutants, result.after.mutants),
    ]


def _by_file(tests: list[JudgedTest]) -> dict[str, list[JudgedTest]]:
    files: dict[str, list[JudgedTest]] = defaultdict(list)
    for judged in tests:
        files[judged.test.path].append(judged)
    return dict(sorted(files.items()))


def _by_reason(result: RunResult) -> list[tuple[Reason, list[JudgedTest]]]:
    reasons: dict[Reason, list[JudgedTest]] = defaultdict(list)
    for judged in result.tests:
        if judged.verdict is TestVerdict.REFUSED:
            reasons[judged.reason].append(judged)
    return sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0].value))


def _permille(fraction: Fraction) -> int:
    return fraction.part * 1000 // fraction.whole if fraction.whole else 0


def _percent(fraction: Fraction) -> str:
    return f"{fraction.part * 100 // fraction.whole} %" if fraction.whole else "unknown"


def _of(fraction: Fraction) -> str:
    return f"{fraction.part:,} of {fraction.whole:,}" if fraction.whole else "none"


def _moment(text: str) -> str:
    """A time of RFC 3339 in UTC to the minute; any other text stays as it is."""
    return re.sub(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(\.\d+)?Z$", r"\1 \2 UTC", text)


def _seconds(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes} min {rest // 1000} s" if minutes else f"{rest / 1000:.1f} s"
