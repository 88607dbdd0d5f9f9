"""Which runtimes an action means when none is named."""

from __future__ import annotations

import pytest

from qverify_desktop.engine.machine import _is_meant
from qverify_desktop.sandbox.images import load_recipes, resources_root

EVERYTHING = {"go", "java", "node", "node-browser", "python", "rust", "universal"}


@pytest.mark.parametrize(
    ("action", "names", "meant"),
    [
        ("list", [], EVERYTHING),
        ("build", [], EVERYTHING - {"node-browser"}),
        ("check", [], EVERYTHING - {"node-browser"}),
        ("build", ["node-browser"], {"node-browser"}),
        ("check", ["go", "node-browser"], {"go", "node-browser"}),
        ("list", ["go"], {"go"}),
    ],
)
def test_what_is_made_on_demand_is_meant_only_by_name(action: str, names: list[str], meant: set[str]) -> None:
    recipes = load_recipes(resources_root())
    assert {recipe.runtime for recipe in recipes if _is_meant(recipe, action, names)} == meant
