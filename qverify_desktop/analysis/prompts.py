"""Prompts from templates. Text of the repository goes in between fences that nobody can guess, as data."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from qverify_desktop.analysis.context import Passage
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.question import Messages, Shorter

_VERSION = re.compile(r"^\{# prompt (\S+), version (\d+) #\}\n")
_USER = "---8<--- user\n"
#: Bytes of text for a token, at least: tokenizers take three to four of code.
BYTES_OF_A_TOKEN = 3


@dataclass(frozen=True)
class Prompt:
    """Messages for a model. ``template`` names the template with its version, for the evidence and the cache.

    ``shorter`` answers the same question in at most so many tokens (about), without the passages that matter least; ``None``
    where nothing is left to leave out.
    """

    messages: Messages
    template: str
    shorter: Shorter = field(default=lambda limit: None, compare=False, repr=False)

    @property
    def content(self) -> bytes:
        """The whole prompt as it is committed to in the evidence."""
        return content_of(self.messages)

    def after(self, earlier: Prompt, answer: str, alone: Prompt) -> Prompt:
        """This question as the next one of a conversation: ``earlier`` and its answer come first, under the rules of both. Where
        that is too long for the model, ``alone`` is asked instead."""
        rules = {"role": "system", "content": f"{earlier.messages[0]['content']}\n\n{self.messages[0]['content']}"}
        said = {"role": "assistant", "content": _clean(answer)}
        talk = [rules, *earlier.messages[1:], said, self.messages[-1]]

        def shorter(limit: int) -> Messages | None:
            return alone.messages if tokens(alone.messages) <= limit else alone.shorter(limit)

        return replace(self, messages=talk, shorter=shorter)


def content_of(messages: Messages) -> bytes:
    """Messages as one text."""
    return "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in messages).encode()


def tokens(messages: Messages) -> int:
    """How many tokens the messages have, about, rather more than fewer."""
    return sum(len(m["content"].encode("utf-8", "replace")) // BYTES_OF_A_TOKEN + 8 for m in messages)


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


def render(name: str, values: Mapping[str, Any], passages: Sequence[Passage] = ()) -> Prompt:
    """The prompt ``resources/prompts/NAME.j2`` with these values and passages. Blocking (small files).

    The template is cut into system and user part before anything is put in, so that no value can move the cut.
    """
    template, messages = _rendered(name, {**values, "passages": list(passages)})

    def shorter(limit: int) -> Messages | None:
        left = list(passages)
        while (droppable := max(left, key=lambda passage: passage.rank, default=None)) and droppable.rank > 0:
            left.remove(droppable)
            fewer = _rendered(name, {**values, "passages": left})[1]
            if tokens(fewer) <= limit:
                return fewer
        return None

    return Prompt(messages, template, shorter)


def _rendered(name: str, values: Mapping[str, Any]) -> tuple[str, Messages]:
    template, source = _template(name)
    rule, words = _template("data")
    system, user = source.split(_USER)
    fence = _fence(template, values)
    parts = (("system", f"{system}\n{words}"), ("user", user))
    messages = [
        {"role": role, "content": _clean(_environment().from_string(part).render(values, fence=fence))}
        for role, part in parts
    ]
    return f"{template}, {rule}", messages


def _template(name: str) -> tuple[str, str]:
    """Name with version, and text."""
    source = (resources_root() / "resources" / "prompts" / f"{name}.j2").read_text("utf-8")
    version = _VERSION.match(source)
    if version is None:
        raise ValueError(f"The prompt template {name} names no version.")
    return f"{version[1]} {version[2]}", source[version.end() :]


def _fence(template: str, values: Mapping[str, Any]) -> str:
    """The word that ends the data: a digest of all that stands in the prompt, so that no text can hold its own.

    The same question has the same word, or no answer could be found again in the cache or in a recording.
    """
    material = f"{template} {sorted(values.items())!r}"
    number = 0
    while True:
        word = f"DATA-{hashlib.sha256(f'{number} {material}'.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
        if word not in material:
            return word
        number += 1


def _clean(text: str) -> str:
    """Text that every JSON library takes: no lone surrogates, no control characters besides tab and line feed."""
    plain = text.encode("utf-8", "replace").decode("utf-8")
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "�", plain).strip()
