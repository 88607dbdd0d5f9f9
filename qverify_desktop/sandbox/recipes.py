"""Recipes of the sandbox runtimes: one folder ``runtimes/NAME`` each, described by its ``runtime.toml``."""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import MIB, Limits

#: Names another resources root: an installed application whose data files lie elsewhere.
RESOURCES = "QVERIFY_RESOURCES"

#: First characters of a recipe's digest that make its image's tag.
TAG_LENGTH = 12

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}\Z")
_TEXTS = ("name", "version", "sample")
_LISTS = ("languages", "check")
#: A runtime stands on a base, or is made of other runtimes' images.
_BASE_TEXTS = ("base", "stand_in")
_BASE_LISTS = ("stand_in_packages",)
#: ``[resources]`` and the field of ``Limits`` that each sets, with its unit.
_RESOURCES = {
    "timeout_s": ("timeout_s", 1),
    "memory_mib": ("memory_bytes", MIB),
    "tmp_mib": ("tmp_bytes", MIB),
    "work_mib": ("work_bytes", MIB),
    "cpus": ("cpus", 1),
    "pids": ("pids", 1),
}


@dataclass(frozen=True)
class Recipe:
    """What a runtime's image is made of.

    ``digest`` is SHA-256 in lower-case hex over every file of the runtime's folder, of its ``parts``' and of
    ``runtimes/bases``: a changed recipe is another image. ``parts`` are the runtimes whose images it is made of; one with
    parts has no ``base``. ``sample`` is a small project whose tests, run by ``check`` under ``limits``, prove a built image
    and leave the files ``coverage`` as artefacts. An ``on_demand`` image is built only when somebody asks for it by name.
    ``environment`` is what the image sets; ``script`` builds the image.
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
    coverage: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    on_demand: bool = False
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = Limits()

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


def recipe_digest(runtimes: Path, runtime: str, parts: Iterable[str] = ()) -> str:
    """SHA-256 over ``sha256sum`` lines of the recipe's files, sorted by path: the same that packaging/setup/image.sh computes."""
    names = [
        path.relative_to(runtimes).as_posix()
        for folder in (runtime, *parts, "bases")
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
    parts = tuple(described.get("parts", ()))
    return Recipe(
        runtime=described["name"],
        languages=tuple(described["languages"]),
        version=described["version"],
        base=described.get("base", ""),
        sample=runtimes / described["sample"],
        check=tuple(described["check"]),
        digest=recipe_digest(runtimes, described["name"], parts),
        folder=file.parent,
        script=root / "packaging" / "setup" / "image.sh",
        coverage=tuple(described.get("coverage", ())),
        parts=parts,
        on_demand=described.get("on_demand", False),
        environment=described.get("environment", {}),
        limits=_limits(described.get("resources", {})),
    )


def _limits(resources: Mapping[str, Any]) -> Limits:
    return Limits(**{_RESOURCES[key][0]: value * _RESOURCES[key][1] for key, value in resources.items()})


def _problem(described: dict[str, Any], folder: Path) -> str:
    stands = not described.get("parts")
    for key in (*_TEXTS, *(_BASE_TEXTS if stands else ())):
        if not isinstance(described.get(key), str) or not described[key]:
            return f"'{key}' must be a text"
    for key in (*_LISTS, *(_BASE_LISTS if stands else ("parts",))):
        value = described.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(word, str) and word for word in value):
            return f"'{key}' must be a list of texts"
    if not _NAME.match(described["name"]) or described["name"] != folder.name:
        return f"'name' must be the folder's name, {folder.name!r}"
    for key in ("sample", *(("stand_in",) if stands else ())):
        path = (folder.parent / described[key]).resolve()
        if not path.is_relative_to(folder.parent.resolve()) or not path.exists():
            return f"'{key}' must name something below the runtimes folder"
    coverage = described.get("coverage", [])
    if not isinstance(coverage, list) or not all(isinstance(name, str) and name for name in coverage):
        return "'coverage' must be a list of texts"
    for part in described.get("parts", ()):
        if not _NAME.match(part) or part == folder.name or not (folder.parent / part / "runtime.toml").is_file():
            return f"'parts' must name other runtimes, and {part!r} is none"
    if not isinstance(described.get("on_demand", False), bool):
        return "'on_demand' must be true or false"
    return _table_problem(described)


def _table_problem(described: dict[str, Any]) -> str:
    tools, environment, resources = (described.get(key, {}) for key in ("tools", "environment", "resources"))
    if not isinstance(tools, dict):
        return "'tools' must be a table of tools"
    for name, tool in tools.items():
        command = tool.get("command") if isinstance(tool, dict) else None
        if not isinstance(command, list) or not command or not all(isinstance(word, str) for word in command):
            return f"the tool {name!r} needs a command that prints its version"
    if not isinstance(environment, dict) or not all(isinstance(value, str) for value in environment.values()):
        return "'environment' must be a table of texts"
    if not isinstance(resources, dict):
        return "'resources' must be a table of numbers"
    for key, value in resources.items():
        kinds = (int, float) if key == "cpus" else (int,)
        if key not in _RESOURCES or isinstance(value, bool) or not isinstance(value, kinds) or value <= 0:
            return f"'resources' can't hold {key} = {value!r}; known are {', '.join(_RESOURCES)}"
    return ""
