"""The person's order of model end points, ``models.toml`` in the home folder: who is asked first where the model is ``auto``."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import Deployment, Purpose, RateLimit

MODELS_FILE = "models.toml"
MOST = 50


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


def load_deployments(home: Path) -> tuple[Deployment, ...]:
    """The enabled end points in their order; none where there is no file. A model on this machine answers one question at a time
    where nothing else is said. Raises ``BadInput`` with what can't be read.
    """
    file = home / MODELS_FILE
    if not file.is_file():
        return ()
    try:
        read = _File.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in problem["loc"])
        raise BadInput(f"{MODELS_FILE} can't be used: {place}: {problem['msg'].lower()}.", "Correct it.") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} can't be read: {error}.", "Correct or remove it.") from None
    found = [_deployment(one) for one in read.deployments if one.enabled]
    names = [one.name for one in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"{MODELS_FILE} has two end points called {twice!r}.", "Give each a name of its own.")
    return tuple(found)


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
