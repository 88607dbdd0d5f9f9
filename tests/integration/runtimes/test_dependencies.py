"""Locked packages of each ecosystem in its real image: a test run lacks them, they are installed, and it passes with no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from qverify_desktop.analysis.dependencies import _unpack
from qverify_desktop.domain.execution import Job, JobResult, RuntimeImage
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.languages.ecosystems import (
    DependencySet,
    Ecosystem,
    dependency_sets,
    install_job,
    reader,
    with_dependencies,
)
from qverify_desktop.languages.installed import installed_packages
from qverify_desktop.languages.missing import failed_install_words, missing_packages, missing_words
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import build_image, find_image, load_recipes, resources_root
from tests.integration.runtimes import offline_folders as folders

pytestmark = pytest.mark.docker

CARGO_REGISTRY = "registry+https://" + "github.com/rust-lang/" + "crates.io-index"
Images = Callable[[str], RuntimeImage]
TESTS = {
    Ecosystem.NPM: ("node", "--test"),
    Ecosystem.GO: ("go", "test", "-count=1", "./..."),
    Ecosystem.CARGO: ("cargo", "test", "--locked"),
    Ecosystem.MAVEN: ("mvn", "test"),
    Ecosystem.PYTHON: ("python", "-m", "pytest", "-q", "-p", "no:cacheprovider"),
}


@pytest.fixture(scope="session")
def images(client: docker.APIClient) -> Images:
    recipes = {recipe.runtime: recipe for recipe in load_recipes(resources_root())}

    def image(runtime: str) -> RuntimeImage:
        found = find_image(client, recipes[runtime])
        return found if found.digest else build_image(client, recipes[runtime], print)

    return image


class Project:
    """A project over the sandbox: its sets, and its test command with an installed folder or none."""

    def __init__(self, root: Path, sandbox: DockerSandbox, images: Images, work: Path) -> None:
        self.root, self._sandbox, self._images, self._work = root, sandbox, images, work
        self.files = tuple(sorted(str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()))
        self.sets = dependency_sets(self.files, reader(str(root)))

    async def test(self, one: DependencySet, installed: Path | None = None, runtime: str = "") -> JobResult:
        job = Job("test", ("sh", "-c", f"cd '/work/{one.folder or '.'}' && \"$@\"", "test", *TESTS[one.ecosystem]))
        if installed is not None:
            job = with_dependencies(job, self.sets)
        assert not job.network
        image = self._images(runtime or one.runtime)
        return await self._sandbox.run(job, image, self.root, run="r-test", dependencies=installed)

    async def install(self, one: DependencySet, offline: Path | None) -> JobResult:
        job = install_job(one, reader(str(self.root)), offline=offline is not None)
        assert job.network is (offline is None)
        image = self._images(one.runtime)
        return await self._sandbox.run(job, image, self.root, run="r-test", dependencies=offline)

    def unpacked(self, *results: JobResult) -> Path:
        folder = self._work / f"set-{len(list(self._work.iterdir()))}"
        for result in results:
            assert result.execution.exit_code == 0, result.output
            assert _unpack(result.artefacts["deps.tar"], folder) == ""
        return folder / "packages"


Make = Callable[[Path], Project]


@pytest.fixture
def project(sandbox: DockerSandbox, images: Images, tmp_path: Path) -> Make:
    (tmp_path / "sets").mkdir()
    return lambda root: Project(root, sandbox, images, tmp_path / "sets")


def named(installed: JobResult) -> tuple[InstalledPackage, ...]:
    return installed_packages(installed.artefacts["deps.tar"], installed.artefacts.get("install.json", b""))


async def fails_before_and_passes_after(
    project: Project, offline: Path | None, missing: str, digest_of: str = "sha256:"
) -> JobResult:
    """The whole way of a project with one set; answers the result of the run that passed. What was installed is named with a digest
    that begins with ``digest_of``."""
    [one] = project.sets
    before = await project.test(one)
    assert before.execution.exit_code != 0
    assert missing_packages(one.ecosystem, before.output) == (missing,), before.output
    words = missing_words(one.ecosystem, before.output)
    assert missing in words and "--packages" in words and "--allow-install" in words
    installed = await project.install(one, offline)
    after = await project.test(one, project.unpacked(installed))
    name = missing.rpartition(":")[0] if one.ecosystem is Ecosystem.MAVEN else missing
    packages = {p.name: p for p in named(installed)}
    assert packages[name].version.removeprefix("v") in ("1.0", "1.0.0")
    assert packages[name].digest.startswith(digest_of) and bool(packages[name].digest) == bool(digest_of)
    assert after.execution.exit_code == 0, after.output
    assert not after.execution.network
    return after


NPM_TEST = """\
import assert from 'node:assert';
import { createRequire } from 'node:module';
import test from 'node:test';
import { name } from '%s';

