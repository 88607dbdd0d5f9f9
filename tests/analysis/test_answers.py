"""Code is found in answers of every shape, and prose is not taken for code."""

from __future__ import annotations

import ast
import time

import pytest

from qverify_desktop.analysis.answers import MOST_CHARACTERS, find_source

TAGS = ("python", "py", "python3")
CODE = "import pytest\n\nfrom shelf import add\n\n\ndef test_add():\n    assert add(1, 2) == 3\n"
MORE = "def test_more():\n    assert add(2, 2) == 4\n"
DRAFT = "def test_add():\n    assert add(1, 2) == 4\n"


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
    found = find_source(answer, TAGS)
    assert found.problem == ""
    assert ast.dump(ast.parse(found.source)) == ast.dump(ast.parse(CODE))


def test_parts_in_several_fences_are_joined() -> None:
    answer = (
        "```python\nfrom shelf import add\n```\nfirst\n```python\n" + DRAFT + "```\nand\n```python\n" + MORE + "```"
    )
    source = find_source(answer, TAGS).source
    assert [n for n in ("from shelf", "test_add", "test_more") if n in source] == [
        "from shelf",
        "test_add",
        "test_more",
    ]
    ast.parse(source)


def test_a_fence_inside_a_longer_fence_stays() -> None:
    code = 'def test_doc():\n    assert render("x") == """\n```\nx\n```\n"""\n'
    assert find_source(f"````python\n{code}````", TAGS).source == code


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
    found = find_source(answer, TAGS)
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
    find_source(hostile, TAGS)
    assert time.monotonic() - started < 2
