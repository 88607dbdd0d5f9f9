"""The command line: the same engine with no window. Everything heavy is imported by the command that needs it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from qverify_desktop import __version__
from qverify_desktop.cli_log_options import add_log
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


class _Parser(argparse.ArgumentParser):
    """Wrong usage is bad input like any other: one sentence, with ``--json`` a document."""

    def error(self, message: str) -> NoReturn:
        from qverify_desktop.domain.errors import BadInput

        if self.prog == "qverify keys":
            # What stands in the place of the action may be a key.
            raise BadInput("The command can't be read: it names no action.", f"See: {self.prog} --help")
        raise BadInput(f"The command can't be read: {message}.", f"See: {self.prog} --help")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers the process's exit code. Never shows a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    try:
        StartKeys.take()
        options = _read(arguments)
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


def _read(arguments: Sequence[str]) -> argparse.Namespace:
    """The options. Raises ``BadInput``; what may be a key is not repeated in it."""
    from qverify_desktop.domain.errors import BadInput

    parser = _parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown and options.command == "keys":
        raise BadInput(
            "A key is never an argument: other programs can see those, and shells keep them. Nothing was changed.",
            "Leave it out; it is asked for, or read from standard input. If that was a key, have it replaced.",
        )
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    return options


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
    from qverify_desktop.terminal import clean

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
    _add_analyze(commands)
    _add_preview(commands)
    _add_runs(commands)
    _add_usage(commands)
    _add_trend(commands)
    _add_keys(commands)
    _add_models(commands)
    _add_hosted(commands)
    _add_verify(commands)
    add_log(commands, _command)
    _add_reproduce(commands)
    _add_machine(commands)
    return parser


def _command(commands: Any, name: str, help: str, run: str, module: str = "cli_commands") -> argparse.ArgumentParser:
    """A sub-command whose function ``run`` of ``module`` is imported when it is called."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)

    def call(options: argparse.Namespace) -> int:
        answer: int = getattr(importlib.import_module(f"qverify_desktop.{module}"), run)(options)
        return answer

    parser.set_defaults(run=call)
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def _add_analyze(commands: Any) -> None:
    parser = _command(commands, "analyze", "Analyse a folder or a git repository.", "analyze")
    parser.add_argument("source", metavar="PATH_OR_URL", help="a folder, or the URL of a git repository")
    parser.add_argument("--scope", default="all", help="all, changed:REF or files:GLOB (default: all)")
    parser.add_argument("--model", default="none", help="a model's name, or none (the default)")
    parser.add_argument("--api-base", default="", metavar="URL", help="where the model answers")
    _add_policy(parser, "; kept for the repository")
    parser.add_argument(
        "--packages",
        default="",
        metavar="FOLDER",
        help="install missing packages from this folder (wheels), with no network",
    )
    parser.add_argument(
        "--budget",
        default="",
        metavar="USD",
        help="ask the model nothing further once this is spent (default: no limit)",
    )
    parser.add_argument(
        "--max-targets", type=int, default=200, metavar="N", help="at most N functions (default: 200)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed gives the same tests (default: 0)"
    )
    parser.add_argument(
        "--allow-install", action="store_true", help="install missing packages, with network, beforehand"
    )
    parser.add_argument(
        "--sandbox",
        choices=("docker", "bubblewrap"),
        default="",
        help="what locks the tests away; bubblewrap needs no Docker and isolates less (default: what QVERIFY_SANDBOX or the settings say, else docker)",
    )
    parser.add_argument(
        "--time-budget",
        type=int,
        default=0,
        metavar="S",
        help="begin no further functions after S seconds (default: no limit)",
    )
    parser.add_argument(
        "--fresh",
        action="store_true",
        help="analyse everything again, also what has not changed since an earlier run",
    )
    parser.add_argument("--out", default="", metavar="DIR", help="where accepted tests, report and bundle go")
    _add_passphrase(parser)


