"""What a project declares that it needs, read from its metadata files. Nothing is executed, nothing is fetched.

Formats: PEP 508 requirements; pip requirements files; ``pyproject.toml`` (PEP 621, PEP 735, Poetry, PDM); ``setup.cfg``;
``setup.py`` by its syntax tree; ``Pipfile``; the lock files of uv, Poetry, PDM and Pipenv.
"""

from __future__ import annotations

import configparser
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from qverify_desktop.domain.project import SkippedPath, Snapshot
from qverify_desktop.languages.files import read_bytes
from qverify_desktop.languages.python.layout import Layout
from qverify_desktop.languages.python.setup_script import setup_arguments

MAX_METADATA_BYTES = 8 * 1024 * 1024
MAX_FILES = 40
MAX_REQUIREMENTS = 500
MAX_DEPTH = 3

#: The first of these that a project has (shallowest first) keys the install cache.
_LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "requirements.txt",
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
)
_REQUIREMENTS = re.compile(r"(.*[-_.])?requirements([-_.].*)?\.(txt|in|pip)")
_NOT_FOR_TESTS = re.compile(r"docs?|lint|format|build|release|publish|sphinx|mypy|typing|pre-commit", re.IGNORECASE)
#: Extras and groups whose packages tests may need.
_FOR_TESTS = re.compile(r"(unit-?)?tests?(ing|s)?|dev(el(op(ment)?)?)?|ci|all|check", re.IGNORECASE)


@dataclass(frozen=True)
class Declared:
    """Requirement strings (PEP 508, no URLs), the file that keys the install cache, and declared import roots."""

    requirements: tuple[str, ...] = ()
    lock_file: str = ""
    source_roots: tuple[str, ...] = ()


def declared_dependencies(snapshot: Snapshot, layout: Layout) -> Declared:
    """Everything the metadata files down to three folders deep declare; malformed files declare nothing."""
    near = [
        f for f in snapshot.files if f.count("/") < MAX_DEPTH and not layout.is_foreign(f) and not layout.is_aside(f)
    ]
    near.sort(key=lambda path: (path.count("/"), path))
    requirements: dict[str, str] = {}
    roots: list[str] = []
    for path in [f for f in near if _is_metadata(f)][:MAX_FILES]:
        content = read_bytes(snapshot.root, path, MAX_METADATA_BYTES)
        if isinstance(content, SkippedPath):
            continue
        found, where = _read(path, content)
        folder = path.rpartition("/")[0]
        roots += ["/".join(part for part in (folder, root) if part) for root in where]
        for text in found:
            requirement = clean_requirement(text)
            if requirement and len(requirements) < MAX_REQUIREMENTS:
                requirements.setdefault(canonicalize_name(Requirement(requirement).name), requirement)
    locks = [
        (path.count("/"), _LOCKS.index(name), path) for path in near if (name := path.rpartition("/")[2]) in _LOCKS
    ]
    return Declared(tuple(requirements.values()), min(locks)[2] if locks else "", tuple(dict.fromkeys(roots)))


def clean_requirement(text: str) -> str:
    """A PEP 508 requirement without URL; empty where the text is none (so an option of pip never gets through)."""
    text = text.strip()
    if not text or text.startswith("-") or len(text) > 500:
        return ""
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        return ""
    requirement.url = None
    return str(requirement)


def pinned_versions(lock_file: str, content: bytes) -> list[str]:
    """``name==version`` for each package that a lock file pins; empty for files that pin nothing or can't be read."""
    name = lock_file.rpartition("/")[2]
    pins: dict[str, str] = {}
    if name in ("uv.lock", "poetry.lock", "pdm.lock"):
        for package in _list(_toml(content).get("package")):
            if isinstance(package, dict):
                pins.setdefault(str(package.get("name", "")), f"=={package.get('version', '')}")
    elif name == "Pipfile.lock":
        locked = _json(content)
        for section in ("default", "develop"):
            for package, entry in _table(locked.get(section)).items():
                pins.setdefault(package, str(_table(entry).get("version", "")))
    else:
        for text in _requirement_lines(content.decode("utf-8", "replace")):
            pin = clean_requirement(text)
            if pin and "==" in pin:
                requirement = Requirement(pin)
                pins.setdefault(requirement.name, str(requirement.specifier))
    lines = [clean_requirement(package + version) for package, version in pins.items() if version.startswith("==")]
    return [line for line in lines if line]


def declared_in_requirements(path: str, content: bytes) -> list[str]:
    """What a pip requirements file names, without URLs and options; empty for files of any other kind."""
    if not path.endswith((".txt", ".in", ".pip")):
        return []
    lines = _requirement_lines(content.decode("utf-8", "replace"))
    return [clean for line in lines if (clean := clean_requirement(line))][:MAX_REQUIREMENTS]


