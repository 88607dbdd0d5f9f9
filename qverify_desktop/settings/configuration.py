"""What a person may set: where state lies, how much runs side by side, which engine and model are used.

Order of precedence: arguments, environment (``QVERIFY_…``), ``settings.toml`` in the home folder, defaults. Keys of
models are no settings: see ``secrets``.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import Any

from platformdirs import user_data_path
from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from qverify_desktop.domain.anchors import Witness, check_address, witnesses_of
from qverify_desktop.domain.connections import SWITCHES, Policy
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import SandboxKind
from qverify_desktop.domain.network import networks

SETTINGS_FILE = "settings.toml"


def default_home() -> Path:
    """``QVERIFY_HOME``, otherwise the user's data folder as the operating system has it."""
    named = os.environ.get("QVERIFY_HOME", "").strip()
    return Path(named) if named else user_data_path("qverify", appauthor=False)


class Configuration(BaseSettings):
    """The settings of one start of the application, read once by ``composition``.

    ``containers`` is how many sandboxes run side by side, ``patience_s`` the seconds after which one test or one import
    counts as hung, ``model_timeout_s`` seconds for one answer, ``model_answer_tokens`` the most tokens of one,
    ``model_context_tokens`` the largest context window asked of Ollama. ``sandbox`` is what a run that does not say is run
    in: Docker's containers, or bubblewrap with reduced isolation; ``gvisor`` whether containers run under gVisor where the
    engine has it. ``air_gap`` refuses every connection that is neither to this machine nor to ``air_gap_allow`` (addresses and
    networks, separated by commas); each ``allow_…`` is the switch of one row of ``domain.connections``; ``failover_refused`` asks the
    next model also what one refused. ``model`` and ``api_base`` are what
    the window offers first, ``editor`` the command with which it opens a file at a line. ``run_budget_microusd`` is what a run may cost that names no
    budget of its own, ``month_budget_microusd`` what all
    models may cost in a calendar month (UTC), in millionths of a US dollar (0: no limit); above ``budget_ask_percent`` of a
    budget the person is asked. ``answer_cache_mb`` (0: none) and ``answer_cache_days`` limit the kept answers of models.
    ``time_stamp_authority`` is the address that stamps closing checkpoints (RFC 3161), ``time_stamp_certificate`` a PEM file with the
    certificate that its stamps must lead to; ``witnesses`` are ``KEY ADDRESS`` each, separated by commas (C2SP tlog-witness).
    """

    model_config = SettingsConfigDict(env_prefix="QVERIFY_", extra="forbid", frozen=True)

    home: Path = Field(default_factory=default_home)
    containers: int = Field(default_factory=lambda: max(1, min(4, os.cpu_count() or 1)), ge=1, le=64)
    patience_s: int = Field(default=60, ge=1, le=600)
    docker_host: str = Field(
        default="", validation_alias=AliasChoices("docker_host", "QVERIFY_DOCKER_HOST", "DOCKER_HOST")
    )
    sandbox: SandboxKind = SandboxKind.DOCKER
    gvisor: bool = True
    air_gap: bool = False
    air_gap_allow: str = Field(default="", max_length=2000)
    allow_local_models: bool = True
    allow_openai: bool = True
    allow_azure: bool = True
    allow_anthropic: bool = True
    allow_other_models: bool = True
    allow_model_fetch: bool = True
    allow_clone: bool = True
    allow_engine: bool = True
    allow_remote_engine: bool = True
    allow_installs: bool = True
    allow_image_builds: bool = True
    allow_proxy_check: bool = True
    allow_time_stamps: bool = True
    allow_witnesses: bool = True
    failover_refused: bool = False
    keyring: bool = True
    model: str = Field(default="", max_length=200)
    api_base: str = Field(default="", max_length=2000)
    editor: str = Field(default="", max_length=500)
    model_timeout_s: int = Field(default=300, ge=1, le=3600)
    model_answer_tokens: int = Field(default=8192, ge=16, le=65_536)
    model_context_tokens: int = Field(default=32768, ge=2048, le=1_048_576)
    run_budget_microusd: int = Field(default=0, ge=0, le=10**12)
    month_budget_microusd: int = Field(default=0, ge=0, le=10**12)
    budget_ask_percent: int = Field(default=80, ge=1, le=100)
    answer_cache_mb: int = Field(default=256, ge=0, le=65_536)
    answer_cache_days: int = Field(default=30, ge=1, le=3650)
    time_stamp_authority: str = Field(default="", max_length=2000)
    time_stamp_certificate: str = Field(default="", max_length=4000)
    witnesses: str = Field(default="", max_length=8000)

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return Path(os.path.abspath(home.expanduser()))  # noqa: PTH100  (resolve() would follow the person's own links)

    @field_validator("air_gap_allow")
    @classmethod
    def _are_addresses(cls, text: str) -> str:
        for part in text.split(","):
            try:
                networks([part])
            except ValueError:
                raise ValueError(
                    f"{part.strip()[:60]!r} is neither an address nor a network such as 10.0.0.7 or 10.1.0.0/16"
                ) from None
        return text

    @field_validator("time_stamp_authority")
    @classmethod
    def _is_address(cls, text: str) -> str:
        if text:
            check_address(text)
        return text

    @field_validator("witnesses")
    @classmethod
    def _are_witnesses(cls, text: str) -> str:
        witnesses_of(text)
        return text

    @property
    def asked_witnesses(self) -> tuple[Witness, ...]:
        """Who is asked to cosign checkpoints."""
        return witnesses_of(self.witnesses)

    @property
    def allowed(self) -> tuple[str, ...]:
        """What the air gap lets through besides this machine."""
        return tuple(part.strip() for part in self.air_gap_allow.split(",") if part.strip())

    @property
    def policy(self) -> Policy:
        """What may be connected to."""
        off = frozenset(switch for switch in SWITCHES if not getattr(self, switch))
        return Policy(off, self.air_gap, networks(self.allowed))

    @classmethod
    def load(cls, **arguments: Any) -> Configuration:
        """Read the settings. Raises ``BadInput`` with the name of the setting that can't be read."""
        try:
            return cls(**arguments)
        except ValidationError as error:
            raise BadInput(
                _sentence(error), f"Correct it in the environment (QVERIFY_…) or in {SETTINGS_FILE}."
            ) from None
        except (ValueError, OSError) as error:
            home = Path(arguments.get("home") or default_home()).expanduser()
            if isinstance(error, PermissionError) and not os.access(home, os.X_OK):
                raise _unwritable(home, error) from None
            # tomllib raises a ValueError; a message of ours about a file holds no secret, for settings are none
            raise BadInput(
                f"The settings file {default_home() / SETTINGS_FILE} can't be read: {error}.", "Correct or remove it."
            ) from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        given = init_settings().get("home")
        file = (Path(given) if given else default_home()).expanduser() / SETTINGS_FILE
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    def prepare_home(self) -> Path:
        """Make the home folder (0700) and prove that it takes files. Raises ``MissingPrerequisite`` when it does not."""
        try:
            self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self.home, prefix=".writable-") as probe:
                probe.write(b"qverify")
                probe.flush()
        except OSError as error:
            raise _unwritable(self.home, error) from None
        return self.home


#: What pydantic says in words for programmers.
_PLAIN = {"bool_parsing": "it has to be true or false", "int_parsing": "it has to be a whole number"}


def _sentence(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False, include_context=False)[0]
    name = ".".join(str(part) for part in problem["loc"]) or "settings"
    if problem["type"] == "extra_forbidden":
        return f"There is no setting called {name!r}."
    if problem["type"] == "value_error":
        words = problem["msg"].removeprefix("Value error, ")
        return f"The setting {name!r} can't be used: {words}."
    words = _PLAIN.get(problem["type"]) or problem["msg"].lower().replace("input should be", "it has to be")
    return f"The setting {name!r} can't be used: {words}."


def _unwritable(home: Path, error: OSError) -> MissingPrerequisite:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingPrerequisite(
            f"The disk that holds {home} is full, so nothing can be recorded.",
            "Make room there, or point QVERIFY_HOME at another disk.",
        )
    reason = (error.strerror or str(error)).lower()
    return MissingPrerequisite(
        f"The folder for QVerify's state, {home}, can't be written to ({reason}); nothing was changed.",
        "Point QVERIFY_HOME at a folder you may write, for example: export QVERIFY_HOME=$HOME/qverify",
    )
