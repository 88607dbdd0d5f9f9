"""Any order of appending, replaying, crashing, reopening, exporting and verifying, against a plain model of the log."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.evidence import journal as journal_module
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.storage.schema import LogRow
from tests.evidence.logs import House, event
from tests.evidence.test_journal import assert_log_is_sound, entries

RUNS = st.sampled_from(["r1", "r2", "r3"])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=8)
    | st.lists(st.text(max_size=3), max_size=3)
)
DATA = st.dictionaries(st.text(max_size=6).filter(lambda key: key != "key"), VALUES, max_size=3)


class Crash(BaseException):
    """The process dies here."""


class LifeOfALog(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.house = House(self.folder)
        self.steps: dict[tuple[str, str], str] = {}
        self.types: list[tuple[str, str]] = []
        self.state: dict[str, str] = {}
        self.exported: dict[str, bytes] = {}
        self.kept: list[Path] = []

    def teardown(self) -> None:
        if hasattr(self, "house"):
            self.house.close()
            shutil.rmtree(self.folder)

    def record(self, run: str, step: str, events: list[Any]) -> None:
        result = f"{len(self.steps):064x}"
        assert self.house.journal.record(run, step, result, events) == result
        self.steps[run, step] = result
        self.types += [(run, one.type) for one in events]

    @rule(run=RUNS)
    def open_run(self, run: str) -> None:
        if run not in self.state:
            self.record(run, "open", [event("run_opened")])
            self.state[run] = "open"

    @rule(run=RUNS, data=st.lists(DATA, max_size=3), content=st.binary(max_size=20))
    def work(self, run: str, data: list[dict[str, Any]], content: bytes) -> None:
        if self.state.get(run) == "open":
            events = [event("work", {f"d{key}": value for key, value in one.items()}, blob=content) for one in data]
            self.record(run, f"step {len(self.steps)}", events)

    @rule(run=RUNS)
    def close_run(self, run: str) -> None:
        if self.state.get(run) == "open":
            self.record(run, "close", [event("run_closed")])
            self.state[run] = "closed"
            self.house.journal.checkpoint(run)

    @precondition(lambda self: self.steps)
    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        run, step = data.draw(st.sampled_from(sorted(self.steps)))
        assert self.house.journal.record(run, step, "f" * 64, [event("forged")]) == self.steps[run, step]

    @precondition(lambda self: self.state)
    @rule(run=RUNS)
    def checkpoint(self, run: str) -> None:
        path = self.folder / f"kept {len(self.kept)}"
        path.write_text(self.house.journal.checkpoint(run), encoding="utf-8")
        self.kept.append(path)

    @rule()
    def reopen(self) -> None:
        self.house.close()
        self.house = House(self.folder)

    @rule(run=RUNS)
    def crash(self, run: str) -> None:
        """The process dies after the last leaf was written and before the commit."""
        if self.state.get(run) != "open":
            return

        def die(_edge: object) -> bytes:
            raise Crash

        original = journal_module.Edge.to_bytes
        journal_module.Edge.to_bytes = die  # type: ignore[method-assign, assignment]
        try:
            self.house.journal.record(run, "crashed", "0" * 64, [event("work", {}, blob=b"lost")])
            raise AssertionError("it should have died")
        except Crash:
            pass
        finally:
            journal_module.Edge.to_bytes = original  # type: ignore[method-assign]
        assert self.house.journal.recorded(run, "crashed") is None
        self.reopen()

    @rule(run=RUNS, data=st.data())
    def export_and_verify(self, run: str, data: st.DataObject) -> None:
        if self.state.get(run) != "closed":
            return
        path = self.house.bundle(run)
        assert self.exported.setdefault(run, path.read_bytes()) == path.read_bytes()
        known = data.draw(st.sampled_from(self.kept)) if self.kept else None
        answer = verify_bundle(path, public_key=self.house.journal.verifier_key, known_checkpoint=known)
        assert (answer["grade"], answer["problems"]) == ("UNANCHORED", [])
        assert answer["events"] == sum(one == run for one, _ in self.types)
        assert (answer["attestations"], answer["disclosure"]) == (2, "full")
        shown = data.draw(st.sampled_from([Disclosure.REDACTED, Disclosure.HEADERS]))
        self.house.journal.bundle(run, path, shown)
        assert self.exported.setdefault(f"{run} {shown}", path.read_bytes()) == path.read_bytes()
        less = verify_bundle(path, public_key=self.house.journal.verifier_key, known_checkpoint=known)
        told = {**answer, **({"said": None, "meaning": less["meaning"]} if shown is Disclosure.HEADERS else {})}
        assert {**less, "notices": []} == {
            **told,
            "notices": [],
            "disclosure": shown.value,
            "attestations": 2 if shown is Disclosure.REDACTED else 0,
        }

    @invariant()
    def the_log_is_what_was_recorded(self) -> None:
        if hasattr(self, "house"):
            assert [(entry["run"], entry["type"]) for entry in entries(self.house)] == self.types
            assert_log_is_sound(self.house)
            with self.house.database.reading() as session:
                assert session.get_one(LogRow, 1).size == len(self.types)


TestLifeOfALog = LifeOfALog.TestCase
TestLifeOfALog.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
