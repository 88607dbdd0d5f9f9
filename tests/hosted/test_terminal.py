"""What a terminal says of the hosted service, line by line."""

from __future__ import annotations

import json

import pytest

from qverify_desktop.terminal.hosted import HostedScreen, export_state, region_state
from tests.ui.samples import hosted


def test_an_export_in_a_few_words() -> None:
    done, failed, waiting, sending = hosted.exports()["exports"]
    assert export_state(done) == "there since 2026-11-27T09:12:45Z, UNANCHORED (412.0 kB)"
    assert export_state(failed).startswith("failed: The bundle is larger than the hosted service takes.")
    assert export_state(failed | {"done": 5_000_000}).startswith("failed (5.0 MB of 18.4 MB): The bundle")
    assert export_state(failed | {"sentence": "", "remedy": ""}) == "failed"
    assert export_state(waiting).endswith("Nothing was sent. next try 2026-11-28T15:20:00Z")
    assert export_state(sending) == "sending 11.3 MB of 18.4 MB"


def test_a_region_in_a_few_words() -> None:
    told = [region_state(one) for one in hosted.account()["regions"]]
    assert told[:2] == ["Europe (Frankfurt), set", "United States (Ohio), set, takes nothing new now"]
    assert told[2].endswith("named by the service, tried after those that are set")
    assert told[3].startswith("never used. The hosted service named the address")


def test_plan_quotas_and_invoices(capsys: pytest.CaptureFixture[str]) -> None:
    HostedScreen(False).print_usage(hosted.usage())
    told = capsys.readouterr().out
    for words in (
        "Example Ltd: plan Team, renews on 2026-12-01",
        "Size of bundles    9.3 GB of 10.0 GB",
        "Cost of models     37.25 USD no limit",
        "2026-0113             49.00 USD  open, due 2026-11-15",
        "2026-0098             49.00 USD  paid\n",
        "https://eu.hosted.example/invoices/2026-0098",
    ):
        assert words in told
    HostedScreen(True).print_usage(hosted.usage())
    assert json.loads(capsys.readouterr().out) == hosted.usage()


def test_what_the_service_says_of_the_sign_in_and_why_it_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    HostedScreen(False).print_status(hosted.status(), account=hosted.account())
    told = capsys.readouterr().out
    assert "It says       Ada Example of Example Ltd, access until 2026-11-28T15:20:00Z" in told
    HostedScreen(False).print_status(hosted.status(), problem="It can't be reached.")
    told = capsys.readouterr().out
    assert (
        "It says       nothing: It can't be reached." in told and "Signed in     Ada Example of Example Ltd" in told
    )
