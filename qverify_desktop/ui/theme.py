"""Colours, type and icons from the design tokens: one palette, one style sheet, no colour anywhere else."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from PySide6.QtCore import QByteArray, QObject, QRectF, QSize, Qt, QTemporaryDir, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from qverify_desktop.domain.locations import resources_root

THEMES = ("light", "dark", "high-contrast")
SYSTEM = "system"
#: Steps of Ctrl+plus and Ctrl+minus.
ZOOMS = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)
_PALETTE = {
    QPalette.ColorRole.Window: "background",
    QPalette.ColorRole.Base: "surface",
    QPalette.ColorRole.AlternateBase: "surface-sunken",
    QPalette.ColorRole.Button: "surface-raised",
    QPalette.ColorRole.ToolTipBase: "surface-raised",
    QPalette.ColorRole.Text: "text",
    QPalette.ColorRole.WindowText: "text",
    QPalette.ColorRole.ButtonText: "text",
    QPalette.ColorRole.ToolTipText: "text",
    QPalette.ColorRole.PlaceholderText: "text-muted",
    QPalette.ColorRole.Highlight: "selection",
    QPalette.ColorRole.HighlightedText: "text",
    QPalette.ColorRole.Link: "accent-text",
}


@cache
def tokens() -> Mapping[str, Any]:
    """The design tokens, ``resources/themes/tokens.toml``."""
    return tomllib.loads((resources_root() / "resources/themes/tokens.toml").read_text("utf-8"))


@cache
def colours_of(name: str) -> Mapping[str, str]:
    """Token name to ``#RRGGBB`` of one theme (``scrim`` is ``#AARRGGBB``)."""
    return {key: value for group in tokens()["theme"][name].values() for key, value in group.items()}


