"""Read a sandbox runtime's recipe, and ask a built image for the versions of its tools. Used by image.sh.

usage: recipe.py value RUNTIME_TOML KEY
       recipe.py probe RUNTIME_TOML DOCKER IMAGE ORIGIN FOLDER

``value`` prints a text, ``true``, or a list with one element a line; nothing where the recipe does not have it. ``probe`` runs every
tool's command once in IMAGE, without network, and writes into FOLDER: ``tools.json`` (tool to version),
``differences.json`` (sentences where a version is not the one that the recipe wants; ORIGIN, which may be empty, says
where the image's own came from) and ``Dockerfile``, which gives IMAGE the recipe's environment. Standard library only, so
that it runs before anything is installed; Python 3.11 or newer.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

#: A version as tools print it: 20.18.0, 1.85.1, 2.0.0-beta.1.
VERSION = re.compile(r"(?<![\w.])v?(?:go)?(\d+(?:\.\d+)+(?:-[\w.]+)?)")
#: All tools together. A compiler that starts a virtual machine takes seconds on a busy machine.
PROBE_TIMEOUT_S = 300


class Unusable(Exception):
    """The image or the recipe can't be used; the text is a sentence."""


def main(arguments: list[str]) -> int:
    action, file, *rest = arguments
    with Path(file).open("rb") as opened:
        recipe = tomllib.load(opened)
    if action == "value":
        value = recipe.get(rest[0], "")
        text = {True: "true", False: ""}[value] if isinstance(value, bool) else value
        print(text if isinstance(text, str) else "\n".join(text), end="\n" if text else "")
        return 0
    docker, image, origin, folder = rest
    try:
        tools = probe(recipe, docker, image)
    except Unusable as error:
        print(error, file=sys.stderr)
        return 1
    target = Path(folder)
    target.joinpath("tools.json").write_text(json.dumps(tools))
    target.joinpath("differences.json").write_text(json.dumps(differences(recipe, tools, origin)))
    target.joinpath("Dockerfile").write_text(dockerfile(recipe, image))
    return 0


def probe(recipe: dict[str, Any], docker: str, image: str) -> dict[str, str]:
    """Versions of the recipe's tools as the image's own commands print them."""
    lines = [
        f"printf '%s\\t' {shlex.quote(name)}; {{ {shlex.join(tool['command'])}; }} 2>&1 </dev/null | tr '\\n\\t' '  '; echo"
        for name, tool in recipe["tools"].items()
    ]
    environment = [f"--env={name}={value}" for name, value in recipe.get("environment", {}).items()]
    command = [
        *(docker, "run", "--rm", "--network=none", "--read-only", "--user=10001:10001", "--cap-drop=ALL"),
        *("--tmpfs=/tmp:rw,exec,mode=1777", "--env=HOME=/tmp", *environment, "--entrypoint=/bin/sh"),
        *(image, "-c", "\n".join(lines)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PROBE_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise Unusable(f"The image's tools did not answer within {PROBE_TIMEOUT_S} s.") from error
    said = dict(line.split("\t", 1) for line in done.stdout.splitlines() if "\t" in line)
    tools = {}
    for name in recipe["tools"]:
        found = VERSION.search(said.get(name, ""))
        if found is None:
            told = said.get(name, "").strip() or done.stderr.strip()
            raise Unusable(f"The image's {name} does not tell its version: {told[-300:] or 'it says nothing'}")
        tools[name] = found[1]
    return tools


def differences(recipe: dict[str, Any], tools: dict[str, str], origin: str) -> list[str]:
    """A sentence for each tool whose version is not ``wanted`` (20 admits 20.18.0)."""
    sentences = []
    for name, tool in recipe["tools"].items():
        wanted = tool.get("wanted", "")
        if not wanted or tools[name] == wanted or tools[name].startswith(f"{wanted}."):
            continue
        title = tool.get("title", name)
        came = f" from {origin}" if origin else ""
        why = ": no container registry answered when the image was built" if origin else ""
        sentences.append(f"{title} {tools[name]}{came} instead of {title} {wanted}{why}.")
    return sentences


def dockerfile(recipe: dict[str, Any], image: str) -> str:
    """A last layer without content: the environment of the recipe."""
    lines = [f"FROM {image}"]
    for name, value in recipe.get("environment", {}).items():
        if "$" in value or "\n" in value:
            raise SystemExit(f"The environment's {name} may hold neither a dollar sign nor a line feed.")
        lines.append(f"ENV {name}={json.dumps(value)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
