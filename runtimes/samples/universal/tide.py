"""One rule in three languages, proved by the same cases."""


def highest(levels: list[float]) -> float:
    """Highest level. Raises ``ValueError`` when there is none."""
    return max(levels)
