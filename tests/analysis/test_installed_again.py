"""What a run had installed, and what it had not, when it is executed again."""

from __future__ import annotations

from typing import cast

from qverify_desktop.analysis.claims import InstalledClaim
from qverify_desktop.analysis.installed_again import InstalledAgain, _as_then, _how, install_again
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
    assert "(--packages) that holds them" in _how(InstalledClaim(("a",)))


def test_what_is_the_same_says_by_what_it_is_known() -> None:
    known, vendored = InstalledPackage("npm", "a", "1", "sha512-x"), InstalledPackage("go", "b", "1")
    assert _as_then([known]) == "1 package installed as in the run, with the same version and digest."
    assert _as_then([known, vendored]) == "2 packages installed as in the run, each with the same version."
