"""One command line from its words to an exit code, and a sentence where it fails."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from qverify_desktop import __version__
from qverify_desktop.cli.evidence_options import add_evidence
from qverify_desktop.cli.hosted_options import add_hosted
from qverify_desktop.cli.machine_options import add_machine
from qverify_desktop.cli.run_options import add_runs
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.key_variables import StartKeys

_EXAMPLES = """\
examples:
  qverify analyze .                                   analyse the folder you are in, without any model
  qverify analyze https://example.org/me/project.git --out results
  qverify analyze . --scope changed:main --json > result.json
  qverify analyze . --model ollama/qwen2.5-coder --api-base http://127.0.0.1:11434
  qverify preview . --target parse_offset --model auto   what a model would be sent, without sending it
  qverify runs                                        what was run before, newest first
  qverify resume r1k                                  go on with a run; the beginning of its name is enough
  qverify export r1k --format sarif -o result.sarif
  qverify models pull qwen2.5-coder:7b                fetch a model for Ollama; again to go on after Ctrl+C
  qverify runtimes save runtimes.qvr                  the sandboxes in one file, for a machine with no network
  qverify verify results/r1kxyz.qvevidence.zip        check the evidence, on any machine
  qverify reproduce r1kxyz.qvevidence.zip --source .  execute its tests again, and compare each

exit codes of analyze and resume:
  0 finished, nothing suspected   1 suspected defects   2 bad input
  3 something is missing on this machine (the message says what mends it)   4 inconclusive or cancelled
exit codes of verify:
  0 whole   1 not whole   2 unreadable
exit codes of reproduce:
  0 all reproduced   1 something differs, or the bundle is not whole   2 bad input, another source
  3 an image is missing   4 not all was executed, or not in the pinned image

QVERIFY_HOME names the folder that holds all state.
"""


_NO_CHOICE = re.compile(r"argument (\S+): invalid choice: (.+) \(choose from (.+)\)", re.DOTALL)


class _Parser(argparse.ArgumentParser):
    """Wrong usage is bad input like any other: one sentence, with ``--json`` a document. What may be a key is not repeated in it."""

    def error(self, message: str) -> NoReturn:
        if self.prog == "qverify keys":
            # What stands in the place of the action may be a key.
            raise self._unreadable("it names no action")
        if chosen := _NO_CHOICE.fullmatch(message):
            name, given, offered = chosen.groups()
            choices = offered.replace("'", "").split(", ")
            raise self._unreadable(f"{given} is no {name}; it is one of: {', '.join(choices)}", given, choices)
        message = re.sub(r"the following arguments are required: (.+)", r"it lacks \1", message)
        message = re.sub(r"argument (\S+): invalid int value: (.+)", r"\1 takes a whole number, not \2", message)
        raise self._unreadable(message)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What a command does not know is answered by that command, so that the sentence is about its own options."""
        options, unknown = super().parse_known_args(args, namespace)
        if unknown and self.prog.startswith("qverify keys"):
            raise BadInput(
                "A key is never an argument: other programs can see those, and shells keep them. Nothing was changed.",
                "Leave it out; it is asked for, or read from standard input. If that was a key, have it replaced.",
            )
        if unknown:
            raise self._unreadable(
                f"it has no place for {' '.join(unknown)}",
                unknown[0].split("=")[0],
                list(self._option_string_actions),
            )
        return options, unknown

    def _unreadable(self, why: str, given: str = "", known: Sequence[str] = ()) -> BadInput:
        near = get_close_matches(given.strip("'"), known, 1)
        meant = f"Did you mean {near[0]}? " if near else ""
        return BadInput(f"The command can't be read: {why}.", f"{meant}See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the process's exit code. Never shows a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        StartKeys.take()
        options = _parser().parse_args(arguments)
        if options.command is None:
            _parser().print_help()
            return 2
        return int(options.run(options))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of our output left (``| head``); nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001 - the last stop: a sentence instead of a traceback
        return _say(error, as_json, arguments)


def _say(error: Exception, as_json: bool, arguments: Sequence[str]) -> int:
    from qverify_desktop.domain.errors import QVerifyError
    from qverify_desktop.engine.crash import as_error
    from qverify_desktop.engine.wire import error_to_json

    stateless = bool(arguments) and arguments[0] == "verify"
    known = isinstance(error, QVerifyError)
    told = as_error(error, None if known or stateless else _home_or_none())
    if as_json:
        import json

        print(json.dumps({"error": error_to_json(told), "exit_code": told.exit_code}, indent=2))
    from qverify_desktop.terminal.output import clean

    print(f"qverify: {clean(told.sentence)}", file=sys.stderr)
    if told.remedy:
        print(f"         {clean(told.remedy)}", file=sys.stderr)
    return told.exit_code


def _home_or_none() -> Path | None:
    from qverify_desktop.composition import home_folder

    try:
        return home_folder()
    except Exception:  # noqa: BLE001 - reporting an error must not raise another
        return None


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="qverify",
        description="Finds what is untested in a repository, writes tests, runs them in locked sandboxes, "
        "and leaves evidence that a stranger can check.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"qverify {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for add in (add_runs, add_machine, add_hosted, add_evidence):
        add(commands)
    return parser
