"""What docstrings state without an example: checked only where it can be read in one way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.languages.python.mining import mined

CODE = '''
def encode(s: str) -> str:
    """Shift."""
    return s


def f({parameters}):
    """{words}"""
    return 1
'''


def stated(root: Path, words: str, parameters: str = "n") -> list[tuple[str, str]]:
    text = CODE.replace("{words}", words).replace("{parameters}", parameters)
    promises = mined(root, {"m.py": text})[2]
    assert all(promise.words in words and promise.form in ("stated", "inverse of") for promise in promises)
    return [(promise.call, promise.expected) for promise in promises]


@pytest.mark.parametrize(
    ("words", "parameters", "expected"),
    [
        ("Raises ValueError if n is negative.", "n", [("f(-1)", "ValueError"), ("f(-7)", "ValueError")]),
        ("Root.\n\n    Raises:\n        ValueError: If n is zero.\n    ", "n: int", [("f(0)", "ValueError")]),
        (":raises ValueError: if `n` is less than 3", "n", [("f(2)", "ValueError")]),
        (":raises ValueError: when n > 10", "n", [("f(11)", "ValueError")]),
        ("Raises a TypeError if n is not a string.", "n", [("f(3)", "TypeError")]),
        ("Raises ValueError if n is empty.", "n: str", [("f('')", "ValueError")]),
        ("Raises ValueError if k is None.", "n=1, k=2", [("f(k=None)", "ValueError")]),
        (
            "The size of n. It is never negative.",
            "n: bytes",
            [("(f(b'abc') >= 0)", "True"), ("(f(b'hello') >= 0)", "True")],
        ),
    ],
)
def test_is_checked(tmp_path: Path, words: str, parameters: str, expected: list[tuple[str, str]]) -> None:
    assert stated(tmp_path, words, parameters) == expected


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("Raises ValueError if n is odd.", "n"),
        ("Raises ValueError if n is negative or zero.", "n"),
        ("Raises ValueError if n is negative and k is set.", "n"),
        ("Raises ValueError if n is negative.", "n, k"),
        ("Raises ValueError if n is empty.", "n"),
        ("Raises ValueError if m is negative.", "n"),
        ("Returns the items sorted by size.", "n: list[int]"),
        ("Returns the items in ascending order unless n is short.", "n: list[int]"),
        ("Returns the items in ascending order.", "n"),
        ("Is never negative if n is not.", "n: int"),
        ("Takes text that was encoded with encode.", "n: str"),
    ],
)
def test_is_not_guessed(tmp_path: Path, words: str, parameters: str) -> None:
    assert stated(tmp_path, words, parameters) == []


def test_order_and_idempotence(tmp_path: Path) -> None:
    (first, *_) = stated(tmp_path / "a", "Returns the items in ascending order.", "n: list[int]")
    assert first == ("list(f([3, 1, 2])) == sorted(f([3, 1, 2]))", "True")
    (first, *_) = stated(tmp_path / "b", "Cleans up; is idempotent.", "n: str")
    assert first == ("f(f('abc')) == f('abc')", "True")


def test_siblings_agree(tmp_path: Path) -> None:
    found = stated(tmp_path, "Takes text encoded with encode function. Returns decoded text.", "n: str")
    assert ("f(encode('hello'))", "'hello'") in found and len(found) == 5
