"""Whether prompts of a repository may leave this machine: asked in the sheet, with no answer chosen before the person chose one."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QButtonGroup

from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.sheets.new_analysis_model import ModelRow
from qverify_desktop.ui.sheets.new_analysis_parts import Part
from qverify_desktop.ui.widgets.basics import column, frame, label
from qverify_desktop.ui.widgets.painting import one_line


class CloudPart(Part):
    """Two answers; the one that was kept for the repository stands chosen, and where there is none Start waits.

    It is shown where prompts for the chosen model would go elsewhere. ``order``: it is the person's order, of which what is on
    this machine may still be asked.
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._kept: CloudPolicy | None = None
        self._hosts: tuple[str, ...] = ()
        self._order = False
        self._said = label("", "body", wrap=True)
        self.rows = {
            CloudPolicy.ALLOWED: ModelRow(
                (CloudPolicy.ALLOWED, ""),
                tr("They may go there"),
                tr("Secrets are masked before; the evidence says that you allowed it."),
                "",
            ),
            CloudPolicy.LOCAL_ONLY: ModelRow(
                (CloudPolicy.LOCAL_ONLY, ""),
                tr("They stay on this machine"),
                tr("Runs that start from now on ask no model elsewhere."),
                "",
            ),
        }
        self._group = QButtonGroup(self)
        inside = column(gap=2, margins=(4, 4, 4, 4))
        for one in self.rows.values():
            self._group.addButton(one.radio)
            inside.addWidget(one)
        self._group.buttonClicked.connect(lambda _: self._show())
        card = frame("card")
        card.setLayout(inside)
        self.setLayout(column(self._said, card, gap=6))

    def forget(self) -> None:
        """Another source is looked at: nothing is known of it yet."""
        self._kept = None
        self._check(CloudPolicy.UNDECIDED)

    def show_kept(self, policy: CloudPolicy) -> None:
        """What was decided for the repository before; an answer that was pressed meanwhile stays."""
        self._kept = policy
        if self.policy() is CloudPolicy.UNDECIDED:
            self._check(policy)
        self._show()

    def show_hosts(self, hosts: Sequence[str], order: bool) -> None:
        """Where prompts for the chosen model go."""
        if (tuple(hosts), order) != (self._hosts, self._order):
            self._hosts, self._order = tuple(hosts), order
            self._show()

    def policy(self) -> CloudPolicy:
        """The answer that is chosen."""
        return next((policy for policy, one in self.rows.items() if one.radio.isChecked()), CloudPolicy.UNDECIDED)

    def asked(self) -> bool:
        """Whether the chosen model needs an answer."""
        return bool(self._hosts)

    def problem(self) -> str:
        if not self._hosts:
            return ""
        if self._kept is None:
            return tr("It is being looked up what you decided for this repository.")
        if self.policy() is CloudPolicy.UNDECIDED:
            return tr("Decide whether prompts of this repository may leave this machine.")
        if self.policy() is CloudPolicy.LOCAL_ONLY and not self._order:
            return tr("Prompts of this repository stay on this machine. Choose a model on it, or none.")
        return ""

    def _check(self, policy: CloudPolicy) -> None:
        self._group.setExclusive(False)
        for one, shown in self.rows.items():
            shown.radio.setChecked(one is policy)
        self._group.setExclusive(True)

    def _show(self) -> None:
        hosts = one_line(", ".join(self._hosts))
        if self._kept in (None, CloudPolicy.UNDECIDED):
            words = tr(
                "May prompts with source of this repository go to {host}? Your answer is kept for it.", host=hosts
            )
        else:
            words = tr(
                "Prompts with source of this repository would go to {host}. This is what you decided.", host=hosts
            )
        if self._order and self.policy() is CloudPolicy.LOCAL_ONLY:
            words += " " + tr("Of your order only what is on this machine is asked.")
        self._said.setText(words)
        for one in self.rows.values():
            # Whoever does not see the sheet hears with each answer what is asked.
            one.radio.setAccessibleDescription(f"{words} {one.said}")
        self.changed.emit()
