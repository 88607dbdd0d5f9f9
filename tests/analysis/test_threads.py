"""Work in threads under cancellation."""

from __future__ import annotations

import asyncio
import threading

import pytest

from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.errors import BadInput, Cancelled


async def test_answers_and_errors_come_through() -> None:
    assert await in_stoppable_thread(lambda stop: (stop.is_set(), 5)) == (False, 5)

    def fail(stop: threading.Event) -> None:
        raise BadInput("No.")

    with pytest.raises(BadInput):
        await in_stoppable_thread(fail)


@pytest.mark.parametrize("cancellations", [1, 2, 5])
async def test_cancelled_means_that_the_thread_has_ended(cancellations: int) -> None:
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()

    def work(stop: threading.Event) -> None:
        begun.set()
        stop.wait(20)
        let_go.wait(20)
        ended.set()
        raise Cancelled("It was stopped.")

    task = asyncio.ensure_future(in_stoppable_thread(work))
    await asyncio.to_thread(begun.wait, 20)
    for _ in range(cancellations):
        task.cancel()
        await asyncio.sleep(0.01)
    assert not task.done(), "the thread is still at work"
    let_go.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 20)
    assert ended.is_set()