test('name', () => assert.equal(name, 'flood'));
test('the old way too', () => assert.equal(createRequire(import.meta.url)('%s').name, 'flood'));
"""


def npm_files(packages: dict[str, str], folder: str = "", workspaces: tuple[str, ...] = ()) -> dict[str, str]:
    """package.json and package-lock.json of a project that needs ``packages`` (name to digest)."""
    root: dict[str, Any] = {"name": "sea", "version": "1.0.0", "dependencies": dict.fromkeys(packages, "1.0.0")}
    entries: dict[str, Any] = {
        f"node_modules/{name}": {"version": "1.0.0", "integrity": digest} for name, digest in packages.items()
    }
    if workspaces:
        root["workspaces"] = list(workspaces)
        for workspace in workspaces:
            name = workspace.rpartition("/")[2]
            entries[workspace] = {"name": f"@sea/{name}", "version": "1.0.0"}
            entries[f"node_modules/@sea/{name}"] = {"resolved": workspace, "link": True}
    lock = {
        "name": "sea",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {"": root, **entries},
    }
    at = f"{folder}/" if folder else ""
    return {f"{at}package.json": json.dumps(root), f"{at}package-lock.json": json.dumps(lock)}


TIDEWORDS = {"index.js": "exports.name = 'flood';\n"}


@pytest.mark.parametrize("name", ["tidewords", "@tide/words"])
async def test_npm_from_a_cache(project: Make, tmp_path: Path, name: str) -> None:
    content, digest = folders.npm_package(name, TIDEWORDS)
    files = {**npm_files({name: digest}), "sea.test.mjs": NPM_TEST % (name, name)}
    made = project(folders.write(tmp_path / "project", files))
    await fails_before_and_passes_after(made, folders.npm_cache(tmp_path / "cache", [content]), name, digest)


async def test_npm_runs_no_script_of_a_package(project: Make, tmp_path: Path) -> None:
    scripts = {"install": "touch $QV_OUT/ran; exit 1", "postinstall": "touch $QV_OUT/ran; exit 1"}
    package = json.dumps({"name": "tidewords", "version": "1.0.0", "scripts": scripts})
    content, digest = folders.npm_package("tidewords", {**TIDEWORDS, "package.json": package})
    files = npm_files({"tidewords": digest})
    files["package.json"] = json.dumps({**json.loads(files["package.json"]), "scripts": scripts})
    files[".npmrc"] = "ignore-scripts=false\nregistry=http://127.0.0.1:9/\n"
    made = project(folders.write(tmp_path / "project", files))
    installed = await made.install(made.sets[0], folders.npm_cache(tmp_path / "cache", [content]))
    assert installed.execution.exit_code == 0, installed.output
    assert set(installed.artefacts) == {"deps.tar"}


async def test_npm_refuses_a_package_that_is_another(project: Make, tmp_path: Path) -> None:
    """What the cache holds under the digest was changed: the digest of the lock file counts."""
    content, digest = folders.npm_package("tidewords", TIDEWORDS)
    cache = folders.npm_cache(tmp_path / "cache", [content])
    other, _ = folders.npm_package("tidewords", {"index.js": "exports.name = 'forged';\n"})
    changed = [
        path
        for path in (cache / "_cacache" / "content-v2").rglob("*")
        if path.is_file() and path.read_bytes() == content
    ]
    for path in changed:
        path.write_bytes(other)
    assert changed
    made = project(folders.write(tmp_path / "project", npm_files({"tidewords": digest})))
    result = await made.install(made.sets[0], cache)
    assert result.execution.exit_code != 0
    assert "does not hold tidewords." in failed_install_words(Ecosystem.NPM, result.output, offline=True)
    assert "deps.tar" not in result.artefacts


async def test_npm_workspaces_and_programs(project: Make, tmp_path: Path) -> None:
    """A workspace is found as a package, a package's program on the path, and Vitest can write beside the packages."""
    program = {**TIDEWORDS, "say.js": "#!/usr/bin/env node\nconsole.log('flood');\n"}
    program["package.json"] = json.dumps({"name": "tidewords", "version": "1.0.0", "bin": {"say-tide": "say.js"}})
    content, digest = folders.npm_package("tidewords", program)
    files = npm_files({"tidewords": digest}, "web", ("packages/gauge",))
    lock = json.loads(files["web/package-lock.json"])
    lock["packages"]["node_modules/tidewords"]["bin"] = {"say-tide": "say.js"}
    files["web/package-lock.json"] = json.dumps(lock)
    files["web/packages/gauge/package.json"] = json.dumps(
        {"name": "@sea/gauge", "version": "1.0.0", "main": "index.js"}
    )
    files["web/packages/gauge/index.js"] = "exports.read = () => require('tidewords').name;\n"
    files["web/sea.test.mjs"] = (
        "import { execFileSync } from 'node:child_process';\nimport { expect, test } from 'vitest';\nimport gauge from '@sea/gauge';\n\n"
        "test('gauge', () => expect(gauge.read()).toBe('flood'));\n"
        "test('say', () => expect(String(execFileSync('say-tide'))).toBe('flood\\n'));\n"
    )
    made = project(folders.write(tmp_path / "project", files))
    [one] = made.sets
    installed = made.unpacked(await made.install(one, folders.npm_cache(tmp_path / "cache", [content])))
    job = with_dependencies(Job("test", ("sh", "-c", "cd web && vitest run sea.test.mjs")), made.sets)
    result = await made._sandbox.run(job, made._images("node"), made.root, run="r-test", dependencies=installed)
    assert result.execution.exit_code == 0, result.output
    assert "2 passed" in result.output


