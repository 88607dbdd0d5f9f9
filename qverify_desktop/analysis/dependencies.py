"""Stage dependencies: the packages that a project needs and the runtime lacks, installed for a run and named in its evidence."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backports import tarfile

from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.domain.execution import Job
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import InstalledPackage, MissingDependency, Project, Snapshot
from qverify_desktop.languages.ecosystems import cache_key
from qverify_desktop.languages.installed import installed_packages, read_written, written

#: Type of the event that says what was installed, and the content that names every package.
INSTALLED = "dependencies_installed"
PACKAGES = "packages"
#: Files of a folder of packages whose names and sizes are looked at.
MAX_LISTED = 500_000
#: The file that says an installed set is whole, and names what could not be had; and the one that names what it holds.
COMPLETE = "complete"
CONTENTS = "packages.json"


@dataclass(frozen=True)
class Dependencies:
    """``folder`` is the name of the installed set below the workspace's cache, empty when nothing was installed; ``failed``
    when something was tried to be installed and could not be, which may be otherwise the next time."""

    missing: tuple[MissingDependency, ...] = ()
    folder: str = ""
    notice: str = ""
    failed: bool = False


@dataclass(frozen=True)
class InstalledSet:
    """A set in the workspace's cache, empty ``folder`` where there is none and ``problem`` says why. ``lacking`` names what could
    not be had."""

    folder: str = ""
    packages: tuple[InstalledPackage, ...] = ()
    lacking: str = ""
    problem: str = ""


async def check_dependencies(steps: Steps, snapshot: Snapshot, project: Project) -> Dependencies:
    """Name what the project imports and the runtime lacks; install it, with network, only if the request allows."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Dependencies:
        result = await context.execute(language.missing_modules_job(snapshot, project))
        missing = tuple(language.read_missing(project, result))
        if not missing:
            return Dependencies()
        wanted = ", ".join(m.requirement for m in missing)
        context.record("missing_dependencies", {"requirements": [m.requirement for m in missing]})
        if not may_install(steps):
            return Dependencies(
                missing,
                notice=f"The project needs packages that the sandbox lacks: {wanted}. "
                "Code that imports them can't be tested. Run again with --allow-install to install them, or with "
                "--packages and a folder that holds them.",
            )
        lock, offline = lock_of(steps.source, project), offline_folder(steps) is not None
        job = language.install_job(project, missing, lock, offline=offline)
        installed = await install(context, steps, job, [m.requirement for m in missing], lock)
        if installed.problem:
            words = f"{not_installed(wanted, offline)} {installed.problem}".strip()
            return Dependencies(missing, notice=words, failed=True)
        lacking = installed.lacking
        notice = not_installed(lacking, offline) if lacking else ""
        return Dependencies(missing, folder=installed.folder, notice=notice, failed=bool(lacking))

    steps.reporter.started(Stage.DEPENDENCIES)
    outcome = await steps.step(f"{project.language}.dependencies", Dependencies, body)
    show(steps, outcome.folder)
    steps.reporter.finished(
        Stage.DEPENDENCIES,
        outcome.notice or (f"{len(outcome.missing)} installed" if outcome.missing else "Nothing is missing"),
    )
    return outcome


def may_install(steps: Steps) -> bool:
    return bool(steps.request.packages or steps.request.allow_install)


def offline_folder(steps: Steps) -> Path | None:
    """The folder that packages are taken from; ``None`` where they come over the network."""
    return Path(steps.request.packages) if steps.request.packages else None


def show(steps: Steps, folder: str) -> None:
    """Show an installed set to every later job of the run; none where ``folder`` is empty."""
    if folder:
        steps.dependencies = _cache(steps) / folder / "packages"


async def install(
    context: StepContext, steps: Steps, job: Job, requirements: Sequence[str], lock: bytes, exact: bytes = b""
) -> InstalledSet:
    """Run an installing job and record what it brought, or take over what an earlier run installed for the same. ``exact`` names
    what another run had, where that was asked for."""
    offline = offline_folder(steps)
    listed = await asyncio.to_thread(listing, offline) if offline is not None else b""
    key = cache_key(lock, ", ".join(requirements).encode(), listed, *([exact] if exact else []))
    folder = _cache(steps) / key
    packages = await asyncio.to_thread(_kept, folder)
    if packages is None:
        result = await context.execute(job, dependencies=offline)
        archive = result.artefacts.get("deps.tar")
        if archive is None:
            return InstalledSet(problem=result.problem or _last_words(result.output))
        answer = result.artefacts.get("install.json", b"")
        packages = await asyncio.to_thread(installed_packages, archive, answer)
        refused = await asyncio.to_thread(_unpack, archive, folder, _failed(answer, len(requirements)), packages)
        if refused:
            return InstalledSet(problem=refused)
    context.record(
        INSTALLED,
        {"lock_digest": key, "requirements": list(requirements), "installed": len(packages)},
        {PACKAGES: written(packages)},
    )
    lacking = await asyncio.to_thread((folder / COMPLETE).read_text, encoding="utf-8")
    return InstalledSet(key, packages, lacking)


