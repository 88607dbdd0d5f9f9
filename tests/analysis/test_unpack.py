"""What an installer hands back is unpacked whole or not at all, and never outside of its folder."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from pathlib import Path

import pytest

from qverify_desktop.analysis.dependencies import _unpack, listing
from qverify_desktop.domain.errors import MissingPrerequisite


def archive(*members: tuple[str, bytes, int], links: tuple[tuple[str, str], ...] = ()) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content, mode in members:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), mode
            tar.addfile(member, io.BytesIO(content))
        for name, target in links:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            tar.addfile(member)
    return buffer.getvalue()


def test_programs_stay_programs_and_everybody_may_read(tmp_path: Path) -> None:
    made = archive(("a/say", b"#!", 0o700), ("a/text", b"x", 0o600), links=((".bin/say", "../a/say"),))
    assert _unpack(made, tmp_path / "set") == ""
    packages = tmp_path / "set" / "packages"
    modes = {name: (packages / name).stat().st_mode & 0o777 for name in ("a", "a/say", "a/text")}
    assert modes == {"a": 0o755, "a/say": 0o755, "a/text": 0o644}
    assert (packages / ".bin/say").read_bytes() == b"#!" and (tmp_path / "set" / "complete").exists()


@pytest.mark.parametrize(
    "hostile",
    [
        archive(("../out", b"x", 0o644)),
        archive(("a/../../../out", b"x", 0o644)),
        archive(links=(("link", "/etc"),)),
        archive(links=(("link", "../../.."),)),
        gzip.compress(archive(("a", bytes(1000), 0o644))),
        b"x" * 10_000,
        b"",
    ],
    ids=["climbs", "climbs later", "absolute link", "climbing link", "compressed", "noise", "nothing"],
)
def test_an_archive_that_leaves_its_folder_is_refused_whole(tmp_path: Path, hostile: bytes) -> None:
    assert "refused" in _unpack(hostile, tmp_path / "cache" / "set")
    assert not (tmp_path / "cache" / "set").exists() and not (tmp_path / "out").exists()


def test_a_sparse_file_larger_than_its_archive_is_refused(tmp_path: Path) -> None:
    """GNU format 1.0 (tar manual, "Storing Sparse Files"): a few bytes that claim to be a gigabyte."""
    content = b"1\n0\n1\n".ljust(512, b"\0") + b"x"
    member = tarfile.TarInfo("./GNUSparseFile.0/hole")
    member.size = len(content)
    member.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": "hole",
        "GNU.sparse.realsize": str(2**30),
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        tar.addfile(member, io.BytesIO(content))
    assert "refused" in _unpack(buffer.getvalue(), tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_no_damaged_archive_raises_or_writes_elsewhere(tmp_path: Path) -> None:
    whole = archive(("a/b", b"x" * 600, 0o755), ("c" * 150, b"y", 0o644), links=(("l", "a/b"),))
    chance = random.Random(7)
    (tmp_path / "around").mkdir()
    for number in range(400):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            damaged[chance.randrange(len(whole))] = chance.randrange(256)
        said = _unpack(bytes(damaged[: chance.randint(1, len(whole))]), tmp_path / "around" / f"{number}")
        assert (tmp_path / "around" / f"{number}").exists() == (said == "")
    assert [path.name for path in tmp_path.iterdir()] == ["around"]
    assert all(path.name.isdigit() for path in (tmp_path / "around").iterdir())


def test_the_listing_of_a_folder_sees_every_file_below_it(tmp_path: Path) -> None:
    """An npm cache keeps all its packages three folders down."""
    (tmp_path / "_cacache/content/ab").mkdir(parents=True)
    (tmp_path / "_cacache/content/ab/one").write_bytes(b"1")
    first = listing(tmp_path)
    assert first == listing(tmp_path)
    (tmp_path / "_cacache/content/ab/two").write_bytes(b"2")
    second = listing(tmp_path)
    (tmp_path / "_cacache/content/ab/two").write_bytes(b"22")
    assert len({first, second, listing(tmp_path)}) == 3
    (tmp_path / "link").symlink_to("/")
    assert len(listing(tmp_path)) < 1000
    with pytest.raises(MissingPrerequisite, match="can't be read"):
        listing(tmp_path / "nowhere")
