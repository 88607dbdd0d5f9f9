"""Hostile archives of root file systems: nothing is written outside, nothing dangerous inside."""

import io
import os
import stat
import tarfile
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.sandbox import unpack
from qverify_desktop.sandbox.unpack import Unpacker

Entry = tuple[str, bytes, str | bytes, int]


def archive(*entries: Entry) -> io.BytesIO:
    """Each entry is a name, a type, what it links to or holds, and a mode."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, kind, content, mode in entries:
            info = tarfile.TarInfo(name)
            info.type, info.mode, info.mtime = kind, mode, 1_700_000_000
            if isinstance(content, bytes):
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content
                tar.addfile(info)
    buffer.seek(0)
    return buffer


def file(name: str, content: bytes = b"x", mode: int = 0o644) -> Entry:
    return (name, tarfile.REGTYPE, content, mode)


def link(name: str, target: str) -> Entry:
    return (name, tarfile.SYMTYPE, target, 0o777)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "made" / "root"
    folder.mkdir(parents=True)
    return folder


def test_files_folders_and_links_arrive_with_their_times_and_without_dangerous_modes(root: Path) -> None:
    unpacker = Unpacker(root)
    unpacker.unpack(
        archive(
            ("usr", tarfile.DIRTYPE, "", 0o500),
            file("usr/bin/su", b"program", 0o6777),
            ("tmp", tarfile.DIRTYPE, "", 0o1777),
            link("bin", "usr/bin"),
            link("etc", "/somewhere/else"),
            ("usr/bin/again", tarfile.LNKTYPE, "usr/bin/su", 0o777),
            file("deep/without/folders", b"", 0o000),
        )
    )
    assert (root / "bin" / "su").read_bytes() == b"program"
    assert stat.S_IMODE((root / "usr/bin/su").lstat().st_mode) == 0o755
    assert stat.S_IMODE((root / "tmp").lstat().st_mode) == 0o755
    assert stat.S_IMODE((root / "usr").lstat().st_mode) == 0o700
    assert stat.S_IMODE((root / "deep/without/folders").lstat().st_mode) == 0o400
    assert (root / "usr/bin/su").stat().st_mtime == 1_700_000_000
    assert (root / "etc").readlink() == Path("/somewhere/else")
    assert (root / "usr/bin/again").samefile(root / "usr/bin/su")
    assert unpacker.size_bytes == 7


@pytest.mark.parametrize(
    "entries",
    [
        (file("../evil"),),
        (file("/evil"),),
        (file("a/../../evil"),),
        (link("out", "../.."), file("out/evil")),
        (link("out", "/tmp"), file("out/evil")),
        (link("out", "."), file("out/evil")),
        (link("out", ".."), ("out/evil", tarfile.DIRTYPE, "", 0o755)),
        (("evil", tarfile.LNKTYPE, "../../outside", 0o644),),
        (("evil", tarfile.LNKTYPE, "/etc/passwd", 0o644),),
        (link("out", "../../outside"), ("evil", tarfile.LNKTYPE, "out", 0o644)),
        (link("out", "../.."), ("evil", tarfile.LNKTYPE, "out/outside", 0o644)),
        (link("out", ".."), file("out/.wh.outside")),
        (file("a/.wh..."),),
        (file("file"), file("file/evil")),
    ],
)
def test_what_leads_outside_is_refused(root: Path, tmp_path: Path, entries: tuple[Entry, ...]) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    before = sorted(path for path in tmp_path.rglob("*") if root not in path.parents)
    with pytest.raises(BadInput, match="was refused"):
        Unpacker(root).unpack(archive(*entries))
    assert sorted(path for path in tmp_path.rglob("*") if root not in path.parents) == before
    assert outside.read_text() == "untouched"
    assert outside.stat().st_nlink == 1


def test_a_link_is_replaced_and_never_written_through(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    Unpacker(root).unpack(archive(link("name", "../../outside"), file("name", b"new")))
    assert (root / "name").read_bytes() == b"new"
    assert not (root / "name").is_symlink()
    assert outside.read_text() == "untouched"


def test_devices_and_pipes_are_left_out(root: Path) -> None:
    unpacker = Unpacker(root)
    kinds = (tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    unpacker.unpack(archive(*((f"dev/{n}", kind, "", 0o666) for n, kind in enumerate(kinds)), file("good")))
    assert unpacker.left_out == 3
    assert os.listdir(root / "dev") == []


def test_a_higher_layer_removes_and_hides_what_lower_ones_brought(root: Path) -> None:
    unpacker = Unpacker(root)
    unpacker.unpack(archive(file("a/old"), file("a/gone"), file("b/one"), file("b/two/three"), file("c")))
    unpacker.unpack(
        archive(
            file("a/.wh.gone", b""), ("b", tarfile.DIRTYPE, "", 0o755), file("b/.wh..wh..opq", b""), file("b/new"),
            ("c", tarfile.DIRTYPE, "", 0o755), file("c/inside"),
        )
    )  # fmt: skip
    left = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    assert left == ["a/old", "b/new", "c/inside"]


def test_caps_and_broken_archives(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_BYTES", 1000)
    with pytest.raises(BadInput, match="holds more than"):
        Unpacker(root).unpack(archive(file("a", b"x" * 600), file("b", b"x" * 600)))
    monkeypatch.setattr(unpack, "MAX_MEMBERS", 3)
    with pytest.raises(BadInput, match="holds more than 3 files"):
        Unpacker(root).unpack(archive(*(file(f"f{n}") for n in range(4))))
    for broken in (b"no archive" * 100, archive(file("a", b"x" * 900)).getvalue()[:700]):
        with pytest.raises(BadInput, match="no readable tar archive"):
            Unpacker(root).unpack(io.BytesIO(broken))


def test_it_can_be_stopped_between_members(root: Path) -> None:
    class Stopped(Exception):
        pass

    def checkpoint() -> None:
        if (root / "b").exists():
            raise Stopped

    with pytest.raises(Stopped):
        Unpacker(root, checkpoint).unpack(archive(file("a"), file("b"), file("c")))
    assert not (root / "c").exists()
