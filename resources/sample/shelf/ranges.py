"""Pages and runs of numbers in the catalogue."""

from __future__ import annotations

from collections.abc import Iterable


def page_count(total: int, per_page: int) -> int:
    """How many pages a list of ``total`` entries needs.

    >>> page_count(11, 5)
    3
    >>> page_count(10, 5)
    2
    """
    if per_page < 1:
        raise ValueError("a page holds at least one entry")
    return total // per_page + 1


def page_bounds(page: int, per_page: int, total: int) -> tuple[int, int]:
    """First and last entry of a page, both counted from 1; the last page may be shorter.

    page_bounds(1, 5, 12) == (1, 5)
    page_bounds(3, 5, 12) == (11, 12)
    """
    if page < 1 or per_page < 1:
        raise ValueError("pages and entries are counted from 1")
    first = (page - 1) * per_page + 1
    return first, min(page * per_page, total)


def compact(numbers: Iterable[int]) -> str:
    """Volumes on a shelf as a short text: runs become ranges.

    >>> compact([1, 2, 3, 7, 9, 10])
    '1-3, 7, 9-10'
    >>> compact([])
    ''
    """
    runs: list[list[int]] = []
    for number in sorted(set(numbers)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def missing(numbers: Iterable[int]) -> list[int]:
    """Volumes that are missing between the lowest and the highest one.

    missing([1, 2, 5]) -> [3, 4]
    missing([4]) -> []
    """
    present = set(numbers)
    if not present:
        return []
    return [number for number in range(min(present), max(present) + 1) if number not in present]
