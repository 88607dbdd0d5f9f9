"""Options of the commands about analyses: start one, look at it, take it along."""

from __future__ import annotations

import argparse
from typing import Any

from qverify_desktop.cli.options import add_passphrase, command


def add_runs(commands: Any) -> None:
    """Analyses: start, preview, follow, show, export, sum up."""
    _add_analyze(commands)
    _add_preview(commands)
    _add_listed(commands)
    _add_usage(commands)
    _add_trend(commands)


def _add_analyze(commands: Any) -> None:
    parser = command(commands, "analyze", "Analyse a folder or a git repository.", "analyze")
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
    add_passphrase(parser)


def _add_policy(parser: argparse.ArgumentParser, kept: str) -> None:
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--cloud", action="store_true", help=f"prompts of this repository may go to models elsewhere{kept}"
    )
    where.add_argument(
        "--local-only", action="store_true", help=f"prompts of this repository stay on this machine{kept}"
    )


def _add_preview(commands: Any) -> None:
    parser = command(commands, "preview", "Show what a model would be sent first. Nothing is sent or run.", "preview")
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


def _add_listed(commands: Any) -> None:
    command(commands, "runs", "List all runs, newest first.", "runs")
    for name, help in (
        ("show", "Show what a run came to."),
        ("watch", "Follow a run until it ends."),
        ("cancel", "Stop a run; what it finished stays recorded."),
        ("resume", "Go on with an interrupted or cancelled run."),
    ):
        parser = command(commands, name, help, name)
        parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
        if name == "resume":
            add_passphrase(parser)
    _add_defects(commands)
    parser = command(
        commands, "replay", "Run a finished run again over its recorded answers, with no model.", "replay"
    )
    parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
    parser = command(commands, "export", "Write a run's report in another form.", "export")
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


def _add_defects(commands: Any) -> None:
    parser = command(
        commands,
        "defects",
        "List what a run suspects; confirm or dismiss one. The log keeps it.",
        "defects",
        "defects",
    )
    parser.add_argument("name", metavar="RUN", help="the run's name or the beginning of it")
    decision = parser.add_mutually_exclusive_group()
    for option, help in (
        ("--confirm", "this one is a defect"),
        ("--dismiss", "this one is none: reports and code scanning leave it out from now on"),
        ("--take-back", "nobody has decided about this one"),
    ):
        decision.add_argument(option, default="", metavar="ID", help=f"{help}; the beginning of its id is enough")
    parser.add_argument("--note", default="", metavar="TEXT", help="why; kept with the decision")


def _add_usage(commands: Any) -> None:
    parser = command(commands, "usage", "Show what models took: calls, tokens, cost.", "usage", "tables")
    groups = ("call", "run", "repository", "provider", "month")
    parser.add_argument("--by", choices=groups, default="month", help="what is summed (default: month)")
    parser.add_argument("--csv", default="", metavar="FILE", help="write it as comma-separated values")


def _add_trend(commands: Any) -> None:
    parser = command(
        commands,
        "trend",
        "Show how repositories went from run to run: coverage, tests, defects, cost, time.",
        "trend",
        "tables",
    )
    parser.add_argument(
        "source",
        metavar="REPOSITORY",
        nargs="?",
        default="",
        help="every run of this one (default: all, one line each)",
    )
    parser.add_argument("--csv", default="", metavar="FILE", help="write it as comma-separated values")
