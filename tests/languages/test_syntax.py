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


class Parsing(Lingering):
    """Its end parses, as formatting a traceback does (``traceback`` of Python 3.11 looks for the part to underline)."""

    def __del__(self) -> None:
        compile("a + b", "x", "eval", ast.PyCF_ONLY_AST)


def test_a_finalizer_that_parses_does_not_disturb_the_parse_that_it_falls_into():
    before = gc.get_threshold()
    gc.set_threshold(20, 2, 2)
    try:
        for _ in range(30):
            Parsing()
            syntax.parse(SOURCE)
    finally:
        gc.set_threshold(*before)
    assert gc.isenabled()


def test_what_runs_inside_a_parse_after_all_does_not_wait_for_itself():
    done = threading.Event()

    def nested() -> None:
        with syntax.one_at_a_time():
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
