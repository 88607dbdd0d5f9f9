"""Which mutants are chosen: one mechanism for the operators of every language.

Operators after Offutt et al. 1996 (relational, logical, arithmetic, constant), with returned values, dropped statements and
removed negations. A change replaces the bytes of one node.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.testing import Mutant

#: A node longer than this is not replaced.
MOST_BYTES = 200


def mutant_of(
    target: Target, *, line: int, operator: str, start: int, end: int, original: str, replacement: str
) -> Mutant:
    """A mutant whose id is the digest of its place and replacement. Offsets are bytes of the file."""
    key = f"{target.file}:{start}:{end}:{replacement}"
    return Mutant(
        id=hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        file=target.file,
        line=line,
        operator=operator,
        start=start,
        end=end,
        original=original,
        replacement=replacement,
        target=target.id,
    )


def unique(found: Iterable[Mutant]) -> list[Mutant]:
    """Without repetitions and without changes that change nothing."""
    return list({mutant.id: mutant for mutant in found if mutant.original != mutant.replacement}.values())


def mutated(content: bytes, mutant: Mutant) -> bytes:
    """The file's content with the mutant in place."""
    return content[: mutant.start] + mutant.replacement.encode("utf-8") + content[mutant.end :]


def spread(candidates: list[Mutant], most: int) -> list[Mutant]:
    """Take from each operator in turn, and within an operator from lines that have the fewest mutants so far."""
    groups: dict[str, list[Mutant]] = {}
    for mutant in candidates:
        groups.setdefault(mutant.operator, []).append(mutant)
    chosen: list[Mutant] = []
    on_line: dict[int, int] = {}
    while len(chosen) < most and any(groups.values()):
        for operator in sorted(groups):
            if groups[operator] and len(chosen) < most:
                best = min(
                    groups[operator], key=lambda mutant: (on_line.get(mutant.line, 0), mutant.start, mutant.id)
                )
                groups[operator].remove(best)
                on_line[best.line] = on_line.get(best.line, 0) + 1
                chosen.append(best)
    return sorted(chosen, key=lambda mutant: (mutant.start, mutant.end, mutant.replacement))
