"""What each assertion of a test rests on: quoted words of the repository, or what the code does today."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import dedent
from typing import Any

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from qverify_desktop.domain.result_views import AssertionView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.whole_list import WholeDelegate, WholeList
from qverify_desktop.ui.widgets.words import LABEL, UNKNOWN

#: Pixels at 100 %: padding of a row, column of the label, width below which the label stands above.
PADDING, COLUMN, BESIDE = 12, 136, 460
_WRAP = int(Qt.TextFlag.TextWordWrap) | int(Qt.TextFlag.TextWrapAnywhere)
_TOP = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
#: Longest words that are laid out; more stand in the source.
LONGEST = 600


def on_one_line(text: str) -> str:
    """A text of several lines as one, its blanks drawn together, control characters as escapes."""
    told = painting.one_line(" ".join(text.split()))
    return told if len(told) <= LONGEST else f"{told[:LONGEST]} …"


def on_few_lines(text: str, most: int = 12) -> str:
    """A text with its lines, each without control characters; the rest is left to the file that it stands in."""
    first, _, rest = text.strip("\n").replace("\t", "    ").partition("\n")
    if not first[:1].isspace():
        rest = dedent(rest)  # words are quoted from their first letter on, the other lines with their margin
    lines = [painting.one_line(line.rstrip()) for line in [first, *rest.splitlines()]]
    return "\n".join(lines[:most] + (["…"] if len(lines) > most else []))


def is_code(text: str) -> bool:
    """Whether quoted words are a written example or several lines, whose breaks and blanks mean something."""
    return text.lstrip().startswith(">>>") or "\n" in text.strip()


def quoted(text: str) -> str:
    """Quoted words as they are shown: code with its lines, a sentence in quotation marks."""
    return on_few_lines(text) if is_code(text) else f"“{on_one_line(text)}”"


def told(one: AssertionView) -> tuple[str, str, str]:
    """What is asserted where, what it rests on, and where these words stand."""
    code = tr("line {line}: {code}", line=one["line"], code=on_one_line(one["text"]))
    if one["label"] == "specification" and one["words"]:
        place = f"{painting.one_line(one['file'])}:{one['place_line']}" if one["file"] else ""
        return code, quoted(one["words"]), place
    return code, tr("No words in the repository say so. This keeps what the code does today."), ""


class AssertionDelegate(WholeDelegate):
    """Label, asserted code, and below it the words."""

    def _parts(self, one: AssertionView, width: int) -> tuple[QRect, list[tuple[str, str, str, QRect]]]:
        """Where the label stands; role, token, text and place of what is written beside or below it."""
        px, theme = self.theme.px, self.theme
        side, beside = px(PADDING), width >= px(BESIDE)
        badge = QRect(side, side, px(COLUMN) - px(8), px(18))
        left = side + px(COLUMN) if beside else side
        top = side if beside else badge.bottom() + 1 + px(6)
        code, words, place = told(one)
        role = "code" if one["words"] and is_code(one["words"]) else "small"
        parts = [("code", "text", code), (role, "text" if place else "text-muted", words)]
        if place:
            parts.append(("small", "text-muted", place))
        placed: list[tuple[str, str, str, QRect]] = []
        for role, token, text in parts:
            room = QRect(left, top, max(1, width - left - side), 100_000)
            wanted = theme.metrics(role).boundingRect(room, _WRAP | _TOP, text)
            line = px(tokens()["type"][role]["line"])
            height = max(line, wanted.height())
            placed.append((role, token, text, QRect(left, top, room.width(), height)))
            top += height + px(2)
        return badge, placed

    def height(self, value: Any, width: int) -> int:
        badge, placed = self._parts(value, width)
        return max(badge.bottom(), placed[-1][3].bottom()) + 1 + self.theme.px(PADDING)

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, value: Any, row: int) -> None:
        theme, rect = self.theme, option.rect
        if row:
            painter.fillRect(QRect(rect.left(), rect.top(), rect.width(), 1), theme.colour("border"))
        painter.translate(rect.topLeft())
        badge, placed = self._parts(value, rect.width())
        look = LABEL.get(value["label"], UNKNOWN)
        painting.fill(painter, theme, QRectF(badge), "success-bg" if look.tone == "success" else "neutral-bg", 4)
        top = badge.top() + (badge.height() - theme.px(12)) / 2
        painting.icon(painter, theme, look.icon, look.token, badge.left() + theme.px(6), top, 12)
        words = badge.adjusted(theme.px(24), 0, -theme.px(6), 0)
        painting.text(painter, theme, words, look.text(), "caption", look.token)
        for role, token, text, where in placed:
            painter.setFont(theme.font(role))
            painter.setPen(theme.colour(token))
            painter.drawText(where, _WRAP | _TOP, text)


class AssertionList(WholeList):
    """``chosen`` gives the ``AssertionView`` whose line is of interest, ``opened`` the one whose words are."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("What each assertion rests on"), parent)
        self.setItemDelegate(AssertionDelegate(theme, self))

    def show_assertions(self, assertions: Sequence[AssertionView]) -> None:
        values = []
        for one in assertions:
            look = LABEL.get(one["label"], UNKNOWN)
            values.append((one, ", ".join(part for part in (look.text(), *told(one)) if part)))
        self.fill(values)
