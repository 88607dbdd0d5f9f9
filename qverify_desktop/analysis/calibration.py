"""How often accusations were right in the benchmark, by language and by the form of the words (``make bench-detect``)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.results import Calibration

#: Accusations of a form below which nothing is said.
LEAST = 5
PLACE = "resources/calibration.json"


@cache
def _measured() -> Mapping[tuple[str, str], Calibration]:
    forms = json.loads((resources_root() / PLACE).read_text(encoding="utf-8"))["forms"]
    return {
        (language, form): Calibration(int(right), int(accused))
        for language, found in forms.items()
        for form, (right, accused) in found.items()
    }


def calibration_of(language: str, form: str) -> Calibration | None:
    """What the benchmark says of a form; ``None`` where it met too few."""
    found = _measured().get((language, form))
    return found if found is not None and found.accused >= LEAST else None
