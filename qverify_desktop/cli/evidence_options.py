"""Options of the commands about evidence: check a bundle, execute it again, the log's checkpoints and its key."""

from __future__ import annotations

from typing import Any

from qverify_desktop.cli.options import command


def add_evidence(commands: Any) -> None:
    """Bundles, the log's checkpoints and its key."""
    _add_verify(commands)
    _add_log(commands)
    _add_reproduce(commands)


def _add_verify(commands: Any) -> None:
    help = "Check an evidence bundle. Needs no state, no network and no Docker."
    parser = command(commands, "verify", help, "verify", "verify")
    parser.add_argument("bundle", metavar="BUNDLE")
    # As in ``evidence/verify.py``, which is not imported before it is needed.
    for name, value, again, words in (
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
            parser.add_argument(name, action="append", default=[], metavar=value, help=f"{words}; may be given again")
        else:
            parser.add_argument(name, default="", metavar=value, help=words)
    help = "Write the verifier that stands alone, one Python file, for whoever is to check bundles without QVerify."
    parser = command(commands, "verifier", help, "verifier", "verify")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")


def _add_reproduce(commands: Any) -> None:
    help = "Execute a bundle's accepted tests and suspected defects again, in the pinned image, and compare each."
    parser = command(commands, "reproduce", help, "reproduce", "reproduce")
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


def _add_log(commands: Any) -> None:
    parser = command(
        commands,
        "checkpoint",
        "Show a signed checkpoint of the log, to be kept elsewhere.",
        "checkpoint",
        "evidence",
    )
    parser.add_argument(
        "name", nargs="?", default="", metavar="RUN", help="the one that closes a run (default: the newest)"
    )
    parser.add_argument(
        "--qr",
        default="",
        metavar="FILE",
        help="write it as a QR code (FILE.svg), or draw that in place of the text (-)",
    )
    parser.add_argument(
        "--ask-again",
        action="store_true",
        help="have those in the settings confirm it who did not or would not so far",
    )
    parser = command(
        commands, "signing-key", "Show, rotate or revoke the key that signs the log.", "signing_key", "evidence"
    )
    parser.add_argument(
        "action",
        choices=("show", "rotate", "revoke"),
        metavar="show|rotate|revoke",
        help="rotate lets a new key sign; revoke says that a key may be in other hands, and replaces it where it is the one in use",
    )
    parser.add_argument(
        "key", nargs="?", default="", metavar="KEY", help="revoke: a key before (default: the one in use)"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="one line that goes into the log")
