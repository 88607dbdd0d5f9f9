"""Which end point a model's name and an address mean, and whether policy lets a prompt go there."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

from qverify_desktop.domain.connections import Purpose
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import Deployment
from qverify_desktop.domain.network import is_loopback
from qverify_desktop.gateway.provider import Endpoint, Wire

OLLAMA_BASE = "http://127.0.0.1:11434"
OPENAI_BASE = "https://api.openai.com/v1"
ANTHROPIC_BASE = "https://api.anthropic.com"
#: Newest version of Azure OpenAI's data plane that is generally available (Azure OpenAI REST API reference).
AZURE_API_VERSION = "2024-10-21"
#: Who answers at an address that is a provider's own, by the name under which keys are kept.
PROVIDERS = {OPENAI_BASE: "openai", ANTHROPIC_BASE: "anthropic"}
_DEFAULTS = {Wire.OPENAI: OPENAI_BASE, Wire.ANTHROPIC: ANTHROPIC_BASE, Wire.OLLAMA: OLLAMA_BASE}

#: Ends of the host names under which Microsoft serves Azure OpenAI.
AZURE_HOSTS = (".openai.azure.com", ".openai.azure.us", ".cognitiveservices.azure.com")

#: Prefixes that settle the protocol, in the notation of litellm.
PREFIXES = {
    "ollama/": Wire.OLLAMA,
    "ollama_chat/": Wire.OLLAMA,
    "openai/": Wire.OPENAI,
    "azure/": Wire.AZURE,
    "anthropic/": Wire.ANTHROPIC,
}


def parse_base(text: str) -> str:
    """An address of a model server without its trailing slash; raises ``BadInput`` with a sentence."""
    remedy = "Give one such as --api-base http://127.0.0.1:8080/v1"
    try:
        parts = urlsplit(text.strip())
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise BadInput("The address of the model server is not a URL.", remedy) from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadInput(f"{shown_base(text)!r} is not an http or https address.", remedy)
    if parts.username is not None or parts.password is not None:
        raise BadInput(
            "The address of the model server holds a user name or password, which would be recorded with it.",
            "Leave it out, and put the key into the environment variable QVERIFY_API_KEY.",
        )
    if parts.query or parts.fragment:
        raise BadInput("The address of the model server must not have a query or a fragment.", remedy)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def shown_base(text: str) -> str:
    """An address that was refused, without what may be a password in it."""
    return text.rpartition("@")[2][:100]


def is_local(base: str) -> bool:
    """Whether the address names this machine by itself (a name that must be looked up does not)."""
    return is_loopback(urlsplit(base).hostname or "")


def host_of(base: str) -> str:
    """Host name of an address."""
    return urlsplit(base).hostname or ""


def split_prefix(model: str) -> tuple[Wire | None, str]:
    """The protocol that a name's prefix settles (``None`` where it settles none), and the name without it."""
    for prefix, wire in PREFIXES.items():
        if model.startswith(prefix) and len(model) > len(prefix):
            return wire, model[len(prefix) :]
    return None, model


def with_version(base: str) -> str:
    """OpenAI-compatible servers live below ``/v1``; an address without any path means that."""
    return base if urlsplit(base).path else f"{base}/v1"


def needs_probe(model: str, api_base: str) -> bool:
    """Whether only the server can tell its protocol: an address without a path, and a name without a prefix."""
    return bool(api_base) and split_prefix(model)[0] is None and not urlsplit(parse_base(api_base)).path


def resolve(model: str, api_base: str, speaks_ollama: bool = False) -> Endpoint:
    """The rule of ``--model`` and ``--api-base``. Raises ``BadInput`` for a name or an address that can't be used.

    Without an address: a local Ollama, unless the prefix names OpenAI or Anthropic. With one: OpenAI-compatible, unless the
    prefix says otherwise, or the server itself (``speaks_ollama``). Azure's resource has no address but the person's.
    """
    wire, name = split_prefix(model.strip())
    if not name or not name.isprintable() or len(name) > 200:
        raise BadInput("The model's name can't be used.", "Give one such as --model qwen2.5-coder:7b")
    if wire is None:
        wire = Wire.OPENAI if api_base and not speaks_ollama else Wire.OLLAMA
    if wire is Wire.AZURE and not api_base:
        raise BadInput(
            "Azure OpenAI needs the address of your resource.",
            "Give one such as --api-base https://NAME.openai.azure.com; the model is the deployment's name.",
        )
    base = parse_base(api_base) if api_base else _DEFAULTS[wire]
    if wire is Wire.OPENAI:
        base = with_version(base)
    version = AZURE_API_VERSION if wire is Wire.AZURE else ""
    return Endpoint(wire, base, name, is_local(base), api_version=version)


def of_deployment(deployment: Deployment, purpose: str) -> Endpoint:
    """The end point of a deployment for a purpose, without its key. Raises ``BadInput`` for one that can't be used."""
    if deployment.wire not in {wire.value for wire in Wire}:
        raise BadInput(
            f"The end point {deployment.name!r} has the protocol {deployment.wire!r}, which is none.",
            "Known are azure, anthropic, ollama and openai.",
        )
    endpoint = resolve(f"{deployment.wire}/{deployment.model_for(purpose)}", deployment.base)
    return replace(endpoint, api_version=deployment.api_version) if deployment.api_version else endpoint


def purpose_of(endpoint: Endpoint) -> Purpose:
    """Which row of the table of connections a call of this end point belongs to. A provider's row is for its own hosts."""
    if endpoint.local:
        return Purpose.LOCAL_MODEL
    known = {"openai": Purpose.OPENAI, "anthropic": Purpose.ANTHROPIC, "azure": Purpose.AZURE}
    return known.get(key_name(endpoint), Purpose.OTHER_MODEL)


def key_name(endpoint: Endpoint) -> str:
    """Whose key may be sent. A key of a provider is for that provider, never for whatever server was named."""
    if endpoint.base in PROVIDERS:
        return PROVIDERS[endpoint.base]
    host = host_of(endpoint.base)
    if endpoint.wire is Wire.AZURE and host.endswith(AZURE_HOSTS):
        return "azure"
    return "ollama" if endpoint.wire is Wire.OLLAMA and endpoint.local else host
