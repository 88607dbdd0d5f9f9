"""A bundle from elsewhere: verified with nothing but itself, then with a key and a checkpoint that the person trusts."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import GradeView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.pages.evidence_parts.again import AgainCard
from qverify_desktop.ui.pages.evidence_parts.grade import GradeBand
from qverify_desktop.ui.pages.evidence_parts.said import SaidCard
from qverify_desktop.ui.sheets.send_run import SendRunSheet
from qverify_desktop.ui.widgets.basics import Button, column, frame, label, row
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown

WIDEST = 900


class BundlePage(Page):
    """``place.item`` is the bundle's path."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._holds = False
        theme = desk.theme
        self.band = GradeBand(theme)
        self.key = QLineEdit()
        self.key.setPlaceholderText("name+hash+key")
        self.key.setAccessibleName(tr("Public key that you trust"))
        self.key.returnPressed.connect(self.verify)
        self.known = QLineEdit()
        self.known.setPlaceholderText(tr("File of a checkpoint that you kept"))
        self.known.setAccessibleName(tr("Known checkpoint"))
        choose = Button(theme, tr("Choose…"), partial(self._choose, self.known), size="")
        self.authority = QLineEdit()
        self.authority.setPlaceholderText(tr("File with the certificate of a time-stamp authority"))
        self.authority.setAccessibleName(tr("Time-stamp authority that you trust"))
        choose_authority = Button(theme, tr("Choose…"), partial(self._choose, self.authority), size="")
        self.witness = QLineEdit()
        self.witness.setPlaceholderText("witness+hash+key")
        self.witness.setAccessibleName(tr("Witness that you trust"))
        for field in (self.known, self.authority, self.witness):
            field.returnPressed.connect(self.verify)
        trust = frame("card")
        advice = tr(
            "A key inside the bundle proves nothing: whoever made the bundle made the key. Get the key and a checkpoint from the person "
            "who ran the analysis by another way."
        )
        trust.setLayout(
            column(
                label(tr("Check it against what you trust"), "heading"),
                label(advice, "small", "muted", wrap=True),
                label(tr("Public key"), "strong"),
                self.key,
                label(tr("Known checkpoint"), "strong"),
                row(self.known, choose),
                label(tr("Time-stamp authority"), "strong"),
                row(self.authority, choose_authority),
                label(tr("Witness"), "strong"),
                self.witness,
                row(Button(theme, tr("Verify again"), self.verify, icon="shield-check"), None),
                gap=8,
                margins=(16, 12, 16, 12),
            )
        )
        self.said = SaidCard()
        self.again_card = AgainCard(desk, self._trusted)
        self.note = QPlainTextEdit()
        self.note.setObjectName("code")
        self.note.setReadOnly(True)
        self.note.setFont(theme.font("code"))
        self.note.setAccessibleName(tr("Closing checkpoint"))
        self.note.setMaximumHeight(theme.px(140))
        inside = ScrollBody(
            column(
                self.said,
                trust,
                self.again_card,
                row(
                    label(tr("Closing checkpoint"), "heading"),
                    None,
                    Button(theme, tr("Copy"), self._copy, icon="copy", size="small"),
                ),
                self.note,
                None,
                gap=12,
                margins=(24, 16, 24, 24),
            )
        )
        inside.setMaximumWidth(theme.px(WIDEST))
        area = scrolling(inside)
        body = QWidget()
        body.setObjectName("page")
        body.setLayout(column(self.band, area, gap=0))
        self._shown = Shown(theme, body)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        group = later("Evidence")
        for act in (
            Act("bundle.verify", later("Verify again"), group, self.verify, icon="shield-check"),
            Act(
                "bundle.send",
                later("Send to the hosted service…"),
                group,
                self._send,
                icon="send",
                reason=self._no_sending,
            ),
        ):
            act.place = "bundle"
            desk.actions.add(act)

    def title(self) -> str:
        return Path(self.place.item).name or tr("Bundle")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("bundle.send", "open-bundle")

    def enter(self, place: Place) -> None:
        if place.item != self.place.item:
            for field in (self.key, self.known, self.authority, self.witness):
                field.clear()
            self.again_card.clear()
        super().enter(place)
        self.retitled.emit()
        self._hold(False)
        self._shown.show_waiting(tr("Every entry and every proof is being checked."))
        self.verify()

    def again(self) -> None:
        self.verify()

    def focus_content(self) -> None:
        self.key.setFocus()

    def verify(self) -> None:
        """Verify with what stands in the fields."""
        bundle, key, known = Path(self.place.item), self.key.text().strip(), self.known.text().strip()
        authority, witness = self.authority.text().strip(), self.witness.text().split()
        if not key and not known and not authority and not witness:
            self.desk.bridge.ask(
                self, "evidence_grade", self._show, failed=self._failed, key="grade", bundle=str(bundle)
            )
            return
        self.desk.bridge.do(
            self,
            lambda engine: engine.verify(
                bundle,
                public_key=key,
                known_checkpoint=Path(known) if known else None,
                tsa_certificates=[Path(authority)] if authority else [],
                witnesses=witness,
            ),
            self._show_answer,
            failed=self._refused,
            key="grade",
        )

    def _show_answer(self, answer: dict[str, object]) -> None:
        self._show({**answer, "limit": "", "bundle": self.place.item})  # type: ignore[typeddict-item]

    def _show(self, grade: GradeView) -> None:
        self.band.show_grade(grade)
        self.said.show_said(grade.get("said") if grade["valid"] else None)
        self.again_card.allow(grade["valid"])
        self._hold(grade["valid"])
        self.note.setPlainText(grade["checkpoint"])
        self._shown.show_content()

    def _send(self) -> None:
        self.desk.front.open_sheet(SendRunSheet(self.desk, bundle=self.place.item))

    def _no_sending(self) -> str:
        return "" if self._holds else tr("Only a bundle that holds can be sent.")

    def _trusted(self) -> dict[str, str]:
        """The bundle with what stands in the fields."""
        return {
            "bundle": self.place.item,
            "public_key": self.key.text().strip(),
            "known_checkpoint": self.known.text().strip(),
        }

    def _hold(self, holds: bool) -> None:
        self._holds = holds
        self.desk.actions.update()

    def _failed(self, error: QVerifyError) -> None:
        self._hold(False)
        self._shown.show_state().show_state(
            "octagon-x",
            tr("This can't be read as a bundle"),
            f"{error.sentence} {error.remedy}".strip(),
            token="invalid",
            button=(tr("Choose another bundle"), self.desk.front.ask_bundle),
        )

    def _refused(self, error: QVerifyError) -> None:
        """A key or checkpoint that is malformed says nothing about the bundle."""
        self.desk.front.tell_error(error)

    def _choose(self, field: QLineEdit) -> None:
        dialog = QFileDialog(self, tr("Choose a file"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(field.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _copy(self) -> None:
        self.desk.front.copy(self.note.toPlainText(), tr("The checkpoint is copied."))
