"""``qverify verify`` and ``qverify verifier``: no state folder, no engine, only the verifier."""

from __future__ import annotations

import argparse
from pathlib import Path

from qverify_desktop.terminal.screen import Screen, print_verification


def verify(options: argparse.Namespace) -> int:
    """Check a bundle, and a record of its reproduction where one is given."""
    from qverify_desktop.evidence.verify import BundleUnreadable, verify_bundle

    try:
        report = verify_bundle(
            Path(options.bundle),
            public_key=options.public_key,
            known_checkpoint=Path(options.known_checkpoint) if options.known_checkpoint else None,
            tsa_certificates=options.tsa_certificate,
            witnesses=options.witness,
        )
        if options.reproduction and report["valid"]:
            from qverify_desktop.evidence.handed_back import handed_back

            told = handed_back(report, Path(options.reproduction), options.reproduction_key)
            report |= {"grades": [report["grade"], *(["REPRODUCED"] if told["holds"] else [])], "reproduction": told}
    except BundleUnreadable as error:
        from qverify_desktop.domain.errors import EvidenceUnreadable

        raise EvidenceUnreadable(error.sentence) from error
    print_verification(report, options.json)
    return 0 if report["valid"] and report.get("reproduction", {}).get("holds", True) else 1


def verifier(options: argparse.Namespace) -> int:
    """Hand out the verifier that stands alone. Its digest is said, so that it can be compared over another way."""
    from qverify_desktop.engine.delivery import write_verifier

    path = Path(options.output).absolute()
    Screen(options.json).print_verifier(str(path), write_verifier(path))
    return 0
