"""The command line: the same engine with no window. Everything heavy is imported by the command that needs it."""

from qverify_desktop.cli.entry import main

__all__ = ["main"]
