"""The options of ``qverify hosted``, apart from what they do: reading a command line must not import an engine."""

from __future__ import annotations

import argparse
from typing import Any

from qverify_desktop.cli.options import add_passphrase, command

_HELP = "Sign in to the hosted service, send a run's evidence, have an analysis run there."


def add_hosted(commands: Any) -> None:
    """``qverify hosted`` with its actions."""
    parser = command(commands, "hosted", _HELP, "hosted", "hosted")
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    helps = {
        "sign-in": "sign in with a code on another device",
        "sign-out": "revoke the sign-in and forget it",
        "status": "who is signed in and until when, as kept here and as the service says",
        "regions": "the service's entries in the order in which they are tried; choose one",
        "send": "show what would leave, then send a run's evidence, or a bundle that came as a file",
        "queue": "what is on its way, and what is there",
        "usage": "plan, quotas and invoices",
        "analyze": "have the service clone and analyse a commit",
        "analyses": "what the service analyses for your organisation",
        "bundle": "fetch the evidence of an analysis that the service ran, and verify it",
    }
    for name, words in helps.items():
        action = actions.add_parser(name, help=words, description=words)
        if name == "sign-in":
            kept = "where the sign-in is kept (default: the keyring)"
            action.add_argument("--store", choices=("keyring", "file"), default="", help=kept)
        if name == "regions":
            action.add_argument("--choose", default="", metavar="ID", help="try this one first from now on")
        if name == "bundle":
            action.add_argument("name", metavar="ID", help="the analysis, as qverify hosted analyses lists it")
            action.add_argument("-o", "--out", default="", metavar="FILE", help="default: ID.qvevidence.zip")
        if name == "send":
            action.add_argument(
                "name", metavar="RUN|BUNDLE", help="a run's name or the beginning of it, or the file of a bundle"
            )
            contents = ("full", "redacted", "headers")
            action.add_argument("--content", choices=contents, default="", help="how much of a run (default: full)")
        if name == "queue":
            action.add_argument("--pause", default="", metavar="EXPORT", help="stop sending one for now")
            action.add_argument("--resume", default="", metavar="EXPORT", help="go on with one, at once")
            action.add_argument(
                "--drop", default="", metavar="EXPORT", help="take one off the list, give up its upload"
            )
            action.add_argument("--wait", action="store_true", help="send all that is in it, to the end")
        if name == "analyze":
            action.add_argument("name", metavar="PATH_OR_URL", help="a folder whose remote is meant, or an https URL")
            action.add_argument("--commit", default="", metavar="ID", help="full id (default: what is checked out)")
            action.add_argument("--scope", default="all", help="all or changed:REF (default: all)")
            action.add_argument(
                "--model", choices=("default", "none"), default="default", help="the service's, or none"
            )
            action.add_argument("--budget", default="", metavar="AMOUNT", help="most that models may cost")
            action.add_argument("--label", default="", metavar="TEXT", help="a name for a person")
        if name == "analyses":
            action.add_argument("--cancel", default="", metavar="ID", help="end one first")
        if name in ("send", "analyze"):
            action.add_argument("--yes", action="store_true", help="do not ask")
            action.add_argument("--no-wait", action="store_true", help="don't wait for its end")
        add_passphrase(action)
        # Suppressed: the outer option's answer stays where the inner one is not given.
        action.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
