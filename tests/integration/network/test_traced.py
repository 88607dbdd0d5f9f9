"""Every call of the whole process tree that can send to an address, as the kernel saw it: window, engine, git, ssh, litellm, Qt."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pip._internal.models.index import PyPI

from qverify_desktop.domain.connections import ROWS, Closed, Purpose
from tests.integration.network.inside import GIT_PORT, HOSTS, KEYS
from tests.integration.network.spaces import ELSEWHERE
from tests.integration.network.test_namespace import inside
from tests.integration.network.tracing import Reached, reached

pytestmark = pytest.mark.docker

NAME_SERVERS = re.compile(r"^nameserver\s+(\S+)", re.MULTILINE)


def of(trace: Path) -> list[Reached]:
    lines = trace.read_text().splitlines()
    # A trace that holds nothing proves nothing: the engine's socket, at least, is connected to.
    assert any("AF_UNIX" in line for line in lines), trace
    return reached(lines)


def elsewhere(trace: Path) -> set[tuple[str, int]]:
    return {(one.host, one.port) for one in of(trace) if not one.loopback}


@pytest.mark.ui
def test_a_run_from_the_window_behind_the_air_gap_speaks_to_this_machine_alone(tmp_path: Path) -> None:
    said = inside("window", tmp_path, ELSEWHERE)
    log = tmp_path / "application.log"
    assert said["code"] == 0, said["errors"] + (log.read_text()[-3000:] if log.exists() else "")
    assert said["exit"] == 0
    assert said["asked"] >= 1, "the model on this machine was asked, by litellm"
    assert any("The air gap is on, so no repository is fetched" in text for text in said["texts"])
    assert any("Closed by the air gap" in text for text in said["models"])
    assert elsewhere(tmp_path / "trace") == set()
    assert [one for one in of(tmp_path / "trace") if one.loopback], "the model's server was seen"


def test_with_the_air_gap_off_only_what_was_named_is_spoken_to(tmp_path: Path) -> None:
    said = inside("fetched", tmp_path, ELSEWHERE)
    assert said["code"] == 0, said["errors"]
    assert said["asked"] >= 1
    found = elsewhere(tmp_path / "trace")
    named = {Purpose.CLONE: (ELSEWHERE, GIT_PORT), Purpose.OTHER_MODEL: (ELSEWHERE, 8080)}
    assert found == set(named.values())
    # Both are rows of docs/network.md, which tests/domain/test_connections.py holds to the table.
    assert all(ROWS[purpose].air_gap is not Closed.STAYS and ROWS[purpose].switch for purpose in named)
    assert {one.name for one in of(tmp_path / "trace") if one.port == GIT_PORT} == {"git"}


def test_named_providers_are_spoken_to_by_their_names_each_with_its_own_key_and_packages_come_by_a_container(
    tmp_path: Path,
) -> None:
    said = inside("named", tmp_path, ELSEWHERE)
    assert said["code"] == 0, said["errors"]
    assert elsewhere(tmp_path / "trace") == {(address, 443) for _, address in HOSTS.values()}
    for wire, headers in said["headers"].items():
        assert headers and all(KEYS[wire] in one for one in headers)
        assert not [other for other in KEYS if other != wire and KEYS[other] in str(headers)]
    # Whatever the container reached, it was a name server, or what that gave for the registry's names.
    bridge = said["bridge"]
    assert PyPI.netloc in bridge["names"] and set(bridge["names"]) <= {PyPI.netloc, PyPI.file_storage_domain}
    servers = {host for host, port in bridge["sent"] if port == 53}
    assert servers <= set(NAME_SERVERS.findall(Path("/etc/resolv.conf").read_text()))
    assert {host for host, port in bridge["sent"] if port != 53} <= set(bridge["told"])
    assert {port for _, port in bridge["sent"]} <= {53, 443}


def test_a_change_of_the_allow_list_counts_at_once_in_a_running_engine(tmp_path: Path) -> None:
    closed, other, opened, closed_again, off = inside("allowed", tmp_path, ELSEWHERE)["said"]
    for sentence, hook, asked in (closed, other, closed_again):
        assert sentence.startswith("The air gap is on, so nothing was sent to 192.0.2.1")
        assert "The air gap is on" in hook
        assert asked == 0
    assert opened == ["", "", 1]
    assert off == ["", "", 1]


def test_what_is_named_elsewhere_is_refused_behind_the_air_gap_before_a_single_call(tmp_path: Path) -> None:
    said = inside("refused", tmp_path, ELSEWHERE)
    assert said["cloned"]["code"] == 2
    assert said["cloned"]["document"]["error"]["sentence"].startswith(
        "The air gap is on, so no repository is fetched"
    )
    assert said["asked"] == 0
    for engine in said["engines"]:
        assert engine["code"] == 3, engine
        assert engine["document"]["error"]["sentence"].startswith("The air gap is on, so the container engine")
    for trace in ("trace-clone", "trace-model", "trace-0", "trace-1"):
        lines = (tmp_path / trace).read_text().splitlines()
        assert {(one.host, one.port) for one in reached(lines) if not one.loopback} == set(), trace
