"""What is asked when the window is closed while analyses run: keep running in the tray, or stop and go on the next time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import Button, label
from qverify_desktop.ui.widgets.sheet import Sheet


class ClosingSheet(Sheet):
    """``keep`` is ``None`` where the desktop has no tray."""

    def __init__(
        self, theme: Theme, running: int, stop: Callable[[], object], keep: Callable[[], object] | None
    ) -> None:
        super().__init__(theme, tr("Close QVerify?"))
        self._stop, self._keep = stop, keep
        heading = trn("{n} analysis is running.", "{n} analyses are running.", running)
        self.body.addWidget(label(heading, "heading", wrap=True))
        self.body.addWidget(
            label(
                tr(
                    "Stop them and they go on from their last finished step the next time. Nothing that was recorded is lost, "
                    "and no container is left behind."
                ),
                wrap=True,
            )
        )
        if keep is not None:
            words = tr("Or keep them running: the window closes, and an icon in the tray brings it back.")
            self.body.addWidget(label(words, wrap=True))
        else:
            words = tr("This desktop has no tray, so nothing can run on without the window.")
            self.body.addWidget(label(words, "small", "muted", wrap=True))
        self.body.addStretch(1)
        self.stop_button = Button(theme, tr("Stop and close"), self.confirm, kind="primary")
        self.foot.addWidget(Button(theme, tr("Stay"), self.close_wanted.emit, kind="ghost"))
        self.foot.addStretch(1)
        if keep is not None:
            self.foot.addWidget(Button(theme, tr("Keep running in the tray"), self._keep_running))
        self.foot.addWidget(self.stop_button)

    def first_focus(self) -> QWidget:
        return self.stop_button

    def confirm(self) -> None:
        self.close_wanted.emit()
        self._stop()

    def _keep_running(self) -> None:
        self.close_wanted.emit()
        if self._keep is not None:
            self._keep()
