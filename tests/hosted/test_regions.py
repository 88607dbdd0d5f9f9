"""Who is signed in as the service has it, and its regions: shown, tried in their order, chosen, and never further inside than what is
set."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.hosted import named
from qverify_desktop.hosted.named import Zone, check_named, zone_of
from qverify_desktop.hosted.regions import Regions
from qverify_desktop.settings.configuration import Configuration
from tests.hosted.answering import connected
from tests.hosted.doing import client_of, desktop, let_in, signed_in
from tests.hosted.test_command_line import Typed, run, sign_in, variables  # noqa: F401 - fixtures
from tests.hosted_service.service import HostedService


async def test_the_account_as_the_service_has_it(home: Path, hosted: HostedService) -> None:
    async with desktop(home) as engine:
        with pytest.raises(HostedFailure, match="Nobody is signed in"):
            await engine.ask("hosted_account")
        await signed_in(engine, hosted)
        account = await engine.ask("hosted_account")
        status = await engine.ask("hosted_status")
    assert (account["organisation"], account["account"]) == ("Example Ltd", "Ada Example")
    assert {"imports", "analyses", "usage"} <= {*account["scopes"]}
    assert account["expires_at"][:16] == status["access_until"][:16] > "2026"
    assert account["region"] == "Tests, first entry"
    assert [one["id"] for one in account["regions"]] == ["eu-test", "us-test"]
    assert [one["is_set"] for one in account["regions"]] == [True, False]


async def test_a_region_that_the_service_names_is_used_where_the_set_one_is_gone(
    home: Path, hosted: HostedService
) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        client = client_of(engine)
        await engine.ask("hosted_regions")
        second = f"https://localhost:{hosted.url.rpartition(':')[2]}"
        assert client._order() == [hosted.url, second]
        asked: list[str] = []
        real = client.connection._once

        async def once(one):  # type: ignore[no-untyped-def]
            asked.append(one.url)
            if one.url.startswith(f"{hosted.url}/v1/usage"):
                raise TimeoutError
            return await real(one)

        client.connection._once = once  # type: ignore[method-assign]
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"
        assert asked[-2:] == [f"{hosted.url}/v1/usage", f"{second}/v1/usage"]
        # The one that failed is asked last for a while.
        assert client._order() == [second, hosted.url]


async def test_a_region_is_chosen_and_that_is_remembered(home: Path, hosted: HostedService) -> None:
    second = f"https://localhost:{hosted.url.rpartition(':')[2]}"
    async with desktop(home) as engine:
        with pytest.raises(BadInput, match="no region mars"):
            await engine.ask("hosted_choose_region", region="mars")
        status = await engine.ask("hosted_choose_region", region="us-test")
        assert status["regions"] == [second.removeprefix("https://"), hosted.url.removeprefix("https://")]
        await let_in(engine, hosted)
        assert [one["is_set"] for one in (await engine.ask("hosted_account"))["regions"]] == [True, True]
    assert Configuration.load(home=home).hosted_regions == f"{second}, {hosted.url}"


async def test_a_region_that_takes_nothing_is_shown_and_not_tried(home: Path, hosted: HostedService) -> None:
    hosted.set(accepts=False)
    async with desktop(home) as engine:
        regions = await engine.ask("hosted_regions")
        assert [one["accepts"] for one in regions] == [False, False]
        assert client_of(engine)._order() == [hosted.url]


async def test_what_a_hostile_service_names_is_no_region() -> None:
    async def check(url: str) -> None:
        async with connected() as connection:
            await check_named(connection, url, ["https://8.8.8.8"])

    regions = Regions(("https://8.8.8.8",))
    named_ = [
        "http://8.8.4.4",
        "https://127.0.0.1",
        "https://10.0.0.7:8443",
        "https://me:x@8.8.4.4",
        "file:///etc/passwd",
    ]
    told = {"current": [], "regions": [*({"id": "x", "endpoint": one} for one in named_), 7, {"endpoint": 7}]}
    found = await regions.take(told, check)
    assert regions.order() == ["https://8.8.8.8"]
    assert [bool(one.refusal) for one in found] == [False, *[True] * len(named_)]
    assert await regions.take({"regions": "none"}, check) == [found[0]]


@pytest.mark.parametrize(
    ("host", "zone"),
    [
        ("8.8.8.8", Zone.OUTSIDE),
        ("10.1.2.3", Zone.HOUSE),
        ("192.168.0.1", Zone.HOUSE),
        ("fd00::1", Zone.HOUSE),
        ("100.64.0.1", Zone.HOUSE),
        ("127.0.0.1", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("169.254.169.254", Zone.MACHINE),
        ("0.0.0.0", Zone.MACHINE),
        ("localhost", Zone.MACHINE),
    ],
)
async def test_zones(host: str, zone: Zone) -> None:
    assert await zone_of(host, look_up=False) is zone


async def test_names_are_looked_up_but_not_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    asked = []

    async def getaddrinfo(host: str, port: int, **more: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(2, 1, 6, "", ("8.8.8.8", 443)), (2, 1, 6, "", ("10.0.0.5", 443))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    assert await zone_of("rebinding.example", look_up=True) is Zone.HOUSE
    assert await zone_of("rebinding.example", look_up=False) is Zone.OUTSIDE
    assert asked == ["rebinding.example"] and named.LOOK_UP_S < 10


def test_status_and_regions_on_a_terminal(hosted: HostedService, run: Typed) -> None:  # noqa: F811 - the fixture
    listed = json.loads(run("regions", "--json").stdout)["regions"]
    assert [one["id"] for one in listed] == ["eu-test", "us-test"]
    sign_in(hosted, run)
    told = run("status").stdout
    assert "It says       Ada Example of Example Ltd, access until 20" in told and "Tests, first entry" in told
    assert "named by the service, tried after those that are set" in run("regions").stdout
    chosen = run("regions", "--choose", "us-test")
    assert chosen.returncode == 0 and chosen.stdout.splitlines()[0].split()[-1] == "set"
    assert run("regions", "--choose", "mars").returncode == 2
    hosted.fault("GET", "^/v1/account$", times=1000, status=500)
    answer = run("status", "--json")
    assert answer.returncode == 0 and "failed" in json.loads(answer.stdout)["problem"]
