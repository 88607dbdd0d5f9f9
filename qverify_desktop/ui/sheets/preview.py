"""The sheet that shows what a model would be sent: where to, at what price, what was masked, and every message as it stands."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtWidgets import QComboBox, QCompleter, QPlainTextEdit, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.views import DestinationView, MaskedView, PreviewView
from qverify_desktop.engine.wire import request_to_json
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, holder, label, row
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.words import money

#: Places of masked secrets that are named.
MOST_PLACES = 6


class PreviewSheet(Sheet):
    """Over the sheet of the analysis, which stands again when this one closes. Read-only: there is nothing to send here."""

    over = True

    def __init__(self, desk: Desk, request: AnalysisRequest) -> None:
        super().__init__(desk.theme, tr("What would be sent"))
        self.desk, self.request = desk, request
        self._shown_target = ""
        self.target = QComboBox()
        self.target.setEditable(True)
        self.target.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.target.setAccessibleName(tr("Function that is asked about"))
        self.target.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.target.activated.connect(lambda _: self._chosen())
        field = self.target.lineEdit()
        if field is not None:
            field.setPlaceholderText(tr("The function that would come first"))
            field.returnPressed.connect(self._chosen)
        self._destinations = QVBoxLayout()
        self._destinations.setSpacing(8)
        self.remarks = label("", "small", "muted", wrap=True)
        self.masked = label("", "small", "muted", wrap=True)
        self.text = QPlainTextEdit()
        self.text.setObjectName("code")
        self.text.setReadOnly(True)
        self.text.setFont(desk.theme.font("code"))
        self.text.setAccessibleName(tr("Messages that would be sent"))
        self.text.setMinimumHeight(desk.theme.px(240))
        content = column(self._destinations, self.masked, self.remarks, gap=10)
        content.addWidget(self.text, 1)
        self._shown = Shown(desk.theme, holder(content))
        self.body.addWidget(self.target)
        self.body.addWidget(self._shown, 1)
        self.copy = Button(desk.theme, tr("Copy messages"), self._copy, icon="copy")
        said = label(tr("Nothing is sent by looking at it."), "small", "muted", wrap=True)
        self.foot.addWidget(said, 1)
        self.foot.addWidget(self.copy)
        self.foot.addWidget(Button(desk.theme, tr("Back"), self.close_wanted.emit, kind="primary", keys="Esc"))
        self._ask("")

    def first_focus(self) -> QWidget:
        return self.target

    def _chosen(self) -> None:
        wanted = self.target.currentText().strip()
        if wanted != self._shown_target:
            self._ask(wanted)

    def _ask(self, target: str) -> None:
        self._shown.show_waiting()
        self.copy.set_possible(tr("It is being put together."))
        self.desk.bridge.ask(
            self,
            "model_preview",
            self._show,
            failed=self._failed,
            key="preview",
            request=request_to_json(self.request),
            target=target,
        )

    def _failed(self, error: QVerifyError) -> None:
        self._shown_target = ""
        self._shown.show_state().show_error(error, self._again)

    def _again(self) -> None:
        self._ask(self.target.currentText().strip())

    def _show(self, view: PreviewView) -> None:
        self._shown_target = view["target"]
        self._offer(view["targets"], view["target"])
        empty(self._destinations)
        for number, one in enumerate(view["destinations"], 1):
            self._destinations.addLayout(self._destination(number, one))
        self.masked.setText(_masked(view["masked"]))
        self.remarks.setText(_remarks(view))
        self.remarks.setVisible(bool(self.remarks.text()))
        self.text.setPlainText(text_of(view))
        self._shown.show_content()
        self.copy.set_possible("")

    def _offer(self, targets: Sequence[str], chosen: str) -> None:
        names = [one_line(name) for name in targets]
        self.target.blockSignals(True)
        self.target.clear()
        self.target.addItems(names)
        completer = QCompleter(QStringListModel(names, self), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.activated.connect(lambda _: self._chosen())
        self.target.setCompleter(completer)
        self.target.setEditText(one_line(chosen))
        self.target.blockSignals(False)

    def _destination(self, number: int, one: DestinationView) -> QVBoxLayout:
        theme = self.desk.theme
        if one["refused"]:
            title, said, icon, token = one["name"], one["refused"], "circle-slash", "text-muted"
        else:
            place = tr("on this machine") if one["local"] else tr("at {host}", host=one["host"])
            title, said = f"{one['model']} {place}", _cost(one)
            icon, token = ("lock", "success") if one["local"] else ("send", "accent-text")
        words = column(
            label(f"{number}. {one_line(title)}", "strong", wrap=True),
            label(one_line(said), "small", "muted", wrap=True),
            gap=2,
        )
        mark = IconLabel(theme, icon, token, words=tr("Not asked") if one["refused"] else "")
        line = row(mark, words, gap=12)
        line.setStretch(1, 1)
        line.setAlignment(mark, Qt.AlignmentFlag.AlignTop)
        return column(line)

    def _copy(self) -> None:
        self.desk.front.copy(self.text.toPlainText(), tr("Copied."))


def text_of(view: PreviewView) -> str:
    """The messages one after the other, each under its role."""
    parts = [
        f"─── {tr('message {number}, {role}', number=number, role=message['role'])} ───\n{message['content']}"
        for number, message in enumerate(view["messages"], 1)
    ]
    return "\n\n".join(parts)


def _cost(one: DestinationView) -> str:
    told = [
        trn("About {n} token", "About {n} tokens", one["prompt_tokens"]),
        trn("at most {n} of answer", "at most {n} of answer", one["max_tokens"]),
    ]
    if one["estimate_microusd"]:
        most = money(one["estimate_microusd"])
        told.append(
            tr("at most {most}", most=most) if one["price_known"] else tr("at most {most}, guessed", most=most)
        )
    else:
        told.append(tr("free"))
    if one["shortened"]:
        told.append(tr("less than is shown, because its context is shorter"))
    return ", ".join(told)


def _masked(masked: Sequence[MaskedView]) -> str:
    if not masked:
        return tr("No secret was found in it.")
    places = [
        tr("{rule} in message {message}, line {line}", rule=one["rule"], message=one["message"] + 1, line=one["line"])
        for one in masked[:MOST_PLACES]
    ]
    more = len(masked) - len(places)
    told = "; ".join([*places, *([trn("{n} more", "{n} more", more)] if more else [])])
    return one_line(f"{trn('{n} secret is masked', '{n} secrets are masked', len(masked))}: {told}.")


def _remarks(view: PreviewView) -> str:
    said = [tr("This is the first question about the function; what follows depends on the answers.")]
    if not view["destinations"]:
        said.append(tr("Nobody would be asked: your order of models is empty."))
    if not view["cloud"] and any(not one["local"] and not one["refused"] for one in view["destinations"]):
        said.append(tr("Before anything of this repository leaves this machine you are asked."))
    if not view["measured"]:
        said.append(tr("No run has measured these files yet, so all its lines count as untested."))
    return " ".join(said)
