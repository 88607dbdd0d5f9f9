"""The person's order of model end points, ``models.toml`` in the home folder: who is asked first where the model is ``auto``."""

from __future__ import annotations

import contextlib
import re
import tempfile
import tomllib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.model import Deployment, Purpose, RateLimit
from qverify_desktop.settings.private_files import create_private, replace_private

MODELS_FILE = "models.toml"
MOST = 50
_HEAD = re.compile(r"\s*\[\[\s*deployments\s*\]\]")

#: What a new file holds.
EXAMPLE = """\
# The order in which models are asked where the model is auto. The first that answers wins.
# Keys are never in this file: see the settings page, or qverify keys.
#
# [[deployments]]
# wire = "azure"                             # azure, anthropic, openai (any compatible server), ollama
# name = "ours"
# base = "https://NAME.openai.azure.com"     # empty: the provider's own address, or Ollama on this machine
# model = "gpt-4.1"                          # on Azure the deployment's name
# models = { repair = "gpt-4.1-mini" }       # another model for generate, repair or second_opinion
# requests_per_minute = 60
#
# [[deployments]]
# wire = "ollama"
# model = "qwen2.5-coder:7b"
# enabled = false
"""


class _One(BaseModel):
    """``[[deployments]]``. ``models`` names another model for ``generate``, ``repair`` or ``second_opinion``."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    wire: Literal["azure", "anthropic", "ollama", "openai"]
    model: str = Field(min_length=1, max_length=200)
    name: str = Field(default="", max_length=100)
    base: str = Field(default="", max_length=2000)
    models: dict[Literal["generate", "repair", "second_opinion"], str] = {}
    api_version: str = Field(default="", max_length=40, pattern=r"^[\w.-]*$")
    requests_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    tokens_per_minute: int = Field(default=0, ge=0, le=10**9)
    at_once: int = Field(default=0, ge=0, le=1000)
    enabled: bool = True


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    deployments: list[_One] = Field(default=[], max_length=MOST)


@dataclass(frozen=True)
class Ordered:
    """An end point in its place; one that is not ``enabled`` is never asked."""

    deployment: Deployment
    enabled: bool


def load_deployments(home: Path) -> tuple[Deployment, ...]:
    """The enabled end points in their order; none where there is no file. Raises ``BadInput`` with what can't be read."""
    return tuple(one.deployment for one in read_order(home) if one.enabled)


def read_order(home: Path) -> tuple[Ordered, ...]:
    """All end points of the file in their order. A model on this machine answers one question at a time where nothing else is
    said. Raises ``BadInput`` with what can't be read, and in which line; values are not repeated.
    """
    file = home / MODELS_FILE
    if not file.is_file():
        return ()
    text = ""
    try:
        text = file.read_text(encoding="utf-8")
        read = _File.model_validate(tomllib.loads(text))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        raise BadInput(
            f"{MODELS_FILE} can't be used: {_place(problem['loc'], text)}: {problem['msg'].lower()}.", "Correct it."
        ) from None
    except (OSError, ValueError, RecursionError) as error:
        raise BadInput(f"{file} can't be read: {error}.", "Correct or remove it.") from None
    found = [Ordered(_deployment(one), one.enabled) for one in read.deployments]
    names = [one.deployment.name for one in found if one.enabled]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{MODELS_FILE} has two end points called {twice!r}.", "Give each a name of its own.")
    return tuple(found)


def begin_file(home: Path) -> Path:
    """The file, made with an example in comments where there is none. Raises ``MissingPrerequisite`` where none can be made."""
    file = home / MODELS_FILE
    try:
        with contextlib.suppress(FileExistsError):
            create_private(file, EXAMPLE.encode())
    except OSError as error:
        raise MissingPrerequisite(
            f"The file {file} can't be written ({error.strerror or error}).",
            "Make its folder writable and try again.",
        ) from None
    return file


def move(home: Path, at: int, to: int) -> None:
    """Put the end point at one place of the file to another, both counted from 0, with its comments; every other line stays.

    Raises ``BadInput`` where the file is not of a form that can be moved in, and changes nothing then.
    """
    file, before = home / MODELS_FILE, read_order(home)
    if not (0 <= at < len(before) and 0 <= to < len(before)):
        raise BadInput(f"{MODELS_FILE} has no such place.", "Read the file again.")
    head, blocks = _blocks(file.read_text(encoding="utf-8"))
    after = [*before[:at], *before[at + 1 :]]
    after.insert(to, before[at])
    if len(blocks) == len(before):
        blocks.insert(to, blocks.pop(at))
    text = head + "".join(block.rstrip("\n") + "\n\n" for block in blocks).rstrip("\n") + "\n"
    try:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / MODELS_FILE).write_text(text, encoding="utf-8")
            moved = list(read_order(Path(folder)))
    except BadInput:
        moved = []
    if moved != after:
        raise BadInput(f"{MODELS_FILE} is written in a way that can't be put in order here.", "Edit the file.")
    try:
        replace_private(file, text.encode())
    except OSError as error:
        raise MissingPrerequisite(
            f"The file {file} can't be written ({error.strerror or error}). Nothing was changed.",
            "Make its folder writable and try again.",
        ) from None


def _blocks(text: str) -> tuple[str, list[str]]:
    """What stands before the first end point, and each end point with the comments right above it."""
    lines = text.splitlines(keepends=True)
    begins = []
    for at, line in enumerate(lines):
        if _HEAD.match(line):
            while at and lines[at - 1].lstrip().startswith("#"):
                at -= 1
            begins.append(at)
    edges = [*begins, len(lines)]
    return "".join(lines[: edges[0]]), ["".join(lines[begin:end]) for begin, end in pairwise(edges)]


def _place(location: tuple[int | str, ...], text: str) -> str:
    """Where in the file a problem is, in words: which end point, its line where it is found, and the field."""
    if len(location) < 2 or location[0] != "deployments" or not isinstance(location[1], int):
        return ".".join(str(part) for part in location)
    field = ".".join(str(part) for part in location[2:])
    lines = text.splitlines()
    heads = [at for at, line in enumerate(lines) if _HEAD.match(line)]
    where = f"end point {location[1] + 1}"
    if location[1] < len(heads):
        begin = heads[location[1]]
        end = next((at for at in heads if at > begin), len(lines))
        key = field.partition(".")[0]
        at = next((at for at in range(begin, end) if key and lines[at].partition("=")[0].strip() == key), begin)
        where += f" (line {at + 1})"
    return f"{where}: {field}" if field else where


def _deployment(one: _One) -> Deployment:
    at_once = one.at_once or (1 if one.wire == "ollama" and not one.base else 0)
    return Deployment(
        name=one.name or f"{one.wire}/{one.model}",
        wire=one.wire,
        model=one.model,
        base=one.base,
        models=tuple((Purpose(purpose).value, name) for purpose, name in one.models.items()),
        api_version=one.api_version,
        limit=RateLimit(one.requests_per_minute, one.tokens_per_minute, at_once),
    )