#: isarray 2.0.5, as the registry has had it since 2019.
ISARRAY = "sha512-xHjhDr3cNBK0BzdUJSPXZntQUx/mwMS5Rw4A7lPJ90XGAO6ISP/ePDNuo0vhqOZU+UD5JoodwCAAoZQd3FeAKw=="
NO_REGISTRY = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH", "CERT")


def isarray_project(root: Path, digest: str) -> Path:
    """Its lock file says that the package is somewhere where nobody listens."""
    files = npm_files({"isarray": digest})
    files["package.json"] = files["package.json"].replace("1.0.0", "2.0.5")
    lock = json.loads(files["package-lock.json"].replace("1.0.0", "2.0.5"))
    lock["packages"]["node_modules/isarray"]["resolved"] = "http://127.0.0.1:9/isarray.tgz"
    files["package-lock.json"] = json.dumps(lock)
    files["sea.test.mjs"] = (
        "import { strictEqual } from 'node:assert';\nimport array from 'isarray';\n\nstrictEqual(array([]), true);\n"
    )
    return folders.write(root, files)


async def test_npm_from_its_registry(project: Make, tmp_path: Path) -> None:
    """Wherever the lock file says that the package is, the registry is asked, and the digest holds."""
    made = project(isarray_project(tmp_path / "project", ISARRAY))
    [one] = made.sets
    result = await made.install(one, None)
    if result.execution.exit_code and any(word in result.output for word in NO_REGISTRY):
        pytest.skip("No registry answers a container on this machine.")
    after = await made.test(one, made.unpacked(result))
    assert after.execution.exit_code == 0, after.output
    assert (result.execution.network, after.execution.network) == (True, False)


async def test_npm_refuses_what_its_registry_has_under_another_digest(project: Make, tmp_path: Path) -> None:
    _, other = folders.npm_package("isarray", TIDEWORDS)
    made = project(isarray_project(tmp_path / "project", other))
    result = await made.install(made.sets[0], None)
    if any(word in result.output for word in NO_REGISTRY):
        pytest.skip("No registry answers a container on this machine.")
    assert result.execution.exit_code != 0 and "deps.tar" not in result.artefacts
    assert "the digests differ" in failed_install_words(Ecosystem.NPM, result.output, offline=False), result.output


async def test_go_from_a_module_proxy(project: Make, tmp_path: Path) -> None:
    made = project(folders.go_project(tmp_path / "project"))
    await fails_before_and_passes_after(made, folders.go_proxy(tmp_path / "proxy"), folders.MODULE, "h1:")


async def test_go_refuses_a_module_that_is_another(project: Make, tmp_path: Path) -> None:
    root = folders.go_project(tmp_path / "project")
    (root / "go.sum").write_text(folders.go_sum(folders.GO_MOD, {**folders.GO_FILES, "more": ""}))
    made = project(root)
    result = await made.install(made.sets[0], folders.go_proxy(tmp_path / "proxy"))
    assert result.execution.exit_code != 0
    assert "the digests differ" in failed_install_words(Ecosystem.GO, result.output, offline=True)


async def test_go_from_a_vendor_folder(project: Make, tmp_path: Path) -> None:
    made = project(folders.go_project(tmp_path / "project"))
    listed = f"# {folders.MODULE} {folders.VERSION}\n## explicit; go 1.21\n{folders.MODULE}\n"
    vendor = folders.write(
        tmp_path / "vendor", {"modules.txt": listed, f"{folders.MODULE}/words.go": folders.GO_SOURCE}
    )
    await fails_before_and_passes_after(made, folders.readable(vendor), folders.MODULE, "")


async def test_cargo_from_vendored_crates(project: Make, tmp_path: Path) -> None:
    made = project(folders.cargo_project(tmp_path / "project", CARGO_REGISTRY))
    await fails_before_and_passes_after(made, folders.cargo_vendor(tmp_path / "vendor"), "tidewords")


