"""Slots are given in order, never more than there are, and none is lost."""

from __future__ import annotations

import asyncio

import pytest

from qverify_desktop.sandbox.slots import Slots


class Crowd:
    """Tasks that each hold a slot until they are told to go."""

    def __init__(self, slots: Slots, count: int) -> None:
        self.inside: list[int] = []
        self.go = [asyncio.Event() for _ in range(count)]
        self._slots = slots
        self.tasks = [asyncio.ensure_future(self._one(number)) for number in range(count)]

    async def _one(self, number: int) -> None:
        async with self._slots:
            self.inside.append(number)
            try:
                await self.go[number].wait()
            finally:
                self.inside.remove(number)

    async def settled(self) -> list[int]:
        for _ in range(5):
            await asyncio.sleep(0)
        return sorted(self.inside)

    async def end(self) -> None:
        for event in self.go:
            event.set()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def test_first_come_first_served() -> None:
    crowd = Crowd(Slots(2), 4)
    assert await crowd.settled() == [0, 1]
    crowd.go[0].set()
    assert await crowd.settled() == [1, 2]
    await crowd.end()


async def test_more_slots_let_more_in_at_once_and_fewer_wait_for_the_ends() -> None:
    slots = Slots(1)
    crowd = Crowd(slots, 5)
    assert await crowd.settled() == [0]
    slots.set_most(3)
    assert await crowd.settled() == [0, 1, 2]
    slots.set_most(1)
    crowd.go[0].set()
    assert await crowd.settled() == [1, 2]
    crowd.go[1].set()
    assert await crowd.settled() == [2]
    crowd.go[2].set()
    assert await crowd.settled() == [3]
    await crowd.end()


@pytest.mark.parametrize("given", [False, True], ids=["while waiting", "in the moment of the slot"])
async def test_a_cancelled_wait_costs_no_slot(given: bool) -> None:
    slots = Slots(1)
    crowd = Crowd(slots, 3)
    await crowd.settled()
    if given:
        crowd.go[0].set()
        while crowd.inside == [0]:
            await asyncio.sleep(0)
    crowd.tasks[1].cancel()
    await crowd.settled()
    crowd.go[0].set()
    assert await crowd.settled() == [2]
    assert crowd.tasks[1].cancelled()
    await crowd.end()
    async with asyncio.timeout(5):
        async with slots:
            pass


async def test_an_error_inside_gives_the_slot_back() -> None:
    slots = Slots(1)
    with pytest.raises(KeyError):
        async with slots:
            raise KeyError
    async with asyncio.timeout(5):
        async with slots:
            pass
