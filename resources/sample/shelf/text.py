"""Titles and names as they stand on spines, labels and cards."""

from __future__ import annotations

import re
import unicodedata

_ARTICLES = ("a", "an", "the")


def slug(title: str, separator: str = "-") -> str:
    """Turn a title into a name for addresses and files.

    >>> slug("The Left Hand of Darkness")
    'the-left-hand-of-darkness'
    >>> slug("Émile, or On Education", separator="_")
    'emile_or_on_education'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode("ascii")
    return separator.join(re.findall(r"[a-z0-9]+", plain.lower()))


def shorten(title: str, width: int) -> str:
    """Cut a title at a word so that it fits into ``width`` characters, with an ellipsis where something is missing.

    shorten("Dune", 12) -> 'Dune'
    shorten("A Wizard of Earthsea", 12) -> 'A Wizard of…'

    Raises ValueError for a width below 1.
    """
    if width < 1:
        raise ValueError("width must be at least 1")
    if len(title) <= width:
        return title
    head = title[: width - 1]
    if title[width - 1] != " " and " " in head:
        head = head[: head.rindex(" ")]
    return head.rstrip() + "…"


def sort_key(title: str) -> str:
    """The title as it is sorted: lower case, with a leading article moved to the end.

    sort_key("The Dispossessed") == 'dispossessed, the'
    sort_key("Dune") == 'dune'
    """
    words = title.lower().split()
    if len(words) > 1 and words[0] in _ARTICLES:
        return f"{' '.join(words[1:])}, {words[0]}"
    return " ".join(words)


def initials(name: str) -> str:
    """Initials of an author.

    initials("Ursula Kroeber Le Guin")  # => 'U.K.L.G.'
    initials("Homer")  # => 'H.'
    """
    return "".join(f"{part[0].upper()}." for part in name.split())


def is_isbn10(code: str) -> bool:
    """Whether a code is a valid ISBN-10; hyphens and blanks are ignored.

    >>> is_isbn10("0-306-40615-2")
    True
    >>> is_isbn10("0-306-40615-3")
    False
    >>> is_isbn10("080442957X")
    True
    """
    digits = re.sub(r"[- ]", "", code).upper()
    if not re.fullmatch(r"[0-9]{9}[0-9X]", digits):
        return False
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum(weight * value for weight, value in zip(range(10, 0, -1), values)) % 11 == 0
