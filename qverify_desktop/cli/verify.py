"""``qverify verify`` and ``qverify verifier``: no state folder, no engine, only the verifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from qverify_desktop.terminal.screen import Screen, print_verification


def verify(options: argparse.Namespace) -> int:
    """Check a bundle, and a record of its reproduction where one is given."""
    from qverify_desktop.evidence.verify import BundleUnreadable, checked, exit_code, lines_of

    try:
        answer = checked(options)
    except BundleUnreadable as error:
        from qverify_desktop.domain.errors import EvidenceUnreadable

        raise EvidenceUnreadable(error.sentence) from error
    print_verification(answer, lines_of(answer), options.json)
    return exit_code(answer)


def verifier(options: argparse.Namespace) -> int:
    """Hand out the verifier that stands alone. Its digest is said, so that it can be compared over another way."""
    from qverify_desktop.engine.delivery import write_verifier

    path = Path(options.output).absolute()
    Screen(options.json).print_verifier(str(path), write_verifier(path))
    return 0
