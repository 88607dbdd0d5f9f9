"""What a prompt says of a function: passages by rule, each cut to size, in Python and TypeScript through one mechanism."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from qverify_desktop.analysis.context import MOST_DOCUMENTS, Context, gather, survey
from qverify_desktop.domain.testing import Quote
from qverify_desktop.languages.catalogue import languages
from tests.languages.python.repositories import snapshot_of

LANGUAGES = {language.name: language for language in languages()}

PYTHON = {
    "shop/__init__.py": "",
    "shop/money.py": (
        "from . import rates\nfrom .rates import rate_of, unused\n\n\nclass Purse:\n    '''A purse.'''\n\n"
        "    def __init__(self, coins):\n        self.coins = coins\n\n    def worth(self, currency: str) -> int:\n"
        '        """Worth of all coins.\n\n        An empty purse is worth 0 of any currency.\n        """\n'
        "        if not self.coins:\n            return 0\n        return sum(self.coins) * rate_of(currency)\n"
    ),
    "shop/rates.py": (
        "TABLE = {}\n\n\ndef unused():\n    return 1\n\n\ndef rate_of(currency: str) -> int:\n"
        "    '''Units of a currency.'''\n    return look_up(currency)\n\n\ndef look_up(name: str) -> int:\n    return TABLE[name]\n"
    ),
    "shop/till.py": "from shop.money import Purse\n\n\ndef close(purse):\n    total = purse.worth('EUR')\n    return total\n",
    "tests/test_money.py": "from shop.money import Purse\n\n\ndef test_purse():\n    assert Purse([1]).coins == [1]\n",
    "README.md": "# Shop\n\nA purse's `worth(currency)` is never negative.\n\nSomething else entirely.\n\n        return sum(self.coins) * rate_of(currency)\n",
}
TYPESCRIPT = {
    "package.json": '{"name": "shop", "type": "module", "devDependencies": {"vitest": "^2.0.0"}}',
    "src/money.ts": (
        'import { rateOf } from "./rates";\nimport { unused } from "./rates.js";\n\n/** Worth of all coins. */\n'
        "export function worth(coins: number[], currency: string): number {\n  if (coins.length === 0) {\n    return 0;\n  }\n"
        "  return coins.length * rateOf(currency);\n}\n"
    ),
    "src/rates.ts": (
        "/** Units of a currency. */\nexport function rateOf(currency: string): number {\n  return lookUp(currency);\n}\n\n"
        "export function lookUp(name: string): number {\n  return name.length;\n}\n\nexport function unused(): number {\n  return 1;\n}\n"
    ),
    "src/till.ts": 'import { worth } from "./money";\n\nexport function close(coins: number[]): number {\n  const total = worth(coins, "EUR");\n  return total;\n}\n',
    "test/money.test.ts": 'import { expect, test } from "vitest";\nimport { worth } from "../src/money";\n\ntest("empty", () => {\n  expect(worth([], "EUR")).toBe(0);\n});\n',
    "README.md": "The function `worth(coins)` is never negative.\n",
}


def context_of(root: Path, language: str, files: Mapping[str, str], symbol: str, missing: set[int]) -> Context:
    spoken = LANGUAGES[language]
    snapshot = snapshot_of(root, files)
    project = spoken.detect(snapshot)
    assert project is not None
    target = next(t for t in spoken.targets(snapshot, project) if t.symbol == symbol)
    path = spoken.test_file(project, target, "model")
    return gather(target, survey(snapshot, project, spoken), snapshot, project, spoken, (), missing, path)


def passages(context: Context) -> dict[str, str]:
    return {passage.title: passage.text for passage in context.passages}


def test_python_is_told_everything_by_rule(tmp_path: Path) -> None:
    context = context_of(tmp_path, "python", PYTHON, "Purse.worth", {17, 18})
    told = passages(context)
    source = told["Its source"].split("\n")
    assert [line for line in source if line.startswith(">")] == [
        ">             return 0",
        ">         return sum(self.coins) * rate_of(currency)",
    ]
    assert "class Purse" in told["Its source"]
    assert "def __init__" in told["Its source"]
    assert told["Imports that it uses, as the test file has to write them"] == "from shop.rates import rate_of"
    called = told["Functions that it calls, and those that they call"].split("\n")
    assert called == [
        "shop/rates.py: def rate_of(currency: str) -> int  -- Units of a currency.",
        "shop/rates.py: def look_up(name: str) -> int",
    ]
    assert "shop/till.py, in close" in told["Where it is called"]
    assert "total = purse.worth('EUR')" in told["Where it is called"]
    assert "never negative" in told["What the repository's documents say of it"]
    assert "entirely" not in told["What the repository's documents say of it"]
    assert (
        "def test_purse" in told["One of the project's own tests, as a sample of style"]
        or "test_" in told["One of the project's own tests, as a sample of style"]
    )


def test_typescript_is_told_the_same_by_the_same_rules(tmp_path: Path) -> None:
    told = passages(context_of(tmp_path, "typescript", TYPESCRIPT, "worth", {7}))
    assert [line for line in told["Its source"].split("\n") if line.startswith(">")] == [">     return 0;"]
    assert (
        told["Imports that it uses, as the test file has to write them"]
        == 'import { rateOf } from "../../src/rates";'
    )
    called = told["Functions that it calls, and those that they call"]
    assert "src/rates.ts: function rateOf(currency: string): number" in called.replace("export ", "")
    assert "lookUp" in called
    assert "unused" not in called
    assert 'const total = worth(coins, "EUR");' in told["Where it is called"]
    assert "never negative" in told["What the repository's documents say of it"]
    assert "toBe(0)" in told["One of the project's own tests, as a sample of style"]


@pytest.mark.parametrize(
    ("language", "files", "symbol"), [("python", PYTHON, "Purse.worth"), ("typescript", TYPESCRIPT, "worth")]
)
def test_what_specifies_holds_nothing_of_the_body(
    tmp_path: Path, language: str, files: Mapping[str, str], symbol: str
) -> None:
    body = "rate_of(currency)" if language == "python" else "rateOf(currency)"
    shown = f"{files['README.md']}\nAs code, `worth(x)`:\n\n        return sum(self.coins) * rate_of(currency)\n  return coins.length * rateOf(currency);\n  worth(1)\n"
    context = context_of(tmp_path, language, {**files, "README.md": shown}, symbol, set())
    assert body in passages(context)["Its source"]
    assert all(body not in passage.text for passage in context.specification)
    assert {passage.title for passage in context.specification} >= {"Its signature", "Its documentation"}


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("An empty purse is worth 0", Quote("An empty purse is worth 0", "shop/money.py", 14)),
        ("An empty  purse\n is worth 0", Quote("An empty purse is worth 0", "shop/money.py", 14)),
        ("`worth(currency)` is never negative.", Quote("`worth(currency)` is never negative.", "README.md", 3)),
        ("An empty purse is worth nothing", None),
        ("purse is", None),
        ("def __init__(self, coins): self.coins", None),
        ("return sum(self.coins) * rate_of(currency)", None),
        ("Something else entirely.", None),
    ],
)
def test_words_are_quoted_where_they_stand(tmp_path: Path, words: str, found: Quote | None) -> None:
    assert context_of(tmp_path, "python", PYTHON, "Purse.worth", set()).quote(words) == found


def test_words_of_several_lines_are_quoted_as_they_stand(tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "shop"}',
        "lib/a.js": "const other = 1;\n\n/**\n * The worth of\n * all coins is 5.\n */\nfunction worth(coins) {\n  return coins + 1;\n}\nmodule.exports = { worth };\n",
    }
    context = context_of(tmp_path, "javascript", files, "worth", set())
    found = context.quote("The worth of all coins is 5.")
    assert found == Quote("* The worth of\n * all coins is 5.", "lib/a.js", 4)
    assert found.text in files["lib/a.js"]


def test_everything_is_cut_to_size(tmp_path: Path) -> None:
    files = {
        **PYTHON,
        "README.md": "\n\n".join(f"`worth(currency)` {n} {'word ' * 400}" for n in range(50)),
        "shop/till.py": "from shop.money import Purse\n\n\n"
        + "\n\n\n".join(
            f"def close_{n}(purse):\n    x = 1\n    return purse.worth('{'a' * 5000}')" for n in range(60)
        )
        + "\n",
        "tests/test_money.py": "def test_long():\n" + "    assert 1 == 2\n" * 5000,
    }
    context = context_of(tmp_path, "python", files, "Purse.worth", set())
    assert sum(len(passage.text) for passage in context.passages) < 25_000
    assert len(passages(context)["What the repository's documents say of it"]) <= MOST_DOCUMENTS
    assert "One of the project's own tests, as a sample of style" not in passages(context)
