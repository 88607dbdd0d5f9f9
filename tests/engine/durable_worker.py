"""A process of its own for ``test_durable``: runs twelve small steps durably and notes each start in a file."""

import asyncio
import os
import sys
from pathlib import Path

from qverify_desktop.engine.durable import Checkpointed, DurableRuns

STEPS = 12


def note(folder: Path, text: str) -> None:
    descriptor = os.open(folder / "notes", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, f"{text}\n".encode())
    os.close(descriptor)


async def main(folder: Path, seconds: float) -> None:
    async def body(run: str, checkpoints: Checkpointed) -> str:
        total = 0
        for number in range(STEPS):

            async def work(number: int = number) -> str:
                note(folder, f"start {number}")
                await asyncio.sleep(seconds)
                return str(number * number)

            total += int(await checkpoints.step(f"step-{number}", work))
        return str(total)

    runs = DurableRuns(folder, body)
    note(folder, f"answer {await runs.execute('r1')}")
    await runs.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
