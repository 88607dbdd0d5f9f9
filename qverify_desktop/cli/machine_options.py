"""Options of the commands about this machine: its keys, models and runtimes, and what is missing on it."""

from __future__ import annotations

import argparse
from typing import Any

from qverify_desktop.cli.options import add_passphrase, command


def add_machine(commands: Any) -> None:
    """Keys, models, runtimes, doctor."""
    _add_keys(commands)
    _add_models(commands)
    _add_runtimes(commands)


def _add_keys(commands: Any) -> None:
    parser = command(commands, "keys", "List, set and remove keys of models; open the key file.", "keys", "keys")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "list": "show which keys there are, and where; never a key",
        "set": "keep a key: it is typed and not shown, or read from standard input",
        "remove": "forget a key",
        "unlock-check": "try the passphrase of the key file; changes nothing",
        "change-passphrase": "give the key file another passphrase",
    }
    for name, help in helps.items():
        action = actions.add_parser(name, help=help, description=help)
        if name in ("set", "remove"):
            named = "openai, anthropic, azure, ollama, the host of an end point, or any"
            action.add_argument("provider", metavar="PROVIDER", help=named)
            action.add_argument(
                "--store", choices=("keyring", "file"), default="", help="where it is kept (default: the keyring)"
            )
        if name == "change-passphrase":
            action.add_argument(
                "--new-passphrase-fd", type=int, metavar="N", help="read the new passphrase from this descriptor"
            )
        add_passphrase(action)
        # Suppressed: the outer option's answer stays where the inner one is not given.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _add_models(commands: Any) -> None:
    parser = command(
        commands, "models", "List, show, pull, pause, remove, import or recommend models.", "models", "models"
    )
    parser.add_argument(
        "action",
        choices=("list", "show", "pull", "pause", "rm", "import", "recommend"),
        metavar="list|show|pull|pause|rm|import|recommend",
        help="pull NAME fetches a model or goes on with it (Ctrl+C pauses), pause NAME pauses what another command fetches, "
        "import PATH [NAME] brings in a GGUF file or a folder as Ollama keeps it, recommend names one for this machine",
    )
    parser.add_argument("names", nargs="*", default=[], metavar="NAME", help="a model's name, or a path to import")
    parser.add_argument(
        "--api-base",
        default="",
        metavar="URL",
        help="the Ollama server (default: the settings', else this machine's)",
    )
    parser.add_argument("--force", action="store_true", help="also what won't fit into this machine's memory")


def _add_runtimes(commands: Any) -> None:
    parser = command(
        commands, "runtimes", "List, build, check, save, load or import the sandbox runtimes.", "runtimes"
    )
    parser.add_argument(
        "action",
        choices=("list", "build", "check", "save", "load", "import"),
        metavar="list|build|check|save|load|import",
        help="save FILE writes images into one file, load FILE brings them to another machine with Docker, "
        "import FILE takes one for sandboxes without Docker",
    )
    parser.add_argument(
        "names",
        nargs="*",
        default=[],
        metavar="RUNTIME",
        help="only these runtimes; save, load and import take a FILE before them",
    )
    parser = command(commands, "doctor", "Check this machine; say what is missing and how to mend it.", "doctor")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")
