"""Which end point a model's name and an address mean, and whether policy lets a prompt go there."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.gateway.provider import Endpoint, Wire

OLLAMA_BASE = "http://127.0.0.1:11434"
OPENAI_BASE = "https://api.openai.com/v1"

#: Prefixes that settle the protocol, in the notation of litellm.
PREFIXES = {"ollama/": Wire.OLLAMA, "ollama_chat/": Wire.OLLAMA, "openai/": Wire.OPENAI}


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
    host = urlsplit(base).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


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

    Without an address: a local Ollama, unless the prefix ``openai/`` names OpenAI. With one: OpenAI-compatible, unless
    the prefix or the server itself (``speaks_ollama``) says Ollama.
    """
    wire, name = split_prefix(model.strip())
    if not name or not name.isprintable() or len(name) > 200:
        raise BadInput("The model's name can't be used.", "Give one such as --model qwen2.5-coder:7b")
    if wire is None:
        wire = Wire.OPENAI if api_base and not speaks_ollama else Wire.OLLAMA
    base = parse_base(api_base) if api_base else (OLLAMA_BASE if wire is Wire.OLLAMA else OPENAI_BASE)
    if wire is Wire.OPENAI:
        base = with_version(base)
    return Endpoint(wire, base, name, is_local(base))
