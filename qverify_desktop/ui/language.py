"""Words of the window in the person's language (GNU gettext catalogues in ``resources/translations``).

``tr`` marks and translates a text; the English text is its key. Fields stand in braces and are filled after translation, so
that a translator may move them. The pseudo-language ``xx`` lengthens every text by 40 % for tests of the layout.
"""

from __future__ import annotations

import gettext
import locale
import re
from typing import Any

from qverify_desktop.domain.locations import resources_root

PSEUDO = "xx"
_ACCENTS = str.maketrans("aeiouAEIOUcn", "áéíóúÁÉÍÓÚçñ")
_FIELD = re.compile(r"(\{[^}]*\})")


class _Pseudo(gettext.NullTranslations):
    """Every text with accents, longer by 40 % and in brackets, so that cut and untranslated words show."""

    def gettext(self, message: str) -> str:
        parts = [part if _FIELD.fullmatch(part) else part.translate(_ACCENTS) for part in _FIELD.split(message)]
        return f"[{''.join(parts)}{'~' * max(1, len(message) * 2 // 5)}]"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)


_current: gettext.NullTranslations = gettext.NullTranslations()


def languages() -> dict[str, str]:
    """Language codes that can be chosen, with their own names."""
    return {"en": "English", "de": "Deutsch"}


def use(code: str) -> str:
    """Speak this language from now on; empty means the system's. Returns the code that is used (``en`` where none fits)."""
    global _current
    wanted = code or (locale.getlocale()[0] or "en")[:2]
    if wanted == PSEUDO:
        _current = _Pseudo()
        return wanted
    try:
        _current = gettext.translation("qverify", resources_root() / "resources/translations", [wanted])
    except OSError:
        _current, wanted = gettext.NullTranslations(), "en"
    return wanted


def tr(text: str, **fields: Any) -> str:
    """``text`` in the person's language, with its fields filled."""
    translated = _current.gettext(text)
    return translated.format(**fields) if fields else translated


def trn(one: str, many: str, count: int, **fields: Any) -> str:
    """The form of a text that fits a count; the field ``{n}`` is the count."""
    return _current.ngettext(one, many, count).format(n=f"{count:,}", **fields)


def later(text: str) -> str:
    """Mark a text for the catalogue that is translated when it is shown (constants)."""
    return text
