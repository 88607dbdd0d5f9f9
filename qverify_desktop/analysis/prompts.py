"""Prompts from templates. Text of the repository goes in between fences that nobody can guess, as data."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from qverify_desktop.domain.locations import resources_root

_VERSION = re.compile(r"^\{# prompt (\S+), version (\d+) #\}\n")
_USER = "---8<--- user\n"


@dataclass(frozen=True)
class Prompt:
    """Messages for a model. ``template`` names the template with its version, for the evidence."""

    messages: list[dict[str, str]]
    template: str

    @property
    def content(self) -> bytes:
        """The whole prompt as it is committed to in the evidence."""
        return "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in self.messages).encode()


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    # No HTML is made here: escaping would change the source that the model sees.
    return ImmutableSandboxedEnvironment(
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=False,
    )


def render(name: str, values: Mapping[str, Any]) -> Prompt:
    """The prompt ``resources/prompts/NAME.j2`` with these values. Blocking (a small file).

    The template is cut into system and user part before anything is put in, so that no value can move the cut; the word
    of the fence is drawn anew for each prompt and occurs in none of the values.
    """
    source = (resources_root() / "resources" / "prompts" / f"{name}.j2").read_text("utf-8")
    version = _VERSION.match(source)
    if version is None:
        raise ValueError(f"The prompt template {name} names no version.")
    system, user = source[version.end() :].split(_USER)
    material = repr(sorted(values.items()))
    fence = _word()
    while fence in material:
        fence = _word()
    messages = [
        {"role": role, "content": _clean(_environment().from_string(part).render(values, fence=fence))}
        for role, part in (("system", system), ("user", user))
    ]
    return Prompt(messages, f"{version[1]} {version[2]}")


def _word() -> str:
    return f"DATA-{secrets.token_hex(12)}"


def _clean(text: str) -> str:
    """Text that every JSON library takes: no lone surrogates, no control characters besides tab and line feed."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "�", plain).strip()
