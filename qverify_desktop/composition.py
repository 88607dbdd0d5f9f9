"""Builds the rooms once and hands them down. Knows no Qt; no globals; what is heavy is imported when it is needed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.engine.lock import HomeLock
from qverify_desktop.engine.remote import RemoteEngine

if TYPE_CHECKING:
    from qverify_desktop.domain.connections import Gate
    from qverify_desktop.engine.facade import Engine
    from qverify_desktop.engine.machine import ThisMachine
    from qverify_desktop.engine.parts import Parts
    from qverify_desktop.settings.os_keyring import OsKeyring

    AnyEngine = Engine | RemoteEngine

#: Seconds to wait for an owner that is just starting or just closing.
PATIENCE_SECONDS = 20.0


def home_folder() -> Path:
    """The folder that holds all state: ``QVERIFY_HOME`` or the user's data folder. Raises ``BadInput``."""
    from qverify_desktop.settings.configuration import Configuration

    return Configuration.load().home


async def open_engine(home: Path | None = None) -> AnyEngine:
    """The engine of a state folder: built here when nobody owns the folder, otherwise attached to its owner.

    Raises ``MissingPrerequisite`` when the folder can't be used, or its owner does not answer.
    """
    folder = home if home is not None else await asyncio.to_thread(home_folder)
    lock = HomeLock(folder)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        if await asyncio.to_thread(lock.acquire):
            return await _own(folder, lock)
        remote = RemoteEngine(folder)
        with contextlib.suppress(OSError, QVerifyError):
            await remote.ping()
            return remote
        if time.monotonic() > until:
            raise MissingPrerequisite(
                f"Another QVerify (process {lock.owner() or 'unknown'}) owns {folder} and does not answer. Nothing was changed.",
                "Close it, or end that process, and try again.",
            )
        await asyncio.sleep(0.2)


async def _own(home: Path, lock: HomeLock) -> Engine:
    from qverify_desktop.engine.crash import as_error

    try:
        engine_class, parts = await asyncio.to_thread(_load, home, lock)
        return await engine_class.open(parts)
    except QVerifyError:
        lock.release()
        raise
    except Exception as error:
        lock.release()
        raise as_error(error, home) from error
    except BaseException:
        lock.release()
        raise


def _load(home: Path, lock: HomeLock) -> tuple[type[Engine], Parts]:
    """Imports take longer than building; both happen in a thread."""
    from qverify_desktop.engine.facade import Engine

    return Engine, build(home, lock)


