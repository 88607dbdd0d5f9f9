"""What an installed set holds, out of archives as installers make them and as nobody should."""

from __future__ import annotations

import hashlib
import io
import json
import random
from typing import Any

import pytest
from backports import tarfile
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.languages.installed import MOST_PACKAGES, installed_packages, read_written, written

SUM = "c" * 64
SRI = "sha512-" + "A" * 86 + "=="


def archive(files: dict[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for path, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(path)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def one(files: dict[str, bytes | str], answer: bytes = b"") -> tuple[str, str, str, str]:
    (found,) = installed_packages(archive(files), answer)
    return found.ecosystem, found.name, found.version, found.digest


def test_a_wheel_is_known_by_the_digest_of_pips_report() -> None:
    metadata = {
        "Tide_Words-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Tide_Words\nVersion: 1.0\n\nText.\n"
    }
    answer = json.dumps({"failed": [], "wheels": [["Tide-Words", "1.0", SUM], ["other", "1", 3], "x"]}).encode()
    assert one(metadata, answer) == ("python", "tide-words", "1.0", f"sha256:{SUM}")
    assert one(metadata) == ("python", "tide-words", "1.0", "")
    inside = {f"package/{name}": content for name, content in metadata.items()}
    assert installed_packages(archive(inside)) == ()


def test_npm_packages_are_those_of_its_hidden_lock_file() -> None:
    entries: dict[str, Any] = {
        "node_modules/tidewords": {
            "version": "1.0.0",
            "integrity": SRI,
            "resolved": "https://ada:secret@registry/x.tgz",
        },
        "node_modules/a/node_modules/@tide/words": {"version": "2.0.0"},
        "node_modules/@sea/gauge": {"resolved": "packages/gauge", "link": True},
        "packages/gauge": {"version": "1.0.0"},
    }
    lock = json.dumps({"lockfileVersion": 3, "packages": entries})
    found = installed_packages(archive({"./.npm/0a1b/web/node_modules/.package-lock.json": lock}))
    assert found == (
        InstalledPackage("npm", "@tide/words", "2.0.0"),
        InstalledPackage("npm", "tidewords", "1.0.0", SRI),
    )
    assert b"secret" not in written(found)


def test_go_modules_have_the_hash_of_the_go_command() -> None:
    place = "./.go/mod/cache/download/github.com/!burnt!sushi/toml/@v/v1.3.2.ziphash"
    digest = "h1:" + "A" * 43 + "="
    assert one({place: digest}) == ("go", "github.com/BurntSushi/toml", "v1.3.2", digest)
    vendored = "# example.invalid/tide v1.0.0\n## explicit; go 1.21\nexample.invalid/tide\n"
    assert one({"./.go/vendor/0a/modules.txt": vendored}) == ("go", "example.invalid/tide", "v1.0.0", "")


def test_maven_jars_have_their_own_digest() -> None:
    jar = b"PK of classes"
    digest = f"sha256:{hashlib.sha256(jar).hexdigest()}"
    place = "./.maven/invalid/tide/words/1.0/words-1.0"
    assert one({f"{place}.jar": jar, f"{place}.pom": "<project/>"}) == ("maven", "invalid.tide:words", "1.0", digest)
    assert one({f"{place}-linux.jar": jar}) == ("maven", "invalid.tide:words", "1.0-linux", digest)
    assert installed_packages(archive({"./.maven/words.jar": jar, "./.maven/a/b/c/other.jar": jar})) == ()


def test_crates_have_the_digest_that_cargo_keeps() -> None:
    manifest = '[package]\nname = "tidewords"\nversion = "1.0.0"\n'
    checksum = json.dumps({"files": {}, "package": SUM})
    files: dict[str, bytes | str] = {"./.cargo/t-1.0.0/Cargo.toml": manifest}
    assert one(files) == ("cargo", "tidewords", "1.0.0", "")
    assert one({**files, "./.cargo/t-1.0.0/.cargo-checksum.json": checksum})[3] == f"sha256:{SUM}"
    # What lies deeper is a part of the crate.
    assert len(installed_packages(archive({**files, "./.cargo/t-1.0.0/tests/x/Cargo.toml": manifest}))) == 1


@pytest.mark.parametrize(
    ("name", "version"),
    [("a\x1b[2J", "1"), ("a", "1\u202e"), ("a" * 400, "1"), ("", "1"), ("a", ""), ("a b", "1")],
)
def test_a_package_that_can_not_be_shown_is_none(name: str, version: str) -> None:
    lock = json.dumps({"packages": {"node_modules/x": {"name": name or 3, "version": version}}})
    assert installed_packages(archive({".npm/0/node_modules/.package-lock.json": lock})) == ()


def test_a_digest_that_is_none_makes_no_package() -> None:
    lock = json.dumps({"packages": {"node_modules/x": {"version": "1", "integrity": "https://ada:secret@x"}}})
    assert installed_packages(archive({".npm/0/node_modules/.package-lock.json": lock})) == ()


def test_a_sparse_file_is_not_spread_out_in_memory() -> None:
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    member = tarfile.TarInfo("./.maven/a/b/1/b-1.jar")
    member.size = len(content)
    member.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": member.name,
        "GNU.sparse.realsize": str(2**40),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(content))
    assert installed_packages(buffer.getvalue()) == ()


def test_no_damaged_archive_raises() -> None:
    lock = json.dumps({"packages": {"node_modules/x": {"version": "1"}}})
    whole = archive(
        {"a-1.dist-info/METADATA": "Name: a\nVersion: 1\n", ".npm/0/node_modules/.package-lock.json": lock}
    )
    chance = random.Random(3)
    assert len(installed_packages(whole)) == 2
    for _ in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        installed_packages(bytes(damaged[: chance.randint(0, len(whole))]), bytes(damaged[:40]))


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=6), lambda deep: st.lists(deep, max_size=5), max_leaves=9
)


@given(JSON)
def test_only_rows_of_packages_are_read_again(value: Any) -> None:
    read = read_written(json.dumps(value).encode())
    assert read is None or read_written(written(read)) == tuple(
        sorted(read, key=lambda p: (p.ecosystem, p.name, p.version))
    )


def test_rows_are_read_as_they_were_written() -> None:
    packages = (InstalledPackage("npm", "a", "1.0.0", SRI), InstalledPackage("python", "b", "2", f"sha256:{SUM}"))
    assert read_written(written(reversed(packages))) == packages
    assert read_written(b"[" * 100_000) is None and read_written(b"\xff") is None
    assert read_written(json.dumps([["npm", "a", "1", ""]] * (MOST_PACKAGES + 1)).encode()) is None
    assert read_written(json.dumps([["python", "a --index-url=http://x", "1", ""]]).encode()) is None
