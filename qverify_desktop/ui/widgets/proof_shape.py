"""What a drawing of an inclusion proof shows: the lowest levels of the tree around an event, the rest folded, the root."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from qverify_desktop.domain.log_views import EventView, ProofStep
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.widgets.words import count, short_hash

#: Levels that are drawn at most.
LEVELS = 3
SHORT = 4


@dataclass
class Knot:
    """A box of the drawing. ``kind`` is event, computed, given, other or root. ``hash`` is whole, empty where it is unknown."""

    kind: str
    label: str
    hash: str = ""
    children: list[Knot] = field(default_factory=list)

    @property
    def on_path(self) -> bool:
        return self.kind in ("event", "computed", "root")

    def all(self) -> Iterator[Knot]:
        yield self
        for child in self.children:
            yield from child.all()


@dataclass(frozen=True)
class ProofShape:
    """``top`` is the highest drawn box below the fold; ``root`` stands above it (``None`` when ``top`` is the root itself)."""

    top: Knot
    root: Knot | None
    drawn: int
    folded: int

    def knots(self) -> list[Knot]:
        """Boxes that hold a hash, from the event up: the event, each given hash and what is computed with it."""
        boxes = [*self.top.all(), *([self.root] if self.root else [])]
        depth = {id(knot): level for level, knot in _levels(self.top, 0)}
        found = [knot for knot in boxes if knot.hash]
        return sorted(found, key=lambda knot: (-depth.get(id(knot), -1), not knot.on_path))


def _levels(knot: Knot, level: int) -> Iterator[tuple[int, Knot]]:
    yield level, knot
    for child in knot.children:
        yield from _levels(child, level + 1)


def brief(value: str) -> str:
    """A hash in a box."""
    return f"{short_hash(value, SHORT)}…" if value else ""


def shape_of(event: EventView, levels: int = LEVELS) -> ProofShape:
    """The drawing's boxes. A proof that is shorter than ``levels`` is drawn whole."""
    proof, index, size = event["proof"], event["line"]["index"], event["size"]
    whole = _complete_levels(index, size, min(levels, len(proof)))
    top = _complete(event, whole, (index >> whole) << whole)
    # Above the last complete part of the tree a step is known only by its side.
    drawn = min(levels, len(proof))
    for step in proof[whole:drawn]:
        given = Knot("given", brief(step["hash"]), step["hash"])
        pair = [given, top] if step["side"] == "left" else [top, given]
        top = Knot("computed", brief(step["computed"]), step["computed"], pair)
    folded = len(proof) - drawn
    root = Knot("root", tr("root {hash}", hash=brief(event["root"])), event["root"])
    if folded == 0 and drawn:
        root.children = top.children
        return ProofShape(root, None, drawn, 0)
    if folded and drawn and whole == drawn:
        first = (index >> whole) << whole
        top.label = f"{count(first)}–{count(first + (1 << whole) - 1)}"
    return ProofShape(top, root, drawn, folded)


def _complete_levels(index: int, size: int, most: int) -> int:
    """How many of the lowest levels around ``index`` are complete in a tree of ``size`` leaves."""
    level = 0
    while level < most and ((index >> (level + 1)) + 1) << (level + 1) <= size:
        level += 1
    return level


def _complete(event: EventView, level: int, first: int) -> Knot:
    """A complete part of the tree: ``2 ** level`` leaves from ``first`` on."""
    index, proof = event["line"]["index"], event["proof"]
    here = first <= index < first + (1 << level)
    beside = level < len(proof) and (first >> level) == (index >> level) ^ 1
    given = proof[level]["hash"] if beside else ""
    if level == 0:
        if here:
            return Knot("event", count(index), event["leaf_hash"])
        return Knot("given", brief(given), given) if beside else Knot("other", count(first))
    half = 1 << (level - 1)
    children = [_complete(event, level - 1, first), _complete(event, level - 1, first + half)]
    if here:
        computed = proof[level - 1]["computed"]
        return Knot("computed", brief(computed), computed, children)
    return Knot("given", brief(given), given, children) if beside else Knot("other", "", "", children)


def words_of_step(number: int, step: ProofStep) -> str:
    """One step in words."""
    side = tr("left") if step["side"] == "left" else tr("right")
    return tr(
        "Step {n}: with the given hash {given} on the {side}, {computed} is computed.",
        n=number,
        given=short_hash(step["hash"]),
        side=side,
        computed=short_hash(step["computed"]),
    )


def words_of_proof(event: EventView) -> str:
    """The whole proof, step by step, with shortened hashes."""
    index, proof = event["line"]["index"], event["proof"]
    steps = [words_of_step(number, step) for number, step in enumerate(proof, 1)]
    if event["holds"]:
        end = tr(
            "That is the root {root} of {size} events.", root=short_hash(event["root"]), size=count(event["size"])
        )
    else:
        end = tr("That is not the root {root}: the proof does not hold.", root=short_hash(event["root"]))
    begin = tr("Event {n} has the leaf hash {hash}.", n=count(index), hash=short_hash(event["leaf_hash"]))
    return " ".join([begin, *steps, end])


def words_of_levels(shape: ProofShape) -> str:
    """ "3 of 12 levels drawn"."""
    total = shape.drawn + shape.folded
    return tr("{drawn} of {total} levels drawn", drawn=shape.drawn, total=total)


def words_of_fold(shape: ProofShape) -> str:
    """ "9 levels folded"."""
    return trn("{n} level folded", "{n} levels folded", shape.folded)
