"""Materialises a commit from the object database: no checkout, hence no filter, no attribute, no hook."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.git_safety import object_reader, run_git
from qverify_desktop.repository.objects import EXECUTABLE, GITLINK, SYMLINK
from qverify_desktop.repository.workspace import (
    MOST_FILE_BYTES,
    TreeWriter,
    name_problem,
    refuse_oversize,
    too_large,
)

SUBMODULE = "It is a submodule, a repository of its own that is not fetched, so it was left out."


@dataclass(frozen=True)
class TreeFile:
    """One line of ``git ls-tree``: mode as octal text, object id, size in bytes (0 for what is no blob)."""

    mode: str
    id: str
    size: int


def list_tree(store: Path, revision: str) -> dict[bytes, TreeFile]:
    """Every file, link and submodule of a commit or tree by full path. Raises ``BadInput`` when the tree can't be read."""
    answer = run_git(["ls-tree", "-r", "-z", "-l", "--full-tree", revision], store=store, timeout_s=300)
    if answer.code != 0 or answer.truncated:
        raise BadInput(
            "The repository's commit can't be read completely: objects are missing or damaged. Nothing was changed.",
            "Run git fsck in it, or analyse a fresh clone.",
        )
    listed = {}
    for row in answer.output.split(b"\0"):
        facts, separator, path = row.partition(b"\t")
        if separator:
            mode, _, object_name, size = facts.split()
            listed[path] = TreeFile(mode.decode(), object_name.decode(), int(size) if size.isdigit() else 0)
    return listed


def tree_id(store: Path, commit: str) -> str:
    """Id of a commit's tree."""
    return run_git(["rev-parse", "--verify", f"{commit}^{{tree}}"], store=store).output.decode().strip()


def copy_commit(store: Path, commit: str, writer: TreeWriter) -> str:
    """Copy every file of ``commit`` into the snapshot; answers the commit's own tree id."""
    listed = list_tree(store, commit)
    for path, file in list(listed.items()):
        problem = name_problem(path)
        if file.mode == GITLINK:
            problem = SUBMODULE
        elif not problem and file.size > MOST_FILE_BYTES:
            problem = too_large(file.size)
        if problem:
            writer.skip(path, problem)
            del listed[path]
    refuse_oversize({path: file.size for path, file in listed.items()})
    with object_reader(store) as reader:
        for path, file in sorted(listed.items()):
            content = reader.read(file.id, MOST_FILE_BYTES)
            if content is None:
                writer.skip(path, "Its content is missing in the repository, so it was left out.")
            elif file.mode == SYMLINK:
                writer.add_link(path, content)
            else:
                writer.add_file(path, content, executable=file.mode == EXECUTABLE)
    return tree_id(store, commit)
