"""Questions about the hosted service: who is signed in, what would leave, the queue, analyses that run there, plan and invoices.

A token and a passphrase never go out; what came from the service is plain and bounded.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import re
import secrets
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.domain.connections import Purpose
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, WrongPassphrase
from qverify_desktop.domain.hosted_views import (
    ExportsView,
    ExportView,
    HostedAccountView,
    HostedAnalysisView,
    HostedBundleView,
    HostedSourceView,
    HostedStatusView,
    HostedUsageView,
    LeavingView,
    RegionView,
    SignInView,
)
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.engine import hosted_bundle, hosted_fetch, policy
from qverify_desktop.engine.hosting import SignInFlow
from qverify_desktop.engine.records import record_about, record_settings
from qverify_desktop.engine.transfers import Said
from qverify_desktop.hosted.analyses import Analyses
from qverify_desktop.hosted.imports import FINAL
from qverify_desktop.hosted.service import checked_host, checked_id
from qverify_desktop.repository.upstream import upstream
from qverify_desktop.settings import changing
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.key_file import check_passphrase
from qverify_desktop.settings.secrets import Store

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Seconds for which an analysis of the service is watched before the asker is answered all the same.
WATCH_SECONDS = 15.0
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_SCOPE = re.compile(r"all|changed:[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")
MODELS = ("default", "none")


class HostedQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._service = context.hosted
        self._exports = context.exports
        self._analyses = Analyses(context.hosted)
        self._flow = SignInFlow(context.hosted, self._signed_in)

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "hosted_status": self.status,
            "hosted_account": self.account,
            "hosted_regions": self.regions,
            "hosted_choose_region": self.choose_region,
            "hosted_sign_in": self.sign_in,
            "hosted_sign_in_watch": self._flow.watch,
            "hosted_sign_in_cancel": self.cancel_sign_in,
            "hosted_sign_out": self.sign_out,
            "hosted_leaving": self.leaving,
            "hosted_send": self.send,
            "hosted_exports": self.exports,
            "hosted_pause": self._exports.pause,
            "hosted_resume": self._exports.resume,
            "hosted_drop": self._exports.drop,
            "hosted_usage": self.usage,
            "hosted_source": self.source,
            "hosted_analyze": self.analyze,
            "hosted_analyses": self.analyses,
            "hosted_analysis_watch": self.watch_analysis,
            "hosted_analysis_cancel": self.cancel_analysis,
            "hosted_analysis_bundle": self.bundle,
        }

    # Who is signed in

    async def status(self) -> HostedStatusView:
        """What this machine knows; nothing is asked over the network."""
        keys, place = self._context.keys, self._service.place
        tokens = await self._service.session.tokens()
        configuration = await asyncio.to_thread(self._configuration)
        closed = configuration.policy.refusal(Purpose.HOSTED)
        return {
            "configured": bool(place.regions),
            "host": self._service.host,
            "regions": [checked_host(region) for region in place.regions],
            "key": place.key,
            "signed_in": tokens is not None,
            "locked": tokens is None and await asyncio.to_thread(keys.is_locked),
            "organisation": tokens.organisation if tokens else "",
            "account": tokens.account if tokens else "",
            "issuer": tokens.issuer if tokens else "",
            "access_until": _moment(tokens.access_until) if tokens else "",
            "sign_in_until": _moment(tokens.refresh_until) if tokens else "",
            "place": await asyncio.to_thread(keys.place_of_tokens) if tokens else "",
            "closed": closed.sentence if closed else "",
            "remedy": closed.remedy if closed else "",
            "waiting": self._exports.waiting(),
        }

    async def account(self) -> HostedAccountView:
        """Who is signed in, for whom, until when and by which region, asked of the service. Raises ``HostedFailure``."""
        found: Any = await self._analyses.account()
        regions = await self.regions()
        current = next((one["title"] or one["id"] for one in regions if one["is_current"]), "")
        view: Any = {**found, "region": current, "regions": regions}
        return view  # type: ignore[no-any-return]

    async def regions(self) -> list[RegionView]:
        """All regions as they are tried, asked of the service; nobody has to be signed in. Raises ``HostedFailure``."""
        found: Any = [{**asdict(one), "host": checked_host(one.endpoint)} for one in await self._service.regions()]
        return found  # type: ignore[no-any-return]

    async def choose_region(self, region: str) -> HostedStatusView:
        """Try a region (its id or its address) before all others from now on: it is written at the front of the set addresses. Raises
        ``BadInput`` for one that there is not or that is never used, ``HostedFailure``."""
        regions = await self._service.regions()
        chosen = next((one for one in regions if region in (one.id, one.endpoint)), None)
        if chosen is None or chosen.refusal:
            named = ", ".join(one.id or one.endpoint for one in regions if not one.refusal)
            said_ = chosen.refusal if chosen else f"The service has no region {region}. Nothing was changed."
            raise BadInput(said_, f"Choose one of {named}.")
        order = dict.fromkeys((chosen.endpoint, *self._service.place.regions))
        changes = {"hosted_regions": ", ".join(order)}
        self._context.apply(await asyncio.to_thread(changing.change, self._context.home, changes))
        return await self.status()

    async def sign_in(self, store: str = "", passphrase: str = "") -> SignInView:
        """Begin; answers at once with the code. The sign-in is kept in ``store`` (empty: where keys are kept), and a key file that is
        locked or not there yet needs its passphrase now. Raises ``HostedFailure``, ``WrongPassphrase``, ``BadInput``."""
        await asyncio.to_thread(self._check_store, store, passphrase)
        return await self._flow.begin(store, passphrase)

    def _check_store(self, store: str, passphrase: str) -> None:
        """Refuse before a person goes to another device for a code. Blocking."""
        keys = self._context.keys
        chosen = store or keys.usual().value
        if chosen not in [one.value for one in keys.stores()]:
            raise BadInput(
                f"A sign-in can't be kept in the {chosen} here. Nobody is signed in.",
                f"Choose one of {', '.join(keys.stores())}.",
            )
        if chosen != Store.FILE:
            return
        if keys.is_locked():
            if not passphrase:
                raise WrongPassphrase("The key file is locked. Nobody is signed in.", "Give its passphrase.")
            keys.unlock(passphrase)
        elif not keys.has_file():
            check_passphrase(passphrase)

    async def cancel_sign_in(self) -> None:
        await self._flow.cancel()

    async def _signed_in(self, key: str) -> None:
        """Keep the key with which the service countersigns, and go on with what waited for this."""
        if not self._service.place.key:
            # A settings file that can't be written only means that another key would not be noticed.
            tell = functools.partial(record_settings, self._context.services)
            with contextlib.suppress(BadInput):
                changed = await asyncio.to_thread(changing.change, self._context.home, {"hosted_key": key}, tell)
                self._context.apply(changed)
        self._exports.signed_in()

    async def sign_out(self) -> str:
        """Revoke and forget; answers a sentence."""
        await self._flow.cancel()
        sign_in = None
        with contextlib.suppress(Exception):
            async with asyncio.timeout(20):
                sign_in = await self._service.sign_in()
        return await self._service.session.end(sign_in)

    # Sending

    async def leaving(self, run: str = "", contents: str = hosted_bundle.FULL, bundle: str = "") -> LeavingView:
        """What would be sent, of a run or of a bundle that came as a file; nothing is. Raises as ``send`` does."""
        tokens = await self._service.session.tokens()
        if bundle:
            view = await asyncio.to_thread(self._leaving_file, _file(bundle))
        else:
            view = await asyncio.to_thread(self._leaving, await self._context.find(run), contents)
        refused = await asyncio.to_thread(self._refused, view["run"])
        if refused is not None:
            view["refusal"], view["remedy"] = refused
        view["host"], view["organisation"] = self._service.host, tokens.organisation if tokens else ""
        return view

    def _leaving(self, run: str, contents: str) -> LeavingView:
        with tempfile.TemporaryDirectory(dir=self._context.home, prefix="leaving-") as folder:
            made = hosted_bundle.make(run, contents, Path(folder) / "bundle.zip", self._context.make_bundle)
            return _leaving(run, contents, made)

    def _leaving_file(self, file: Path) -> LeavingView:
        with tempfile.TemporaryDirectory(dir=self._context.home, prefix="leaving-") as folder:
            taken = hosted_bundle.take(file, Path(folder))
            return _leaving(taken.run, taken.contents, taken.made)

    def _refused(self, run: str) -> Said | None:
        return self._context.may_leave(run)

    async def send(self, run: str = "", contents: str = hosted_bundle.FULL, bundle: str = "") -> ExportView:
        """Queue a run's bundle, or one that came as a file (its absolute path); answers at once. Raises ``BadInput`` where it may not be
        sent or does not hold, ``EvidenceUnreadable``."""
        if bundle:
            return await self._exports.send_file(_file(bundle))
        return await self._exports.send(await self._context.find(run), contents)

    async def exports(self, after: int = 0) -> ExportsView:
        """The queue; waits while its version is ``after`` (0: answers at once), some seconds at most."""
        return await self._exports.watch(after) if after else self._exports.view()

    async def usage(self) -> HostedUsageView:
        """Plan, quotas and invoices, asked of the service."""
        found: Any = await self._analyses.usage()
        return found  # type: ignore[no-any-return]

    # Analyses that run there

    async def source(self, source: str) -> HostedSourceView:
        """What the service would clone for a folder or an address."""
        return await asyncio.to_thread(self._source, source)

    def _source(self, source: str) -> HostedSourceView:
        found = upstream(source)
        refused = local_only(source, self._context)
        notice = ""
        if not found.pushed:
            notice = (
                "This commit may not be at the remote yet, and changes that are not committed are not seen there."
            )
        elif found.commit:
            notice = "Changes that are not committed are not seen there."
        if refused is None and not found.url:
            refused = (
                "This repository has no https address that the hosted service could clone from.",
                "Analyse it here, or give the address.",
            )
        return {
            "source": source,
            "url": found.url,
            "commit": found.commit,
            "notice": notice,
            "refusal": refused[0] if refused else "",
            "remedy": refused[1] if refused else "",
        }

    async def analyze(
        self,
        source: str,
        url: str = "",
        commit: str = "",
        scope: str = "all",
        model: str = "default",
        label: str = "",
        budget_micro: int = 0,
        key: str = "",
    ) -> HostedAnalysisView:
        """Have the service analyse a commit; the same ``key`` (empty: a new one) begins one only. Raises ``BadInput`` where the
        repository's policy or its address forbids it, ``HostedFailure``."""
        found = await asyncio.to_thread(self._source, source)
        if found["refusal"] and not (url and not await asyncio.to_thread(local_only, source, self._context)):
            raise BadInput(found["refusal"], found["remedy"])
        url, commit = url or found["url"], commit or found["commit"]
        if not _COMMIT.fullmatch(commit):
            raise BadInput(
                "The hosted service needs the full id of a commit. Nothing was sent.", "Give it with --commit."
            )
        if not _SCOPE.fullmatch(scope) or model not in MODELS:
            raise BadInput(
                "The hosted service analyses all or changed:REF, with its default model or none. Nothing was sent.",
                "Choose one of these.",
            )
        request: dict[str, Any] = {"source": {"url": url, "commit": commit}, "scope": scope, "model": model}
        if label:
            request["label"] = "".join(char for char in label if char.isprintable())[:200]
        if budget_micro:
            request["budget_micro"] = budget_micro
        begun: Any = await self._analyses.begin(request, key or secrets.token_hex(16))
        data = {"service": self._service.host, "commit": commit, "scope": scope, "model": model}
        blobs = {"url": url.encode()}
        await asyncio.to_thread(record_about, self._context.services, begun["id"], "hosted_analysis", data, blobs)
        return begun  # type: ignore[no-any-return]

    async def analyses(self) -> list[HostedAnalysisView]:
        """The newest of the organisation, asked of the service; none where nobody is signed in."""
        if not self._service.place.regions or await self._service.session.tokens() is None:
            return []
        found: Any = await self._analyses.list()
        return found  # type: ignore[no-any-return]

    async def watch_analysis(self, id: str, after: str = "") -> dict[str, Any]:
        """``analysis``, the last ``event`` and its ``sentence``: as soon as something happened after the event ``after``, at the
        latest after some seconds."""
        path, sentence = f"/v1/analyses/{checked_id(id)}", ""
        now = await self._analyses.get(id)
        if now["state"] not in FINAL:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(WATCH_SECONDS), self._service.events(f"{path}/events", after) as events:
                    async for event in events:
                        after = event.id
                        break
            now = await self._analyses.get(id)
        return {"analysis": now, "event": after, "sentence": sentence}

    async def cancel_analysis(self, id: str) -> HostedAnalysisView:
        found: Any = await self._analyses.cancel(id)
        return found  # type: ignore[no-any-return]

    async def bundle(self, id: str, path: str) -> HostedBundleView:
        """Fetch the bundle of an analysis that is done into the file ``path``, verified. Raises as ``hosted_fetch.fetch`` does."""
        return await hosted_fetch.fetch(self._service, self._analyses, id, Path(path))

    def _configuration(self) -> Configuration:
        return Configuration.load(home=self._context.home)


def _leaving(run: str, contents: str, made: hosted_bundle.Made) -> LeavingView:
    return {
        "run": run,
        "contents": contents,
        "host": "",
        "organisation": "",
        "bytes": made.size,
        "sha256": made.sha256,
        "files": hosted_bundle.leaving(made.path),
        "shows": hosted_bundle.SHOWS[Disclosure(contents)],
        "refusal": "",
        "remedy": "",
    }


def _file(path: str) -> Path:
    """Raises ``BadInput`` for a path whose meaning depends on who reads it."""
    if not Path(path).is_absolute():
        raise BadInput("A bundle needs an absolute path.")
    return Path(path)


def local_only(source: str, context: Context) -> Said | None:
    """Why nothing of a repository may leave this machine; ``None`` where nobody decided so. Blocking."""
    if policy.kept(source, context.repositories) is not CloudPolicy.LOCAL_ONLY:
        return None
    return LOCAL


LOCAL = (
    "It was decided that nothing of this repository leaves this machine, so nothing was sent.",
    "Allow it for this repository first, if that is meant.",
)


def _moment(seconds: float) -> str:
    if seconds <= time.time() - 10**9:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
