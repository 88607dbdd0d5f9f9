"""Main states against golden images, with a tolerance: fonts may be hinted a little differently, layout may not move.

``make golden`` renders them anew after a change that was meant; look at them before you commit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from qverify_desktop.domain.locations import resources_root

pytestmark = pytest.mark.ui

ROOT = resources_root()
GOLDEN = Path(__file__).parent / "golden"
SCENES = ("home", "results", "defects", "source", "run-evidence", "environment", "palette")
#: Images are compared at a quarter of their size, where a font's edges weigh little.
PART = 4
#: Largest mean difference of a channel (of 255), and share of pixels that may differ by more than a fifth.
MEAN, SHARE = 2.5, 0.012


@pytest.fixture(scope="module")
def rendered(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("rendered")
    ran = subprocess.run(
        [sys.executable, "-m", "tests.screenshots.render", str(out), *SCENES],
        cwd=ROOT,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return out


def difference(one: QImage, other: QImage) -> tuple[float, float]:
    """Mean difference of a channel, and the share of pixels that differ by more than 51 of 255 in one."""
    size = one.size() / PART
    smooth, ignore = Qt.TransformationMode.SmoothTransformation, Qt.AspectRatioMode.IgnoreAspectRatio
    a, b = (
        bytes(image.scaled(size, ignore, smooth).convertToFormat(QImage.Format.Format_RGB888).constBits())
        for image in (one, other)
    )
    total = large = 0
    for x, y in zip(a, b, strict=True):
        gap = abs(x - y)
        total += gap
        large += gap > 51
    return total / len(a), large / len(a)


@pytest.mark.parametrize("name", [f"{scene}-{theme}" for scene in SCENES for theme in ("light", "dark")])
def test_a_state_looks_as_it_did(rendered, name):
    made, golden = QImage(str(rendered / f"{name}.png")), QImage(str(GOLDEN / f"{name}.png"))
    assert not made.isNull() and not golden.isNull()
    assert made.size() == golden.size()
    mean, share = difference(made, golden)
    assert (mean <= MEAN, share <= SHARE) == (True, True), f"{name}: mean {mean:.2f}, share {share:.4f}"


def test_another_state_is_told_apart(rendered):
    """The comparison can fail: a page with another one's content is beyond the tolerance."""
    one, other = QImage(str(rendered / "home-light.png")), QImage(str(GOLDEN / "environment-light.png"))
    mean, share = difference(one, other)
    assert mean > MEAN or share > SHARE
