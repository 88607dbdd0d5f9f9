"""Symbolic links of a snapshot: which stay inside the tree, judged before any is written."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

_MOST_HOPS = 40


def refusal(link: bytes, links: Mapping[bytes, bytes]) -> str:
    """Why ``link`` may not be kept, as a sentence; empty when it stays inside the tree.

    ``links`` maps every link of the tree (full path) to its target. The target is walked the way the kernel walks it,
    through other links, so that a chain can't leave the tree either. A target that does not exist is harmless.
    """
    *stack, name = link.split(b"/")
    waiting = deque([name])
    hops = 0
    while waiting:
        part = waiting.popleft()
        if part in (b"", b"."):
            continue
        if part == b"..":
            if not stack:
                return "This symbolic link leaves the repository, so it was left out."
            stack.pop()
            continue
        target = links.get(b"/".join([*stack, part]))
        if target is None:
            stack.append(part)
            continue
        hops += 1
        if hops > _MOST_HOPS:
            return "This symbolic link goes round in a circle, so it was left out."
        if target.startswith(b"/"):
            return "This symbolic link points to an absolute path outside the repository, so it was left out."
        waiting.extendleft(reversed(target.split(b"/")))
    return ""
