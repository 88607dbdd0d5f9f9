"""Appends to a log until it is killed: ``python -m tests.evidence.appender FOLDER RUN``. Prints each step once recorded."""

import sys
from pathlib import Path

from tests.evidence.logs import RESULT, House, event


def main() -> None:
    house, run = House(Path(sys.argv[1])), sys.argv[2]
    house.journal.record(run, "open", RESULT, [event("run_opened")])
    house.journal.checkpoint(run)
    number = 0
    while True:
        events = [event("execution", {"number": number, "part": part}, output=b"x" * number) for part in range(3)]
        house.journal.record(run, f"step {number}", f"{number:064x}", events)
        print(number, flush=True)
        if number % 7 == 0:
            house.journal.checkpoint(run)
        number += 1


if __name__ == "__main__":
    main()
