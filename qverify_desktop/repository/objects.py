"""Git object ids computed here (no git, hence no filter): blobs, trees, and loose objects.

Source: git's object format, ``Documentation/gitformat-pack`` and "Git Internals - Git Objects": an object is
``<type> <length>NUL<content>``, its id the SHA-1 of that; a tree is a sorted run of ``<mode> <name>NUL<20-byte id>``, where a
folder sorts as if its name ended in ``/``.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REGULAR = "100644"
EXECUTABLE = "100755"
SYMLINK = "120000"
GITLINK = "160000"
FOLDER = "40000"

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


@dataclass(frozen=True)
class Entry:
    """One file of a tree: git mode (octal text) and object id (hex)."""

    mode: str
    id: str


def object_id(kind: str, content: bytes) -> str:
    """Id of an object of ``kind`` (``blob``, ``tree``), SHA-1 in hex."""
    digest = hashlib.sha1(b"%s %d\0" % (kind.encode(), len(content)), usedforsecurity=False)
    digest.update(content)
    return digest.hexdigest()


class _Folder:
    __slots__ = ("files", "folders")

    def __init__(self) -> None:
        self.files: dict[bytes, Entry] = {}
        self.folders: dict[bytes, _Folder] = {}


def build_trees(entries: Mapping[bytes, Entry]) -> tuple[str, dict[str, bytes]]:
    """Id of the tree that holds ``entries`` (full path to entry), and the content of every tree object in it by id."""
    root = _Folder()
    for path, entry in entries.items():
        *parents, name = path.split(b"/")
        folder = root
        for parent in parents:
            folder = folder.folders.setdefault(parent, _Folder())
        folder.files[name] = entry
    trees: dict[str, bytes] = {}
    return _tree_of(root, trees), trees


def _tree_of(root: _Folder, trees: dict[str, bytes]) -> str:
    """Deepest folders first, without recursion, so that a deeply nested tree can't exhaust the stack."""
    order: list[_Folder] = []
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        order.append(folder)
        waiting.extend(folder.folders.values())
    ids: dict[int, str] = {}
    for folder in reversed(order):
        rows = [(name, b"%s %s\0" % (e.mode.encode(), name), e.id) for name, e in folder.files.items()]
        rows += [
            (name + b"/", b"%s %s\0" % (FOLDER.encode(), name), ids[id(child)])
            for name, child in folder.folders.items()
            if name not in folder.files
        ]
        content = b"".join(head + bytes.fromhex(entry_id) for _, head, entry_id in sorted(rows))
        ids[id(folder)] = tree = object_id("tree", content)
        trees[tree] = content
    return ids[id(root)]


def write_loose(objects: Path, kind: str, content: bytes) -> str:
    """Write an object into a private ``objects`` folder and answer its id.

    Written here and not by ``git hash-object``, which would refresh the time stamp of an equal object in an alternate
    object folder: that is a write to the user's repository.
    """
    name = object_id(kind, content)
    folder = objects / name[:2]
    target = folder / name[2:]
    if target.exists():
        return name
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{name[2:]}.{os.getpid()}"
    partial.write_bytes(zlib.compress(b"%s %d\0" % (kind.encode(), len(content)) + content, 1))
    with contextlib.suppress(FileExistsError):
        partial.replace(target)
    return name
