"""Addresses: which are this machine's own, and which a desktop names."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.network import desktop_hosts


@pytest.mark.parametrize(
    ("display", "bus", "hosts"),
    [
        (":0", "unix:path=/run/user/0/bus", ()),
        ("unix:0", "unix:abstract=/tmp/x,guid=1", ()),
        ("/private/tmp/launch:0", "", ()),
        ("", "", ()),
        ("localhost:10.0", "", ("localhost",)),
        ("192.0.2.1:0", "", ("192.0.2.1",)),
        ("tcp/192.0.2.1:0.1", "", ("192.0.2.1",)),
        ("far::0", "", ("far",)),
        (":0", "unix:path=/x;tcp:host=192.0.2.2,port=1", ("192.0.2.2",)),
        (":0", "nonce-tcp:port=1", ("localhost",)),
    ],
)
def test_where_a_desktop_is(display: str, bus: str, hosts: tuple[str, ...]) -> None:
    assert desktop_hosts({"DISPLAY": display, "DBUS_SESSION_BUS_ADDRESS": bus}) == hosts


def test_no_window_opens_on_another_machine_behind_the_air_gap(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("air_gap = true\n")
    environment = {**os.environ, "QVERIFY_HOME": str(tmp_path), "DISPLAY": "192.0.2.1:0", "QT_QPA_PLATFORM": "xcb"}
    code = "import sys; from qverify_desktop.app import main; sys.exit(main([]))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert "no window was opened on the desktop of 192.0.2.1" in done.stderr
