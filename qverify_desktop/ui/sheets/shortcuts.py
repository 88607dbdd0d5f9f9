"""The shortcut sheet: every act that has keys, by group, as the registry has it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from qverify_desktop.ui.actions import Act, ActionRegistry, shown_keys
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import label
from qverify_desktop.ui.widgets.sheet import Sheet


class ShortcutSheet(Sheet):
    """Filter at the top; one row per act."""

    def __init__(self, theme: Theme, registry: ActionRegistry) -> None:
        super().__init__(theme, tr("Keyboard shortcuts"))
        self.field = QLineEdit()
        self.field.setPlaceholderText(tr("Filter"))
        self.field.setAccessibleName(tr("Filter shortcuts"))
        self.field.textChanged.connect(self._filter)
        self.body.addWidget(self.field)
        self._rows: list[tuple[str, list[QWidget]]] = []
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        groups: dict[str, list[Act]] = {}
        for act in registry:
            if act.keys:
                groups.setdefault(act.group, []).append(act)
        at = 0
        for group, acts in groups.items():
            grid.addWidget(label(tr(group), "heading"), at, 0, 1, 2)
            at += 1
            for act in acts:
                words = label(act.words(), wrap=True)
                keys = label(f" {shown_keys(act.keys)} ", "caption", "muted")
                keys.setObjectName("keycap")
                grid.addWidget(words, at, 0)
                grid.addWidget(keys, at, 1, Qt.AlignmentFlag.AlignRight)
                self._rows.append((f"{act.words()} {shown_keys(act.keys)}".casefold(), [words, keys]))
                at += 1
        self.body.addLayout(grid)
        self.body.addWidget(
            label(
                tr("Single letters act only while a list or its detail has the focus."), "small", "muted", wrap=True
            )
        )
        self.body.addStretch(1)

    def first_focus(self) -> QWidget:
        return self.field

    def _filter(self, text: str) -> None:
        wanted = text.casefold().split()
        for words, widgets in self._rows:
            for widget in widgets:
                widget.setVisible(all(word in words for word in wanted))
