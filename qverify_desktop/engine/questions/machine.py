"""Questions about this machine and installation: checks and fixes, diagnostics, settings, crash reports, models, usage."""

from __future__ import annotations

import asyncio
import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from qverify_desktop import __version__
from qverify_desktop.diagnostics import doctor
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.views import (
    CheckView,
    CrashView,
    ModelsView,
    ModelView,
    SettingsView,
    UsageRow,
    UsageView,
)
from qverify_desktop.engine.questions.views import run_view
from qverify_desktop.gateway.endpoint import OLLAMA_BASE, is_local, shown_base
from qverify_desktop.gateway.server import list_ollama_models
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
            "api_key_set": self.set_key,
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
            "patience_s": configuration.patience_s,
            "editor": configuration.editor,
            "home": str(configuration.home),
            "keyring": await asyncio.to_thread(keys.place),
            "api_key_set": await asyncio.to_thread(keys.has_one),
        }

    async def change(self, changes: dict[str, Any]) -> SettingsView:
        if not isinstance(changes, dict) or not changes:
            raise BadInput("No setting was named.")
        configuration = await asyncio.to_thread(changing.change, self._context.home, changes)
        self._context.services.gateway.set_air_gap(configuration.air_gap)
        return await self._settings(configuration)

    async def set_key(self, key: str) -> SettingsView:
        """Keep an API key in the keyring, or where there is none until QVerify ends; an empty one removes it."""
        if not isinstance(key, str) or len(key) > 4096 or any(ord(c) < 33 for c in key):
            raise BadInput("An API key is one line of text without spaces.")
        await asyncio.to_thread(self._context.keys.keep, key)
        return await self.settings()

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
        """Versions, checks, settings and crash reports in one archive. Nothing of a repository, no address, no secret."""
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
        versions = {
            "qverify": __version__,
            "python": sys.version,
            "system": platform.platform(),
            "machine": platform.machine(),
        }
        shown = {**settings, "home": "", "api_base": shown_base(settings["api_base"]) if settings["api_base"] else ""}
        hidden = (str(self._context.home), str(Path.home()))
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("versions.json", json.dumps(versions, indent=1))
            archive.writestr("checks.json", _without(json.dumps(checks, indent=1), hidden))
            archive.writestr("settings.json", _without(json.dumps(shown, indent=1), hidden))
            for crash in self._crashes()[:CRASHES_SAVED]:
                text = _without(_tail(self._crash_file(crash["name"])), hidden)
                archive.writestr(f"crashes/{crash['name']}", text)
        return memory.getvalue()

    # Models

    async def models(self) -> ModelsView:
        """What answers on this machine; a configured end point elsewhere is named but not asked."""
        configuration = await asyncio.to_thread(lambda: Configuration.load(home=self._context.home))
        try:
            async with asyncio.timeout(MODEL_SECONDS):
                names = await list_ollama_models(OLLAMA_BASE)
        except TimeoutError:
            names = None
        models: list[ModelView] = [_model(name, "ollama", "", "Answers on this machine.") for name in names or ()]
        if configuration.model and configuration.model != "none" and configuration.api_base:
            models.append(_model(configuration.model, "openai", configuration.api_base, "Set on the settings page."))
        if models:
            return {"models": models, "sentence": "", "remedy": ""}
        if names is None:
            sentence, remedy = (
                "No model answers on this machine; analyses work without one.",
                "Start Ollama: ollama serve",
            )
        else:
            sentence, remedy = "Ollama answers, but has no model.", "Fetch one: ollama pull qwen2.5-coder:7b"
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


def _model(name: str, provider: str, base: str, sentence: str) -> ModelView:
    local = not base or is_local(base)
    return {
        "name": name,
        "provider": provider,
        "api_base": base,
        "place": "local" if local else "remote",
        "bytes": 0,
        "sentence": sentence,
    }


def _tail(file: Path) -> str:
    content = file.read_bytes()[-MOST_CRASH_BYTES:]
    return content.decode("utf-8", "replace")


def _without(text: str, hidden: tuple[str, ...]) -> str:
    """Paths of the person's folders are no one else's business."""
    for path in hidden:
        text = text.replace(json.dumps(path)[1:-1], "~").replace(path, "~")
    return text
