import json
from pathlib import Path

import pytest

from tide import highest

CASES = json.loads(Path(__file__).with_name("cases.json").read_text())


@pytest.mark.parametrize("case", CASES)
def test_highest(case):
    assert highest(case["levels"]) == case["highest"]


def test_highest_of_nothing_is_refused():
    with pytest.raises(ValueError):
        highest([])
