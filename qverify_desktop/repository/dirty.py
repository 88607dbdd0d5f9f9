"""The user's work tree against its commit: which files belong to it, and the patch of what is not committed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import MIB
from qverify_desktop.repository import stopping
from qverify_desktop.repository.committed import SUBMODULE, TreeFile, list_tree, tree_id
from qverify_desktop.repository.folder import without_caches
from qverify_desktop.repository.git_safety import GitOutput, run_git
from qverify_desktop.repository.objects import GITLINK, Entry, build_trees, object_id, write_loose
from qverify_desktop.repository.workspace import TreeWriter

MOST_PATCH_BYTES = 32 * MIB
LISTING_TIMEOUT_S = 120.0
_NESTED = "It is a repository of its own inside this one, so it was left out."
_EMPTY_BLOB = object_id("blob", b"")


@dataclass(frozen=True)
class _Tracked:
    mode: str
    id: str
    checked_out: bool


class WorkTree:
    """A work tree as git sees it, asked through the private store and a copy of the index; nothing is refreshed or locked."""

    def __init__(self, folder: Path, store: Path, head: str | None) -> None:
        self.head = head
        self._folder = folder
        self._store = store
        self._tracked: dict[bytes, _Tracked] = {}
        self._leave_out: Path | None = None

    def paths(self, skip: Callable[[bytes, str], None], leave_out: Path) -> Iterator[bytes]:
        """Tracked and untracked files that are not ignored, by full path."""
        self._read_index()
        for path, entry in self._tracked.items():
            if entry.mode == GITLINK:
                skip(path, SUBMODULE)
            else:
                yield path
        untracked = []
        inside = _inside(self._folder, leave_out)
        for path in self._list("--others", "--exclude-standard", personal=True).split(b"\0"):
            if path.endswith(b"/"):
                skip(path.rstrip(b"/"), _NESTED)
            elif path and not (inside and path.startswith(inside)):
                untracked.append(path)
        yield from without_caches(self._folder, untracked, skip)

    def compare(self, writer: TreeWriter, gone: set[bytes]) -> tuple[str, str]:
        """Tree id of the work tree as git would commit it, and the patch from the commit to it (empty without a commit).

        It differs from the snapshot's own tree where files were left out (they count as unchanged) and where git converts
        line ends; all objects it needs are then in the store.
        """
        committed = list_tree(self._store, self.head) if self.head else {}
        entries = dict(writer.entries)
        self._undo_conversions(entries)
        for path, file in committed.items():
            if path not in entries and self._is_kept(path, writer, gone):
                entries[path] = Entry(file.mode, file.id)
        tree, trees = build_trees(entries)
        if self.head and tree == tree_id(self._store, self.head):
            return tree, ""
        self._write_objects(writer, entries, trees, committed)
        return tree, self._patch(writer, tree) if self.head else ""

    def _read_index(self) -> None:
        for row in self._list("--stage", "-t", personal=False).split(b"\0"):
            facts, separator, path = row.partition(b"\t")
            if separator:
                tag, mode, object_name, _ = facts.split()
                self._tracked[path] = _Tracked(mode.decode(), object_name.decode(), tag != b"S")

    def _list(self, *options: str, personal: bool) -> bytes:
        answer = run_git(
            ["ls-files", "-z", *options],
            store=self._store,
            cwd=self._folder,
            personal=personal,
            extra_environment={"GIT_WORK_TREE": str(self._folder), "GIT_INDEX_FILE": str(self._store / "index")},
            timeout_s=LISTING_TIMEOUT_S,
        )
        if answer.code != 0 or answer.truncated:
            raise BadInput(
                "git can't list the files of this repository; its index may be damaged. Nothing was changed.",
                "Run git status in it and mend what it says, or analyse a copy without the .git folder.",
            )
        return answer.output

    def _undo_conversions(self, entries: dict[bytes, Entry]) -> None:
        """Take git's word that a file is unmodified where only a conversion (line ends, LFS) makes its bytes differ."""
        differing = [
            path for path, entry in entries.items() if path in self._tracked and self._tracked[path].id != entry.id
        ]
        if not differing:
            return
        modified = set(self._list("--modified", personal=False).split(b"\0"))
        for path in differing:
            tracked = self._tracked[path]
            if path not in modified and tracked.id != _EMPTY_BLOB:
                entries[path] = Entry(tracked.mode, tracked.id)

    def _is_kept(self, path: bytes, writer: TreeWriter, gone: set[bytes]) -> bool:
        tracked = self._tracked.get(path)
        if tracked is None:
            return False
        if path in gone:
            return not tracked.checked_out
        return path in writer.skipped

    def _write_objects(
        self,
        writer: TreeWriter,
        entries: dict[bytes, Entry],
        trees: dict[str, bytes],
        committed: dict[bytes, TreeFile],
    ) -> None:
        known = {file.id for file in committed.values()} | {file.id for file in self._tracked.values()}
        known.discard(_EMPTY_BLOB)
        objects = self._store / "objects"
        for path, entry in writer.entries.items():
            stopping.check()
            if entry.id not in known and entries[path].id == entry.id:
                write_loose(objects, "blob", writer.content(path))
        for content in trees.values():
            write_loose(objects, "tree", content)

    def _patch(self, writer: TreeWriter, tree: str) -> str:
        answer = self._diff(tree)
        try:
            text = answer.output.decode("utf-8")
        except UnicodeDecodeError:
            # Text in another encoding: as binary patches it survives whole and stays ASCII.
            (self._store / "info" / "attributes").write_text("* -diff\n", "ascii")
            answer = self._diff(tree)
            text = answer.output.decode("utf-8", "replace")
        if answer.truncated:
            writer.skip(
                b".git",
                f"The uncommitted changes are larger than {MOST_PATCH_BYTES // MIB} MiB, so their patch was not recorded; "
                "the tree id still names exactly what was analysed.",
            )
            return f"# The patch is larger than {MOST_PATCH_BYTES // MIB} MiB and was not recorded. Tree of the changes: {tree}\n"
        if answer.code != 0:
            raise BadInput(
                "git can't compare the work tree with its commit: objects are missing or damaged. Nothing was changed.",
                "Run git fsck in it, or analyse a fresh clone.",
            )
        return text

    def _diff(self, tree: str) -> GitOutput:
        options = ["--no-ext-diff", "--no-textconv", "--binary", "--no-color", "--no-renames", "--submodule=short"]
        return run_git(
            ["diff", *options, f"{self.head}^{{tree}}", tree, "--"], store=self._store, most_bytes=MOST_PATCH_BYTES
        )


def _inside(folder: Path, other: Path) -> bytes:
    """Path of ``other`` below ``folder`` with a slash at its end; empty when it lies elsewhere."""
    try:
        return bytes(other.resolve().relative_to(folder)) + b"/"
    except ValueError:
        return b""
