"""The amber badge of a run that was not locked away by a container engine. Nothing is shown for one that was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.domain.execution import Isolation, isolation_of
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, badge, row


class IsolationBadge(QWidget):
    """An icon and words, so that it is not told by its colour alone."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("clear")
        words = tr("Reduced isolation")
        told = tr(
            "This run was locked away by bubblewrap, without a container engine. The report says which limits held."
        )
        self.badge = badge(words, "warning")
        self.badge.setToolTip(told)
        self.badge.setAccessibleName(words)
        self.badge.setAccessibleDescription(told)
        self.setLayout(row(IconLabel(theme, "triangle-alert", "warning"), self.badge, None, gap=6))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_request(self, request: Mapping[str, Any]) -> None:
        """``request`` is a run's request in its JSON form."""
        self.setVisible(isolation_of(str(request.get("sandbox", ""))) is Isolation.REDUCED)
