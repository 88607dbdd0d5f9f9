"""Due dates and fines. Money is an integer number of cents, never a float."""

from __future__ import annotations

from datetime import date, timedelta

CENTS_PER_DAY = 25
MOST_CENTS = 1000


def due_date(lent: date, days: int = 28) -> date:
    """The day a loan ends; a Sunday is moved to the Monday after it, because the library is closed.

    >>> due_date(date(2024, 2, 15), 14)
    datetime.date(2024, 2, 29)
    >>> due_date(date(2024, 3, 1), 2)
    datetime.date(2024, 3, 4)
    """
    end = lent + timedelta(days=days)
    if end.weekday() == 6:
        end += timedelta(days=1)
    return end


def days_late(due: date, returned: date) -> int:
    """Whole days after the due date; 0 for a book that came back in time.

    >>> days_late(date(2024, 2, 29), date(2024, 3, 3))
    3
    >>> days_late(date(2024, 2, 29), date(2024, 2, 20))
    0
    """
    return max(0, (returned - due).days)


def fine_cents(late: int, *, child: bool = False) -> int:
    """The fine for a number of late days: 25 cents a day, at most 10 euros; children pay nothing.

    fine_cents(3) == 75
    fine_cents(365) == 1000
    fine_cents(3, child=True) == 0
    """
    if late < 0:
        raise ValueError("a book can't be late by a negative number of days")
    if child:
        return 0
    return min(late * CENTS_PER_DAY, MOST_CENTS)


def format_cents(cents: int, currency: str = "EUR") -> str:
    """An amount for a receipt.

    format_cents(1250) -> '12.50 EUR'
    format_cents(-5, "USD") -> '-0.05 USD'
    """
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}{whole}.{rest:02d} {currency}"


def split_fine(cents: int, people: int) -> list[int]:
    """Share a fine so that nothing is lost: the first ones pay a cent more.

    >>> split_fine(100, 3)
    [34, 33, 33]
    """
    if people < 1:
        raise ValueError("somebody has to pay")
    share, rest = divmod(cents, people)
    return [share + 1] * rest + [share] * (people - rest)
