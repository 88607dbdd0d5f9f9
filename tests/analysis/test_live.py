"""What a model writes as it is told: throttled, bounded, and from its beginning where another model begins anew."""

from __future__ import annotations

from typing import Any

from qverify_desktop.analysis.live import EVERY_S, MOST, Live
from qverify_desktop.domain.progress import Stage


class Told:
    def __init__(self) -> None:
        self.texts: list[str] = []
        self.overs = 0
        self.now = 50.0

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None:
        assert (stage, target) == (Stage.GENERATE, "a.py::f")
        self.overs += over
        self.texts.append(text)

    def live(self) -> Live:
        reporter: Any = self
        return Live(reporter, "a.py::f", lambda: self.now)


def test_a_thousand_pieces_in_a_second_are_told_ten_times_and_the_last_is_among_them() -> None:
    told = Told()
    live = told.live()
    live("")
    for number in range(1_000):
        live(f"{number} ")
        told.now += 0.001
    assert 9 <= len(told.texts) <= 1 / EVERY_S + 1
    live.over()
    assert told.texts[-1].endswith("999 ") and told.overs == 1


def test_only_the_end_of_a_long_answer_is_held() -> None:
    told = Told()
    live = told.live()
    for _ in range(100):
        live("x" * 1_000)
        told.now += 1
    live("the end")
    assert told.texts[-1].endswith("the end") and all(len(text) <= MOST for text in told.texts)


def test_an_answer_that_begins_anew_leaves_nothing_of_the_one_before() -> None:
    told = Told()
    live = told.live()
    live("half of")
    told.now += 1
    live("")
    live("the next")
    assert told.texts == ["half of", "the next"]
    live.over()
    live.over()
    assert told.texts == ["half of", "the next", "the next"] and told.overs == 1, "it is over once"


def test_nothing_is_told_of_an_answer_that_nobody_heard() -> None:
    told = Told()
    live = told.live()
    live("")
    live.over()
    assert told.texts == []
