"""Plan, quotas and invoices of the organisation at the hosted service."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import HostedUsageView, InvoiceView, QuotaView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import IconButton, badge, column, empty, frame, holder, label, line
from qverify_desktop.ui.widgets.progress import ProgressBar

_RESOURCES = {
    "imports": later("Bundles"),
    "import_bytes": later("Size of bundles"),
    "analyses": later("Analyses"),
    "model_cost": later("Cost of models"),
}
_STATES = {
    "open": ("", later("open")),
    "paid": ("success", later("paid")),
    "overdue": ("danger", later("overdue")),
    "void": ("muted", later("void")),
}
#: Share of a quota in percent from which it is shown as nearly used up.
NEARLY = 90


class PlanPart(QWidget):
    """A card, filled when it is asked for."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clear")
        self._desk = desk
        self.plan = label("", "strong", wrap=True)
        self.period = label("", "small", "muted", wrap=True)
        self.problem = label("", "body", "muted", wrap=True, select=True)
        self._quotas = QGridLayout()
        self._quotas.setHorizontalSpacing(16)
        self._quotas.setVerticalSpacing(10)
        self._quotas.setColumnStretch(1, 1)
        self._invoices = QGridLayout()
        self._invoices.setHorizontalSpacing(16)
        self._invoices.setVerticalSpacing(6)
        self._invoices.setColumnStretch(1, 1)
        self._rule = line()
        self._card = frame("card")
        inside = QVBoxLayout(self._card)
        inside.setContentsMargins(16, 12, 16, 12)
        inside.setSpacing(12)
        inside.addLayout(column(self.plan, self.period, gap=2))
        inside.addLayout(self._quotas)
        inside.addWidget(self._rule)
        inside.addLayout(self._invoices)
        self._card.hide()
        self.setLayout(column(self.problem, self._card, gap=8))

    def ask(self) -> None:
        self._desk.bridge.ask(self, "hosted_usage", self.show_usage, failed=self._failed, key="usage")

    def show_none(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))
        self._card.hide()

    def _failed(self, error: QVerifyError) -> None:
        self.show_none(f"{error.sentence} {error.remedy}".strip())

    def show_usage(self, usage: HostedUsageView) -> None:
        self.problem.hide()
        plan = f"{usage['organisation']}: {usage['plan']}"
        renewed = date(usage["renews_at"])
        self.plan.setText(tr("{plan}, renews on {when}", plan=plan, when=renewed) if renewed else plan)
        self.period.setText(
            tr(
                "{cost} from {start} to {end}. Quotas begin anew then.",
                cost=amount(usage["cost_micro"], usage["currency"]),
                start=date(usage["start"]),
                end=date(usage["end"]),
            )
        )
        empty(self._quotas)
        for at, quota in enumerate(usage["quotas"]):
            self._add_quota(at, quota, usage["currency"])
        empty(self._invoices)
        for at, invoice in enumerate(usage["invoices"]):
            self._add_invoice(at, invoice)
        self._rule.setVisible(bool(usage["invoices"]))
        self._card.show()

    def _add_quota(self, at: int, quota: QuotaView, currency: str) -> None:
        title = tr(_RESOURCES.get(quota["resource"], quota["resource"]))
        used, limit = quota["used"], quota["limit"]
        told = quantity(used, quota["unit"], currency)
        self._quotas.addWidget(label(title, "body"), at, 0)
        if limit < 0:
            self._quotas.addWidget(label(tr("no limit"), "small", "muted"), at, 1)
        else:
            bar = ProgressBar(self._desk.theme, title)
            bar.show_progress(min(used, limit), limit)
            bar.set_tone("danger" if used * 100 >= limit * NEARLY else "")
            self._quotas.addWidget(holder(column(bar)), at, 1, Qt.AlignmentFlag.AlignVCenter)
            told = tr("{used} of {limit}", used=told, limit=quantity(limit, quota["unit"], currency))
        self._quotas.addWidget(label(told, "small", "muted"), at, 2, Qt.AlignmentFlag.AlignRight)

    def _add_invoice(self, at: int, invoice: InvoiceView) -> None:
        tone, state = _STATES.get(invoice["state"], ("", invoice["state"]))
        owed = invoice["state"] in ("open", "overdue") and invoice["due_at"]
        due = tr("due {when}", when=date(invoice["due_at"])) if owed else ""
        cells = (
            label(date(invoice["issued_at"]), "small", "muted"),
            label(invoice["number"], "body", select=True),
            label(due, "small", "danger" if invoice["state"] == "overdue" else "muted"),
            badge(tr(state), tone),
            label(amount(invoice["amount_micro"], invoice["currency"]), "body"),
        )
        for column_, cell in enumerate(cells):
            self._invoices.addWidget(cell, at, column_)
        if invoice["url"]:
            look = partial(self._desk.front.open_address, invoice["url"])
            words_ = tr("Look at the invoice {number}", number=invoice["number"])
            self._invoices.addWidget(IconButton(self._desk.theme, "external", words_, look), at, len(cells))


def date(iso: str) -> str:
    """The day of a time: "1 Nov 2026". Empty for none."""
    return words.moment(iso).partition(",")[0]


def amount(micro: int, currency: str) -> str:
    """Millionths of a unit to hundredths of it."""
    return f"{micro / 1_000_000:,.2f} {currency}".rstrip()


def quantity(value: int, unit: str, currency: str) -> str:
    if unit == "bytes":
        return words.decimal_bytes(value)
    if unit == "micro":
        return amount(value, currency)
    return words.duration(1000 * value) if unit == "seconds" else words.count(value)