def _add_policy(parser: argparse.ArgumentParser, kept: str) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--cloud", action="store_true", help=f"prompts of this repository may go to models elsewhere{kept}"
    )
    where.add_argument(
        "--local-only", action="store_true", help=f"prompts of this repository stay on this machine{kept}"
    )


def _add_preview(commands: Any) -> None:
    parser = _command(
        commands, "preview", "Show what a model would be sent first. Nothing is sent or run.", "preview"
    )
    parser.add_argument("source", metavar="PATH_OR_URL", help="a folder, or the URL of a git repository")
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="NAME",
        help="a function's name, or FILE::NAME; may be given several times (default: the first)",
    )
    parser.add_argument(
        "--targets", action="store_true", help="only list the functions that a model would be asked about"
    )
    parser.add_argument("--scope", default="all", help="all, changed:REF or files:GLOB (default: all)")
    parser.add_argument("--model", default="auto", help="a model's name (default: auto, the order of models.toml)")
    parser.add_argument("--api-base", default="", metavar="URL", help="where the model answers")
    _add_policy(parser, ", for what is shown only")


def _add_runs(commands: Any) -> None:
    _command(commands, "runs", "List all runs, newest first.", "runs")
    for name, help in (
        ("show", "Show what a run came to."),
        ("watch", "Follow a run until it ends."),
        ("cancel", "Stop a run; what it finished stays recorded."),
        ("resume", "Go on with an interrupted or cancelled run."),
    ):
        parser = _command(commands, name, help, name)
        parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
        if name == "resume":
            _add_passphrase(parser)
    parser = _command(
        commands, "replay", "Run a finished run again over its recorded answers, with no model.", "replay"
    )
    parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
    parser = _command(commands, "export", "Write a run's report in another form.", "export")
    parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
    formats = ("html", "junit", "sarif", "markdown", "csv", "patch", "issues", "expected-failures", "evidence")
    parser.add_argument("--format", required=True, choices=formats, help="evidence is the bundle that verify checks")
    parser.add_argument(
        "--disclose",
        choices=("full", "redacted", "headers"),
        default="full",
        help="how much of the evidence is shown: with its contents, without source, prompts and output, or only that the run "
        "was and how it ended (default: full)",
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")


def _add_usage(commands: Any) -> None:
    parser = _command(commands, "usage", "Show what models took: calls, tokens, cost.", "usage", "cli_tables")
    groups = ("call", "run", "repository", "provider", "month")
    parser.add_argument("--by", choices=groups, default="month", help="what is summed (default: month)")
    parser.add_argument("--csv", default="", metavar="FILE", help="write it as comma-separated values")


def _add_trend(commands: Any) -> None:
    parser = _command(
        commands,
        "trend",
        "Show how repositories went from run to run: coverage, tests, defects, cost, time.",
        "trend",
        "cli_tables",
    )
    parser.add_argument(
        "source",
        metavar="REPOSITORY",
        nargs="?",
        default="",
        help="every run of this one (default: all, one line each)",
    )
    parser.add_argument("--csv", default="", metavar="FILE", help="write it as comma-separated values")


def _add_keys(commands: Any) -> None:
    parser = _command(commands, "keys", "List, set and remove keys of models; open the key file.", "keys", "cli_keys")
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
        _add_passphrase(action)
        # Suppressed: the outer option's answer stays where the inner one is not given.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)


def _add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        help="read the passphrase of the key file from this open file descriptor (default: the file that "
        "QVERIFY_PASSPHRASE_FILE names, else a prompt)",
    )


