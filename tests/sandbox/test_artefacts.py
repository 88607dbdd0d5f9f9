import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.sandbox import artefacts
from qverify_desktop.sandbox.artefacts import read_artefacts

CAP = 100_000


def archive(*entries: tuple[str, bytes, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    """Entries are name, content, type flag."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name, content, kind in entries:
            info = tarfile.TarInfo(name)
            info.type = kind
            info.size = len(content)
            info.linkname = "/etc/passwd" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def read(raw: bytes, cap: int = CAP) -> artefacts.Artefacts:
    return read_artefacts(memoryview(raw), cap)


def test_regular_files_come_back_with_clean_names() -> None:
    got = read(
        archive(
            ("./", b"", tarfile.DIRTYPE),
            ("./report.json", b"{}", tarfile.REGTYPE),
            ("./deep/ü\nfile", b"x" * 600, tarfile.REGTYPE),
            ("./" + "long/" * 60 + "name", b"y", tarfile.REGTYPE),
        )
    )
    assert got.problem == ""
    assert got.files == {"report.json": b"{}", "deep/ü\nfile": b"x" * 600, "long/" * 60 + "name": b"y"}


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        (tarfile.SYMTYPE, "symbolic link"),
        (tarfile.LNKTYPE, "hard link"),
        (tarfile.FIFOTYPE, "FIFO"),
        (tarfile.CHRTYPE, "device"),
        (tarfile.BLKTYPE, "device"),
        (tarfile.GNUTYPE_SPARSE, "sparse"),
        (b"Z", "not read"),
    ],
)
def test_anything_but_a_regular_file_is_left_out_and_named(kind: bytes, word: str) -> None:
    got = read(archive(("good", b"1", tarfile.REGTYPE), ("bad", b"", kind), ("also", b"2", tarfile.REGTYPE)))
    assert got.files == {"good": b"1", "also": b"2"}
    assert word in got.problem
    assert "'bad'" in got.problem


@pytest.mark.parametrize("name", ["../up", "a/../../up", "/etc/passwd", "a//b", "./.", "a/./b", ".."])
def test_unsafe_names_are_left_out(name: str) -> None:
    got = read(archive((name, b"evil", tarfile.REGTYPE), ("good", b"1", tarfile.REGTYPE)))
    assert got.files == {"good": b"1"}
    assert "unsafe name" in got.problem


def test_a_name_that_is_no_utf8_is_left_out() -> None:
    got = read(archive(("bad\udcff", b"1", tarfile.REGTYPE)))
    assert got.files == {}
    assert "not UTF-8" in got.problem


def test_a_name_beyond_all_measure_is_left_out() -> None:
    got = read(archive(("n" * 50_000, b"1", tarfile.REGTYPE)))
    assert got.files == {}
    assert "too long a name" in got.problem


def test_content_over_the_cap_gives_nothing() -> None:
    raw = archive(("a", b"x" * 60, tarfile.REGTYPE), ("b", b"x" * 60, tarfile.REGTYPE))
    assert read(raw, cap=120).problem == ""
    over = read(raw, cap=119)
    assert over.files == {}
    assert "more than 119 bytes" in over.problem


def test_too_many_files_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefacts, "MAX_FILES", 3)
    raw = archive(*((str(number), b"", tarfile.REGTYPE) for number in range(4)))
    got = read(raw)
    assert got.files == {}
    assert "more than 3 artefacts" in got.problem


def test_a_file_named_twice_gives_nothing() -> None:
    got = read(archive(("./a", b"1", tarfile.REGTYPE), ("a", b"2", tarfile.REGTYPE)))
    assert got.files == {}
    assert "twice" in got.problem


def test_a_sparse_map_of_the_pax_kind_expands_to_nothing() -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("huge")
        info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.realsize": str(1 << 50), "GNU.sparse.name": "huge"}
        tar.addfile(info, io.BytesIO(b""))
    got = read(buffer.getvalue())
    assert got.problem
    assert all(len(content) <= CAP for content in got.files.values())


def test_an_archive_cut_off_anywhere_gives_nothing() -> None:
    raw = archive(("a", b"x" * 700, tarfile.REGTYPE), ("b", b"y", tarfile.REGTYPE))
    end = 512 + 1024 + 512 + 512
    for length in range(0, end, 64):
        got = read(raw[:length])
        assert got.files == {}
        assert "cut off" in got.problem


def test_bytes_after_the_end_give_nothing() -> None:
    raw = archive(("a", b"forged", tarfile.REGTYPE)) + archive(("a", b"real", tarfile.REGTYPE))
    got = read(raw)
    assert got.files == {}
    assert "tampered" in got.problem


@given(st.binary(max_size=3000))
def test_noise_never_raises(noise: bytes) -> None:
    got = read(noise)
    assert got.files == {}
    assert got.problem


@given(st.data())
def test_a_damaged_archive_never_raises(data: st.DataObject) -> None:
    raw = bytearray(
        archive(("./dir/file", b"content" * 40, tarfile.REGTYPE), ("./" + "n" * 200, b"z", tarfile.REGTYPE))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, 3000))] = data.draw(st.integers(0, 255))
    for name in read(bytes(raw)).files:
        assert not name.startswith("/")
        assert ".." not in name.split("/")


@pytest.mark.parametrize("prefix", ["", "./", "././././"])
@pytest.mark.parametrize("length", [artefacts.MAX_NAME_BYTES + more for more in (1, 2, 3, 5000)])
def test_a_name_that_is_too_long_is_never_cut_to_one_that_is_not(prefix: str, length: int) -> None:
    got = read(archive((prefix + "x" * length, b"1", tarfile.REGTYPE)))
    assert got.files == {}
    assert "too long a name" in got.problem
