"""What a window is told of this machine, its settings and its keys. The same rules as in ``views``."""

from __future__ import annotations

from typing import TypedDict


class CheckView(TypedDict):
    """A check of this machine; ``state`` is ok, warning or blocking; ``command`` what a fix would run or do."""

    id: str
    title: str
    state: str
    sentence: str
    remedy: str
    fixable: bool
    command: str


class SettingsView(TypedDict):
    """Settings that a person may change. Air gap, containers and patience count at once, ``docker_host`` at the next start,
    ``sandbox`` (docker or bubblewrap), model and end point are what new analyses are offered. ``switches`` are those of
    ``domain.connections``, by the names of their settings; they count at once. ``keyring`` says in a sentence where an API key is kept."""

    air_gap: bool
    model: str
    api_base: str
    containers: int
    docker_host: str
    sandbox: str
    gvisor: bool
    patience_s: int
    editor: str
    air_gap_allow: str
    failover_refused: bool
    model_timeout_s: int
    model_answer_tokens: int
    model_context_tokens: int
    run_budget_microusd: int
    month_budget_microusd: int
    budget_ask_percent: int
    answer_cache_mb: int
    answer_cache_days: int
    hosted_issuer: str
    hosted_client: str
    hosted_regions: str
    hosted_key: str
    hosted_proxy: str
    hosted_ca_file: str
    time_stamp_authority: str
    time_stamp_certificate: str
    witnesses: str
    switches: dict[str, bool]
    home: str
    keyring: str
    api_key_set: bool


class KeyView(TypedDict):
    """A model's key without the key. ``provider`` is empty for whatever end point is used; ``store`` is environment, session,
    keyring or file; ``ending`` at most its last four characters; ``counts`` whether it is the one that is used."""

    provider: str
    store: str
    ending: str
    counts: bool


class KeyStoreView(TypedDict):
    """A store that takes keys on this machine now."""

    store: str
    sentence: str


class KeysView(TypedDict):
    """All keys that are known. ``usual`` is the store where nothing else is said; ``file`` says whether the key file is none,
    locked or open, ``problem`` why the passphrase of a named file did not open it."""

    keys: list[KeyView]
    stores: list[KeyStoreView]
    usual: str
    file: str
    problem: str


class DeploymentView(TypedDict):
    """An end point of ``models.toml``. ``place`` is local or remote; ``base`` is empty for the provider's own address; ``models``
    are those of single purposes; limits are 0 where none is set."""

    name: str
    wire: str
    model: str
    base: str
    place: str
    models: dict[str, str]
    requests_per_minute: int
    tokens_per_minute: int
    at_once: int
    enabled: bool


class DeploymentsView(TypedDict):
    """The order for the model ``auto``. ``problem`` says what of the file can't be used: then the order before it counts on."""

    path: str
    exists: bool
    deployments: list[DeploymentView]
    problem: str


class CrashView(TypedDict):
    """A local crash report; nothing is ever sent."""

    name: str
    at: str
    sentence: str
    bytes: int
