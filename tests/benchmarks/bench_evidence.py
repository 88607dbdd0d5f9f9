"""``python -m tests.benchmarks.bench_evidence [EVENTS]``: durable appends, export and verification of a large log.

Prints one JSON object: appends a second against bare SQLite commits with the same settings (goal of the ratio: 0.5), and
seconds and memory for exporting and verifying one run out of a log of EVENTS (default 100,000) entries.
"""

import hashlib
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import insert

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.merkle import Edge
from qverify_desktop.evidence.tiles import keep_tiles
from qverify_desktop.storage.schema import EntryRow, LogRow, StepRow
from tests.evidence.logs import ORIGIN, RESULT, House, event

APPENDS = 400


def bare_commits(folder: Path, size: int) -> float:
    """Commits a second of one row each, WAL and ``synchronous=FULL``."""
    connection = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, body BLOB)")
    began = time.perf_counter()
    for _ in range(APPENDS):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO rows (body) VALUES (?)", (b"x" * size,))
        connection.execute("COMMIT")
    return APPENDS / (time.perf_counter() - began)


def appends(house: House) -> float:
    """Steps a second, each of one event without a blob."""
    house.open_run("appends")
    began = time.perf_counter()
    for number in range(APPENDS):
        house.journal.record("appends", f"step {number}", RESULT, [event("execution", {"number": number})])
    took = time.perf_counter() - began
    house.close_run("appends")
    return APPENDS / took


def fill(house: House, events: int) -> None:
    """A run of that many entries, written in bulk: what is measured comes after it."""
    house.open_run("large")
    with house.database.transaction() as session:
        log = session.get_one(LogRow, 1)
        edge = Edge(log.size, log.edge)
        session.add(StepRow("large", "bulk", RESULT, 1, events, ""))
        session.flush()
        first, prev = log.size, session.get_one(EntryRow, log.size - 1).leaf_hash.hex()
        rows = []
        for number in range(events):
            entry = {
                "at": "2026-01-01T00:00:00.000Z",
                "data": {"exit_code": 0, "number": number, "purpose": "judge"},
                "log": ORIGIN,
                "prev": prev,
                "run": "large",
                "seq": number + 1,
                "step": "bulk",
                "type": "execution",
                "v": 1,
            }
            leaf = json.dumps(entry, separators=(",", ":")).encode()
            hashed = hashlib.sha256(b"\x00" + leaf).digest()
            prev = hashed.hex()
            edge.append(hashed)
            rows.append(
                {
                    "index": first + number,
                    "run": "large",
                    "seq": number + 1,
                    "step": "bulk",
                    "type": "execution",
                    "leaf": leaf,
                    "leaf_hash": hashed,
                }
            )
            if len(rows) == 10_000 or number + 1 == events:
                session.execute(insert(EntryRow), rows)
                rows.clear()
        log.size, log.edge = edge.size, edge.to_bytes()
    with house.database.statements() as connection:
        keep_tiles(connection, first, first + events)
    house.close_run("large")


#: Starts the verifier out of a small process: a child's peak counts what its parent had when it was made.
STARTER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
took = time.perf_counter() - began
print(json.dumps([code, took, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024]))
"""


def verified(bundle: Path) -> tuple[float, float, int]:
    """Seconds, processor seconds and peak memory (bytes of one process) of the stand-alone verifier, run as an auditor does."""
    command = [sys.executable, "-I", "-c", STARTER, sys.executable, "-I", verify.__file__, str(bundle)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    code, took, processor, peak = json.loads(done.stdout)
    if code != 0:
        raise SystemExit(f"{bundle} was not found whole")
    return took, processor, peak


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        house = House(folder)
        ours, bare = appends(house), bare_commits(folder, 500)
        fill(house, events)
        house.whole_run("small")
        began = time.perf_counter()
        small = house.bundle("small")
        small_export = time.perf_counter() - began
        small_verify, _, _ = verified(small)
        began = time.perf_counter()
        large = house.bundle("large")
        large_export = time.perf_counter() - began
        large_verify, processor, memory = verified(large)
        house.close()
    answer = {
        "appends_per_s": round(ours),
        "bare_commits_per_s": round(bare),
        "append_ratio": round(ours / bare, 2),
        "log_entries": events,
        "export_small_run_s": round(small_export, 2),
        "verify_small_run_s": round(small_verify, 2),
        "export_all_s": round(large_export, 2),
        "verify_all_s": round(large_verify, 2),
        "verify_all_processor_s": round(processor, 2),
        "verify_all_peak_mb": memory >> 20,
    }
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    main()
