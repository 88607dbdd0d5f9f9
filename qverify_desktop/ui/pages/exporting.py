"""What a run can be exported as, from the header of its tabs: a menu of formats, each also an act of the palette."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QPoint
from PySide6.QtWidgets import QMenu, QPushButton

from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Notice
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.widgets import words

#: Format of ``engine.export``: what its file's name ends with, its name in the menu, its act in the palette.
FORMATS = {
    "html": (".html", later("Report to read (HTML)…"), later("Export the report (HTML)…")),
    "junit": (".xml", later("JUnit XML…"), later("Export JUnit XML…")),
    "sarif": (".sarif", later("SARIF…"), later("Export as SARIF")),
    "markdown": (".md", later("Markdown…"), later("Export Markdown…")),
    "csv": (".csv", later("Table of all tests (CSV)…"), later("Export all tests as a table (CSV)…")),
    "patch": (".patch", later("Patch with the kept tests…"), later("Export a patch with the kept tests…")),
    "issues": (".md", later("Suspected defects as issues…"), later("Export suspected defects as issues…")),
    "expected-failures": (
        ".patch",
        later("Patch with tests expected to fail…"),
        later("Export a patch with tests that are expected to fail…"),
    ),
    "evidence": (".qvevidence.zip", later("Evidence bundle…"), later("Export the evidence bundle…")),
    "evidence-redacted": (
        ".qvevidence.zip",
        later("Evidence bundle without contents…"),
        later("Export the evidence bundle without contents…"),
    ),
    "evidence-headers": (
        ".qvevidence.zip",
        later("Evidence bundle, headers only…"),
        later("Export the evidence bundle, headers only…"),
    ),
}


class Exporter(QObject):
    """Exports of one page. Formats are acts ``<page>.export.<format>``."""

    def __init__(self, page: RunPage, name: str, formats: tuple[str, ...], group: str) -> None:
        super().__init__(page)
        self._page, self._name = page, name
        self._menu: QMenu | None = None
        self.ids = {format: f"{name}.export.{format}" for format in formats}
        for format, id_ in self.ids.items():
            save = partial(self._ask, format)
            act = Act(id_, FORMATS[format][2], group, save, icon="upload", place=name, reason=self.reason)
            page.desk.actions.add(act)

    def reason(self) -> str:
        """Why nothing can be exported, empty when it can."""
        context = self._page.context
        return "" if context is not None and context.status == "finished" else tr("The run is not finished.")

    def pop(self, act: str) -> None:
        """Open the menu of formats below the header's button of an act."""
        if self._menu is not None:
            self._menu.deleteLater()
        page, actions = self._page, self._page.desk.actions
        self._menu = menu = QMenu(page)
        menu.setAccessibleName(tr("Export"))
        for format, id_ in self.ids.items():
            menu.addAction(tr(FORMATS[format][1]), partial(actions.trigger, id_))
        buttons = page.window().findChildren(QPushButton)
        button = next((one for one in buttons if one.property("act") == act and one.isVisible()), None)
        if button is not None:
            menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))
        else:
            menu.popup(page.mapToGlobal(QPoint(page.width() - menu.sizeHint().width() - 24, 0)))

    def _ask(self, format: str) -> None:
        context = self._page.context
        if context is None:
            return
        end = FORMATS[format][0]
        name = Path(str(context.overview["run"]["name"])).name
        suggestion = f"{name}-{words.short_hash(context.run, 12)}{end}"
        self._page.desk.front.save_as(suggestion, f"*{end}", self._saver(context.run, format))

    def _saver(self, run: str, format: str) -> Callable[[str], None]:
        def save(path: str) -> None:
            self._page.desk.bridge.do(self, lambda engine: engine.export(run, format, Path(path)), self._saved)

        return save

    def _saved(self, path: Path) -> None:
        front = self._page.desk.front
        show = partial(front.open_path, str(Path(path).parent))
        front.tell(Notice(tr("Saved: {path}", path=str(path)), "success", tr("Open folder"), show))
