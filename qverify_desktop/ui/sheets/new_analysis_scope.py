"""What of a repository is analyzed and where it runs: the parts of a new analysis that follow from a look at it."""

from __future__ import annotations

from fnmatch import fnmatch
from html import escape

from PySide6.QtCore import QStringListModel, Qt
from PySide6.QtGui import QStandardItemModel
from PySide6.QtWidgets import (
    QComboBox,
    QCompleter,
    QLineEdit,
    QSizePolicy,
)

from qverify_desktop.domain.project import language_title
from qverify_desktop.domain.views import Choices, RepositoryLook
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.sheets.new_analysis_parts import FieldError, Part
from qverify_desktop.ui.widgets.basics import IconLabel, column, label, row
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.painting import one_line

#: What the engine says of an image that a start would build (its remedy is for a terminal).
NOT_BUILT = "qverify runtimes build"
#: The same of a root file system, which comes out of an engine or a file.
NOT_IMPORTED = "qverify runtimes import"
#: What it says of one that is used without a container engine.
REDUCED = "reduced isolation"
#: Source files that the engine names at most; a count over them says "at least" then.
MOST_FILES = 5_000


class ScopePart(Part):
    """Everything, what changed since a ref, or files by a pattern."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._files: list[str] = []
        self.kind = Segmented(
            desk.theme,
            tr("Scope"),
            [
                Choice("all", tr("Everything")),
                Choice("changed", tr("Changed since")),
                Choice("files", tr("Chosen files")),
            ],
            height=32,
        )
        self.kind.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.kind.changed.connect(lambda _: self._show())
        self.ref = QComboBox()
        self.ref.setEditable(True)
        self.ref.setAccessibleName(tr("Branch, tag or commit"))
        self.ref.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.ref.editTextChanged.connect(lambda _: self._show())
        self.ref.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.glob = QLineEdit()
        self.glob.setPlaceholderText("src/**/*.py")
        self.glob.setAccessibleName(tr("Pattern of file names"))
        self.glob.textChanged.connect(lambda _: self._show())
        self.remark = label("", "small", "muted", wrap=True)
        self._wrong_ref, self._wrong_glob = FieldError(self.ref), FieldError(self.glob)
        self.setLayout(column(self.kind, self.ref, self._wrong_ref, self.glob, self._wrong_glob, self.remark, gap=6))
        self._git = False
        self._show()

    def show_look(self, look: RepositoryLook) -> None:
        """Refs and files of the repository."""
        self._git, self._files = look["git"] or not look["files"], look["source_files"]
        self.ref.blockSignals(True)
        self.ref.clear()
        self.ref.addItems(look["refs"])
        completer = QCompleter(QStringListModel(look["refs"], self), self)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.ref.setCompleter(completer)
        self.ref.setCurrentIndex(-1)
        self.ref.setEditText(next((ref for ref in look["refs"] if ref != look["branch"]), ""))
        self.ref.blockSignals(False)
        self._show()

    def remember(self, choices: Choices) -> None:
        """Another repository begins with its own choices, not with what was typed for the one before."""
        kind, _, rest = choices.get("scope", "all").partition(":")
        if kind == "changed" and rest and self._git:
            self.ref.setEditText(rest)
        if kind == "files" and rest:
            self.glob.setText(rest)
        self.kind.choose(kind if kind != "changed" or self._git else "all")
        self._show()

    def text(self) -> str:
        """As the command line takes it."""
        kind = self.kind.chosen()
        return {"all": "all", "changed": f"changed:{self.ref.currentText().strip()}"}.get(
            kind, f"files:{self.glob.text().strip()}"
        )

    def problem(self) -> str:
        return self._missing() or self._wrong()

    def _missing(self) -> str:
        """What is still to be typed."""
        kind = self.kind.chosen()
        if kind == "changed" and self._git and not self.ref.currentText().strip():
            return tr("Choose a branch, tag or commit.")
        if kind == "files" and not self.glob.text().strip():
            return tr("Type a pattern of file names.")
        return ""

    def _wrong(self) -> str:
        """What can't be as it was typed."""
        kind = self.kind.chosen()
        if kind == "changed" and not self._git:
            return tr("Only a Git repository knows what changed.")
        if kind == "changed" and self.ref.currentText().strip().startswith("-"):
            return tr("No branch, tag or commit begins with a hyphen.")
        if kind == "files" and self._files and self.glob.text().strip() and not self._matching():
            return tr("No source file matches the pattern.")
        return ""

    def _matching(self) -> int:
        pattern = self.glob.text().strip()
        return sum(fnmatch(path, pattern) for path in self._files)

    def _count(self) -> str:
        if not self._files:
            return tr("The files are known when the repository is fetched.")
        found = self._matching()
        if len(self._files) >= MOST_FILES:
            return trn("At least {n} file matches.", "At least {n} files match.", found)
        return trn("{n} file matches.", "{n} files match.", found)

    def _show(self) -> None:
        kind, wrong = self.kind.chosen(), self._wrong()
        self.ref.setVisible(kind == "changed")
        self.glob.setVisible(kind == "files")
        self._wrong_ref.say(wrong if kind == "changed" else "")
        self._wrong_glob.say(wrong if kind == "files" else "")
        if kind == "all":
            words = tr("All functions; untested, documented and public ones first.")
        elif kind == "changed":
            words = self._missing() or tr(
                "Functions that differ from it and their callers, and calls that are answered otherwise."
            )
        else:
            words = self._missing() or self._count()
        self.remark.setText(words)
        self.remark.setVisible(not wrong)
        self.changed.emit()


