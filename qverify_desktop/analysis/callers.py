"""Who calls a changed function: found by its name in the source of others, in files that depend on its own."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from qverify_desktop.domain.project import Snapshot, Target

#: Files larger than this are not searched, bytes.
MOST_BYTES = 2_000_000
_CALLED = re.compile(r"([^\W\d]\w{0,199})\s{0,8}[(\[{<!.`]")
#: Names under which a class is made: whoever names the class calls them.
_MAKERS = frozenset({"__init__", "__new__", "constructor", "new", "init"})


def callers_of(
    changed: Sequence[Target],
    targets: Sequence[Target],
    snapshot: Snapshot,
    depends_on: Mapping[str, Collection[str]],
) -> list[Target]:
    """Those of ``targets`` that name a changed function before a bracket or a dot, in their order, the changed ones left out.

    By names alone: a method of the same name elsewhere may be meant. ``depends_on`` says which files a target's file depends
    on, so that what can't call it is not taken.
    """
    homes: dict[str, set[str]] = {}
    for target in changed:
        for name in names_of(target):
            homes.setdefault(name, set()).add(target.file)
    known = {target.id for target in changed}
    lines: dict[str, list[str]] = {}
    found = []
    for target in targets:
        if target.id in known:
            continue
        if target.file not in lines:
            lines[target.file] = lines_of(snapshot, target.file)
        text = "\n".join(lines[target.file][target.body_line - 1 : target.end_line])
        needed = depends_on.get(target.file, ())
        if any(home in needed for name in called_in(text) & homes.keys() for home in homes[name]):
            found.append(target)
    return found


def called_in(text: str) -> frozenset[str]:
    """Names that stand before a bracket or a dot."""
    return frozenset(_CALLED.findall(text))


def names_of(target: Target) -> list[str]:
    """A function's own name; for what makes an object also the class's."""
    parts = re.split(r"[.:#]+", target.symbol)
    if parts[-1] in _MAKERS and len(parts) > 1:
        return [parts[-2]]
    return [parts[-1]]


def lines_of(snapshot: Snapshot, file: str) -> list[str]:
    """The lines of a file of the snapshot; none of one that is too large, a link, or gone."""
    path = Path(snapshot.root).joinpath(*file.split("/"))
    try:
        if path.is_symlink() or path.stat().st_size > MOST_BYTES:
            return []
        return path.read_bytes().decode("utf-8", "replace").split("\n")
    except OSError:
        return []
