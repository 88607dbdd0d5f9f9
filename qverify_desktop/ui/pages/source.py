"""The source as it was analyzed: files with what is missing, code with its coverage, mutants and suspected defects."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import FileView, MutantView, SourceView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.pages.unfinished import show_unfinished
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import column, frame, label, line, row
from qverify_desktop.ui.widgets.charts import paint_before_after
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.find_field import FindField
from qverify_desktop.ui.widgets.line_states import coverage_of
from qverify_desktop.ui.widgets.master_detail import MasterDetail
from qverify_desktop.ui.widgets.overview import Mark, OverviewStrip
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel


class SourcePage(RunPage):
    """Files left, code right. ``place.item`` is a file, or ``file:line``."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._view: SourceView | None = None
        self._line = 0
        self.model: TableModel[FileView] = TableModel(file_columns(), key=lambda file: file["path"], parent=self)
        self.table = Table(theme, self.model, tr("Files"), height="comfortable", plain=True)
        self.table.chosen.connect(self._choose)
        self.filter = FilterField(theme, tr("Filter files"))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        left = frame("surface")
        left.setLayout(column(row(self.filter, margins=(12, 12, 12, 12)), line(), self.table, gap=0))
        self.code = CodeView(theme, tr("Source with coverage"))
        self.code.setProperty("plain", "true")
        self.code.line_changed.connect(self._show_line)
        self.overview = OverviewStrip(theme, self.code)
        self.find_field = FindField(theme, tr("Find in the source"))
        self.find_field.setMaximumWidth(theme.px(220))
        self.find_field.serve(self.code)
        self.side = Segmented(theme, tr("Coverage"), [Choice("after", tr("After")), Choice("before", tr("Before"))])
        self.side.changed.connect(lambda _: self._show_side())
        self._name = ElidedLabel("heading")
        self._told = label("", "small", "muted")
        head = frame("band")
        head.setLayout(row(self._name, self._told, None, self.side, self.find_field, gap=12, margins=(16, 8, 12, 8)))
        self._foot = label("", "small", wrap=True, select=True)
        foot = frame("foot")
        foot.setLayout(row(self._foot, margins=(16, 8, 16, 8)))
        code = QWidget()
        code.setObjectName("surface")
        code.setLayout(row(self.code, self.overview, gap=0))
        body = QWidget()
        body.setObjectName("surface")
        body.setLayout(column(code, foot, gap=0))
        self._file = Shown(theme, body)
        right = QWidget()
        right.setObjectName("surface")
        right.setLayout(column(head, self._file, gap=0))
        self.split = MasterDetail(theme, desk.preferences, "source", left, right)
        self.split.returned.connect(self.table.setFocus)
        self.shown = Shown(theme, self.split)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.shown)
        self._register()

    def _register(self) -> None:
        group = later("Source")

        def needs_file() -> str:
            return "" if self._view is not None else tr("Choose a file first.")

        for act in (
            Act("source.next-gap", later("Next gap in coverage"), group, self.code.next_gap, "F8", reason=needs_file),
            Act(
                "source.previous-gap",
                later("Previous gap in coverage"),
                group,
                self.code.previous_gap,
                "Shift+F8",
                reason=needs_file,
            ),
            Act(
                "source.editor",
                later("Open in editor"),
                group,
                self._open_in_editor,
                icon="external",
                reason=self._cant_edit,
            ),
        ):
            act.place = "source"
            self.desk.actions.add(act)

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("source.editor",)

    def focus_filter(self) -> bool:
        (self.find_field if self.code.hasFocus() else self.filter).setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def begin_run(self) -> None:
        self._view = None
        self.model.fill([])
        self.shown.show_waiting()

    def show_run(self) -> None:
        assert self.context is not None
        self.desk.actions.update()
        if self.context.status != "finished":
            show_unfinished(self.desk, self.shown, self.context)
            return
        self.desk.bridge.ask(
            self, "run_files", self._show_files, failed=self._failed, key="files", run=self.place.run
        )

    def _failed(self, error: QVerifyError) -> None:
        self.shown.show_state().show_error(error, self.show_run)

    def _show_files(self, files: list[FileView]) -> None:
        if not files:
            self.shown.show_state().show_state(
                "code", tr("No source was kept"), tr("The run kept no source files. Analyze the repository again.")
            )
            return
        # What is missing most stands first; so do files with suspected defects.
        ranked = sorted(files, key=lambda file: (-file["suspected"], -_missing(file), file["path"]))
        self.model.fill(ranked)
        self.shown.show_content()
        path, _, number = (
            self.place.item.rpartition(":") if self.place.item[-1:].isdigit() else (self.place.item, "", "")
        )
        self._line = int(number) if number else 0
        if not self.table.choose(path or ranked[0]["path"]):
            self.table.choose(ranked[0]["path"])
        self._choose(self.table.value())

    def _choose(self, file: FileView | None) -> None:
        if file is None or (self._view is not None and self._view["path"] == file["path"]):
            if self._line and self._view is not None:
                self.code.go_to_line(self._line)
                self._line = 0
            return
        self._name.setText(file["path"])
        self._told.setText(
            tr(
                "{after} of lines, from {before}",
                after=words.share(words.after_of(file["lines"])),
                before=words.share(words.before_of(file["lines"])),
            )
        )
        self._file.show_waiting()
        self.desk.bridge.ask(
            self,
            "run_source",
            self._show_source,
            failed=self._no_source,
            key="source",
            run=self.place.run,
            file=file["path"],
        )

    def _no_source(self, error: QVerifyError) -> None:
        self._view = None
        self._file.show_state().show_error(error)
        self.desk.actions.update()

    def _show_source(self, view: SourceView) -> None:
        self._view = view
        self.code.show_code(view["text"], view["language"], file=view["path"])
        self._show_side()
        self._file.show_content()
        if self._line:
            self.code.go_to_line(self._line)
            self._line = 0
        self.desk.actions.update()

    def _show_side(self) -> None:
        if self._view is None:
            return
        self.code.show_coverage(coverage_of(self._view["lines"], self.side.chosen()))
        marks = [
            Mark(one["line"], "killed" if one["status"] in ("killed", "timed_out") else "survived", told_mutant(one))
            for one in self._view["mutants"]
        ]
        marks += [Mark(one["line"], "defect", one["call"]) for one in self._view["defects"]]
        self.overview.show_marks(marks)
        self._show_line(self.code.textCursor().blockNumber() + 1)

    def _show_line(self, number: int) -> None:
        """What is known of the current line: state, tests, mutants, defects."""
        if self._view is None:
            return
        parts = []
        state = next((one for one in self._view["lines"] if one["line"] == number), None)
        if state is not None:
            word = words.COVERAGE[state["after"] if self.side.chosen() == "after" else state["before"]].text()
            tests = trn("{n} kept test", "{n} kept tests", state["tests"]) if state["tests"] else tr("no kept test")
            parts.append(tr("Line {n}: {state}, {tests}", n=number, state=word, tests=tests))
        else:
            parts.append(tr("Line {n}: nothing to execute", n=number))
        parts += [told_mutant(one) for one in self._view["mutants"] if one["line"] == number]
        parts += [
            tr("suspected defect: {call} gives {observed}", call=one["call"], observed=one["observed"])
            for one in self._view["defects"]
            if one["line"] == number
        ]
        self._foot.setText(" · ".join(parts))

    def _disk_file(self) -> Path | None:
        if self._view is None or self.context is None or not self.context.overview:
            return None
        folder = Path(str(self.context.overview["run"]["source"]))
        file = folder.joinpath(*self._view["path"].split("/"))
        return file if folder.is_absolute() and file.is_file() else None

    def _cant_edit(self) -> str:
        return "" if self._disk_file() is not None else tr("The file is not on this machine any more.")

    def _open_in_editor(self) -> None:
        file = self._disk_file()
        if file is not None:
            self.desk.front.open_in_editor(str(file), self.code.textCursor().blockNumber() + 1)


