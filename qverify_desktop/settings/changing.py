"""Changes ``settings.toml``: validated as a whole, written in one piece, private to the person."""

from __future__ import annotations

import json
import os
import shlex
import string
import tomllib
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from qverify_desktop.domain.connections import SWITCHES
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.settings.configuration import SETTINGS_FILE, Configuration
from qverify_desktop.settings.private_files import replace_private

#: Settings that the window changes, with the type of each.
CHANGEABLE: Mapping[str, type] = {
    "air_gap": bool,
    "model": str,
    "api_base": str,
    "containers": int,
    "docker_host": str,
    "sandbox": str,
    "gvisor": bool,
    "patience_s": int,
    "editor": str,
    "air_gap_allow": str,
    "failover_refused": bool,
    "model_timeout_s": int,
    "model_answer_tokens": int,
    "model_context_tokens": int,
    "run_budget_microusd": int,
    "month_budget_microusd": int,
    "budget_ask_percent": int,
    "answer_cache_mb": int,
    "answer_cache_days": int,
    "hosted_issuer": str,
    "hosted_client": str,
    "hosted_regions": str,
    "hosted_key": str,
    "hosted_proxy": str,
    "hosted_ca_file": str,
    "time_stamp_authority": str,
    "time_stamp_certificate": str,
    "witnesses": str,
    **dict.fromkeys(SWITCHES, bool),
}
#: Variables that go before the file, by setting; ``QVERIFY_`` and its name for each of them.
_ALSO_NAMED = {"docker_host": ("DOCKER_HOST",)}
_HEAD = "# Settings of QVerify Desktop; the window writes this file. Secrets are never in it.\n"
#: What stands in the place of the file and the line in the editor's command.
_PLACES = {"file", "line"}


def _nobody(_changes: Mapping[str, Any]) -> None:
    """Tells nobody."""


def change(
    home: Path, changes: Mapping[str, Any], tell: Callable[[Mapping[str, Any]], None] = _nobody
) -> Configuration:
    """Change settings and answer all of them; an empty text is the default again. ``tell`` hears what will be another value, before
    it is; what it raises keeps everything as it was.

    Raises ``BadInput`` naming the first that can't be, and changes nothing.
    """
    changes = {name: value.strip() if isinstance(value, str) else value for name, value in changes.items()}
    for name, value in changes.items():
        _check(name, value)
    file = home / SETTINGS_FILE
    standing = _read(file)
    values = {**standing, **changes}
    for name in [name for name in changes if changes[name] == ""]:
        values.pop(name)
    Configuration.load(home=home, **{name: value for name, value in changes.items() if value != ""})
    others = {name: value for name, value in changes.items() if value != standing.get(name, _default(name))}
    if others:
        tell(others)
    _write(file, values)
    return Configuration.load(home=home)


def _default(name: str) -> Any:
    default = Configuration.model_fields[name].get_default(call_default_factory=True)
    return default.value if isinstance(default, Enum) else default


def _check(name: str, value: Any) -> None:
    """Raises ``BadInput`` for what the types of ``Configuration`` let through. A value that may hold a secret is not repeated."""
    if name not in CHANGEABLE:
        raise BadInput(f"There is no setting {name!r} that can be changed here.")
    kind = CHANGEABLE[name]
    if type(value) is not kind:
        words = {bool: "true or false", int: "a whole number", str: "a text"}[kind]
        raise BadInput(f"The setting {name!r} has to be {words}.")
    variables = [f"QVERIFY_{name.upper()}", *_ALSO_NAMED.get(name, ())]
    given = next((variable for variable in variables if os.environ.get(variable)), "")
    if given:
        raise BadInput(
            f"The setting {name!r} is given by the environment, which goes before the settings file.",
            f"Remove {given} from the environment, then change it here.",
        )
    problem = _problem(name, value) if isinstance(value, str) and value else ""
    if problem:
        raise BadInput(f"The setting {name!r} can't be used: {problem}")


def _problem(name: str, value: str) -> str:
    if not value.isprintable():
        return "it holds control characters."
    if name == "api_base":
        return _problem_of_address(value, ("http", "https"))
    if name == "docker_host":
        return _problem_of_address(value, ("unix", "tcp", "ssh", "npipe", "http", "https"))
    if name == "editor":
        return _problem_of_command(value)
    if name == "hosted_issuer":
        return _problem_of_address(value, ("https", "http"))
    if name == "hosted_regions":
        parts = [part.strip() for part in value.split(",")]
        return next((problem for part in parts if (problem := _problem_of_address(part, ("https", "http")))), "")
    if name == "hosted_proxy":
        return _problem_of_address(value, ("http", "https"))
    if name == "hosted_ca_file" and not Path(value).is_absolute():
        return "it needs an absolute path."
    return ""


def _problem_of_address(value: str, schemes: tuple[str, ...]) -> str:
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  (reading it is what checks it)
    except ValueError:
        return "it is no address."
    if parts.scheme not in schemes or not (parts.hostname or parts.scheme in ("unix", "npipe")):
        return f"an address begins with {', '.join(f'{scheme}://' for scheme in schemes)}."
    if parts.password is not None or (parts.username is not None and parts.scheme != "ssh"):
        return "it holds a user name or password, which would lie open in the settings file."
    if parts.query or parts.fragment:
        return "an address here has no query and no fragment."
    return ""


def _problem_of_command(value: str) -> str:
    """A command whose words may hold ``{file}`` and ``{line}``; it is never given to a shell."""
    try:
        words = shlex.split(value)
        places = {name for _, name, _, _ in string.Formatter().parse(value) if name is not None}
    except ValueError:
        return "its quotes or braces don't close."
    if not words or words[0].startswith("{"):
        return "it has to begin with a program."
    if "file" not in places or not places <= _PLACES:
        return "it has to name {file}, and may name {line}, such as: code -g {file}:{line}"
    return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise BadInput(f"The settings file {file} can't be read: {error}.", "Correct or remove it.") from None


def _write(file: Path, values: Mapping[str, Any]) -> None:
    """A TOML basic string takes JSON's escapes (TOML 1.0, section String)."""
    lines = [f"{name} = {json.dumps(value)}\n" for name, value in sorted(values.items())]
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_private(file, (_HEAD + "".join(lines)).encode())
    except OSError as error:
        raise MissingPrerequisite(
            f"The settings file {file} can't be written ({error.strerror or error}). Nothing was changed.",
            "Make the folder writable and try again.",
        ) from None