def _cache(steps: Steps) -> Path:
    return steps.services.workspace / "dependencies"


def _kept(folder: Path) -> tuple[InstalledPackage, ...] | None:
    """What a whole set holds; ``None`` where there is none, or one whose packages nobody named."""
    try:
        return read_written((folder / CONTENTS).read_bytes()) if (folder / COMPLETE).exists() else None
    except OSError:
        return None


def listing(folder: Path) -> bytes:
    """What a folder of packages offers, so that another offer is another set: names and sizes of all files below it, links
    not followed. Raises ``MissingPrerequisite``."""
    found = []
    try:
        for at, folders, names in os.walk(folder, onerror=_raise):
            folders.sort()
            below = os.path.relpath(at, folder)
            found += sorted((below, name, os.lstat(os.path.join(at, name)).st_size) for name in names)  # noqa: PTH118
            if len(found) > MAX_LISTED:
                raise MissingPrerequisite(
                    f"The folder of packages {folder} holds more than {MAX_LISTED} files.",
                    "Name a smaller one with --packages.",
                )
    except OSError as error:
        raise MissingPrerequisite(
            f"The folder of packages {folder} can't be read ({error.strerror}).", "Name it again with --packages."
        ) from error
    return repr(found).encode("utf-8", "surrogateescape")


def _raise(error: OSError) -> None:
    raise error


def lock_of(source: Path, project: Project) -> bytes:
    """Content of the project's lock file, empty where it has none."""
    if not project.lock_file:
        return b""
    path = (source / project.lock_file).resolve()
    if not path.is_relative_to(source.resolve()):
        return b""
    return path.read_bytes()


def not_installed(wanted: str, offline: bool) -> str:
    """Says that packages are missing, and what that means."""
    where = " The folder lacks them, or has them for another system or version than the sandbox's." if offline else ""
    return f"The packages {wanted} could not be installed, so code that imports them can't be tested.{where}"


def _last_words(output: str) -> str:
    """The end of what an installer said, each line once, on one line."""
    return " ".join(dict.fromkeys(" ".join(line.split()) for line in output.splitlines()))[-400:]


def _failed(answer: bytes, most: int) -> str:
    """The packages that an install step says it went without, at most ``most``; the answer comes out of a container."""
    try:
        named = json.loads(answer)["failed"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if not isinstance(named, list):
        return ""
    return ", ".join(one[:100] for one in named[:most] if isinstance(one, str) and one.isprintable())


def _unpack(archive: bytes, folder: Path, failed: str = "", contents: Sequence[InstalledPackage] = ()) -> str:
    """Unpack what an install step brought; packages are code that only ever runs in the sandbox. ``failed`` and the names of
    the packages are kept with them: the next run that takes them over lacks the same. Answers why it was refused, empty where it was not."""
    packages = folder / "packages"
    try:
        packages.mkdir(parents=True, exist_ok=True)
        # Without decompression and sparse files nothing can be larger than the archive.
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            if sum(member.size for member in tar.getmembers()) > len(archive):
                raise tarfile.TarError("sparse files")
            tar.extractall(packages, filter="data")
        for path in (folder, packages, *packages.rglob("*")):
            # The sandbox's user is another one; a strict umask must not lock it out.
            if not path.is_symlink():
                program = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if program else 0o644)
        (folder / CONTENTS).write_bytes(written(contents))
        (folder / COMPLETE).write_text(failed, encoding="utf-8")
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return f"What the installer handed back was refused ({type(error).__name__}), and nothing of it was kept."
    except OSError as error:
        raise MissingPrerequisite(
            f"The installed packages could not be written ({error.strerror}). Nothing that was recorded is lost.",
            "Make room on the disk and run it again.",
        ) from error
    return ""
