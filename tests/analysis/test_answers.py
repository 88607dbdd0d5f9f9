"""Code is found in answers of every shape, and prose is not taken for code."""

from __future__ import annotations

import ast
import json
import time

import pytest

from qverify_desktop.analysis.answers import MOST_CHARACTERS, Found
from qverify_desktop.analysis.answers import find_source as found_in
from qverify_desktop.analysis.reading import names_of
from qverify_desktop.domain.project import Target
from qverify_desktop.languages.base import Language
from qverify_desktop.languages.catalogue import languages

LANGUAGES = {language.name: language for language in languages()}
TARGET = Target("python", "shelf.py", "shelf", "add", 1, 2, 2, "def add(a, b)")
FILES = {"python": "t.py", "javascript": "t.test.js", "typescript": "t.test.ts", "go": "a_test.go", "rust": "t.rs"}
FILES |= {"java": "src/test/java/ATest.java", "kotlin": "src/test/kotlin/ATest.kt"}
CODE = "import pytest\n\nfrom shelf import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
MORE = "def test_more():\n    assert add(2, 2) == 4\n"
DRAFT = "def test_add():\n    assert add(1, 2) == 4\n"


def find_source(answer: str, language: Language = LANGUAGES["python"]) -> Found:
    return found_in(answer, language.fence_tags, names_of(language, FILES[language.name], TARGET))


@pytest.mark.parametrize(
    "answer",
    [
        CODE,
        f"```python\n{CODE}```",
        f"```py\n{CODE}```\n",
        f"```Python3\n{CODE}```\n",
        f"```\n{CODE}```",
        f"~~~python\n{CODE}~~~",
        f"````python\n{CODE}````",
        f'```python title="test_shelf.py"\n{CODE}```',
        f"```pytest\n{CODE}```",
        f"Here is the file:\n\n```python\n{CODE}```\n\nIt tests the sum. Run it:\n\n```bash\npytest -q\n```\n",
        f"```bash\npip install pytest\n```\n```python\n{CODE}```",
        f"```python\n{CODE}",
        f"Sure! Here are the tests.\n\n{CODE}\nI hope this helps you.",
        f"<think>\nMaybe ```python\n{DRAFT}```?\n</think>\n```python\n{CODE}```",
        f"<think>a</think><think>b</think>\n{CODE}",
        f"maybe a draft\n</think>\n```python\n{CODE}```",
        f"First a draft:\n```python\n{DRAFT}```\nBetter:\n```python\n{CODE}```",
        f"{CODE}```\nThat was the file.",
        '{"file": ' + __import__("json").dumps(CODE) + "}",
        CODE.replace("\n", "\r\n"),
        "\ufeff" + CODE,
        f"The function:\n```python\ndef add(a, b):\n    return a + b\n```\nThe tests:\n```python\n{CODE}```",
    ],
)
def test_the_file_is_found(answer: str) -> None:
    found = find_source(answer)
    assert found.problem == ""
    assert ast.dump(ast.parse(found.source)) == ast.dump(ast.parse(CODE))


def test_parts_in_several_fences_are_joined() -> None:
    answer = (
        "```python\nfrom shelf import add\n```\nfirst\n```python\n" + DRAFT + "```\nand\n```python\n" + MORE + "```"
    )
    source = find_source(answer).source
    assert [n for n in ("from shelf", "test_add", "test_more") if n in source] == [
        "from shelf",
        "test_add",
        "test_more",
    ]
    ast.parse(source)


def test_a_fence_inside_a_longer_fence_stays() -> None:
    code = 'def test_doc():\n    assert render("x") == """\n```\nx\n```\n"""\n'
    assert find_source(f"````python\n{code}````").source == code


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("", "empty"),
        ("  \n ", "empty"),
        ("<think>I wonder what to do, and never stop", "nothing but thinking"),
        ("I am sorry, but I can't write tests for this function.", "only prose"),
        ("Import the function from the module, then define a test.", "only prose"),
        ("x" * (MOST_CHARACTERS + 1), "longer than"),
    ],
)
def test_no_code_is_said_in_a_sentence(answer: str, words: str) -> None:
    found = find_source(answer)
    assert found.source == ""
    assert words in found.problem
    assert found.problem.endswith(".")


@pytest.mark.parametrize(
    "hostile",
    [
        "```" * 60_000,
        "`" * 300_000,
        "<think>" * 50_000,
        "<think></think>" * 25_000,
        "\n" * 300_000,
        "{" * 100_000 + "}",
        "def test" * 40_000,
    ],
)
def test_hostile_answers_take_no_time(hostile: str) -> None:
    started = time.monotonic()
    find_source(hostile)
    assert time.monotonic() - started < 2


SOURCES = {
    "javascript": 'const test = require("node:test");\nconst assert = require("node:assert");\n\ntest("adds", () => {\n  assert.equal(add(1, 2), 3);\n});\n',
    "typescript": 'import { expect, test } from "vitest";\nimport { add } from "./add";\n\ntest("adds", () => {\n  const sum: number = add(1, 2);\n  expect(sum).toBe(3);\n});\n',
    "go": 'package shelf\n\nimport "testing"\n\nfunc TestAdd(t *testing.T) {\n\tif Add(1, 2) != 3 {\n\t\tt.Fatal("sum")\n\t}\n}\n',
    "java": "import org.junit.jupiter.api.Test;\n\nclass ATest {\n  @Test\n  void adds() {\n    assertEquals(3, A.add(1, 2));\n  }\n}\n",
    "kotlin": "import kotlin.test.Test\n\nclass ATest {\n  @Test\n  fun adds() {\n    assertEquals(3, add(1, 2))\n  }\n}\n",
    "rust": "use shelf::add;\n\n#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}\n",
}
WRAPPINGS = {
    "tagged": "Here:\n```{tag}\n{code}```\nDone.",
    "untagged": "```\n{code}```",
    "wrong tag": "```text\n{code}```",
    "never closed": "```{tag}\n{code}",
    "bare": "{code}",
    "bare in prose": "Sure! Here are the tests.\n\n{code}\nI hope this helps you.",
    "thinking": "<think>\nLet me see. ```{tag}\nnonsense(\n```\n</think>\n```{tag}\n{code}```",
    "json": "{json}",
    "json in a fence": "```json\n{json}\n```",
    "a script beside it": "```bash\nrun the tests\n```\n```{tag}\n{code}```",
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@pytest.mark.parametrize("name", SOURCES)
def test_every_language_is_found_in_every_wrapping(name: str, wrapping: str) -> None:
    language, code = LANGUAGES[name], SOURCES[name]
    answer = WRAPPINGS[wrapping].replace("{tag}", language.fence_tags[0]).replace("{code}", code)
    found = find_source(answer.replace("{json}", json.dumps({"file": code, "notes": "none"})), language)
    assert found.problem == ""
    tests = language.split(found.source, FILES[name], TARGET)
    assert isinstance(tests, list)
    assert len(tests) == 1
    assert language.static_problem(tests[0]) is None


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    "hostile", ["({[" * 60_000, "test(" * 30_000, "`" * 100_000, "import x\n" * 20_000, '{"a":' * 30_000]
)
def test_hostile_answers_take_no_time_in_any_language(name: str, hostile: str) -> None:
    started = time.process_time()
    find_source(hostile, LANGUAGES[name])
    assert time.process_time() - started < 20
