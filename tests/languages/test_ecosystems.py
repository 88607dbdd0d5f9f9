"""Lock files: which a snapshot holds, what is let through of them, the jobs that install them, and what they key."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.domain.execution import Job
from qverify_desktop.languages.ecosystems import (
    MAX_LOCK_BYTES,
    MAX_MANIFESTS,
    MAX_SETS,
    DependencySet,
    Ecosystem,
    cache_key,
    dependency_sets,
    install_job,
    reader,
    set_key,
    with_dependencies,
)
from qverify_desktop.languages.lock_contents import cargo_problem, npm_lock_for_install

DIGEST = "sha512-xHjhDr3cNBK0BzdUJSPXZntQUx/mwMS5Rw4A7lPJ90XGAO6ISP/ePDNuo0vhqOZU+UD5JoodwCAAoZQd3FeAKw=="
CARGO_REGISTRY = "registry+https://" + "github.com/rust-lang/" + "crates.io-index"


def sets_of(files: dict[str, str | bytes]) -> list[DependencySet]:
    contents = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
    return dependency_sets(tuple(contents), contents.get)


def npm_lock(packages: dict[str, Any], **fields: Any) -> str:
    return json.dumps({"name": "sea", "lockfileVersion": 3, "packages": packages} | fields)


def entry(**fields: Any) -> dict[str, Any]:
    return {"version": "1.2.3", "integrity": DIGEST} | fields


def test_each_folder_of_a_monorepo_is_a_set_of_its_own() -> None:
    found = sets_of(
        {
            "README.md": "",
            "requirements.txt": "six==1.16.0\n",
            "requirements-dev.txt": "pytest\n",
            "api/poetry.lock": "",
            "api/requirements.txt": "",
            "web/package.json": "{}",
            "web/package-lock.json": npm_lock({"": {}}),
            "web/packages/a/package.json": "{}",
            "web/node_modules/x/package-lock.json": npm_lock({}),
            "tool/go.mod": "module tool\n",
            "tool/go.sum": "",
            "tool/sub/go.mod": "module sub\n",
            "bank/pom.xml": "<project/>",
            "bank/core/pom.xml": "<project/>",
            "engine/Cargo.lock": "version = 3\n",
            "engine/target/package/Cargo.lock": "",
            "app/gradle.lockfile": "",
        }
    )
    assert [(one.folder, one.ecosystem.value, one.lock_files, one.manifests) for one in found] == [
        ("", "python", ("requirements-dev.txt", "requirements.txt"), ()),
        ("api", "python", ("api/poetry.lock",), ()),
        ("app", "gradle", ("app/gradle.lockfile",), ()),
        ("bank", "maven", ("bank/pom.xml",), ("bank/pom.xml", "bank/core/pom.xml")),
        ("engine", "cargo", ("engine/Cargo.lock",), ()),
        ("tool", "go", ("tool/go.sum",), ("tool/go.mod", "tool/go.sum", "tool/sub/go.mod")),
        ("web", "npm", ("web/package-lock.json",), ("web/package.json", "web/packages/a/package.json")),
    ]
    assert {one.ecosystem: one.runtime for one in found} == {
        "python": "python",
        "npm": "node",
        "go": "go",
        "maven": "java",
        "gradle": "java",
        "cargo": "rust",
    }
    assert [one.ecosystem for one in found if one.problem] == [Ecosystem.GRADLE]


@pytest.mark.parametrize(
    ("names", "counts"),
    [
        (("package-lock.json", "npm-shrinkwrap.json"), "npm-shrinkwrap.json"),
        (("yarn.lock", "package-lock.json"), "package-lock.json"),
        (("uv.lock", "requirements.txt"), "uv.lock"),
        (("Pipfile.lock", "pdm.lock"), "pdm.lock"),
    ],
)
def test_of_several_lock_files_one_counts(names: tuple[str, ...], counts: str) -> None:
    [one] = sets_of(dict.fromkeys(names, npm_lock({"": {}})))
    assert one.lock_files == (counts,)


@pytest.mark.parametrize(
    ("name", "tool"), [("yarn.lock", "yarn"), ("pnpm-lock.yaml", "pnpm"), ("gradle.lockfile", "Gradle")]
)
def test_a_lock_file_whose_tool_is_not_there_says_so(name: str, tool: str) -> None:
    [one] = sets_of({f"web/{name}": ""})
    assert f"web/{name} locks can't be installed" in one.problem and f"{tool} is not in the sandbox" in one.problem
    with pytest.raises(ValueError, match="not in the sandbox"):
        install_job(one, {}.get)
    assert with_dependencies(Job("test", ("true",)), [one]).argv == ("true",)


def test_packages_in_the_repository_need_no_installing() -> None:
    found = sets_of(
        {
            "go.mod": "module sea\n",
            "go.sum": "",
            "vendor/modules.txt": "",
            "engine/Cargo.lock": "",
            "engine/vendor/tidewords/.cargo-checksum.json": "{}",
        }
    )
    assert [(one.folder, one.ecosystem.value, one.vendored) for one in found] == [
        ("", "go", True),
        ("engine", "cargo", True),
    ]
    job = Job("test", ("go", "test"))
    assert with_dependencies(job, found) is job
    with pytest.raises(ValueError, match="lie in the repository"):
        install_job(found[0], {}.get)


# What is let through of a lock file


def test_npm_asks_no_address_but_its_registry() -> None:
    packages = {
        "": {"name": "sea", "dependencies": {"a": "1"}},
        "node_modules/a": entry(resolved="http://10.0.0.1:8080/admin?x=/a.tgz", license="MIT"),
        "node_modules/@s/b": entry(version="2.0.0-rc.1+build.7"),
        "node_modules/a/node_modules/alias": entry(name="real"),
        "node_modules/a/node_modules/inside": {
            "version": "1.0.0",
            "inBundle": True,
            "resolved": "https://10.0.0.1/x",
        },
        "packages/w": {"version": "0.1.0", "resolved": "https://10.0.0.1/x"},
        "node_modules/w": {"resolved": "packages/w", "link": True},
    }
    lock, problem = npm_lock_for_install(
        npm_lock(packages, dependencies={"a": {"resolved": "https://10.0.0.1/"}}).encode()
    )
    assert problem == ""
    assert "10.0.0.1" not in json.dumps(lock)
    made = lock["packages"]
    assert made["node_modules/a"] == entry(resolved="https://registry.invalid/a/-/a-1.2.3.tgz", license="MIT")
    assert made["node_modules/@s/b"]["resolved"] == "https://registry.invalid/@s/b/-/b-2.0.0-rc.1.tgz"
    assert made["node_modules/a/node_modules/alias"]["resolved"] == "https://registry.invalid/real/-/real-1.2.3.tgz"
    assert made["node_modules/w"] == {"resolved": "packages/w", "link": True}


@pytest.mark.parametrize(
    ("path", "made"),
    [
        ("node_modules/a", {"version": "1.0.0", "resolved": "https://example.org/a.tgz"}),
        ("node_modules/a", entry(resolved="git+ssh://git@example.org/a.git#0123")),
        ("node_modules/a", entry(resolved="file:../../a.tgz")),
        ("node_modules/a", entry(integrity="md5-AAAAAAAAAAAAAAAAAAAAAA==")),
        ("node_modules/a", entry(integrity="sha512-AAAAAAAAAAAAAAAAAAAAAAAA $(id)")),
        ("node_modules/a", entry(version="1.0.0/../../b")),
        ("node_modules/a", entry(name="../b")),
        ("node_modules/a", {"resolved": "../outside", "link": True}),
        ("node_modules/a", {"resolved": "/etc", "link": True}),
        ("node_modules/a", {"link": True}),
        ("node_modules/../../a", entry()),
        ("/node_modules/a", entry()),
        ("node_modules/a", "1.0.0"),
        ("node_modules/a\n", entry()),
    ],
)
def test_npm_packages_from_elsewhere_or_without_a_digest_are_refused(path: str, made: Any) -> None:
    lock, problem = npm_lock_for_install(npm_lock({"": {}, path: made}).encode())
    assert lock == {} and "never fetched" in problem
    assert problem.isprintable()
    [one] = sets_of({"package-lock.json": npm_lock({"": {}, path: made})})
    assert one.problem == f"package-lock.json: {problem}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe\0",
        b"[" * 200_000,
        b'{"packages": []}',
        b'{"lockfileVersion": 1, "dependencies": {}}',
        b'{"packages": {"": 1e999}}',
    ],
)
def test_a_broken_npm_lock_is_a_sentence(content: bytes) -> None:
    lock, problem = npm_lock_for_install(content)
    assert lock == {} and problem.endswith(".")


def test_crates_from_elsewhere_are_refused() -> None:
    def lock(source: str) -> bytes:
        return f'[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "{source}"\n'.encode()

    assert cargo_problem(lock(CARGO_REGISTRY)) == ""
    assert cargo_problem(b'[[package]]\nname = "own"\nversion = "1.0.0"\n') == ""
    for source in (
        "git+https://10.0.0.1/a?rev=1#2",
        "registry+https://example.org/index",
        f"{CARGO_REGISTRY}x",
        CARGO_REGISTRY + "\x1b[2J",
    ):
        assert "never fetched" in cargo_problem(lock(source))
        assert cargo_problem(lock(source)).isprintable()
    [one] = sets_of({"Cargo.lock": lock("git+https://10.0.0.1/a")})
    assert one.problem.startswith("Cargo.lock: ")


# Jobs


@pytest.mark.parametrize("offline", [True, False])
@pytest.mark.parametrize(
    "files",
    [
        {"poetry.lock": '[[package]]\nname = "six"\nversion = "1.16.0"\n'},
        {"package.json": "{}", "package-lock.json": npm_lock({"": {}, "node_modules/a": entry()})},
        {"go.mod": "module sea\n", "go.sum": ""},
        {"pom.xml": "<project/>"},
        {"Cargo.toml": "", "Cargo.lock": ""},
    ],
    ids=["python", "npm", "go", "maven", "cargo"],
)
def test_an_install_has_network_only_where_it_is_not_offline(files: dict[str, str], offline: bool) -> None:
    [one] = sets_of(files)
    contents = {path: text.encode() for path, text in files.items()}
    job = install_job(one, contents.get, offline=offline)
    assert (job.purpose, job.network) == ("install", not offline)
    assert job.limits.timeout_s <= 900 and job.limits.artefact_bytes <= 768 * 1024 * 1024
    assert all(path.startswith(".qverify/") for path in job.overlay)
    run = with_dependencies(Job("test", ("run", "it"), {"a": b""}, {"B": "c"}), [one])
    assert not run.network and run.argv[-2:] == ("run", "it") and (run.overlay["a"], run.env) == (b"", {"B": "c"})


def test_a_python_set_asks_for_what_its_lock_pins() -> None:
    content = b'[[package]]\nname = "six"\nversion = "1.16.0"\n[[package]]\nname = "x y"\nversion = "1"\n'
    [one] = dependency_sets(("uv.lock",), {"uv.lock": content}.get)
    job = install_job(one, {"uv.lock": content}.get)
    assert json.loads(job.overlay[".qverify/install.json"])["requirements"] == ["six==1.16.0"]
    lines = b"--index-url http://10.0.0.1/\nsix>=1\n-r /etc/passwd\nbad @ http://10.0.0.1/x.whl\n"
    [one] = dependency_sets(("requirements.txt",), {"requirements.txt": lines}.get)
    job = install_job(one, {"requirements.txt": lines}.get)
    assert json.loads(job.overlay[".qverify/install.json"])["requirements"] == ["six>=1", "bad"]


def test_a_folders_name_is_a_word_of_the_script_and_nothing_else() -> None:
    folder = "a'; touch $QV_OUT/x; '"
    [one] = sets_of({f"{folder}/go.sum": "", f"{folder}/go.mod": ""})
    script = with_dependencies(Job("test", ("true",)), [one]).overlay[".qverify/use.sh"].decode()
    assert f"use_go 'a'\"'\"'; touch $QV_OUT/x; '\"'\"'' {one.slug}\n" in script
    assert install_job(one, {}.get).argv[3] == folder


# Keys and limits


def test_the_key_changes_with_everything_that_is_installed_from() -> None:
    first = {"web/package.json": "{}", "web/package-lock.json": npm_lock({"": {}})}
    [one] = sets_of(first)
    [same] = sets_of({**first, "README.md": "other"})
    others = [
        sets_of({**first, "web/package-lock.json": npm_lock({"": {"name": "x"}})})[0],
        sets_of({path.replace("web", "app"): text for path, text in first.items()})[0],
    ]
    assert set_key(one) == set_key(same)
    keys = {set_key(one), set_key(one, b"cache of today"), *map(set_key, others)}
    assert len(keys) == 4 and all(len(key) == 32 and set(key) <= set("0123456789abcdef") for key in keys)
    assert cache_key(b"a", b"b") != cache_key(b"a\0", b"b")


def test_sets_and_manifests_are_bounded() -> None:
    many = {f"m{number:03}/go.sum": "" for number in range(MAX_SETS + 10)}
    assert len(sets_of(many)) == MAX_SETS
    workspaces = {f"p{number:03}/package.json": "{}" for number in range(MAX_MANIFESTS + 10)}
    [one] = sets_of({"package-lock.json": npm_lock({"": {}}), **workspaces})
    assert len(one.manifests) == MAX_MANIFESTS


def test_a_lock_file_too_large_or_no_file_at_all_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_bytes(b"")
    os.truncate(tmp_path / "uv.lock", MAX_LOCK_BYTES + 1)
    (tmp_path / "web").mkdir()
    (tmp_path / "web/package-lock.json").symlink_to("/etc/passwd")
    (tmp_path / "app").mkdir()
    os.mkfifo(tmp_path / "app/Cargo.lock")
    found = dependency_sets(
        ("uv.lock", "web/package-lock.json", "app/Cargo.lock", "gone/go.sum"), reader(str(tmp_path))
    )
    assert len(found) == 4
    assert all("can't be read, or is larger than 16 MiB" in one.problem for one in found)


@pytest.mark.parametrize(
    "path",
    [
        "../package-lock.json",
        "/go.sum",
        "a/../../go.sum",
        "a//go.sum",
        "./go.sum",
        "a\n/go.sum",
        "-rf/go.sum",
        "a\\b/go.sum",
        "\udcff/go.sum",
        "\u202e/go.sum",
        "",
    ],
)
def test_a_path_that_is_no_plain_one_is_passed_over(path: str) -> None:
    assert sets_of({path: npm_lock({})}) == []


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "package-lock.json",
                "yarn.lock",
                "go.sum",
                "Cargo.lock",
                "uv.lock",
                "Pipfile.lock",
                "requirements.txt",
                "pom.xml",
            ]
        )
        | st.text(max_size=20),
        st.binary(max_size=200) | st.none(),
        max_size=6,
    )
)
def test_no_content_and_no_name_raises(files: dict[str, bytes | None]) -> None:
    for one in dependency_sets(tuple(files), files.get):
        if not one.problem:
            assert install_job(one, files.get, offline=True).argv


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["packages", "resolved", "link", "integrity", "version", "node_modules/a"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(json_values)
def test_no_npm_lock_raises_or_lets_an_address_through(value: Any) -> None:
    lock, problem = npm_lock_for_install(json.dumps(value).encode())
    assert bool(lock) != bool(problem)
    for path, made in lock.get("packages", {}).items():
        if "node_modules" in path.split("/") and "resolved" in made and not made.get("link"):
            assert made["resolved"].startswith("https://registry.invalid/")
