"""Every connection that QVerify may open: for what, who opens it, to where, when, and the switch that closes it.

This table is the one source: ``docs/network.md`` and the pages of the window are made from it, settings have a switch for each
row, and whoever opens a connection asks its ``Gate`` first. What is in no row is not opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qverify_desktop.domain.network import Network, permits


class Purpose(StrEnum):
    """What a connection is for; the name of its row."""

    LOCAL_MODEL = "local_model"
    OPENAI = "openai"
    AZURE = "azure"
    ANTHROPIC = "anthropic"
    OTHER_MODEL = "other_model"
    MODEL_FETCH = "model_fetch"
    CLONE = "clone"
    ENGINE = "engine"
    REMOTE_ENGINE = "remote_engine"
    INSTALL = "install"
    IMAGE_BUILD = "image_build"
    PROXY_CHECK = "proxy_check"
    TIME_STAMP = "time_stamp"
    WITNESS = "witness"
    DESKTOP = "desktop"


class Closed(StrEnum):
    """What the air gap leaves of a row: it ``stays`` (nothing leaves this machine), to addresses that are ``allowed`` only, or
    ``never``."""

    STAYS = "stays"
    ALLOWED = "allowed"
    NEVER = "never"


@dataclass(frozen=True)
class Connection:
    """One row. ``who`` opens it, ``sends`` is what goes over it; ``switch`` is the name of its setting (empty: it has none, and
    ``sends`` says why). ``so`` and ``instead`` are what a refusal says: what was not done (``{host}`` stands for the host), and what
    can be done instead."""

    purpose: Purpose
    title: str
    who: str
    where: str
    when: str
    sends: str
    switch: str
    air_gap: Closed
    so: str
    instead: str


TABLE: tuple[Connection, ...] = (
    Connection(
        Purpose.LOCAL_MODEL,
        title="Models on this machine",
        who="QVerify",
        where="Ollama at 127.0.0.1:11434, or the address on this machine that you set",
        when="When models are listed, and when an analysis uses one",
        sends="Source of each target, its documentation, its generated tests; secrets are masked",
        switch="allow_local_models",
        air_gap=Closed.STAYS,
        so="nothing was asked of the model server on this machine",
        instead="Use --model none, which needs none",
    ),
    Connection(
        Purpose.OPENAI,
        title="Models of OpenAI",
        who="QVerify",
        where="api.openai.com:443, through your proxy where one is set",
        when="When an analysis uses such a model",
        sends="Source of each target, its documentation, its generated tests; secrets are masked",
        switch="allow_openai",
        air_gap=Closed.ALLOWED,
        so="nothing was sent to {host}",
        instead="Use a model on this machine",
    ),
    Connection(
        Purpose.AZURE,
        title="Models of Azure OpenAI",
        who="QVerify",
        where="The host of your own resource, port 443, through your proxy where one is set",
        when="When an analysis uses such a model",
        sends="Source of each target, its documentation, its generated tests; secrets are masked",
        switch="allow_azure",
        air_gap=Closed.ALLOWED,
        so="nothing was sent to {host}",
        instead="Use a model on this machine",
    ),
    Connection(
        Purpose.ANTHROPIC,
        title="Models of Anthropic",
        who="QVerify",
        where="api.anthropic.com:443, through your proxy where one is set",
        when="When an analysis uses such a model",
        sends="Source of each target, its documentation, its generated tests; secrets are masked",
        switch="allow_anthropic",
        air_gap=Closed.ALLOWED,
        so="nothing was sent to {host}",
        instead="Use a model on this machine",
    ),
    Connection(
        Purpose.OTHER_MODEL,
        title="Model servers elsewhere",
        who="QVerify",
        where="The address that you set, through your proxy where one is set",
        when="When an analysis uses such a model",
        sends="Source of each target, its documentation, its generated tests; secrets are masked",
        switch="allow_other_models",
        air_gap=Closed.ALLOWED,
        so="nothing was sent to {host}",
        instead="Use a model on this machine",
    ),
    Connection(
        Purpose.MODEL_FETCH,
        title="Fetching models",
        who="Ollama on this machine, which QVerify asks",
        where="Ollama's registry of models",
        when="When you fetch a model",
        sends="The name of the model",
        switch="allow_model_fetch",
        air_gap=Closed.NEVER,
        so="no model is fetched",
        instead="Bring it in as a file",
    ),
    Connection(
        Purpose.CLONE,
        title="Fetching repositories",
        who="git, and ssh where git calls it",
        where="The host of the address that you give, over https, ssh or git, through your proxy where one is set",
        when="When you give an address instead of a folder",
        sends="The address, and what your credential helper or ssh agent offers that host",
        switch="allow_clone",
        air_gap=Closed.NEVER,
        so="no repository is fetched from another machine",
        instead="Copy it into a folder and drop that",
    ),
    Connection(
        Purpose.ENGINE,
        title="Container engine on this machine",
        who="QVerify, and the docker command where an image is built",
        where="The socket /var/run/docker.sock, or the one that DOCKER_HOST names",
        when="At start, and for every job of an analysis",
        sends="The repository and its tests, into containers that have no network",
        switch="allow_engine",
        air_gap=Closed.STAYS,
        so="the container engine of this machine was not asked",
        instead="Choose bubblewrap as the sandbox",
    ),
    Connection(
        Purpose.REMOTE_ENGINE,
        title="Container engine elsewhere",
        who="QVerify over TCP with TLS, or your ssh",
        where="The host that DOCKER_HOST or the setting of that name says",
        when="At start, and for every job of an analysis",
        sends="The repository and its tests, into containers that have no network",
        switch="allow_remote_engine",
        air_gap=Closed.ALLOWED,
        so="the container engine at {host} was not asked",
        instead="Use the engine of this machine",
    ),
    Connection(
        Purpose.INSTALL,
        title="Missing packages",
        who="A container of its own, before the tests",
        where="The package registry of the language, over the engine's bridge network",
        when="When you allow it for an analysis",
        sends="Names and versions of the packages that the project needs",
        switch="allow_installs",
        air_gap=Closed.NEVER,
        so="no packages may be fetched",
        instead="Name a folder that holds them with --packages",
    ),
    Connection(
        Purpose.IMAGE_BUILD,
        title="Building sandbox images",
        who="The container engine, and the build script with pip, npm and apt",
        where="Container registry, package registries, package mirrors of the distribution, and the projects of the tools",
        when="Before the first analysis of a language, and when you build a runtime",
        sends="Names and versions of the tools; nothing of a repository",
        switch="allow_image_builds",
        air_gap=Closed.NEVER,
        so="no sandbox image is built",
        instead="Bring it in from another machine (qverify runtimes save there, qverify runtimes load here)",
    ),
    Connection(
        Purpose.PROXY_CHECK,
        title="Trying the proxy",
        who="QVerify",
        where="The proxy that the environment names",
        when="When this machine is checked and a proxy is set",
        sends="Nothing; it is only connected to",
        switch="allow_proxy_check",
        air_gap=Closed.NEVER,
        so="the proxy was not tried",
        instead="",
    ),
    Connection(
        Purpose.TIME_STAMP,
        title="Time stamps",
        who="QVerify",
        where="The time-stamp authority that you set, through your proxy where one is set",
        when="After an analysis, where an authority is set",
        sends="The SHA-256 of the signed checkpoint; nothing of a repository",
        switch="allow_time_stamps",
        air_gap=Closed.ALLOWED,
        so="no time stamp was asked of {host}",
        instead="Keep the checkpoint on paper (qverify checkpoint)",
    ),
    Connection(
        Purpose.WITNESS,
        title="Witnesses",
        who="QVerify",
        where="The witnesses that you set, through your proxy where one is set",
        when="After an analysis, where a witness is set",
        sends="The signed checkpoint (name of the log, number of entries, root hash) and hashes; nothing of a repository",
        switch="allow_witnesses",
        air_gap=Closed.ALLOWED,
        so="no cosignature was asked of {host}",
        instead="Keep the checkpoint on paper (qverify checkpoint)",
    ),
    Connection(
        Purpose.DESKTOP,
        title="Your desktop",
        who="QVerify's window, and a second start of QVerify",
        where="Sockets of this machine: display, session bus with keyring and screen reader, QVerify's own control socket",
        when="While the window is open, or a command speaks to it",
        sends="What you see; it has no switch, because nothing of it leaves this machine",
        switch="",
        air_gap=Closed.STAYS,
        so="nothing was opened",
        instead="",
    ),
)
ROWS: Mapping[Purpose, Connection] = {row.purpose: row for row in TABLE}
#: Names of the settings that close a row each.
SWITCHES: tuple[str, ...] = tuple(row.switch for row in TABLE if row.switch)


@dataclass(frozen=True)
class Refusal:
    """Why a connection is not opened, and what to do."""

    sentence: str
    remedy: str


@dataclass(frozen=True)
class Policy:
    """What may be connected to: the switches that are ``off``, and the air gap with the addresses that it lets through."""

    off: frozenset[str] = frozenset()
    air_gap: bool = False
    allowed: tuple[Network, ...] = ()

    def refusal(self, purpose: Purpose, host: str = "") -> Refusal | None:
        """Why nothing may be connected to for ``purpose`` at ``host`` (empty where the host is not known before), or ``None``."""
        row = ROWS[purpose]
        if row.switch in self.off:
            return _refusal(
                row,
                host,
                f"The connection '{row.title}' is switched off",
                f"switch it on in the settings ({row.switch})",
            )
        if not self.air_gap or row.air_gap is Closed.STAYS:
            return None
        if row.air_gap is Closed.ALLOWED and permits(host, self.allowed):
            return None
        return _refusal(row, host, "The air gap is on", "switch the air gap off in the settings")


def _refusal(row: Connection, host: str, why: str, otherwise: str) -> Refusal:
    so = row.so.replace("{host}", host or "another machine")
    remedy = f"{row.instead}, or {otherwise}." if row.instead else f"{otherwise[0].upper()}{otherwise[1:]}."
    return Refusal(f"{why}, so {so}.", remedy)


@dataclass
class Gate:
    """The policy that counts now, shared by all who open connections; ``policy`` is replaced when settings are changed."""

    policy: Policy = field(default_factory=Policy)

    def refusal(self, purpose: Purpose, host: str = "") -> Refusal | None:
        """See ``Policy.refusal``."""
        return self.policy.refusal(purpose, host)
