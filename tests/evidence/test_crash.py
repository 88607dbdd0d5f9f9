"""kill -9 while a log is written, and two processes that write one log."""

import random
import subprocess
import sys
import time
from pathlib import Path

from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import House
from tests.evidence.test_journal import assert_log_is_sound, entries

PROJECT = Path(__file__).resolve().parents[2]


def start(folder: Path, run: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.evidence.appender", str(folder), run],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        text=True,
    )


def kill_after(process: "subprocess.Popen[str]", lines: int, pause: float) -> list[int]:
    """Steps that the process said were recorded before it was killed."""
    assert process.stdout is not None
    said = [int(process.stdout.readline()) for _ in range(lines)]
    time.sleep(pause)
    process.kill()
    said += [int(line) for line in process.stdout.read().splitlines()]
    process.wait()
    return said


def test_kill_9_loses_and_doubles_nothing(tmp_path: Path) -> None:
    dice = random.Random(4)
    recorded = -1
    for _ in range(6):
        said = kill_after(start(tmp_path, "r1"), dice.randrange(1, 30), dice.random() / 50)
        assert said == list(range(len(said))), "a replayed step answers and goes on"
        recorded = max(recorded, said[-1])
        house = House(tmp_path)
        assert_log_is_sound(house)
        numbers = [entry["data"]["number"] for entry in entries(house, "r1")[1:]]
        assert numbers == [number for number in range(len(numbers) // 3) for _ in range(3)], (
            "each step whole and once"
        )
        assert numbers[-1] >= recorded, "what was said to be recorded is there"
        for number in range(recorded + 1):
            assert house.journal.recorded("r1", f"step {number}") == f"{number:064x}"
        house.close()
    house = House(tmp_path)
    house.close_run("r1")
    answer = verify_bundle(house.bundle("r1"), public_key=house.journal.verifier_key)
    assert answer["valid"], answer["problems"]
    house.close()


def test_two_processes_write_one_log(tmp_path: Path) -> None:
    House(tmp_path).close()
    processes = [start(tmp_path, run) for run in ("r1", "r2")]
    said = [kill_after(process, 25, 0) for process in processes]
    assert all(len(numbers) >= 25 for numbers in said)
    house = House(tmp_path)
    assert_log_is_sound(house)
    for run in ("r1", "r2"):
        house.close_run(run)
        answer = verify_bundle(house.bundle(run), public_key=house.journal.verifier_key)
        assert answer["valid"], answer["problems"]
    house.close()