def told_mutant(mutant: MutantView) -> str:
    """A mutant on one line: what became what, and whether a test noticed."""
    state = words.MUTANT[mutant["status"]].text()
    return f"{mutant['original']} → {mutant['replacement']}: {state}"


def _missing(file: FileView) -> int:
    return file["lines"]["after_whole"] - file["lines"]["after_part"]


def file_columns() -> list[Column[FileView]]:
    """Path, bar of lines before and after, what is missing."""

    def bar(painter: QPainter, rect: QRect, file: FileView, theme: Theme) -> None:
        before, after = words.before_of(file["lines"]), words.after_of(file["lines"])
        place = QRect(rect.left(), rect.center().y() - theme.px(6), rect.width(), theme.px(12))
        paint_before_after(painter, place, theme, before, after)

    return [
        Column(
            tr("File"),
            lambda file: file["path"],
            lambda file: file["path"],
            icon=lambda file: ("diamond-alert", "danger") if file["suspected"] else ("file", "text-muted"),
            font="code",
            path=True,
            width=160,
            stretch=3,
        ),
        Column(
            tr("Lines"),
            lambda file: words.share(words.after_of(file["lines"])),
            lambda file: words.after_of(file["lines"]),
            paint=bar,
            width=72,
            searched=False,
        ),
        Column(
            tr("Missing"), lambda file: words.count(_missing(file)), _missing, right=True, width=72, searched=False
        ),
    ]
