"""One table of connections: each row has a switch, settings and page have the same, and refusals are sentences."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.connections import ROWS, SWITCHES, TABLE, Closed, Gate, Policy, Purpose
from qverify_desktop.domain.network import networks
from qverify_desktop.settings import changing
from qverify_desktop.settings.configuration import Configuration

ROOT = Path(__file__).parents[2]
ELSEWHERE = [row for row in TABLE if row.air_gap is not Closed.STAYS]


def test_every_purpose_has_one_row() -> None:
    assert [row.purpose for row in TABLE] == list(Purpose)
    assert len(set(SWITCHES)) == len(SWITCHES)


def test_only_what_stays_on_this_machine_may_lack_a_switch() -> None:
    assert [row.purpose for row in TABLE if not row.switch] == [Purpose.DESKTOP]
    assert ROWS[Purpose.DESKTOP].air_gap is Closed.STAYS


def test_settings_have_exactly_these_switches_and_all_are_on_at_first(tmp_path: Path) -> None:
    fields = {name for name in Configuration.model_fields if name.startswith("allow_")}
    assert fields == set(SWITCHES)
    assert Configuration.load(home=tmp_path).policy == Policy()
    assert {changing.CHANGEABLE[switch] for switch in SWITCHES} == {bool}


@pytest.mark.parametrize("switch", SWITCHES)
def test_a_switch_closes_its_row_and_no_other(tmp_path: Path, switch: str) -> None:
    policy = changing.change(tmp_path, {switch: False}).policy
    assert policy == Configuration.load(home=tmp_path).policy
    closed = {row.switch for row in TABLE if policy.refusal(row.purpose, "192.0.2.7") is not None}
    assert closed == {switch}
    (row,) = [row for row in TABLE if row.switch == switch]
    refusal = policy.refusal(row.purpose, "192.0.2.7")
    assert refusal is not None and row.title in refusal.sentence and switch in refusal.remedy
    assert changing.change(tmp_path, {switch: True}).policy == Policy()


@pytest.mark.parametrize("row", ELSEWHERE, ids=lambda row: row.purpose.value)
def test_the_air_gap_closes_what_leaves_this_machine(row) -> None:
    gate = Gate(Policy(air_gap=True, allowed=networks(["192.0.2.0/24"])))
    for host in ("198.51.100.1", "example.org", ""):
        refusal = gate.refusal(row.purpose, host)
        assert refusal is not None and refusal.sentence.startswith("The air gap is on, so ")
        assert "{" not in refusal.sentence and refusal.sentence.endswith(".") and refusal.remedy.endswith(".")
    assert (gate.refusal(row.purpose, "192.0.2.7") is None) == (row.air_gap is Closed.ALLOWED)
    gate.policy = Policy()
    assert gate.refusal(row.purpose, "example.org") is None


def test_the_page_has_the_table_of_the_code() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "packaging/network_table.py"), "--check"], timeout=60)
    assert done.returncode == 0, "type: packaging/network_table.py"
