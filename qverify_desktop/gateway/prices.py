"""What a call to a model costs: a table of prices, which a person may change, and whole-number arithmetic."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.locations import resources_root

PRICES_FILE = "prices.toml"
#: Millionths of a US dollar for a million tokens: a thousand dollars a token would be a mistake of typing.
MOST = 10**15

_MILLION = 1_000_000
_DATED = re.compile(r"-(?:\d{8}|\d{4}-\d{2}-\d{2})\Z")


@dataclass(frozen=True)
class Price:
    """Millionths of a US dollar for a million tokens of prompt, of answer, and of a prompt that the provider had cached.

    ``known`` is false for the cautious price of a model that is in no table.
    """

    input: int
    output: int
    cached_input: int
    known: bool = True

    def cost(self, prompt_tokens: int, completion_tokens: int, cached_tokens: int = 0) -> int:
        """Millionths of a US dollar, rounded up. ``cached_tokens`` are a part of ``prompt_tokens``."""
        cached = max(0, min(cached_tokens, prompt_tokens))
        fresh = max(0, prompt_tokens) - cached
        total = fresh * self.input + cached * self.cached_input + max(0, completion_tokens) * self.output
        return -(-total // _MILLION)

    def most(self, prompt_tokens: int, max_tokens: int) -> int:
        """The most that a call can cost which is not made yet: nothing of it cached, and the longest answer."""
        return self.cost(prompt_tokens, max_tokens)


FREE = Price(0, 0, 0)


@dataclass(frozen=True)
class Prices:
    """The prices of models by ``provider/model``, the one of a model that is in no table, and where they come from."""

    table: Mapping[str, Price]
    unknown: Price
    source: str
    date: str

    @classmethod
    def load(cls, home: Path) -> Prices:
        """The prices that came with the application under those of ``prices.toml`` in the home folder.

        Raises ``BadInput`` with the price that can't be read.
        """
        given = _read(resources_root() / "resources" / PRICES_FILE)
        own = _read(home / PRICES_FILE) if (home / PRICES_FILE).is_file() else {}
        table = _table(given) | _table(own)
        unknown = _price("unknown", own.get("unknown", given["unknown"]), known=False)
        return cls(table, unknown, str(given["source"]), str(given["date"]))

    def of(self, provider: str, model: str, *, local: bool = False) -> Price:
        """The price of a model. One on this machine is free unless a person gave it a price; a name with a date
        (``-20251001``) has the price of the name without."""
        for name in (model, _DATED.sub("", model), "*"):
            found = self.table.get(f"{provider}/{name}")
            if found is not None:
                return found
        return FREE if local else self.unknown

    def words(self, provider: str, model: str, *, local: bool = False) -> str:
        """A sentence for a person where the price is a guess, otherwise nothing."""
        price = self.of(provider, model, local=local)
        if price.known:
            return ""
        return (
            f"The price of {provider}/{model} is not known, so it is counted with {dollars(price.input)} for a million tokens of "
            f"prompt and {dollars(price.output)} of answer. Write its own into {PRICES_FILE} in the state folder."
        )


def dollars(microusd: int) -> str:
    """An amount for a person, rounded up to a cent: an amount above nothing never reads as nothing."""
    cents = -(-microusd // 10_000)
    return f"${cents // 100:,}.{cents % 100:02}"


def _read(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadInput(f"The price table {path} can't be read: {error}.", "Correct or remove it.") from None


def _table(read: Mapping[str, Any]) -> dict[str, Price]:
    prices = read.get("prices", {})
    if not isinstance(prices, dict):
        raise _wrong("prices", "it has to be a table")
    return {name: _price(name, value) for name, value in prices.items()}


def _price(name: str, value: Any, *, known: bool = True) -> Price:
    if not isinstance(value, dict) or not {"input", "output"} <= value.keys() <= {"input", "output", "cached_input"}:
        raise _wrong(name, "it has to have input and output, and may have cached_input")
    for amount in value.values():
        if type(amount) is not int or not 0 <= amount <= MOST:
            raise _wrong(name, "each has to be a whole number of millionths of a US dollar for a million tokens")
    amounts: dict[str, int] = {"cached_input": value["input"]} | value
    return Price(amounts["input"], amounts["output"], amounts["cached_input"], known)


def _wrong(name: str, why: str) -> BadInput:
    return BadInput(f"The price of {name[:80]!r} can't be used: {why}.", f"Correct it in {PRICES_FILE}.")
