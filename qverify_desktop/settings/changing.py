"""Changes ``settings.toml``: validated as a whole, written in one piece, private to the person."""

from __future__ import annotations

import json
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.settings.configuration import SETTINGS_FILE, Configuration

#: Settings that the window changes, with the type of each.
CHANGEABLE: Mapping[str, type] = {
    "air_gap": bool,
    "model": str,
    "api_base": str,
    "containers": int,
    "docker_host": str,
    "patience_s": int,
    "editor": str,
}
_HEAD = "# Settings of QVerify Desktop; the window writes this file. Secrets are never in it.\n"


def change(home: Path, changes: Mapping[str, Any]) -> Configuration:
    """Change settings and answer all of them. Raises ``BadInput`` naming the first that can't be, and changes nothing."""
    for name, value in changes.items():
        if name not in CHANGEABLE:
            raise BadInput(f"There is no setting {name!r} that can be changed here.")
        if type(value) is not CHANGEABLE[name]:
            raise BadInput(f"The setting {name!r} can't be {value!r}.")
        if os.environ.get(f"QVERIFY_{name.upper()}"):
            raise BadInput(
                f"The setting {name!r} is given by the environment, which goes before the settings file.",
                f"Remove QVERIFY_{name.upper()} from the environment, then change it here.",
            )
    file = home / SETTINGS_FILE
    values = {**_read(file), **changes}
    for name in [name for name in changes if changes[name] == ""]:
        values.pop(name)
    configuration = Configuration.load(home=home, **{k: v for k, v in changes.items() if v != ""})
    _write(file, values)
    return configuration


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
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=".settings-", delete=False
        ) as new:
            new.write(_HEAD + "".join(lines))
        Path(new.name).replace(file)
    except OSError as error:
        raise MissingPrerequisite(
            f"The settings file {file} can't be written ({error.strerror or error}). Nothing was changed.",
            "Make the folder writable and try again.",
        ) from None
