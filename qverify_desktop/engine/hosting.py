"""The hosted service of this installation: where the settings say it is, and a sign-in that goes on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from qverify_desktop.domain.errors import HostedFailure, QVerifyError
from qverify_desktop.domain.hosted_views import SignInView
from qverify_desktop.engine.transfers import WATCH_SECONDS
from qverify_desktop.hosted.connection import Reach
from qverify_desktop.hosted.refusals import said
from qverify_desktop.hosted.service import HostedService, Place
from qverify_desktop.hosted.sign_in import DeviceCode, SignIn
from qverify_desktop.settings.configuration import Configuration

NONE, WAITING, DONE, FAILED = "none", "waiting", "done", "failed"


def place_of(configuration: Configuration) -> Place:
    """Where the service is by the settings."""
    regions = [part.strip().rstrip("/") for part in configuration.hosted_regions.split(",")]
    return Place(
        tuple(region for region in regions if region),
        configuration.hosted_issuer,
        configuration.hosted_client,
        configuration.hosted_key,
        Reach(configuration.hosted_proxy, configuration.hosted_ca_file, configuration.hosted_plain_http),
    )


class SignInFlow:
    """At most one sign-in at a time: begun, shown, waited for. ``done`` is called with the service's verifier key once somebody is
    signed in. Used in the running loop only."""

    def __init__(self, service: HostedService, done: Callable[[str], Awaitable[None]]) -> None:
        self._service = service
        self._done = done
        self._task: asyncio.Task[None] | None = None
        self._version = 1
        self._news = asyncio.Event()
        self._view = _nothing()

    def view(self) -> SignInView:
        return {**self._view, "version": self._version}

    async def begin(self, store: str, passphrase: str) -> SignInView:
        """Ask for a code, and wait for the person's yes aside; one that goes on is ended. Raises ``HostedFailure``."""
        await self.cancel()
        facts = await self._service.facts()
        key = str(facts["cosigner"])
        pinned = self._service.place.key
        if pinned and key != pinned:
            raise HostedFailure(
                "The hosted service countersigns with another key than the one that was kept when you signed in before. Nobody is "
                "signed in.",
                "Ask whoever runs it. If the new key is right, empty the key in the settings (hosted_key), then sign in again.",
            )
        sign_in = await self._service.sign_in()
        code = await sign_in.begin()
        self._view = {
            "version": 0,
            "state": WAITING,
            "code": code.code,
            "address": code.address,
            "whole_address": code.whole_address,
            "until": datetime.fromtimestamp(time.time() + code.expires_in, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "service": said(facts.get("name")),
            "key": key,
            "sentence": "",
            "remedy": "",
        }
        self._changed()
        self._task = asyncio.get_running_loop().create_task(self._wait(sign_in, code, key, store, passphrase))
        return self.view()

    async def watch(self, after: int) -> SignInView:
        """The sign-in, as soon as its version is another than ``after``; at the latest after some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                while self._version == after:
                    await self._news.wait()
        return self.view()

    async def cancel(self) -> None:
        """End a sign-in that goes on; who is signed in stays so."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            self._view = _nothing()
            self._changed()

    async def _wait(self, sign_in: SignIn, code: DeviceCode, key: str, store: str, passphrase: str) -> None:
        try:
            tokens = await self._service.session.finish(sign_in, code, store, passphrase)
            who = " of ".join(one for one in (tokens.account, tokens.organisation) if one)
            await self._done(key)
            self._end(DONE, f"You are signed in{f' as {who}' if who else ''}.")
        except QVerifyError as error:
            self._end(FAILED, error.sentence, error.remedy)
        except Exception as error:  # noqa: BLE001 - a sign-in that dies silently would be waited for until its code expires
            self._end(FAILED, f"The sign-in failed ({type(error).__name__}). Nobody is signed in.", "Sign in again.")

    def _end(self, state: str, sentence: str, remedy: str = "") -> None:
        self._view = {**self._view, "state": state, "sentence": sentence, "remedy": remedy}
        self._changed()

    def _changed(self) -> None:
        self._version += 1
        news, self._news = self._news, asyncio.Event()
        news.set()


def _nothing() -> SignInView:
    return {
        "version": 0,
        "state": NONE,
        "code": "",
        "address": "",
        "whole_address": "",
        "until": "",
        "service": "",
        "key": "",
        "sentence": "",
        "remedy": "",
    }