def _is_metadata(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    if name in ("pyproject.toml", "setup.cfg", "setup.py", "Pipfile"):
        return True
    in_folder = folder.rpartition("/")[2] == "requirements" and name.endswith((".txt", ".in"))
    return bool(_REQUIREMENTS.fullmatch(name) or in_folder) and not _NOT_FOR_TESTS.search(name)


def _read(path: str, content: bytes) -> tuple[list[str], list[str]]:
    """Requirements and import roots (relative to the file's folder) of one metadata file."""
    name = path.rpartition("/")[2]
    if name == "pyproject.toml":
        document = _toml(content)
        return list(_pyproject(document)), list(_pyproject_roots(document))
    if name == "setup.cfg":
        return _setup_cfg(content)
    if name == "setup.py":
        return setup_arguments(content, lambda extra: bool(_FOR_TESTS.fullmatch(extra)))
    if name == "Pipfile":
        document = _toml(content)
        return [*_poetry(document.get("packages")), *_poetry(document.get("dev-packages"))], []
    return list(_requirement_lines(content.decode("utf-8", "replace"))), []


def _requirement_lines(text: str) -> Iterator[str]:
    for line in re.sub(r"\\\r?\n", " ", text).splitlines():
        stripped = re.split(r"(?:^|\s)#", line, maxsplit=1)[0].strip()
        if stripped and not stripped.startswith("-"):
            yield re.split(r"\s--", stripped, maxsplit=1)[0].strip()


def _pyproject(document: Mapping[str, Any]) -> Iterator[str]:
    project, tool = _table(document.get("project")), _table(document.get("tool"))
    yield from _strings(project.get("dependencies"))
    for extra, listed in _table(project.get("optional-dependencies")).items():
        if _FOR_TESTS.fullmatch(extra):
            yield from _strings(listed)
    for groups in (document.get("dependency-groups"), _table(tool.get("pdm")).get("dev-dependencies")):
        for group, listed in _table(groups).items():
            if _FOR_TESTS.fullmatch(group):
                yield from _group(_table(groups), listed, 0)
    poetry = _table(tool.get("poetry"))
    yield from _poetry(poetry.get("dependencies"))
    yield from _poetry(poetry.get("dev-dependencies"))
    for group, entry in _table(poetry.get("group")).items():
        if _FOR_TESTS.fullmatch(group):
            yield from _poetry(_table(entry).get("dependencies"))


def _group(groups: Mapping[str, Any], listed: Any, depth: int) -> Iterator[str]:
    """PEP 735: a group lists requirements and ``{include-group = "…"}``."""
    yield from _strings(listed)
    if depth < 5:
        for entry in _list(listed):
            name = _table(entry).get("include-group")
            if isinstance(name, str):
                yield from _group(groups, groups.get(name), depth + 1)


def _poetry(table: Any) -> Iterator[str]:
    for name, value in _table(table).items():
        if name == "python" or not isinstance(name, str):
            continue
        entry = value if isinstance(value, dict) else {"version": value}
        version = entry.get("version", "*")
        extras = ",".join(_strings(entry.get("extras")))
        if isinstance(version, str) and not {"git", "path", "url"} & set(entry):
            yield f"{name}[{extras}]{_poetry_version(version)}" if extras else f"{name}{_poetry_version(version)}"


def _poetry_version(text: str) -> str:
    """Poetry's caret and tilde as PEP 440 specifiers; anything else that PEP 440 does not know becomes no bound."""
    bounds = []
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"([\^~])(\d+(?:\.\d+)*).*", part)
        if match:
            numbers = [int(number) for number in match[2].split(".")]
            place = 0 if len(numbers) == 1 else 1
            if match[1] == "^":
                place = next((i for i, number in enumerate(numbers) if number), len(numbers) - 1)
            upper = [*numbers[:place], numbers[place] + 1]
            bounds += [f">={match[2]}", f"<{'.'.join(map(str, upper))}"]
        elif part and part != "*":
            bounds.append(f"=={part}" if part[0].isdigit() else part)
    try:
        return str(SpecifierSet(",".join(bounds)))
    except InvalidSpecifier:
        return ""


def _pyproject_roots(document: Mapping[str, Any]) -> Iterator[str]:
    tool = _table(document.get("tool"))
    setuptools = _table(tool.get("setuptools"))
    yield from _roots(_strings(_table(_table(setuptools.get("packages")).get("find")).get("where")))
    top = _table(setuptools.get("package-dir")).get("")
    yield from _roots([top] if isinstance(top, str) else [])
    for package in _list(_table(tool.get("poetry")).get("packages")):
        origin = _table(package).get("from")
        yield from _roots([origin] if isinstance(origin, str) else [])


def _setup_cfg(content: bytes) -> tuple[list[str], list[str]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(content.decode("utf-8", "replace"))
    except (configparser.Error, ValueError):
        return [], []
    found: list[str] = []
    for option in ("install_requires", "tests_require"):
        found += parser.get("options", option, fallback="").splitlines()
    if parser.has_section("options.extras_require"):
        for extra, listed in parser.items("options.extras_require"):
            found += listed.splitlines() if _FOR_TESTS.fullmatch(extra) else []
    where = parser.get("options.packages.find", "where", fallback="")
    package_dir = re.search(r"^\s*=\s*(\S+)\s*$", parser.get("options", "package_dir", fallback=""), re.MULTILINE)
    return found, list(_roots([where, package_dir[1] if package_dir else ""]))


def _roots(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        clean = folder.strip().removeprefix("./").strip("/")
        if clean and clean != "." and ".." not in clean.split("/"):
            yield clean


def _toml(content: bytes) -> Mapping[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8", "replace"))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def _json(content: bytes) -> Mapping[str, Any]:
    try:
        return _table(json.loads(content))
    except (ValueError, RecursionError):
        return {}


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _strings(value: Any) -> list[str]:
    return [item for item in _list(value) if isinstance(item, str)]