def build(home: Path, lock: HomeLock) -> Parts:
    """Join the rooms over a state folder whose lock is held. Blocking; opens the databases and the signing key."""
    from qverify_desktop import passphrases
    from qverify_desktop.analysis.services import Services
    from qverify_desktop.analysis.workflow import analyze
    from qverify_desktop.domain.connections import Gate
    from qverify_desktop.domain.execution import MIB
    from qverify_desktop.engine import crash
    from qverify_desktop.engine.anchoring import Anchoring
    from qverify_desktop.engine.hosting import place_of
    from qverify_desktop.engine.inquiries import Inquiries
    from qverify_desktop.engine.parts import Parts
    from qverify_desktop.engine.signing_keys import SigningKeys, signer_of
    from qverify_desktop.evidence.journal import EvidenceJournal
    from qverify_desktop.evidence.signing import AttestationSigner
    from qverify_desktop.gateway.call import Accounts
    from qverify_desktop.gateway.gateway import ModelGateway
    from qverify_desktop.gateway.ollama_models import OllamaModels
    from qverify_desktop.gateway.prices import Prices
    from qverify_desktop.hosted.service import HostedService
    from qverify_desktop.languages import catalogue
    from qverify_desktop.repository.intake import Repositories
    from qverify_desktop.settings.air_gap import AirGap
    from qverify_desktop.settings.configuration import Configuration
    from qverify_desktop.settings.deployments import load_deployments
    from qverify_desktop.settings.key_file import KeyFile
    from qverify_desktop.settings.secrets import ApiKeys
    from qverify_desktop.settings.signing_key import ATTESTATION_KEY_FILE, KEY_FILE, SigningKeyStore
    from qverify_desktop.storage.anchors import AnchorStore
    from qverify_desktop.storage.artefacts import ArtefactStore
    from qverify_desktop.storage.database import Database
    from qverify_desktop.storage.holders import Holder
    from qverify_desktop.storage.model_answers import ModelAnswers
    from qverify_desktop.storage.model_calls import ModelCalls
    from qverify_desktop.storage.model_limits import ModelLimits
    from qverify_desktop.storage.runs import RunStore

    configuration = Configuration.load(home=home)
    configuration.prepare_home()
    gate = Gate(configuration.policy)
    machine = build_machine(home, gate)
    database = Database(home / "qverify.db")
    artefacts = ArtefactStore(home / "artefacts")

    def key_store(name: str) -> SigningKeyStore:
        return SigningKeyStore(home, keyring=Configuration.load(home=home).keyring, name=name)

    signer = signer_of(home, key_store(KEY_FILE), database)
    attester = AttestationSigner(*key_store(ATTESTATION_KEY_FILE).load_or_create())
    keyring = _keyring() if configuration.keyring and signer.protection == "keyring" else None
    keys = ApiKeys.take(keyring=keyring, file=KeyFile(home))
    keys.unlock_with(passphrases.of_named_file)
    crash.clean_with(keys.without)
    holder = Holder(database)
    anchoring = Anchoring(home, AnchorStore(database), gate, configuration)
    journal = EvidenceJournal(database, artefacts, signer, attester=attester, wanted=anchoring.wanted)
    signing_keys = SigningKeys(
        home, journal, database, lambda: key_store(KEY_FILE), lambda: key_store(ATTESTATION_KEY_FILE)
    )
    inquiries = Inquiries(journal, artefacts)
    calls = ModelCalls(database, holder)
    answers = ModelAnswers(
        database, most_bytes=configuration.answer_cache_mb * MIB, most_days=configuration.answer_cache_days
    )
    accounts = Accounts(
        ledger=calls,
        limiter=ModelLimits(database, holder),
        cache=answers,
        prices=Prices.load(home),
        month_budget_microusd=configuration.month_budget_microusd,
        ask_percent=configuration.budget_ask_percent,
        person=inquiries,
    )
    AirGap.set(configuration.air_gap, configuration.allowed)
    gateway = ModelGateway(
        keys,
        gate=gate,
        pass_refused=configuration.failover_refused,
        accounts=accounts,
        timeout_s=configuration.model_timeout_s,
        answer_tokens=configuration.model_answer_tokens,
        context_tokens=configuration.model_context_tokens,
    )
    # A file that can't be read is told where it is used: by an analysis with ``auto``, and on the settings page.
    with contextlib.suppress(BadInput):
        gateway.set_order(load_deployments(home))
    languages = catalogue.languages(configuration.patience_s)
    services = Services(
        repositories=Repositories(gate),
        sandbox=machine.sandbox,
        journal=journal,
        artefacts=artefacts,
        gateway=gateway,
        languages=languages,
        workspace=home / "workspace",
        reduced=machine.reduced,
        earlier=RunStore(database),
    )

    models = OllamaModels(gateway.ollama)
    hosted = HostedService(keys, gate, place_of(configuration))

    async def dispose() -> None:
        await asyncio.to_thread(models.close)
        await gateway.close()
        await asyncio.to_thread(holder.close)
        await asyncio.to_thread(database.close)

    def apply(changed: Configuration) -> None:
        gate.policy = changed.policy
        gateway.forget_failures()
        gateway.set_limits(
            pass_refused=changed.failover_refused,
            timeout_s=changed.model_timeout_s,
            answer_tokens=changed.model_answer_tokens,
            context_tokens=changed.model_context_tokens,
            month_budget_microusd=changed.month_budget_microusd,
            ask_percent=changed.budget_ask_percent,
        )
        with contextlib.suppress(BadInput):
            gateway.set_order(load_deployments(home))
        answers.set_limits(changed.answer_cache_mb * MIB, changed.answer_cache_days)
        AirGap.set(changed.air_gap, changed.allowed)
        machine.apply(changed)
        anchoring.apply(changed)
        for language in languages:
            language.set_patience(changed.patience_s)

    return Parts(
        home,
        lock,
        services,
        RunStore(database),
        machine,
        analyze,
        dispose,
        database,
        keys,
        apply,
        models,
        calls.in_doubt,
        inquiries,
        anchoring,
        signing_keys,
        hosted,
    )


def _keyring() -> OsKeyring | None:
    """The session's keyring, which proved itself when it gave the signing key."""
    from qverify_desktop.settings.os_keyring import KeyringUnavailable, OsKeyring

    try:
        return OsKeyring.open()
    except KeyringUnavailable:
        return None


def build_machine(home: Path, gate: Gate | None = None) -> ThisMachine:
    """Sandbox and doctor, without any state: works where the state folder can't even be made."""
    from qverify_desktop.engine.machine import ThisMachine
    from qverify_desktop.settings.configuration import Configuration

    configuration = Configuration.load(home=home)
    return ThisMachine(home, configuration, gate)
