"""How a repository is told in the table of the first page: pin, name and place, last verdict, trend, last run."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from qverify_desktop.domain.views import RepositoryView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting, words
from qverify_desktop.ui.widgets.charts import paint_sparkline
from qverify_desktop.ui.widgets.tables import Column

#: Width of the sparkline, and of the value beside it, at 100 %.
LINE, VALUE = 90, 64


def place_of(source: str) -> str:
    """A source as it is shown: the person's own folder is ``~``, an address stands without its scheme."""
    for scheme in ("https://", "http://"):
        if source.startswith(scheme):
            return source.removeprefix(scheme)
    home = str(Path.home())
    return f"~{source[len(home) :]}" if source.startswith(f"{home}/") else source


def words_of(one: RepositoryView) -> str:
    """What the filter looks into."""
    return "\n".join((one["name"], one["source"], verdict(one)))


def verdict(one: RepositoryView) -> str:
    """What the newest run found, or what became of it."""
    last = one["last"]
    if last is None:
        return tr("Not analyzed yet")
    word = words.look_of_run(last).text()
    if last["status"] == "failed":
        return f"{word}. {last['sentence']}".strip()
    if last["status"] != "finished":
        return word
    found = words.defects(last["suspected"]) if last["suspected"] else tr("No suspected defects")
    told = word if last["verdict"] == "inconclusive" else found
    return f"{told}, {words.kept(last['accepted'])}"


def coverage(one: RepositoryView) -> str:
    """ "88.6 % +22.6"; empty before a first measured run."""
    value, moved, _ = _measured(one)
    return f"{value} {moved}".strip()


def repository_columns() -> list[Column[RepositoryView]]:
    """Every cell also says its shape in words."""
    return [
        Column(
            tr("Pin"),
            lambda one: tr("pinned") if one["pinned"] else "",
            lambda one: not one["pinned"],
            paint=_paint_pin,
            width=52,
            searched=False,
        ),
        Column(
            tr("Name"),
            lambda one: one["name"],
            lambda one: one["name"].casefold(),
            font="strong",
            detail=lambda one: place_of(one["source"]),
            tip=lambda one: one["source"],
            width=180,
            stretch=3,
        ),
        Column(tr("Last verdict"), verdict, verdict, icon=_look, width=220, stretch=4),
        Column(
            tr("Line coverage"),
            coverage,
            lambda one: next((value for value in reversed(_values(one)) if value is not None), None),
            paint=_paint_trend,
            width=236,
            from_width=760,
            searched=False,
        ),
        Column(
            tr("Last run"),
            lambda one: words.day(one["last"]["started_at"]) if one["last"] else "",
            lambda one: one["last"]["started_at"] if one["last"] else "",
            right=True,
            token="text-muted",
            tip=lambda one: words.moment(one["last"]["started_at"]) if one["last"] else "",
            width=116,
            searched=False,
        ),
    ]


def _look(one: RepositoryView) -> tuple[str, str]:
    if one["last"] is None:
        return "ring-dashed", "text-muted"
    shown = words.look_of_run(one["last"])
    return shown.icon, shown.token


def _values(one: RepositoryView) -> list[int | None]:
    return [point["lines"] for point in one["trend"]]


def _measured(one: RepositoryView) -> tuple[str, str, str]:
    """Newest value, its change since the measured run before, and the change's colour."""
    known = [value for value in _values(one) if value is not None]
    if not known:
        return "", "", "text"
    if len(known) == 1:
        return words.share(known[0]), "", "text"
    before, now = known[-2:]
    return words.share(now), words.change(before, now), words.change_token(before, now)


def _paint_pin(painter: QPainter, rect: QRect, one: RepositoryView, theme: Theme) -> None:
    if one["pinned"]:
        top = rect.top() + (rect.height() - theme.px(16)) / 2
        painting.icon(painter, theme, "pin", "accent-text", rect.left(), top)


def _paint_trend(painter: QPainter, rect: QRect, one: RepositoryView, theme: Theme) -> None:
    value, moved, token = _measured(one)
    if not value:
        return
    line = QRect(rect.left(), rect.center().y() - theme.px(12), theme.px(LINE), theme.px(24))
    if moved:
        paint_sparkline(painter, line, theme, _values(one))
    # Values stand below each other, also where there is no line yet.
    left = line.right() + theme.px(16)
    place = QRect(left, rect.top(), rect.right() - left, rect.height())
    used = painting.text(painter, theme, place, value, "strong", "text")
    beside = max(used + theme.px(8), theme.px(VALUE))
    painting.text(painter, theme, place.adjusted(beside, 0, 0, 0), moved, "small", token)