async def test_maven_from_a_repository(
    project: Make, sandbox: DockerSandbox, images: Images, source: Path, tmp_path: Path
) -> None:
    repository = await folders.maven_repository(tmp_path / "repository", sandbox, images("java"), source)
    made = project(folders.maven_project(tmp_path / "project"))
    after = await fails_before_and_passes_after(made, repository, "invalid.tide:tidewords:1.0")
    assert "Tests run: 1, Failures: 0" in after.output


async def test_python_from_wheels(project: Make, tmp_path: Path) -> None:
    import zipfile

    wheels = tmp_path / "wheels"
    wheels.mkdir()
    info = "tidewords-1.0.dist-info"
    with zipfile.ZipFile(wheels / "tidewords-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tidewords.py", "NAME = 'flood'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tidewords\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tidewords.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    lock = '[[package]]\nname = "tidewords"\nversion = "1.0"\n'
    files = {
        "poetry.lock": lock,
        "test_sea.py": "import tidewords\n\n\ndef test_name():\n    assert tidewords.NAME == 'flood'\n",
    }
    made = project(folders.write(tmp_path / "project", files))
    await fails_before_and_passes_after(made, folders.readable(wheels), "tidewords")


async def test_two_ecosystems_share_what_is_installed(project: Make, tmp_path: Path) -> None:
    """A repository with a Go and an npm project: both sets in one folder, each project passes, in the universal image too."""
    content, digest = folders.npm_package("tidewords", TIDEWORDS)
    root = folders.write(
        tmp_path / "project",
        {**npm_files({"tidewords": digest}, "web"), "web/sea.test.mjs": NPM_TEST % ("tidewords", "tidewords")},
    )
    folders.go_project(root / "services" / "sea")
    made = project(root)
    npm, go = made.sets
    assert [(npm.folder, npm.ecosystem), (go.folder, go.ecosystem)] == [("web", "npm"), ("services/sea", "go")]
    installed = made.unpacked(
        await made.install(npm, folders.npm_cache(tmp_path / "cache", [content])),
        await made.install(go, folders.go_proxy(tmp_path / "proxy")),
    )
    for one in (npm, go):
        for runtime in (one.runtime, "universal"):
            result = await made.test(one, installed, runtime)
            assert result.execution.exit_code == 0, result.output


async def test_an_empty_folder_is_said_with_the_packages_name(project: Make, tmp_path: Path) -> None:
    empty = folders.readable(folders.write(tmp_path / "empty", {"nothing": ""}))
    _, digest = folders.npm_package("tidewords", TIDEWORDS)
    for name, root, missing in (
        ("npm", folders.write(tmp_path / "npm", npm_files({"tidewords": digest})), "tidewords"),
        ("go", folders.go_project(tmp_path / "go"), folders.MODULE),
    ):
        made = project(root)
        result = await made.install(made.sets[0], empty)
        assert result.execution.exit_code != 0, name
        assert "deps.tar" not in result.artefacts
        words = failed_install_words(made.sets[0].ecosystem, result.output, offline=True)
        assert f"does not hold {missing}." in words, result.output


async def test_settings_of_the_repository_do_not_steer_an_installer(
    sandbox: DockerSandbox, images: Images, tmp_path: Path
) -> None:
    """The online way without a network: what would end cargo and the JVM where the project is, is not read."""
    cargo = folders.cargo_project(tmp_path / "cargo", CARGO_REGISTRY)
    folders.write(cargo, {".cargo/config.toml": "NoSuchOption = [\n"})
    maven = folders.maven_project(tmp_path / "maven")
    folders.write(maven, {".mvn/jvm.config": "-XX:+NoSuchOption\n"})
    go = folders.go_project(tmp_path / "go")
    (go / "go.mod").write_text((go / "go.mod").read_text() + "\ntoolchain go1.99.0\n")
    for root in (cargo, maven, go):
        files = tuple(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        [one] = dependency_sets(files, reader(str(root)))
        job = replace(install_job(one, reader(str(root))), network=False)
        result = await sandbox.run(job, images(one.runtime), root, run="r-test")
        assert result.execution.exit_code != 0
        assert result.artefacts == {} and "NoSuchOption" not in result.output, result.output
        assert "did not answer" in failed_install_words(one.ecosystem, result.output, offline=False), result.output
    # That the settings would have counted where the project itself is.
    for root, runtime, command in ((maven, "java", ("mvn", "--version")), (cargo, "rust", ("cargo", "vendor"))):
        steered = await sandbox.run(Job("test", command), images(runtime), root, run="r-test")
        assert steered.execution.exit_code != 0 and "NoSuchOption" in steered.output