class Theme(QObject):
    """The theme in use. Delegates and painted widgets ask it while they paint, so they follow a change by themselves.

    ``changed`` is emitted after colours or zoom changed and the style sheet was set anew; who keeps a pixmap makes it again.
    """

    changed = Signal()

    def __init__(self, name: str = "light", zoom: float = 1.0, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.name = name
        self.zoom = zoom
        self._folder = QTemporaryDir()
        self._fonts: dict[str, QFont] = {}
        self._colours: dict[str, QColor] = {}

    def colour(self, token: str) -> QColor:
        """Raises ``KeyError`` for a name that is no token."""
        found = self._colours.get(token)
        if found is None:
            found = self._colours[token] = QColor(colours_of(self.name)[token])
        return found

    def px(self, at_100_percent: float) -> int:
        """A length of the tokens in device-independent pixels at the present zoom."""
        return round(at_100_percent * self.zoom)

    def font(self, role: str) -> QFont:
        """``role`` is a name of the token table ``type``; ``code-strong`` is ``code`` in bold."""
        found = self._fonts.get(role)
        if found is None:
            found = self._fonts[role] = self._make_font(role)
        return found

    def metrics(self, role: str) -> QFontMetrics:
        return QFontMetrics(self.font(role))

    def _make_font(self, role: str) -> QFont:
        code = role.startswith("code")
        spec = tokens()["type"]["code" if code else role]
        family = tokens()["font"]
        font = QFont([family["code"], *family["code-fallback"]] if code else [family["ui"], *family["ui-fallback"]])
        font.setPixelSize(self.px(spec["size"]))
        font.setWeight(QFont.Weight(600 if role == "code-strong" else spec["weight"]))
        # Inter shows "4x7" as a product and "->" as an arrow: names and source are shown as they are.
        for tag in ("liga", "calt"):
            font.setFeature(QFont.Tag(tag), 0)
        if not code:
            font.setFeature(QFont.Tag("tnum"), 1)
        return font

    def pixmap(self, name: str, token: str, size: int = 16, ratio: float = 2.0) -> QPixmap:
        """An icon in a token's colour, ``size`` at 100 % zoom."""
        return _pixmap(name, self.colour(token).name(), self.px(size), ratio)

    def icon(
        self, name: str, token: str = "text", size: int = 16, disabled: str = "text-disabled", room: int = 0
    ) -> QIcon:
        """An icon for buttons, sharp at 1x and 2x, with so many empty pixels at its right."""
        found = QIcon()
        for ratio in (1.0, 2.0):
            for colour, mode in ((token, QIcon.Mode.Normal), (disabled, QIcon.Mode.Disabled)):
                found.addPixmap(_with_room(self.pixmap(name, colour, size, ratio), self.px(room)), mode)
        return found

    def apply(self, app: QApplication, name: str | None = None, zoom: float | None = None) -> None:
        """Set palette, font and style sheet of the application; ``changed`` follows."""
        self.name, self.zoom = name or self.name, zoom or self.zoom
        self._fonts.clear()
        self._colours.clear()
        if app.style().objectName() != "fusion":
            app.setStyle("Fusion")
            app.style().setObjectName("fusion")
        app.setFont(self.font("body"))
        app.setPalette(self._palette())
        app.setStyleSheet(self._style_sheet())
        self.changed.emit()

    def _icon_file(self, match: re.Match[str]) -> str:
        """A style sheet takes pictures from files only: the icon in its colour, written to a folder of this process."""
        name, token = match[1], match[2]
        file = Path(self._folder.path()) / f"{name}-{self.colour(token).name()[1:]}-{self.px(16)}.png"
        if not file.exists():
            self.pixmap(name, token, 16, 2.0).save(str(file))
        return file.as_posix()

    def _palette(self) -> QPalette:
        palette = QPalette()
        for role, token in _PALETTE.items():
            palette.setColor(role, self.colour(token))
        for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
            palette.setColor(QPalette.ColorGroup.Disabled, role, self.colour("text-disabled"))
        return palette

    def _style_sheet(self) -> str:
        """``$name`` is a colour, ``@12`` a length in pixels, ``%(title)`` a font, ``%icon(name,token)`` a picture; see the sheet's own head."""
        text = (resources_root() / "resources/themes/application.qss").read_text("utf-8")
        colours = colours_of(self.name)

        def font(match: re.Match[str]) -> str:
            spec = tokens()["type"][match[1]]
            return f"font-size: {self.px(spec['size'])}px; font-weight: {spec['weight']};"

        text = re.sub(r"%\(([a-z]+)\)", font, text)
        text = re.sub(r"%icon\(([a-z-]+),([a-z-]+)\)", self._icon_file, text)
        text = re.sub(r"@(\d+)", lambda m: f"{self.px(int(m[1]))}px", text)
        return re.sub(r"\$([a-z0-9-]+)", lambda m: colours[m[1]], text)


def system_theme(app: QApplication) -> str:
    """What the desktop prefers."""
    return "dark" if app.styleHints().colorScheme() is Qt.ColorScheme.Dark else "light"


@cache
def load_fonts() -> None:
    """The bundled fonts, where packaging put them; otherwise the system's serve."""
    for font in sorted((resources_root() / "resources/fonts").glob("*.[ot]tf")):
        QFontDatabase.addApplicationFont(str(font))


def _with_room(picture: QPixmap, room: int) -> QPixmap:
    if not room:
        return picture
    ratio = picture.devicePixelRatio()
    wider = QPixmap(picture.width() + round(room * ratio), picture.height())
    wider.setDevicePixelRatio(ratio)
    wider.fill(Qt.GlobalColor.transparent)
    painter = QPainter(wider)
    painter.drawPixmap(0, 0, picture)
    painter.end()
    return wider


@cache
def _svg(name: str) -> str:
    return (resources_root() / "resources/icons" / f"{name}.svg").read_text("utf-8")


@lru_cache(maxsize=2048)
def _pixmap(name: str, colour: str, size: int, ratio: float) -> QPixmap:
    rendered = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    rendered.fill(Qt.GlobalColor.transparent)
    painter = QPainter(rendered)
    source = _svg(name).replace("currentColor", colour)
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(rendered.rect()))
    painter.end()
    rendered.setDevicePixelRatio(ratio)
    return rendered
