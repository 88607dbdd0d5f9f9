"""Where a folder's repository can be fetched from by somebody else: the address of its remote and the commit that is checked out.

Plain files are read; git reads one file of the configuration, follows no include and connects to nothing.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.git_safety import run_git
from qverify_desktop.repository.source import Remote, classify
from qverify_desktop.repository.store import GitFolder, find_bare, find_git_folder, read_small
from qverify_desktop.repository.workspace import printable

MOST_CONFIGURATION, MOST_PACKED = 1024 * 1024, 64 * 1024 * 1024
_ID = re.compile(r"[0-9a-f]{40}")
#: What the hosted service clones from (``docs/hosted-api.yaml``): https, no user name, no query.
_WEB = re.compile(r"https://[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?/[A-Za-z0-9._~/-]{1,1000}")
_SSH = re.compile(r"(?:ssh://)?(?:[A-Za-z0-9._-]{1,64}@)?([A-Za-z0-9.-]{1,253})[:/](/?[A-Za-z0-9._~/-]{1,1000})")


@dataclass(frozen=True)
class Upstream:
    """``url`` over https (empty: none), the full id of the ``commit``, and whether a branch of the remote is known to be there
    (``pushed``)."""

    url: str
    commit: str
    pushed: bool


def upstream(source: str) -> Upstream:
    """The remote of a folder, or an address itself (then without a commit). Blocking. Raises ``BadInput`` for what is neither."""
    found = classify(source)
    if isinstance(found, Remote):
        return Upstream(web_address(found.address), "", True)
    git = find_git_folder(found.path) or find_bare(found.path)
    if git is None:
        raise BadInput(
            f"{printable(os.fsencode(found.path))} is no git repository, so nobody else can fetch it.",
            "Analyse it here, or give the https address of a repository.",
        )
    commit = _head(git)
    remote = {id for name, id in _packed(git).items() if name.startswith("refs/remotes/")} | _loose_remotes(git)
    return Upstream(web_address(_origin(git)), commit, commit in remote)


def web_address(address: str) -> str:
    """The same repository over https; empty where it has no such address."""
    text = address.strip()
    if _WEB.fullmatch(text):
        return text
    ssh = None if "://" in text and not text.startswith("ssh://") else _SSH.fullmatch(text)
    made = f"https://{ssh[1]}/{ssh[2].lstrip('/')}" if ssh else ""
    return made if _WEB.fullmatch(made) else ""


def _origin(git: GitFolder) -> str:
    """The address of ``origin``, otherwise of the first remote."""
    configuration = git.common / "config"
    if (read_small(configuration, MOST_CONFIGURATION) or b"").find(b"[remote") < 0:
        return ""
    asked = ["config", "--file", str(configuration), "--no-includes", "--get-regexp", r"^remote\..*\.url$"]
    answer = run_git(asked, cwd=Path(git.common.anchor), timeout_s=5, most_bytes=MOST_CONFIGURATION)
    found: dict[str, str] = {}
    for line in answer.output.decode("utf-8", "replace").splitlines():
        name, _, url = line.partition(" ")
        found.setdefault(name, url)
    return found.get("remote.origin.url") or next(iter(found.values()), "")


def _head(git: GitFolder) -> str:
    head = (read_small(git.own / "HEAD") or b"").decode("ascii", "replace").strip()
    if not head.startswith("ref: "):
        return head if _ID.fullmatch(head) else ""
    name = head.removeprefix("ref: ")
    if ".." in name or not name.startswith("refs/"):
        return ""
    loose = (read_small(git.common / name) or b"").decode("ascii", "replace").strip()
    return loose if _ID.fullmatch(loose) else _packed(git).get(name, "")


def _packed(git: GitFolder) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (read_small(git.common / "packed-refs", MOST_PACKED) or b"").splitlines():
        id, _, name = line.decode("utf-8", "replace").partition(" ")
        if _ID.fullmatch(id):
            found[name] = id
    return found


def _loose_remotes(git: GitFolder) -> set[str]:
    found: set[str] = set()
    for here, folders, names in os.walk(git.common / "refs" / "remotes"):
        folders[:] = [name for name in folders if not (Path(here) / name).is_symlink()]
        for name in names:
            id = (read_small(Path(here) / name) or b"").decode("ascii", "replace").strip()
            if _ID.fullmatch(id):
                found.add(id)
        if len(found) > 5_000:
            break
    return found
