"""Packages that a project imports and the runtime lacks: finding them out, naming them, installing them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.execution import GIB, MIB, Job, JobResult, Limits
from qverify_desktop.domain.project import InstalledPackage, MissingDependency, Project, Snapshot
from qverify_desktop.languages.python.dependencies import clean_requirement, pinned_versions
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.imports import attempted_imports, required_imports
from qverify_desktop.languages.python.layout import module_name
from qverify_desktop.languages.python.source import SourceFile, read_source

MAX_MODULES = 2000
MAX_NEEDED_BY = 20

#: Distributions whose importable name is another one.
_DISTRIBUTIONS: Mapping[str, str] = {
    "attr": "attrs",
    "Bio": "biopython",
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "Cryptodome": "pycryptodomex",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "discord": "discord.py",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "faiss": "faiss-cpu",
    "fitz": "PyMuPDF",
    "git": "GitPython",
    "google": "protobuf",
    "jose": "python-jose",
    "jwt": "PyJWT",
    "Levenshtein": "python-Levenshtein",
    "magic": "python-magic",
    "markdown": "Markdown",
    "MySQLdb": "mysqlclient",
    "nacl": "PyNaCl",
    "OpenSSL": "pyOpenSSL",
    "PIL": "Pillow",
    "pkg_resources": "setuptools",
    "pptx": "python-pptx",
    "psycopg2": "psycopg2-binary",
    "rest_framework": "djangorestframework",
    "ruamel": "ruamel.yaml",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "slugify": "python-slugify",
    "telegram": "python-telegram-bot",
    "usb": "pyusb",
    "wx": "wxPython",
    "yaml": "PyYAML",
    "zmq": "pyzmq",
}
#: Plug-ins of the test runner that change how tests are run or shown, not whether they can be.
_NEEDLESS_PLUGINS = frozenset(
    f"pytest-{name}"
    for name in (
        *(
            "cov",
            "xdist",
            "randomly",
            "random-order",
            "sugar",
            "html",
            "timeout",
            "rerunfailures",
            "pretty",
            "picked",
        ),
        *(
            "forked",
            "parallel",
            "instafail",
            "runner",
            "ruff",
            "flake8",
            "mypy",
            "pylint",
            "black",
            "isort",
            "clarity",
        ),
        *("github-actions-annotate-failures", "icdiff", "profiling", "testmon", "watch", "metadata", "checkdocs"),
        *("enabler", "perf", "codeblocks", "memray", "codspeed", "reportlog", "json-report", "emoji"),
    )
)
#: The standard library of this and of every other Python 3: nothing that an index could bring.
_STANDARD = sys.stdlib_module_names | frozenset(
    ["annotationlib", "asynchat", "asyncore", "compression", "distutils", "imp", "smtpd", "tomllib"]
)
_MODULE = re.compile(r"[A-Za-z_]\w{0,100}", re.ASCII)


class _Missing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    modules: Annotated[dict[Annotated[str, Field(max_length=200)], list[str]], Field(max_length=MAX_MODULES)]
    distributions: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=MAX_MODULES)]


def missing_modules_job(snapshot: Snapshot, project: Project) -> Job:
    """A job that looks for each module that the project's files need, and for the declared plug-ins of pytest.

    An import whose error is caught is needed all the same where the project requires the package whatever the interpreter and
    the platform: what the file does without it is not what its users see.
    """
    needed: dict[str, list[str]] = {}
    own = _own_modules(snapshot, project)
    declared = _declared(project)
    always = {requirement for requirement in declared.values() if ";" not in requirement}
    for path in (*project.source_files, *project.test_files):
        source = read_source(snapshot.root, path)
        names = _tops(required_imports(source)) if isinstance(source, SourceFile) else set()
        if isinstance(source, SourceFile):
            names |= {top for top in _tops(attempted_imports(source)) if _requirement(top, declared) in always}
        for top in sorted(names - own - _STANDARD):
            if _MODULE.fullmatch(top) and (top in needed or len(needed) < MAX_MODULES):
                needed.setdefault(top, []).append(path)
    plugins = [name for name in map(_name_of, project.dependencies) if name.startswith("pytest-")]
    request = {
        "modules": {module: paths[:MAX_NEEDED_BY] for module, paths in needed.items()},
        "distributions": [name for name in plugins if name not in _NEEDLESS_PLUGINS],
    }
    overlay = driver_files("check_imports.py")
    overlay[f"{FOLDER}/imports.json"] = json.dumps(request).encode()
    return Job("imports", ("python", f"{FOLDER}/check_imports.py"), overlay, limits=Limits(timeout_s=60))


def read_missing(project: Project, result: JobResult) -> list[MissingDependency]:
    """What ``check_imports.py`` did not find, each with the requirement that would bring it."""
    try:
        found = _Missing.model_validate_json(result.artefacts.get("missing.json", b""))
    except (ValidationError, ValueError, RecursionError):
        return []
    declared = _declared(project)
    files = frozenset((*project.source_files, *project.test_files))
    missing = [
        MissingDependency(
            module, _requirement(module, declared), tuple(p for p in paths if p in files)[:MAX_NEEDED_BY]
        )
        for module, paths in sorted(found.modules.items())
        if _MODULE.fullmatch(module)
    ]
    for name in found.distributions:
        if name in declared:
            missing.append(MissingDependency(name.replace("-", "_"), declared[name]))
    return missing


def install_job(project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False) -> Job:
    """Installs wheels into ``deps.tar``, from the package index or from a folder that is shown as dependencies; versions
    that ``lock`` pins are kept where they can be."""
    return packages_job(_wanted(missing), pinned_versions(project.lock_file, lock), offline=offline)


def exact_install_job(
    project: Project,
    missing: Sequence[MissingDependency],
    installed: Sequence[InstalledPackage],
    lock: bytes,
    *,
    offline: bool = False,
) -> Job:
    """Installs the very wheels that another run had, each by its digest; where they can't be had, their versions, or what else
    ``missing`` allows."""
    pins, exact = [], []
    for one in installed:
        pin = clean_requirement(f"{one.name}=={one.version}")
        if pin and re.fullmatch(r"[\w.-]+==[\w.+!-]+", pin, re.ASCII):
            pins.append(pin)
            exact += [f"{pin} --hash={one.digest}"] if one.digest.startswith("sha256:") else []
    known = exact if len(exact) == len(installed) else ()
    return packages_job(_wanted(missing), pins, known, offline=offline)


def packages_job(
    requirements: Sequence[str], pins: Sequence[str], exact: Sequence[str] = (), *, offline: bool = False
) -> Job:
    """Installs wheels for ``requirements`` into ``deps.tar``; ``pins`` (``name==version``) are kept where they can be. ``exact``
    (``name==version --hash=sha256:HEX``) are tried first, and nothing beside them."""
    overlay = driver_files("install_packages.py")
    overlay[f"{FOLDER}/install.json"] = json.dumps(
        {"requirements": list(dict.fromkeys(requirements)), "offline": offline}
    ).encode()
    if pins:
        overlay[f"{FOLDER}/constraints.txt"] = "\n".join(sorted(pins)).encode() + b"\n"
    if exact:
        overlay[f"{FOLDER}/exact.txt"] = "\n".join(sorted(exact)).encode() + b"\n"
    limits = Limits(
        timeout_s=900, memory_bytes=4 * GIB, work_bytes=2 * GIB, tmp_bytes=2 * GIB, artefact_bytes=768 * MIB
    )
    return Job("install", ("python", f"{FOLDER}/install_packages.py"), overlay, limits=limits, network=not offline)


def _wanted(missing: Sequence[MissingDependency]) -> list[str]:
    return [clean for one in missing if (clean := clean_requirement(one.requirement))]


def _own_modules(snapshot: Snapshot, project: Project) -> frozenset[str]:
    """Top-level names that the repository itself provides, at its roots and beside its tests."""
    own = {module_name(project.source_roots, path).partition(".")[0] for path in project.source_files}
    own |= {
        part
        for path in project.test_files
        for part in (*path.split("/")[:-1], path.rpartition("/")[2].removesuffix(".py"))
    }
    own |= {path.split("/")[0].removesuffix(".py") for path in snapshot.files if path.endswith(".py")}
    return frozenset(own)


def _tops(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def _declared(project: Project) -> Mapping[str, str]:
    """What the project requires, by the canonical name of each package."""
    return {_name_of(requirement): requirement for requirement in project.dependencies}


def _requirement(module: str, declared: Mapping[str, str]) -> str:
    known = _DISTRIBUTIONS.get(module, module)
    for name in (known, module, f"python-{module}", f"py{module}"):
        if canonicalize_name(name) in declared:
            return declared[canonicalize_name(name)]
    return known


def _name_of(requirement: str) -> str:
    clean = clean_requirement(requirement)
    return canonicalize_name(Requirement(clean).name) if clean else ""
