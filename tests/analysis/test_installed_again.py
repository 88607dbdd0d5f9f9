"""What a run had installed, and what it had not, when it is executed again."""

from __future__ import annotations

from typing import cast

from qverify_desktop.analysis.claims import InstalledClaim
from qverify_desktop.analysis.installed_again import InstalledAgain, _how, install_again
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.project import InstalledPackage, Project


async def test_what_the_run_lacked_is_not_installed_for_its_tests() -> None:
    """No step, no job: its tests ran without the packages, so they run without them again, whatever is allowed."""
    assert await install_again(cast(Steps, None), cast(Project, None), None) == InstalledAgain()


def test_what_to_do_names_the_folder_that_each_ecosystem_installs_from() -> None:
    packages = tuple(
        InstalledPackage(ecosystem, "a", "1") for ecosystem in ("npm", "python", "from-a-hostile-bundle")
    )
    words = _how(InstalledClaim(("a",), packages))
    assert "wheels" in words and "npm's cache" in words and "hostile" not in words
    assert "a folder that holds them" in _how(InstalledClaim(("a",)))
