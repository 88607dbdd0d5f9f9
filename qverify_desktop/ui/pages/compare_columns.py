"""How tests and suspected defects are told that differ between two runs."""

from __future__ import annotations

from dataclasses import dataclass

from qverify_desktop.domain.result_views import ComparedTest, ComparisonView, DefectView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.tables import Column
from qverify_desktop.ui.widgets.words import Look

#: What became of a test: gained when it is kept now and was not, lost when it was kept and is not.
CHANGES = {
    "gained": Look("plus", "success", later("Gained")),
    "lost": Look("minus", "warning", later("Lost")),
    "other": Look("refresh", "text-muted", later("Judged otherwise")),
}
DEFECTS = {
    "new": Look("diamond-alert", "danger", later("New")),
    "gone": Look("circle-check", "success", later("Gone")),
    "same": Look("diamond-alert", "warning", later("In both")),
}


def change_of(test: ComparedTest) -> str:
    """``gained``, ``lost`` or ``other``."""
    if test["after"] == "accepted":
        return "gained"
    return "lost" if test["before"] == "accepted" else "other"


@dataclass(frozen=True)
class ComparedDefect:
    """A suspected defect and whether it is new, gone or the same; ``run`` is the newest run that has it."""

    change: str
    run: str
    defect: DefectView


def defects_of(view: ComparisonView) -> list[ComparedDefect]:
    """New ones first, then gone ones, then those in both."""
    older, newer = view["a"]["run"]["run"], view["b"]["run"]["run"]
    return [
        *(ComparedDefect("new", newer, one) for one in view["defects_new"]),
        *(ComparedDefect("gone", older, one) for one in view["defects_gone"]),
        *(ComparedDefect("same", newer, one) for one in view["defects_same"]),
    ]


def test_columns() -> list[Column[ComparedTest]]:
    """What changed, the test, and how each run judged it."""

    def verdict(side: str, title: str) -> Column[ComparedTest]:
        def value(test: ComparedTest) -> str:
            return str(test[side])  # type: ignore[literal-required]

        def look(test: ComparedTest) -> tuple[str, str] | None:
            shown = words.look_of_test(value(test))
            return (shown.icon, shown.token) if value(test) else None

        def told(test: ComparedTest) -> str:
            return words.look_of_test(value(test)).text() if value(test) else tr("not there")

        return Column(
            title,
            told,
            told,
            icon=look,
            token=lambda test: "text" if value(test) else "text-muted",
            width=156,
            from_width=640,
        )

    return [
        Column(
            tr("Change"),
            lambda test: CHANGES[change_of(test)].text(),
            lambda test: tuple(CHANGES).index(change_of(test)),
            icon=lambda test: (CHANGES[change_of(test)].icon, CHANGES[change_of(test)].token),
            width=164,
        ),
        Column(
            tr("Test"),
            lambda test: test["test"],
            lambda test: test["test"],
            font="code",
            width=220,
            stretch=1,
            path=True,
        ),
        verdict("before", tr("Older run")),
        verdict("after", tr("Newer run")),
    ]


def defect_columns() -> list[Column[ComparedDefect]]:
    """Whether it is new, the call that shows it, and its place."""
    return [
        Column(
            tr("Change"),
            lambda one: DEFECTS[one.change].text(),
            lambda one: tuple(DEFECTS).index(one.change),
            icon=lambda one: (DEFECTS[one.change].icon, DEFECTS[one.change].token),
            width=120,
        ),
        Column(
            tr("Call"),
            lambda one: one.defect["call"] or one.defect["symbol"],
            lambda one: one.defect["symbol"],
            font="code",
            width=220,
            stretch=3,
        ),
        Column(
            tr("Observed"),
            lambda one: one.defect["observed"],
            font="code",
            token="text-muted",
            width=120,
            stretch=2,
            from_width=820,
        ),
        Column(
            tr("Place"),
            lambda one: f"{one.defect['file']}:{one.defect['line']}",
            lambda one: (one.defect["file"], one.defect["line"]),
            token="text-muted",
            right=True,
            width=180,
            path=True,
            from_width=640,
        ),
    ]
