import os
import stat
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.sandbox.inbox import write_overlay


def test_files_are_readable_for_the_container_below_a_private_folder(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        write_overlay(tmp_path / "inbox" / "job", {"tests/deep/test_ü\n.py": b"x", "top": b""})
    finally:
        os.umask(previous)
    job = tmp_path / "inbox" / "job"
    assert (job / "tests/deep/test_ü\n.py").read_bytes() == b"x"
    assert (job / "top").read_bytes() == b""
    modes = {path.relative_to(job).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in job.rglob("*")}
    assert modes == {"top": 0o644, "tests": 0o755, "tests/deep": 0o755, "tests/deep/test_ü\n.py": 0o644}
    assert stat.S_IMODE(job.stat().st_mode) == 0o755
    assert stat.S_IMODE(job.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up", "a/../../up", "", ".", "a//b", "a/", "./a", "a\0b", "\ud800"]
)
def test_a_path_that_leaves_the_folder_is_refused_and_nothing_is_written(tmp_path: Path, path: str) -> None:
    with pytest.raises(BadInput, match="relative path"):
        write_overlay(tmp_path / "job", {"good": b"1", path: b"evil"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a")])
def test_a_path_that_is_file_and_folder_is_refused(tmp_path: Path, paths: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match="file and a folder"):
        write_overlay(tmp_path / "job", dict.fromkeys(paths, b"1"))
