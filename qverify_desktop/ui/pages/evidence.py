"""The whole evidence log of this installation: every entry in words, its proof, and the newest checkpoint."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.pages.evidence_parts.log_view import LogView


class EvidencePage(Page):
    """``place.item`` is an entry's number, or empty."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.log = LogView(desk, "evidence")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.log)

    def title(self) -> str:
        return tr("Evidence")

    def subtitle(self) -> str:
        return tr("one log for this installation, so that no run can be left out unseen")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("open-bundle",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.log.open("")

    def refresh(self, run: str) -> None:
        self.log.refresh()

    def focus_filter(self) -> bool:
        self.log.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.log.table.setFocus()
