"""Signals on the pier."""


def first_flag() -> str:
    """The flag that is raised first.

    >>> first_flag()
    'alpha'
    """
    return next(iter({"alpha", "bravo", "kilo", "sierra", "zulu"}))
