"""What is asked for a night."""


def night_fee(length: int) -> int:
    """Fee for one night of a boat of this length: 200 cents a metre, at least 1000.

    night_fee(3) == 1000
    """
    return max(length * 200, 1000)


def discount(nights: int) -> int:
    """Discount for a stay, in percent: 10 from the seventh night on, 25 from the thirtieth.

    >>> discount(3)
    0
    >>> discount(7)
    10
    >>> discount(30)
    25

    Raises ValueError if nights is negative.
    """
    if nights < 0:
        raise ValueError("nights")
    if nights >= 30:
        return 25
    return 10 if nights > 7 else 0


def stay_fee(length: int, nights: int) -> int:
    """Fee for a whole stay.

    stay_fee(10) == 2000
    """
    full = night_fee(length) * nights
    return full - full * discount(nights) // 100
