"""Prices and budgets: whole numbers, rounded up, read from real files, equal to the list they were taken from."""

from __future__ import annotations

import importlib.util
import json
from decimal import Decimal
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.gateway.budget import Budget, Verdict, decide
from qverify_desktop.gateway.prices import FREE, Price, Prices, dollars


def own(home: Path, text: str) -> Prices:
    (home / "prices.toml").write_text(text, encoding="utf-8")
    return Prices.load(home)


def test_the_table_is_the_list_that_it_names(tmp_path: Path) -> None:
    spec = importlib.util.find_spec("litellm")
    assert spec is not None
    assert spec.origin is not None
    listed = json.loads(
        Path(spec.origin).with_name("model_prices_and_context_window_backup.json").read_text("utf-8"),
        parse_float=Decimal,
    )
    prices = Prices.load(tmp_path)
    assert len(prices.table) >= 20
    for name, price in prices.table.items():
        entry = listed[name if name.startswith("azure/") else name.partition("/")[2]]
        found = [
            entry[key] * 10**12
            for key in ("input_cost_per_token", "output_cost_per_token", "cache_read_input_token_cost")
        ]
        assert found == [price.input, price.output, price.cached_input], name
        assert price.known
        assert prices.unknown.input >= price.input
        assert prices.unknown.output >= price.output
    assert prices.source
    assert prices.date


def test_a_cost_is_rounded_up_and_its_cached_part_is_cheaper(tmp_path: Path) -> None:
    price = Prices.load(tmp_path).of("azure", "gpt-4.1")
    assert price.cost(1000, 200) == 2_000 + 1_600
    assert price.cost(1000, 200, cached_tokens=1000) == 500 + 1_600
    assert price.cost(1000, 0, cached_tokens=5000) == 500
    assert Price(1, 1, 1).cost(1, 0) == 1
    assert price.cost(-5, -5, -5) == 0
    assert type(price.cost(3, 7)) is int
    assert price.most(1000, 8192) >= price.cost(1000, 8191)


def test_an_unknown_model_is_cautious_and_said_and_a_local_one_is_free(tmp_path: Path) -> None:
    prices = Prices.load(tmp_path)
    assert not prices.of("azure", "somebody's deployment").known
    assert "is not known" in prices.words("azure", "somebody's deployment")
    assert prices.of("ollama", "qwen", local=True) == FREE
    assert prices.words("ollama", "qwen", local=True) == prices.words("azure", "gpt-4.1") == ""
    assert prices.of("anthropic", "claude-haiku-4-5-20251001") == prices.of("anthropic", "claude-haiku-4-5")
    assert not prices.of("anthropic", "claude-haiku-4-5-20251001x").known


def test_a_persons_prices_count_first(tmp_path: Path) -> None:
    prices = own(
        tmp_path,
        '[unknown]\ninput = 7\noutput = 8\n[prices."azure/gpt-4.1"]\ninput = 1\noutput = 2\n[prices."mine/*"]\ninput = 3\noutput = 4\n',
    )
    assert prices.of("azure", "gpt-4.1") == Price(1, 2, 1)
    assert prices.of("mine", "anything", local=True) == Price(3, 4, 3)
    assert prices.of("other", "x") == Price(7, 8, 7, known=False)
    assert prices.of("azure", "gpt-4.1-mini").known


@pytest.mark.parametrize(
    "text",
    [
        '[prices."a/b"]\ninput = 0.5\noutput = 1\n',
        '[prices."a/b"]\ninput = true\noutput = 1\n',
        '[prices."a/b"]\ninput = -1\noutput = 1\n',
        '[prices."a/b"]\ninput = 1\n',
        '[prices."a/b"]\ninput = 1\noutput = 1\nextra = 1\n',
        f'[prices."a/b"]\ninput = 1{"0" * 30}\noutput = 1\n',
        "prices = 5\n",
        "unknown = 5\n",
        "unknown = 0\n",
        "not toml at all",
    ],
)
def test_a_price_that_can_not_be_read_is_said(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadInput, match=r"can't be (used|read)"):
        own(tmp_path, text)


def test_dollars_never_show_something_as_nothing() -> None:
    assert [dollars(amount) for amount in (0, 1, 10_000, 10_001, 1_234_560_000)] == [
        "$0.00",
        "$0.01",
        "$0.01",
        "$0.02",
        "$1,234.56",
    ]


def budget(spent: int, limit: int = 1_000, agreed: bool = False) -> Budget:
    return Budget("month", limit, spent, "Raise it.", agreed=agreed)


@pytest.mark.parametrize(
    ("estimate", "of", "verdict"),
    [
        (1, budget(10**12, limit=0), Verdict.ALLOW),
        (100, budget(700), Verdict.ALLOW),
        (101, budget(700), Verdict.ASK),
        (101, budget(700, agreed=True), Verdict.ALLOW),
        (300, budget(700, agreed=True), Verdict.ALLOW),
        (301, budget(700, agreed=True), Verdict.STOP),
        (1, budget(1_000), Verdict.STOP),
        (0, budget(5_000), Verdict.ALLOW),
    ],
)
def test_a_budget_asks_before_and_stops_at_its_limit(estimate: int, of: Budget, verdict: Verdict) -> None:
    decision = decide(estimate, of)
    assert decision.verdict is verdict
    assert bool(decision.sentence) is bool(decision.remedy) is (verdict is not Verdict.ALLOW)


def test_the_strictest_budget_decides() -> None:
    run = Budget("run", 1_000, 900, "Give --budget.")
    decision = decide(100, run, Budget("month", 500, 450, "Raise it."))
    assert (decision.verdict, decision.budget, decision.remedy) == (Verdict.STOP, "month", "Raise it.")
    assert decide(100, run, budget(0)).budget == "run"
    assert decide(100).verdict is Verdict.ALLOW
