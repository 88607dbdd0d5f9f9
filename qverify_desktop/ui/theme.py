"""Colours, type and icons from the design tokens: one palette, one style sheet, no colour anywhere else."""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from typing import Any

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from qverify_desktop.domain.locations import resources_root


@dataclass(frozen=True)
class Theme:
    """One theme of the tokens. ``colours`` maps a token's name to ``#RRGGBB``."""

    name: str
    colours: dict[str, str]
    tokens: dict[str, Any]

    def colour(self, token: str) -> QColor:
        return QColor(self.colours[token])

    def font(self, role: str) -> QFont:
        """``role`` is a name of the token table ``type``."""
        spec = self.tokens["type"][role]
        family = self.tokens["font"]["code" if role == "code" else "ui"]
        fallback = self.tokens["font"]["code-fallback" if role == "code" else "ui-fallback"]
        font = QFont([family, *fallback])
        font.setPixelSize(spec["size"])
        font.setWeight(QFont.Weight(spec["weight"]))
        return font


def load_theme(name: str) -> Theme:
    """Read ``light``, ``dark`` or ``high-contrast`` from ``resources/themes/tokens.toml``."""
    tokens = tomllib.loads((resources_root() / "resources/themes/tokens.toml").read_text("utf-8"))
    colours = {key: value for group in tokens["theme"][name].values() for key, value in group.items()}
    return Theme(name, colours, tokens)


def system_theme(app: QApplication) -> str:
    """What the desktop prefers; ``QVERIFY_THEME`` overrides it."""
    chosen = os.environ.get("QVERIFY_THEME", "")
    if chosen in ("light", "dark", "high-contrast"):
        return chosen
    return "dark" if app.styleHints().colorScheme() is Qt.ColorScheme.Dark else "light"


def apply_theme(app: QApplication, theme: Theme) -> None:
    """Fusion, own palette, one style sheet. Call it again to change the theme."""
    app.setStyle("Fusion")
    for folder in (resources_root() / "resources/fonts").glob("*.[ot]tf"):
        QFontDatabase.addApplicationFont(str(folder))
    app.setFont(theme.font("body"))
    palette = QPalette()
    roles = QPalette.ColorRole
    for role, token in (
        (roles.Window, "background"),
        (roles.Base, "surface"),
        (roles.AlternateBase, "surface-sunken"),
        (roles.Button, "surface-raised"),
        (roles.ToolTipBase, "surface-raised"),
        (roles.Text, "text"),
        (roles.WindowText, "text"),
        (roles.ButtonText, "text"),
        (roles.ToolTipText, "text"),
        (roles.PlaceholderText, "text-muted"),
        (roles.Highlight, "selection"),
        (roles.HighlightedText, "text"),
        (roles.Link, "accent-text"),
    ):
        palette.setColor(role, theme.colour(token))
    disabled = QPalette.ColorGroup.Disabled
    for role in (roles.Text, roles.WindowText, roles.ButtonText):
        palette.setColor(disabled, role, theme.colour("text-disabled"))
    app.setPalette(palette)
    app.setStyleSheet(_style_sheet(theme))


def _style_sheet(theme: Theme) -> str:
    text = (resources_root() / "resources/themes/application.qss").read_text("utf-8")
    return re.sub(r"\$([a-z0-9-]+)", lambda m: theme.colours[m[1]], text)


@cache
def _svg(name: str) -> str:
    return (resources_root() / "resources/icons" / f"{name}.svg").read_text("utf-8")


def pixmap(name: str, colour: QColor, size: int, ratio: float = 1.0) -> QPixmap:
    """An icon in one colour. ``size`` in device-independent pixels."""
    rendered = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    rendered.fill(Qt.GlobalColor.transparent)
    painter = QPainter(rendered)
    source = _svg(name).replace("currentColor", colour.name())
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(rendered.rect()))
    painter.end()
    rendered.setDevicePixelRatio(ratio)
    return rendered


def icon(name: str, colour: QColor, size: int = 16) -> QIcon:
    """An icon for buttons, sharp at 1x and 2x."""
    found = QIcon()
    for ratio in (1.0, 2.0):
        found.addPixmap(pixmap(name, colour, size, ratio))
    return found
