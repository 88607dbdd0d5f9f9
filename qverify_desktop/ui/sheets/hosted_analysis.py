"""The sheet that has the hosted service analyse a repository: which address and commit, and what leaves this machine for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QComboBox, QLineEdit, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import HostedAnalysisView, HostedSourceView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.widgets.basics import Button, column, label
from qverify_desktop.ui.widgets.sheet import Sheet

#: Milliseconds after the last letter until the source is looked at.
DELAY_MS = 400


class HostedAnalysisSheet(Sheet):
    """``done`` is called once the service has it."""

    def __init__(self, desk: Desk, source: str, done: Callable[[], object]) -> None:
        super().__init__(desk.theme, tr("Have the service analyze a repository"))
        self._desk, self._done = desk, done
        # One key for this sheet: pressing twice, or an answer that was lost, begins one analysis only.
        self._key = secrets.token_hex(16)
        self.source = self._field(tr("Folder or address"), tr("A folder of this machine, or https://…"))
        self.commit = self._field(tr("Commit"), tr("Its full id"))
        self.scope = QComboBox()
        self.scope.setEditable(True)
        self.scope.addItems(["all", "changed:main"])
        self.scope.setAccessibleName(tr("Scope"))
        self.model = QComboBox()
        self.model.addItem(tr("The service's own models"), "default")
        self.model.addItem(tr("No model"), "none")
        self.model.setAccessibleName(tr("Model"))
        self.name = self._field(tr("Name"), tr("For you; it may be empty"))
        self.told = label("", "body", wrap=True, select=True)
        self.notice = label("", "small", "muted", wrap=True)
        self.problem = label("", "body", "danger", wrap=True, select=True)
        for title, field in (
            (tr("Repository"), self.source),
            (tr("Commit"), self.commit),
            (tr("Scope"), self.scope),
            (tr("Model"), self.model),
            (tr("Name"), self.name),
        ):
            self.body.addLayout(column(label(title, "strong"), field, gap=6))
        for one in (self.told, self.notice, self.problem):
            self.body.addWidget(one)
        self.body.addStretch(1)
        self.begin = Button(desk.theme, tr("Run it there"), self.confirm, kind="primary", keys="Ctrl+Return")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.begin)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(DELAY_MS)
        self._later.timeout.connect(self._look)
        self.source.textChanged.connect(lambda _: self._later.start())
        self.commit.textChanged.connect(lambda _: self._tell())
        self._found: HostedSourceView | None = None
        self.source.setText(source)
        self._tell()

    def _field(self, name: str, example: str) -> QLineEdit:
        field = QLineEdit()
        field.setAccessibleName(name)
        field.setPlaceholderText(example)
        field.returnPressed.connect(self.confirm)
        return field

    def first_focus(self) -> QWidget:
        return self.source

    def confirm(self) -> None:
        found = self._found
        if found is None or not self.begin.isEnabled():
            return
        self.begin.set_possible(tr("The service is being asked."))
        asked = {
            "source": found["source"],
            "commit": self.commit.text().strip(),
            "scope": self.scope.currentText().strip(),
            "model": self.model.currentData(),
            "label": self.name.text().strip(),
            "key": self._key,
        }
        self._desk.bridge.do(
            self, lambda engine: engine.ask("hosted_analyze", **asked), self._begun, failed=self._failed, key="begin"
        )

    def _look(self) -> None:
        text = self.source.text().strip()
        if not text:
            self._found = None
            self._tell()
            return
        self._desk.bridge.ask(self, "hosted_source", self._show, failed=self._unknown, key="source", source=text)

    def _show(self, found: HostedSourceView) -> None:
        self._found = found
        if found["commit"]:
            self.commit.setText(found["commit"])
        self._tell()

    def _unknown(self, error: QVerifyError) -> None:
        self._found = None
        self._tell(f"{error.sentence} {error.remedy}".strip())

    def _failed(self, error: QVerifyError) -> None:
        self._tell(f"{error.sentence} {error.remedy}".strip())

    def _tell(self, problem: str = "") -> None:
        """What would be sent, and why it can't be yet."""
        found, commit = self._found, self.commit.text().strip()
        self.told.setText(
            tr(
                "Sent: the address {url} and the commit. The service clones it; no file of this machine is sent.",
                url=found["url"],
            )
            if found is not None and found["url"]
            else tr("The service clones a repository by its address; no file of this machine is sent.")
        )
        refusal = f"{found['refusal']} {found['remedy']}".strip() if found else ""
        # What can't be sent is not said to be.
        self.told.setVisible(not refusal)
        self.notice.setText(found["notice"] if found else "")
        self.notice.setVisible(bool(found and found["notice"] and not refusal))
        self.problem.setText(problem or refusal)
        self.problem.setVisible(bool(problem or refusal))
        missing = "" if found is not None else tr("Name a repository.")
        self.begin.set_possible(refusal or missing or ("" if commit else tr("Give the full id of a commit.")))

    def _begun(self, one: HostedAnalysisView) -> None:
        front = self._desk.front
        self._done()
        self.close_wanted.emit()
        front.tell(Notice(tr("The service has it."), "success", tr("Show it"), lambda: front.go(Place("hosted"))))
