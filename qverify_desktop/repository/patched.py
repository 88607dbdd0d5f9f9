"""A commit with a patch applied, as a tree in the private store: no work tree, so no file is written before names are checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.git_safety import run_git


def tree_with(store: Path, commit: str, patch: bytes) -> str:
    """Id of the tree of ``commit`` with ``patch`` (``git diff --binary``) applied. Raises ``BadInput`` where it does not apply.

    ``git apply --cached`` works in an index of its own; a name that climbs or passes through a link is refused by git, and once
    more where the tree is laid out.
    """
    with tempfile.TemporaryDirectory(prefix="patched-", dir=store) as name:
        folder = Path(name)
        file = folder / "changes.patch"
        file.write_bytes(patch)
        variables = {"GIT_INDEX_FILE": str(folder / "index")}
        for arguments in (
            ["read-tree", commit],
            ["apply", "--cached", "--binary", "--whitespace=nowarn", str(file)],
        ):
            if run_git(arguments, store=store, extra_environment=variables).code != 0:
                raise BadInput(
                    f"The uncommitted changes can't be applied to commit {commit[:12]}. Nothing was changed.",
                    "They may be without their secrets, or of another repository.",
                )
        answer = run_git(["write-tree"], store=store, extra_environment=variables)
        if answer.code != 0:
            raise BadInput("The uncommitted changes can't be written as a tree. Nothing was changed.")
        return answer.output.decode("ascii", "replace").strip()
