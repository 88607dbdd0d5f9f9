"""Questions about this machine and installation: checks and fixes, diagnostics, settings, crash reports, models, usage."""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from qverify_desktop.diagnostics import archive, doctor
from qverify_desktop.domain.connections import SWITCHES, Purpose
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import PROVIDER_HOSTS, default_host
from qverify_desktop.domain.model_views import ModelsView, ModelView
from qverify_desktop.domain.settings_views import CheckView, CrashView, SettingsView
from qverify_desktop.domain.usage_views import UsageRow, UsageView
from qverify_desktop.engine.questions.views import run_view
from qverify_desktop.engine.records import record_settings
from qverify_desktop.gateway.endpoint import OLLAMA_BASE, is_local
from qverify_desktop.gateway.server import Listed, Listing, list_models
from qverify_desktop.settings import changing
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.storage.schema import EntryRow

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: A crash report's name; anything else is no report.
CRASH = re.compile(r"crash-\d{8}-\d{6}-\d+\.txt")
MOST_CRASH_BYTES = 256 * 1024
#: Crash reports that go into the diagnostics.
CRASHES_SAVED = 5
MODEL_SECONDS = 4.0


class MachineQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "doctor_checks": self.checks,
            "doctor_fix": self.fix,
            "diagnostics_save": self.save_diagnostics,
            "settings": self.settings,
            "settings_change": self.change,
            "crash_reports": self.crashes,
            "crash_report": self.crash,
            "crash_delete": self.delete_crash,
            "usage": self.usage,
            "models": self.models,
        }

    # Checks

    async def checks(self) -> list[CheckView]:
        return [_check(one) for one in await doctor.examine(self._context.home)]

    async def fix(self, check: str) -> list[CheckView]:
        """Mend one check and look at all again. Raises ``BadInput`` for a check that can't be mended."""
        return [_check(one) for one in await doctor.mend_one(self._context.home, check)]

    # Settings

    async def settings(self) -> SettingsView:
        configuration = await asyncio.to_thread(lambda: Configuration.load(home=self._context.home))
        return await self._settings(configuration)

    async def _settings(self, configuration: Configuration) -> SettingsView:
        keys = self._context.keys
        return {
            "air_gap": configuration.air_gap,
            "model": configuration.model,
            "api_base": configuration.api_base,
            "containers": configuration.containers,
            "docker_host": configuration.docker_host,
            "sandbox": configuration.sandbox.value,
            "gvisor": configuration.gvisor,
            "patience_s": configuration.patience_s,
            "editor": configuration.editor,
            "air_gap_allow": configuration.air_gap_allow,
            "failover_refused": configuration.failover_refused,
            "model_timeout_s": configuration.model_timeout_s,
            "model_answer_tokens": configuration.model_answer_tokens,
            "model_context_tokens": configuration.model_context_tokens,
            "run_budget_microusd": configuration.run_budget_microusd,
            "month_budget_microusd": configuration.month_budget_microusd,
            "budget_ask_percent": configuration.budget_ask_percent,
            "answer_cache_mb": configuration.answer_cache_mb,
            "answer_cache_days": configuration.answer_cache_days,
            "hosted_issuer": configuration.hosted_issuer,
            "hosted_client": configuration.hosted_client,
            "hosted_regions": configuration.hosted_regions,
            "hosted_key": configuration.hosted_key,
            "hosted_proxy": configuration.hosted_proxy,
            "hosted_ca_file": configuration.hosted_ca_file,
            "time_stamp_authority": configuration.time_stamp_authority,
            "time_stamp_certificate": configuration.time_stamp_certificate,
            "witnesses": configuration.witnesses,
            "switches": {switch: bool(getattr(configuration, switch)) for switch in SWITCHES},
            "home": str(configuration.home),
            "keyring": await asyncio.to_thread(keys.place),
            "api_key_set": await asyncio.to_thread(keys.has_one),
        }

    async def change(self, changes: dict[str, Any]) -> SettingsView:
        if not isinstance(changes, dict) or not changes:
            raise BadInput("No setting was named.")
        tell = functools.partial(record_settings, self._context.services)
        configuration = await asyncio.to_thread(changing.change, self._context.home, changes, tell)
        self._context.apply(configuration)
        return await self._settings(configuration)

    # Crash reports and diagnostics

    async def crashes(self) -> list[CrashView]:
        return await asyncio.to_thread(self._crashes)

    def _crashes(self) -> list[CrashView]:
        found: list[CrashView] = []
        folder = self._context.home / "crashes"
        files = sorted(folder.glob("crash-*.txt"), reverse=True) if folder.is_dir() else []
        for file in files:
            if not CRASH.fullmatch(file.name) or file.is_symlink():
                continue
            facts = file.stat()
            at = datetime.fromtimestamp(facts.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            lines = _tail(file).strip().splitlines()
            found.append(
                {"name": file.name, "at": at, "sentence": lines[-1][:200] if lines else "", "bytes": facts.st_size}
            )
        return found

    async def crash(self, name: str) -> str:
        return await asyncio.to_thread(lambda: _tail(self._crash_file(name)))

    async def delete_crash(self, name: str) -> None:
        await asyncio.to_thread(lambda: self._crash_file(name).unlink(missing_ok=True))

    def _crash_file(self, name: str) -> Path:
        file = self._context.home / "crashes" / name
        if not CRASH.fullmatch(name) or not file.is_file() or file.is_symlink():
            raise BadInput(f"There is no crash report {name!r}.")
        return file

    async def save_diagnostics(self, path: str) -> str:
        """Versions, checks, settings and where crashes happened in one archive. Nothing of a repository, no secret."""
        target = Path(path)
        if not target.is_absolute():
            raise BadInput("The archive needs a file with an absolute path.")
        checks, settings = await self.checks(), await self.settings()
        content = await asyncio.to_thread(self._archive, checks, settings)
        try:
            await asyncio.to_thread(target.write_bytes, content)
        except OSError as error:
            raise BadInput(f"The file {path} can't be written ({error.strerror}).", "Choose another file.") from error
        return str(target)

    def _archive(self, checks: list[CheckView], settings: SettingsView) -> bytes:
        crashes = {one["name"]: _tail(self._crash_file(one["name"])) for one in self._crashes()[:CRASHES_SAVED]}
        known = (*self._context.runs.sources(), *self._context.repositories.list())
        folders = dict.fromkeys((source for source in known if "/" in source), "[repository]")
        folders |= {str(self._context.home): "[state]", str(Path.home()): "~"}

        def clean(text: str) -> str:
            return archive.without_secrets(self._context.keys.without(text), folders)

        return archive.make(checks, settings, crashes, clean)

    # Models

    async def models(self) -> ModelsView:
        """What can be used now. Only servers on this machine are asked; a model elsewhere is named, unless the air gap is on."""
        configuration = await asyncio.to_thread(lambda: Configuration.load(home=self._context.home))
        name, base = configuration.model, configuration.api_base
        local = bool(base) and is_local(base)
        closed = configuration.policy.refusal(Purpose.LOCAL_MODEL)
        if closed is not None and local:
            return {"models": [], "sentence": closed.sentence, "remedy": closed.remedy}
        asked = ("", "") if closed is not None else (OLLAMA_BASE, base if local else "")
        ollama, own = await asyncio.gather(*map(_listing, asked))
        models = [*_listed(ollama, ""), *_listed(own, base)]
        chosen = name not in ("", "none") and (bool(base) or default_host(name) is not None)
        if chosen and local and own is not None and not own.complete:
            models.append(_model(Listed(name), own.wire.value, base, "Its server keeps no list of models."))
        if chosen and not local and not configuration.air_gap:
            models.append(_model(Listed(name), _provider_of(name), base, "Set on the settings page."))
        if models:
            return {"models": models, "sentence": "", "remedy": ""}
        if closed is not None:
            return {"models": [], "sentence": closed.sentence, "remedy": closed.remedy}
        sentence, remedy = _no_model(ollama is not None, base, local, configuration.air_gap)
        return {"models": [], "sentence": sentence, "remedy": remedy}

    async def usage(self) -> UsageView:
        return await asyncio.to_thread(self._usage)

    def _usage(self) -> UsageView:
        """Sums over the answers in the evidence log."""
        sums: dict[tuple[str, str, str], dict[str, int]] = {}
        chosen = select(EntryRow.run, EntryRow.leaf).where(EntryRow.type == "model_answer")
        with self._context.database.reading() as session:
            for run, leaf in session.execute(chosen.execution_options(yield_per=2_000)):
                data = json.loads(leaf)["data"]
                key = (run, str(data.get("model", "")), str(data.get("provider", "")))
                row = sums.setdefault(key, dict.fromkeys(_SUMMED, 0) | {"calls": 0})
                row["calls"] += 1
                for name in _SUMMED:
                    row[name] += int(data.get(name, 0))
        runs = {summary.run: summary for summary in self._context.runs.list()}
        rows: list[UsageRow] = [
            {
                "run": run_view(runs[run]),
                "model": model,
                "provider": provider,
                "calls": row["calls"],
                "prompt_tokens": row["prompt_tokens"],
                "completion_tokens": row["completion_tokens"],
                "cost_microusd": row["cost_microusd"],
                "model_ms": row["duration_ms"],
            }
            for (run, model, provider), row in sums.items()
            if run in runs
        ]
        rows.sort(key=lambda row: row["run"]["started_at"], reverse=True)
        return {
            "rows": rows,
            "calls": sum(row["calls"] for row in rows),
            "cost_microusd": sum(row["cost_microusd"] for row in rows),
        }


_SUMMED = ("prompt_tokens", "completion_tokens", "cost_microusd", "duration_ms")


def _check(found: Mapping[str, Any]) -> CheckView:
    return {
        "id": str(found["id"]),
        "title": str(found["title"]),
        "state": str(found["state"]),
        "sentence": str(found["sentence"]),
        "remedy": str(found["remedy"]),
        "fixable": bool(found["fixable"]),
        "command": str(found["remedy"]) if found["fixable"] else "",
    }


async def _listing(address: str) -> Listing | None:
    """What a server has, ``None`` where none answers soon."""
    if not address:
        return None
    try:
        async with asyncio.timeout(MODEL_SECONDS):
            return await list_models(address)
    except TimeoutError:
        return None


def _listed(listing: Listing | None, base: str) -> list[ModelView]:
    if listing is None:
        return []
    return [_model(model, listing.wire.value, base, "Answers on this machine.") for model in listing.models]


def _model(model: Listed, provider: str, base: str, sentence: str) -> ModelView:
    return {
        "name": model.name,
        "provider": provider,
        "api_base": base,
        "place": "local" if is_local(base) or (not base and default_host(model.name) is None) else "remote",
        "bytes": model.bytes,
        "sentence": sentence,
    }


def _provider_of(name: str) -> str:
    """The protocol that a name says, OpenAI's where it says none."""
    prefix = name.partition("/")[0]
    return prefix if f"{prefix}/" in PROVIDER_HOSTS else "openai"


def _no_model(ollama: bool, base: str, local: bool, air_gap: bool) -> tuple[str, str]:
    """Why there is none, and what to do."""
    if base and local:
        return (
            f"No model answers at {base}; analyses work without one.",
            "Start the server, or empty the end point on the settings page for Ollama.",
        )
    if base and air_gap:
        return (
            "The air gap is on, so the model on the settings page is not asked, and none answers on this machine.",
            "Start Ollama: ollama serve",
        )
    if ollama:
        return "Ollama answers, but has no model.", "Fetch one below, or type: qverify models pull qwen2.5-coder:7b"
    return "No model answers on this machine; analyses work without one.", "Start Ollama: ollama serve"


def _tail(file: Path) -> str:
    content = file.read_bytes()[-MOST_CRASH_BYTES:]
    return content.decode("utf-8", "replace")
