"""Words of each tool about a package that is not there, as the tools in the images print them."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.languages.ecosystems import Ecosystem
from qverify_desktop.languages.missing import MAX_NAMED, failed_install_words, missing_packages, missing_words

SAID = [
    ("python", "E   ModuleNotFoundError: No module named 'tide.words'", ("tide",)),
    ("python", "ImportError: No module named yaml", ("yaml",)),
    ("python", "ModuleNotFoundError: No module named 'json.tool'; 'json' is not a package", ()),
    ("python", "ERROR: No matching distribution found for tidewords==1.0", ("tidewords",)),
    ("npm", "Error: Cannot find module 'left-pad'\nRequire stack:\n- /work/a.js", ("left-pad",)),
    ("npm", "Cannot find module '@scope/name/lib/x.js' from 'test/a.js'", ("@scope/name",)),
    ("npm", "Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'chalk' imported from /work/a.mjs", ("chalk",)),
    ("npm", "a.ts(1,1): error TS2307: Cannot find module 'zod' or its corresponding type declarations.", ("zod",)),
    ("npm", 'Failed to resolve import "vue/dist/vue.js" from "a.ts". Does the file exist?', ("vue",)),
    ("npm", "Cannot find module './gone'\nCannot find module '../x'\nCannot find module '/work/y.js'", ()),
    ("npm", "Cannot find module 'node:fs2'\nCannot find module 'fs/promises'\nCannot find module '@/store'", ()),
    (
        "npm",
        "npm error code ENOTCACHED\nnpm error request to https://registry.invalid/@s%2fa/-/a-1.0.0.tgz failed: cache mode is",
        ("@s/a",),
    ),
    (
        "go",
        "sea_test.go:5:2: no required module provides package example.invalid/tide; to add it:\n\tgo get example.invalid/tide",
        ("example.invalid/tide",),
    ),
    (
        "go",
        "a.go:3:8: missing go.sum entry for module providing package example.invalid/a/b; to add:",
        ("example.invalid/a/b",),
    ),
    (
        "go",
        "go: downloading example.invalid/tide v1.0.0\nsea_test.go:5:2: module lookup disabled by GOPROXY=off",
        ("example.invalid/tide",),
    ),
    ("go", "go: example.invalid/tide@v1.0.0: module lookup disabled by GOPROXY=off", ("example.invalid/tide",)),
    (
        "go",
        "go: example.invalid/tide@v1.0.0: reading file:///deps/example.invalid/tide/@v/v1.0.0.info: no such file",
        ("example.invalid/tide",),
    ),
    (
        "maven",
        "[ERROR] dependency: invalid.tide:words:jar:1.0 (compile)\n[ERROR] \tCannot access central (https://x.invalid) in offline "
        "mode and the artifact invalid.tide:words:jar:1.0 has not been downloaded from it before.",
        ("invalid.tide:words:1.0",),
    ),
    ("maven", "Could not find artifact a.b:c:jar:tests:2.0 in central (https://x.invalid)", ("a.b:c:2.0",)),
    (
        "maven",
        "Plugin org.x:y-maven-plugin:3.1 or one of its dependencies could not be resolved: Cannot access central",
        ("org.x:y-maven-plugin:3.1",),
    ),
    (
        "cargo",
        "error: no matching package named `tidewords` found\nlocation searched: crates.io index",
        ("tidewords",),
    ),
    ("cargo", "error: no matching package found\nsearched package name: `tide-words`", ("tide-words",)),
    ("cargo", 'error: failed to select a version for the requirement `tide = "^2"`', ("tide",)),
    ("cargo", "error: failed to download `tide v1.0.0`", ("tide",)),
    ("cargo", "error[E0463]: can't find crate for `tide`", ("tide",)),
]


@pytest.mark.parametrize(("ecosystem", "output", "names"), SAID)
def test_the_package_is_named(ecosystem: str, output: str, names: tuple[str, ...]) -> None:
    assert missing_packages(Ecosystem(ecosystem), output) == names


@pytest.mark.parametrize(("ecosystem", "output"), [(ecosystem, output) for ecosystem, output, names in SAID if names])
def test_the_words_say_what_is_safe_and_what_to_do(ecosystem: str, output: str) -> None:
    words = missing_words(Ecosystem(ecosystem), output)
    assert missing_packages(Ecosystem(ecosystem), output)[0] in words
    assert "nothing was fetched" in words and "--allow-install" in words and "--packages" in words
    declared = missing_words(Ecosystem(ecosystem), output, installed=True)
    assert "does not name" in declared and "--allow-install" not in declared


def test_nothing_missing_is_no_words() -> None:
    for ecosystem in Ecosystem:
        assert missing_words(ecosystem, "1 failed, 2 passed in 0.1 s\nassert 1 == 2") == ""


def test_gradle_says_that_it_is_not_there() -> None:
    words = missing_words(Ecosystem.GRADLE, "> Could not find artifact a.b:c:jar:2.0 in central (x)")
    assert "a.b:c:2.0" in words and "Gradle is not in the sandbox" in words


@pytest.mark.parametrize(
    ("ecosystem", "offline", "output", "said"),
    [
        (
            "npm",
            True,
            "npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed",
            "the digests differ",
        ),
        (
            "go",
            True,
            "verifying example.invalid/t@v1.0.0: checksum mismatch\n\tdownloaded: h1:a",
            "the digests differ",
        ),
        (
            "npm",
            False,
            "npm error code EAI_AGAIN\nnpm error request to https://registry.invalid/a failed",
            "did not answer",
        ),
        (
            "go",
            False,
            'go: a.b/c@v1.0.0: Get "https://p.invalid/": dial tcp: lookup p.invalid: no such host',
            "did not answer",
        ),
        (
            "cargo",
            False,
            "failed to get `a` as a dependency\n[6] Could not resolve hostname (p.invalid)",
            "did not answer",
        ),
        ("maven", False, "[ERROR] No plugin found for prefix 'dependency' in the current project", "did not answer"),
        ("python", False, "NewConnectionError: [Errno -3] Temporary failure in name resolution", "did not answer"),
        ("python", True, "ERROR: No matching distribution found for tide==1.0", "does not hold tide. "),
        ("python", False, "ERROR: No matching distribution found for tide==1.0", "registry does not have tide. "),
        ("npm", True, "npm error \x1b[31mweird\x1b[0m", "It said: npm error [31mweird[0m"),
        ("npm", True, "", "It said: nothing"),
    ],
)
def test_a_failed_install_says_why(ecosystem: str, offline: bool, output: str, said: str) -> None:
    words = failed_install_words(Ecosystem(ecosystem), output, offline=offline)
    assert said in words and words.isprintable()
    assert (
        "othing was installed" in words or "Nothing of it was installed" in words or "nothing was installed" in words
    )


def test_names_come_once_in_order_and_are_bounded() -> None:
    output = "\n".join(f"Cannot find module 'm{number % 30}'" for number in range(90, 0, -1))
    names = missing_packages(Ecosystem.NPM, output)
    assert names == tuple(f"m{number % 30}" for number in range(90, 90 - MAX_NAMED, -1))


def test_only_what_looks_like_a_name_is_repeated() -> None:
    hostile = (
        "Cannot find module '\x1b[2Jx'\nCannot find module '<b>'\nCannot find module 'a;b'\nCannot find package '@x'"
    )
    assert missing_packages(Ecosystem.NPM, hostile) == ()
    assert missing_packages(Ecosystem.CARGO, "no matching package named `a\x1b`") == ()


@given(st.sampled_from(Ecosystem), st.text(max_size=300))
def test_no_output_raises(ecosystem: Ecosystem, output: str) -> None:
    assert isinstance(missing_words(ecosystem, output), str)
    assert failed_install_words(ecosystem, output, offline=True)


def test_a_flood_of_almost_messages_takes_no_time() -> None:
    for ecosystem in Ecosystem:
        for piece in (
            "request to https://a/" + "b" * 290,
            "a.b/" * 80,
            "Could not find artifact a:b:",
            "x" * 300,
            "ENOTCACHED \n",
        ):
            started = time.process_time()
            failed_install_words(ecosystem, piece * (1024 * 1024 // len(piece)), offline=False)
            assert time.process_time() - started < 5
