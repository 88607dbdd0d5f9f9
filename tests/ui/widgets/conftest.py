"""A theme that is applied, for widgets that are tested without a desk."""

from __future__ import annotations

import pytest

from qverify_desktop.ui.theme import Theme


@pytest.fixture
def theme(qapp):
    made = Theme("light")
    made.apply(qapp)
    return made
