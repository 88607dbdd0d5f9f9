"""Parsing in several threads, with a garbage collector that lets other threads in."""

from __future__ import annotations

import ast
import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from qverify_desktop.languages import syntax

SOURCE = "\n".join(f"value_{n} = [f({n}, x=(1, 2, {{'a': [3, 4]}})), not y, -z ** 2]" for n in range(60))


class Lingering:
    """In a cycle, so that only the collector ends it; its end lets another thread run."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        time.sleep(0)


def hammer(parse) -> list[BaseException]:
    """Parse in four threads while cycles are made, so that collections fall into the midst of parses."""
    failures: list[BaseException] = []
    until = time.monotonic() + 2.5

    def work() -> None:
        while time.monotonic() < until and not failures:
            Lingering()
            try:
                parse(SOURCE)
            except SystemError as error:
                failures.append(error)

    before = gc.get_threshold()
    gc.set_threshold(50, 2, 2)
    try:
        with ThreadPoolExecutor(4) as pool:
            for _ in range(4):
                pool.submit(work)
    finally:
        gc.set_threshold(*before)
    return failures


def test_threads_that_parse_do_not_disturb_each_other():
    assert hammer(syntax.parse) == []


def test_a_finalizer_may_parse_in_the_midst_of_a_parse():
    done = threading.Event()

    def nested() -> None:
        with syntax.ONE_AT_A_TIME:
            assert isinstance(syntax.parse_expression("1 + 1"), ast.Expression)
        done.set()

    thread = threading.Thread(target=nested, daemon=True)
    thread.start()
    assert done.wait(5)


@pytest.mark.parametrize("source", ["def", "\0", "("])
def test_what_is_no_source_is_said_so(source):
    with pytest.raises((SyntaxError, ValueError)):
        syntax.parse(source)


def test_literals():
    assert syntax.literal("{'a': (1, 2.5)}") == {"a": (1, 2.5)}
