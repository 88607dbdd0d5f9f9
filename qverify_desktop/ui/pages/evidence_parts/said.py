"""What a bundle's run says of itself: recorded and proven to be, which does not make it right."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtWidgets import QFrame, QGridLayout

from qverify_desktop.domain.log_views import SaidView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.widgets.basics import column, empty, label
from qverify_desktop.ui.widgets.words import UNKNOWN, VERDICT, when


class SaidCard(QFrame):
    """Hidden where the bundle does not show it, or does not hold."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("card")
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(16)
        self._facts.setVerticalSpacing(4)
        self._facts.setColumnStretch(1, 1)
        limit = tr("That it was recorded is proven, not that it is right.")
        heading = label(tr("What the run says of itself"), "heading")
        self.setLayout(
            column(heading, label(limit, "small", "muted", wrap=True), self._facts, gap=8, margins=(16, 12, 16, 12))
        )
        self.hide()

    def show_said(self, said: SaidView | None) -> None:
        empty(self._facts)
        for at, (name, value) in enumerate(_facts(said) if said else ()):
            self._facts.addWidget(label(name, "strong"), at, 0)
            self._facts.addWidget(label(value, "body", wrap=True, select=True), at, 1)
        self.setVisible(said is not None)


def _facts(said: SaidView) -> Iterator[tuple[str, str]]:
    if said["commit"]:
        yield tr("Commit"), said["commit"]
    if said["tree"]:
        yield tr("Git tree"), f"{said['tree']} {tr('(with uncommitted changes)') if said['dirty'] else ''}".rstrip()
    yield tr("Recorded"), tr("from {begin} to {end}", begin=when(said["opened_at"]), end=when(said["closed_at"]))
    if said["verdict"]:
        yield tr("Verdict"), VERDICT.get(said["verdict"], UNKNOWN).text() or said["verdict"]
        yield (
            tr("Tests"),
            tr(
                "{accepted} accepted, {refused} refused, {suspected} of suspected defects",
                accepted=said["accepted"],
                refused=said["refused"],
                suspected=said["suspected"],
            ),
        )
    for image in said["images"]:
        yield tr("Image"), image
