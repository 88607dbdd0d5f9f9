from datetime import date

import pytest

from shelf.loans import days_late, fine_cents


def test_a_book_in_time_is_not_late():
    assert days_late(date(2024, 3, 10), date(2024, 3, 10)) == 0


def test_a_fine_grows_by_day():
    assert fine_cents(2) == 50


def test_negative_days_are_refused():
    with pytest.raises(ValueError):
        fine_cents(-1)
