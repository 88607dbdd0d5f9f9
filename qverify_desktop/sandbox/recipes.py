"""Recipes of the sandbox runtimes: one folder ``runtimes/NAME`` each, described by its ``runtime.toml``."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite

#: Names another resources root: an installed application whose data files lie elsewhere.
RESOURCES = "QVERIFY_RESOURCES"

#: First characters of a recipe's digest that make its image's tag.
TAG_LENGTH = 12

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
_TEXTS = ("name", "version", "base", "stand_in", "sample")
_LISTS = ("languages", "stand_in_packages", "check")


@dataclass(frozen=True)
class Recipe:
    """What a runtime's image is made of.

    ``digest`` is SHA-256 in lower-case hex over every file of the runtime's folder and of ``runtimes/bases``: a changed
    recipe is another image. ``sample`` is a small project whose tests, run by ``check``, prove a built image.
    ``script`` builds the image.
    """

    runtime: str
    languages: tuple[str, ...]
    version: str
    base: str
    sample: Path
    check: tuple[str, ...]
    digest: str
    folder: Path
    script: Path

    @property
    def reference(self) -> str:
        """The image's name and tag, for example ``qverify/python:0123456789ab``."""
        return f"qverify/{self.runtime}:{self.digest[:TAG_LENGTH]}"


def resources_root() -> Path:
    """The folder that holds ``runtimes/`` and ``packaging/``: the source tree's, or what ``QVERIFY_RESOURCES`` names."""
    named = os.environ.get(RESOURCES)
    return Path(named).resolve() if named else Path(__file__).resolve().parents[2]


def load_recipes(root: Path) -> list[Recipe]:
    """Every recipe below ``root``/runtimes, by name.

    Raises ``MissingPrerequisite`` where the folder has none, ``BadInput`` for a ``runtime.toml`` that can't be used.
    """
    files = sorted((root / "runtimes").glob("*/runtime.toml"))
    if not files:
        raise MissingPrerequisite(
            f"The sandbox recipes are missing from {root / 'runtimes'}.",
            f"Install the application again, or name its data folder in {RESOURCES}.",
        )
    return [_read(file, root) for file in files]


def recipe_digest(runtimes: Path, runtime: str) -> str:
    """SHA-256 over ``sha256sum`` lines of the recipe's files, sorted by path: the same that packaging/setup/image.sh computes."""
    names = [
        path.relative_to(runtimes).as_posix()
        for folder in (runtime, "bases")
        for path in (runtimes / folder).rglob("*")
        if path.is_file() and not path.is_symlink() and path.suffix != ".pyc"
    ]
    lines = [
        f"{hashlib.sha256((runtimes / name).read_bytes()).hexdigest()}  {name}\n"
        for name in sorted(names, key=os.fsencode)
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _read(file: Path, root: Path) -> Recipe:
    try:
        described = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"The recipe {file} can't be read: {error}.", "Mend the file, then try again.") from error
    problem = _problem(described, file.parent)
    if problem:
        raise BadInput(f"The recipe {file} can't be used: {problem}.", "Mend the file, then try again.")
    runtimes = root / "runtimes"
    return Recipe(
        runtime=described["name"],
        languages=tuple(described["languages"]),
        version=described["version"],
        base=described["base"],
        sample=runtimes / described["sample"],
        check=tuple(described["check"]),
        digest=recipe_digest(runtimes, described["name"]),
        folder=file.parent,
        script=root / "packaging" / "setup" / "image.sh",
    )


def _problem(described: dict[str, object], folder: Path) -> str:
    for key in _TEXTS:
        if not isinstance(described.get(key), str) or not described[key]:
            return f"'{key}' must be a text"
    for key in _LISTS:
        value = described.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
            return f"'{key}' must be a list of texts"
    if not _NAME.match(str(described["name"])) or described["name"] != folder.name:
        return f"'name' must be the folder's name, {folder.name!r}"
    for key in ("sample", "stand_in"):
        path = (folder.parent / str(described[key])).resolve()
        if not path.is_relative_to(folder.parent.resolve()) or not path.exists():
            return f"'{key}' must name something below the runtimes folder"
    return ""
