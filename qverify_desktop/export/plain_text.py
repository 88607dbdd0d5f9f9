"""Text of a repository made fit to be shown: nothing in it may act on the document it stands in."""

from __future__ import annotations

import unicodedata

_KEPT = "\n\t"
_REMEMBERED = 65_536


def readable(text: str) -> str:
    """Control characters, directional overrides and lone surrogates as visible escapes (``\\u202e``).

    What is left is valid in UTF-8, in XML 1.0 (section 2.2) and in HTML, and can't reorder or hide what stands beside it
    (Unicode Technical Report 36, section 2.8).
    """
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_SHOWN)


class _Shown(dict[int, str]):
    """Each character as it is shown, looked up once: a report has millions of them."""

    def __missing__(self, code: int) -> str:
        shown = _shown(code)
        if len(self) < _REMEMBERED:
            self[code] = shown
        return shown


_SHOWN = _Shown()


def _shown(code: int) -> str:
    character = chr(code)
    if character in _KEPT:
        return character
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Co") or code & 0xFFFE == 0xFFFE:
        return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
    return character


def one_line(text: str, most: int = 300) -> str:
    """``readable`` text on one line, cut in the middle where it is longer than ``most`` characters."""
    flat = " ".join(readable(text).split())
    if len(flat) <= most:
        return flat
    head = most * 2 // 3
    return f"{flat[:head]} … {flat[len(flat) - (most - head - 3) :]}"
