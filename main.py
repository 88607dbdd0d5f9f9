"""Starts the application: with a command's name the command line, otherwise the window (arguments are folders to open)."""

import sys

COMMANDS = frozenset(
    (
        "analyze",
        "preview",
        "models",
        "runs",
        "show",
        "defects",
        "watch",
        "cancel",
        "resume",
        "export",
        "verify",
        "verifier",
        "reproduce",
        "runtimes",
        "doctor",
        "usage",
        "trend",
        "replay",
        "keys",
        "hosted",
        "checkpoint",
        "signing-key",
        "--help",
        "--version",
    )
)

if __name__ == "__main__":
    if len(sys.argv) > 1 and sys.argv[1] in COMMANDS:
        from qverify_desktop.cli import main
    else:
        from qverify_desktop.app import main
    sys.exit(main(sys.argv[1:]))
