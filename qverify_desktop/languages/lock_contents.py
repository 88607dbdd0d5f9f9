"""What lock files of npm and Cargo name, made safe to install from. Contents are hostile: nothing here raises.

A lock file may name any address. An installer with network would ask it, so only packages of the installer's own registry
are let through, and each only with its digest.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

MAX_PACKAGES = 20_000
#: A name that no resolver knows (RFC 2606). npm puts its own registry's in its place (``--replace-registry-host=always``).
_ANY_REGISTRY = "https://registry.invalid"
_NAME = re.compile(r"(?:@[\w~-][\w.~-]{0,100}/)?[\w~-][\w.~-]{0,213}", re.ASCII)
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,100}", re.ASCII)
_INTEGRITY = re.compile(r"(?:sha(?:1|256|384|512)-[A-Za-z0-9+/=]{20,100}(?:\s+|\Z))+", re.ASCII)
_RENEW = "Renew it with: npm install --package-lock-only"

_CARGO_SOURCE = re.compile(rb'^source = "([^"\n]{1,2000})"', re.MULTILINE)
#: SHA-256 of the two names under which a Cargo.lock knows the registry that cargo has built in (git and sparse index).
_CARGO_REGISTRY = frozenset(
    {
        "c19b7c6f923b580ac259164a89f2577984ad5ab09ee9d583b888f934adbbe8d0",
        "65f52ed8967a319a49133f9b9794a6ca567ee43073905d03899e43f8558e2e8f",
    }
)


def npm_lock_for_install(content: bytes) -> tuple[dict[str, Any], str]:
    """A package-lock that asks nothing but the registry that npm is set to, and why there is none (a sentence).

    Format: npm documentation, "package-lock.json", lockfileVersion 2 and 3. Addresses are replaced, digests are kept.
    """
    try:
        lock = json.loads(content)
    except (ValueError, RecursionError):
        return {}, f"It is no JSON document. {_RENEW}."
    packages = lock.get("packages") if isinstance(lock, dict) else None
    if not isinstance(packages, dict):
        return {}, f"It is of an old form that names no packages by folder (lockfileVersion 1). {_RENEW}."
    if len(packages) > MAX_PACKAGES:
        return {}, f"It names more than {MAX_PACKAGES} packages."
    made: dict[str, Any] = {}
    refused: list[str] = []
    for path, entry in packages.items():
        clean = _npm_entry(path, entry)
        if clean is None:
            refused.append(path[:100] if path.isprintable() else "a name that can't be shown")
        else:
            made[path] = clean
    if refused:
        more = f" and {len(refused) - 3} more" if len(refused) > 3 else ""
        return {}, (
            f"It takes packages from elsewhere than a registry, or without a digest ({', '.join(refused[:3])}{more}); "
            "these are never fetched."
        )
    kept = {name: lock[name] for name in ("name", "version") if isinstance(lock.get(name), str)}
    return {**kept, "lockfileVersion": 3, "requires": True, "packages": made}, ""


def _npm_entry(path: str, entry: Any) -> Mapping[str, Any] | None:
    if not isinstance(entry, dict) or ".." in path.split("/") or path.startswith("/"):
        return None
    if "node_modules" not in path.split("/"):
        # The project itself, or a workspace of it.
        return {key: value for key, value in entry.items() if key not in ("resolved", "integrity")}
    resolved = entry.get("resolved")
    if entry.get("link"):
        inside = isinstance(resolved, str) and _is_inside(resolved)
        return entry if inside else None
    if entry.get("inBundle"):
        # Comes inside the package above it.
        return {key: value for key, value in entry.items() if key != "resolved"}
    name = entry.get("name") or path.rpartition("node_modules/")[2]
    version, integrity = entry.get("version"), entry.get("integrity")
    if not (isinstance(name, str) and isinstance(version, str) and isinstance(integrity, str)):
        return None
    if isinstance(resolved, str) and not resolved.startswith(("https://", "http://")):
        return None
    if not (_NAME.fullmatch(name) and _VERSION.fullmatch(version) and _INTEGRITY.fullmatch(integrity[:1000])):
        return None
    file = f"{name.rpartition('/')[2]}-{version.partition('+')[0]}.tgz"
    return {**entry, "resolved": f"{_ANY_REGISTRY}/{name}/-/{file}"}


def _is_inside(resolved: str) -> bool:
    return bool(resolved) and ":" not in resolved and resolved[0] != "/" and ".." not in resolved.split("/")


def cargo_problem(content: bytes) -> str:
    """Why a Cargo.lock is not installed from, a sentence; empty where every package is of cargo's own registry."""
    other = sorted(
        {
            source
            for source in _CARGO_SOURCE.findall(content)
            if hashlib.sha256(source).hexdigest() not in _CARGO_REGISTRY
        }
    )
    if not other:
        return ""
    shown = other[0][:100].decode("utf-8", "replace")
    name = shown if shown.isprintable() else "a name that can't be shown"
    return f"It takes packages from elsewhere than cargo's own registry ({name}); these are never fetched."