def _add_models(commands: Any) -> None:
    parser = _command(
        commands, "models", "List, show, pull, pause, remove, import or recommend models.", "models", "cli_models"
    )
    parser.add_argument(
        "action",
        choices=("list", "show", "pull", "pause", "rm", "import", "recommend"),
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


def _add_hosted(commands: Any) -> None:
    from qverify_desktop.cli_hosted_options import HELP, add_actions

    add_actions(_command(commands, "hosted", HELP, "hosted", "cli_hosted"), _add_passphrase)


def _add_verify(commands: Any) -> None:
    parser = commands.add_parser(
        "verify",
        help="Check an evidence bundle.",
        description="Check an evidence bundle. Needs no state, no network and no Docker.",
    )
    parser.add_argument("bundle", metavar="BUNDLE")
    # As in ``evidence/verify.py``, which is not imported before it is needed.
    for name, value, again, help in (
        ("--public-key", "VKEY", False, "the verifier key that must have signed"),
        ("--known-checkpoint", "FILE", False, "a checkpoint seen before; the log must extend it"),
        (
            "--tsa-certificate",
            "FILE",
            True,
            "certificate of a time-stamp authority that you trust, or of who issued its",
        ),
        (
            "--tsa-crl",
            "FILE",
            True,
            "list of revoked certificates by who issued a time-stamp authority's; none is fetched",
        ),
        ("--witness", "VKEY", True, "verifier key of a witness that you trust"),
        ("--reproduction", "RECORD", False, "the record that `reproduce --out` wrote: adds REPRODUCED"),
        ("--reproduction-key", "VKEY", False, "the verifier key of whoever executed it again"),
    ):
        if again:
            parser.add_argument(name, action="append", default=[], metavar=value, help=f"{help}; may be given again")
        else:
            parser.add_argument(name, default="", metavar=value, help=help)
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    parser.set_defaults(run=_verify)


def _add_reproduce(commands: Any) -> None:
    help = "Execute a bundle's accepted tests and suspected defects again, in the pinned image, and compare each."
    parser = _command(commands, "reproduce", help, "reproduce", "cli_reproduce")
    parser.add_argument("bundle", metavar="BUNDLE")
    parser.add_argument(
        "--source",
        default="",
        metavar="FOLDER|GIT",
        help="what was analysed: a folder or a git URL; its tree must be the bundle's",
    )
    parser.add_argument(
        "--out", default="", metavar="FILE", help="write the signed record there, a bundle to hand back"
    )
    parser.add_argument("--report", default="", metavar="FILE", help="write the report there (HTML)")
    parser.add_argument("--public-key", default="", metavar="VKEY", help="the verifier key that must have signed")
    parser.add_argument(
        "--known-checkpoint", default="", metavar="FILE", help="a checkpoint seen before; the log must extend it"
    )
    parser.add_argument(
        "--other-image",
        action="store_true",
        help="where the pinned image is not here, execute in this machine's own; never gives REPRODUCED",
    )
    parser.add_argument("--packages", default="", metavar="FOLDER", help="install missing packages from this folder")
    parser.add_argument(
        "--allow-install", action="store_true", help="install missing packages, with network, beforehand"
    )
    parser.add_argument(
        "--sandbox", choices=("docker", "bubblewrap"), default="", help="what locks the tests away (see analyze)"
    )


def _add_machine(commands: Any) -> None:
    parser = _command(
        commands, "runtimes", "List, build, check, save, load or import the sandbox runtimes.", "runtimes"
    )
    parser.add_argument(
        "action",
        choices=("list", "build", "check", "save", "load", "import"),
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
    parser = _command(commands, "doctor", "Check this machine; say what is missing and how to mend it.", "doctor")
    parser.add_argument("--fix", action="store_true", help="mend what can be mended")


def _verify(options: argparse.Namespace) -> int:
    """Stands alone: no state folder, no engine, only the verifier."""
    from qverify_desktop.evidence.verify import BundleUnreadable, checked, exit_code, lines_of
    from qverify_desktop.terminal import print_verification

    try:
        answer = checked(options)
    except BundleUnreadable as error:
        from qverify_desktop.domain.errors import EvidenceUnreadable

        raise EvidenceUnreadable(error.sentence) from error
    print_verification(answer, lines_of(answer), options.json)
    return exit_code(answer)


if __name__ == "__main__":
    sys.exit(main())
