"""Where things lie in a Python repository: tests, generated and foreign code, import roots, module names.

Works on names alone (and, for a namespace package, on what the project's own files import); nothing is executed.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from qverify_desktop.languages.layout import ASIDE, BUILT, FOREIGN, GENERATED_TEXT

_TEST_FOLDERS = frozenset(["tests", "test"])
#: Files that steer tools and are never imported by the product.
_STEERING = frozenset(
    [
        "setup.py",
        "conftest.py",
        "noxfile.py",
        "fabfile.py",
        "versioneer.py",
        "ez_setup.py",
        "toxfile.py",
        "dodo.py",
        "wscript.py",
        "manage.py",
        "__main__.py",
    ]
)
_GENERATED_NAME = re.compile(r".*_pb2(_grpc)?\.py|_version\.py|.*\.gen\.py|.*_rc\.py")
_TEST_NAME = re.compile(r"test_.*\.py|.*_test\.py|tests?\.py|conftest\.py")


@dataclass(frozen=True)
class Layout:
    """Python files of a snapshot, sorted apart. All paths relative with ``/``."""

    files: tuple[str, ...]

    @cached_property
    def packages(self) -> frozenset[str]:
        """Folders that hold an ``__init__.py``."""
        return frozenset(str(PurePosixPath(f).parent) for f in self.files if f.rpartition("/")[2] == "__init__.py")

    @cached_property
    def environments(self) -> frozenset[str]:
        """Folders that are virtual environments (PEP 405)."""
        return frozenset(str(PurePosixPath(f).parent) for f in self.files if f.rpartition("/")[2] == "pyvenv.cfg")

    def is_foreign(self, path: str) -> bool:
        """Vendored, built, or of a tool; not looked at in any way."""
        return self._known(self._foreign, path.rpartition("/")[0], self._is_foreign_folder)

    def is_aside(self, path: str) -> bool:
        """Documentation, examples and the like."""
        return self._known(self._aside, path.rpartition("/")[0], self._is_folder_aside)

    @cached_property
    def _foreign(self) -> dict[str, bool]:
        return {}

    @cached_property
    def _aside(self) -> dict[str, bool]:
        return {}

    @staticmethod
    def _known(known: dict[str, bool], folder: str, ask: Callable[[PurePosixPath], bool]) -> bool:
        if folder not in known:
            known[folder] = ask(PurePosixPath(folder))
        return known[folder]

    def _is_foreign_folder(self, folder: PurePosixPath) -> bool:
        for ancestor in (folder, *folder.parents):
            name, here = ancestor.name, str(ancestor)
            if name in FOREIGN or name.endswith((".egg-info", ".dist-info")) or here in self.environments:
                return True
            if name in BUILT and here not in self.packages:
                return True
        return False

    def _is_folder_aside(self, folder: PurePosixPath) -> bool:
        for ancestor in (folder, *folder.parents):
            if ancestor.name in ASIDE:
                inside = str(ancestor) in self.packages and str(ancestor.parent) in self.packages
                if not inside:
                    return True
        return False

    def is_test(self, path: str) -> bool:
        """A test, or what tests are made of (``conftest.py``, anything in a folder of tests)."""
        pure = PurePosixPath(path)
        return bool(_TEST_NAME.fullmatch(pure.name)) or any(part in _TEST_FOLDERS for part in pure.parts[:-1])


def is_collectable(path: str) -> bool:
    """Whether a test runner would look for tests in this file."""
    name = path.rpartition("/")[2]
    return bool(_TEST_NAME.fullmatch(name)) and name != "conftest.py"


def is_steering(path: str) -> bool:
    """A file that steers a tool (``setup.py`` …), never a module of the product."""
    return path.rpartition("/")[2] in _STEERING


def is_generated(path: str, text: str) -> bool:
    """A file that says of itself that a program wrote it, or is named like one."""
    if _GENERATED_NAME.fullmatch(path.rpartition("/")[2]):
        return True
    comments = [line for line in text[:2000].splitlines()[:15] if line.lstrip().startswith(("#", '"""', "'''"))]
    return any(GENERATED_TEXT.search(line) for line in comments)


def import_roots(
    source_files: Iterable[str], packages: Collection[str], declared: Sequence[str], imported: Collection[str]
) -> tuple[str, ...]:
    """Folders to put on the import path so that every source file is importable, ``""`` for the root itself.

    ``declared`` are the folders that packaging metadata names; ``imported`` the dotted names that the project's own
    files import, which tell a namespace package (PEP 420) from a folder of scripts.
    """
    roots = {_root_of(path, packages, declared, imported) for path in source_files}
    return tuple(sorted(roots, key=lambda root: (root.count("/") + bool(root), root)))


def module_name(roots: Sequence[str], path: str) -> str:
    """Importable name of a file below the longest of ``roots``; empty where there is none."""
    fitting = [root for root in roots if not root or path.startswith(root + "/")]
    if not fitting or not path.endswith(".py"):
        return ""
    root = max(fitting, key=len)
    parts = path.removesuffix(".py")[len(root) + 1 if root else 0 :].split("/")
    if parts[-1] == "__init__":
        parts = parts[:-1]
    if not all(part.isidentifier() and not keyword.iskeyword(part) for part in parts):
        return ""
    return ".".join(parts)


def _root_of(path: str, packages: Collection[str], declared: Sequence[str], imported: Collection[str]) -> str:
    parts = path.split("/")[:-1]
    for depth in range(1, len(parts) + 1):
        if "/".join(parts[:depth]) in packages:
            return "/".join(parts[: depth - 1])
    folder = "/".join(parts)
    below = [root for root in declared if not root or folder == root or folder.startswith(root + "/")]
    if any(root for root in below):
        return max(below, key=len)
    if "src" in parts:
        return "/".join(parts[: parts.index("src") + 1])
    stem = path.rpartition("/")[2].removesuffix(".py")
    for depth in range(len(parts)):
        dotted = ".".join((*parts[depth:], stem))
        if dotted in imported:
            return "/".join(parts[:depth])
    return folder