class RuntimePart(Part):
    """What was detected, and whether its image is there."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._look: RepositoryLook | None = None
        self.box = QComboBox()
        self.box.setAccessibleName(tr("Runtime"))
        self.box.currentIndexChanged.connect(lambda _: self._show())
        self.remark = label("", "small", "muted", wrap=True)
        self._icon = IconLabel(desk.theme, size=12)
        said = row(self._icon, self.remark, gap=6)
        said.setStretch(1, 1)
        self._others = label("", "small", "muted", wrap=True)
        self._others.hide()
        self.setLayout(column(self.box, said, self._others, gap=6))

    def show_look(self, look: RepositoryLook) -> None:
        self._look = look
        self.box.blockSignals(True)
        self.box.clear()
        others = []
        for choice in look["runtimes"]:
            parts = [", ".join(map(language_title, choice["languages"]))]
            parts += [trn("{n} file", "{n} files", choice["files"])] if choice["files"] else []
            if choice["analysable"]:
                self.box.addItem(" · ".join(parts), choice["runtime"])
            else:
                others.append(parts[0])
                self.box.addItem(" · ".join([*parts, tr("not analysable yet")]), "")
                self._disable(self.box.count() - 1, choice["sentence"])
        self.box.blockSignals(False)
        self._others.setText(tr("Found too, but not analysable yet: {languages}.", languages="; ".join(others)))
        self._others.setVisible(bool(others) and len(others) < len(look["runtimes"]))
        self._show()

    def remember(self, choices: Choices) -> None:
        at = self.box.findData(choices.get("runtime") or None)
        if at >= 0:
            self.box.setCurrentIndex(at)

    def chosen(self) -> str:
        return str(self.box.currentData() or "")

    def _disable(self, at: int, why: str) -> None:
        # It may name folders of the repository, whose names must not be read as markup.
        self.box.setItemData(at, f"<qt>{escape(one_line(why))}</qt>", Qt.ItemDataRole.ToolTipRole)
        self.box.setItemData(at, one_line(why), Qt.ItemDataRole.AccessibleDescriptionRole)
        model = self.box.model()
        if isinstance(model, QStandardItemModel):
            model.item(at).setEnabled(False)

    def _show(self) -> None:
        known = self._look["runtimes"] if self._look is not None else []
        choice = next((one for one in known if one["runtime"] == self.chosen() and one["analysable"]), None)
        if choice is None:
            self.remark.setText("")
            self._icon.hide()
        elif choice["ready"] and REDUCED in choice["sentence"]:
            self.remark.setText(
                tr(
                    "Reduced isolation: the settings choose bubblewrap, without a container engine. The run is marked."
                )
            )
            self._icon.show_icon("triangle-alert", "warning", tr("Warning"))
            self._icon.show()
        elif choice["ready"]:
            ready = tr("The sandbox image is ready.")
            self.remark.setText(tr("Detected by its files. {ready}", ready=ready) if choice["files"] else ready)
            self._icon.show_icon("check", "success", tr("Ready"))
            self._icon.show()
        else:
            building = tr("The sandbox image is built first; that takes about a minute.")
            importing = tr(
                "bubblewrap has no root file system yet. A start takes it from Docker where that runs; Environment says how "
                "to bring it in as a file."
            )
            signs = {NOT_BUILT: building, NOT_IMPORTED: importing}
            said = next((words for sign, words in signs.items() if sign in choice["sentence"]), choice["sentence"])
            self.remark.setText(said or building)
            self._icon.show_icon("triangle-alert", "warning", tr("Warning"))
            self._icon.show()
        self.changed.emit()
