"""The packages that a run had, installed again for its reproduction, and what differs of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qverify_desktop.analysis.claims import InstalledClaim
from qverify_desktop.analysis.dependencies import install, lock_of, may_install, offline_folder, show
from qverify_desktop.analysis.reproduce import MOST_NAMED, compare_packages, named
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import InstalledPackage, MissingDependency, Project
from qverify_desktop.domain.reproduction import ComparedPackage
from qverify_desktop.languages.ecosystems import OFFLINE_FOLDERS, Ecosystem
from qverify_desktop.languages.installed import written

#: Characters of the differences that the record holds.
MOST_TOLD = 100_000
_OTHERS = (
    "The packages are not the run's. Name a folder that holds those (--packages), and execute it again: until then a difference may come "
    "from them."
)


@dataclass(frozen=True)
class InstalledAgain:
    """``same`` says that what was installed then is known and is the same here. ``problem`` is the sentence where the packages could
    not be had, so that nothing can be executed; ``advice`` what to do where they are not the same."""

    folder: str = ""
    compared: tuple[ComparedPackage, ...] = ()
    same: bool = True
    notices: tuple[str, ...] = ()
    problem: str = ""
    advice: str = ""


async def install_again(steps: Steps, project: Project, claim: InstalledClaim | None) -> InstalledAgain:
    """Install what the run had, the very same where the installer can be told so, and compare what came. Where the run had nothing
    installed, nothing is: what its tests lacked then they must lack again."""
    if claim is None:
        return InstalledAgain()
    wanted = claim

    async def body(context: StepContext) -> InstalledAgain:
        again = await _installed(context, steps, project, wanted)
        differences = [one.sentence for one in again.compared if one.sentence]
        told = "\n".join([again.problem] if again.problem else differences)[:MOST_TOLD]
        context.record(
            "packages_compared",
            {
                "language": project.language,
                "then": len(wanted.packages or ()),
                "known": wanted.packages is not None,
                "differ": len(differences),
                "same": again.same,
            },
            {"differences": told.encode("utf-8", "replace")} if told else {},
        )
        return again

    steps.reporter.started(Stage.DEPENDENCIES)
    again = await steps.step(f"{project.language}.packages", InstalledAgain, body)
    show(steps, again.folder)
    steps.reporter.finished(Stage.DEPENDENCIES, again.problem or " ".join(again.notices))
    return again


async def _installed(context: StepContext, steps: Steps, project: Project, claim: InstalledClaim) -> InstalledAgain:
    packages = claim.packages or ()
    names = named(packages) or ", ".join(claim.requirements[:MOST_NAMED])
    offline = offline_folder(steps)
    if not may_install(steps):
        return InstalledAgain(
            same=False,
            problem=f"The run had packages installed that must be installed here as well: {names}.",
            advice=_how(claim),
        )
    language, lock = steps.services.language(project.language), lock_of(steps.source, project)
    missing = [MissingDependency(one, one) for one in claim.requirements]
    job = language.exact_install_job(project, missing, packages, lock, offline=offline is not None)
    here = await install(context, steps, job, claim.requirements, lock, written(packages))
    if here.problem:
        return InstalledAgain(
            same=False,
            problem=f"The packages that the run had could not be installed here: {names}. {here.problem}",
            advice=_how(claim),
        )
    if claim.packages is None:
        unknown = (
            f"The run had packages installed ({names}), and the bundle does not say which versions. Those that are installed here may "
            "be others."
        )
        return InstalledAgain(here.folder, same=False, notices=(unknown,), advice=_OTHERS)
    compared = compare_packages(project.language, packages, here.packages)
    differences = [one.sentence for one in compared if one.sentence]
    notices = _shortened(differences) or (_as_then(packages),)
    return InstalledAgain(here.folder, compared, not differences, notices, advice=_OTHERS if differences else "")


def _as_then(packages: Sequence[InstalledPackage]) -> str:
    """Says that all is the same, and by what that is known."""
    known = "version and digest" if all(one.digest for one in packages) else "version"
    if len(packages) == 1:
        return f"1 package installed as in the run, with the same {known}."
    return f"{len(packages)} packages installed as in the run, each with the same {known}."


def _how(claim: InstalledClaim) -> str:
    """What a person can do so that the packages are there."""
    named = {one.ecosystem for one in claim.packages or ()}
    kinds = [OFFLINE_FOLDERS[one] for one in Ecosystem if one in named and one in OFFLINE_FOLDERS]
    holding = f" that holds {' and '.join(kinds)}" if kinds else " that holds them"
    return f"Allow installing (--allow-install, over the network) or name a folder (--packages){holding}, and execute it again."


def _shortened(differences: list[str]) -> tuple[str, ...]:
    more = len(differences) - MOST_NAMED
    return (*differences[:MOST_NAMED], *([f"{more} more packages differ."] if more > 0 else []))
