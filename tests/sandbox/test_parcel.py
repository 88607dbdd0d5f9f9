import io
import os
import tarfile
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import Job
from qverify_desktop.sandbox.parcel import framed, job_parcel, pack_tree
from qverify_desktop.sandbox.unpack import remove_tree


def members(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        return {member.name: member for member in opened}


def content(archive: bytes, name: str) -> bytes:
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        file = opened.extractfile(name)
        assert file is not None
        return file.read()


def job(**words: object) -> Job:
    return Job("test", ("true",), **words)  # type: ignore[arg-type]


def test_files_lie_below_the_work_folder_after_their_folders() -> None:
    archive = job_parcel(job(overlay={"tests/deep/test_ü\n.py": b"x", "top": b""}))
    found = members(archive)
    assert list(found) == ["work/tests", "work/tests/deep", "work/tests/deep/test_ü\n.py", "work/top", "tmp/qverify-command"]  # fmt: skip
    assert [oct(member.mode) for member in found.values()] == ["0o755", "0o755", "0o644", "0o644", "0o644"]
    assert content(archive, "work/tests/deep/test_ü\n.py") == b"x"


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "../up", "a/../../up", "", ".", "a//b", "a/", "./a", "a\0b", "\ud800"]
)
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match="relative path"):
        job_parcel(job(overlay={"good": b"1", path: b"evil"}))


@pytest.mark.parametrize("paths", [("a", "a/b"), ("a/b", "a"), ("a/b/c", "a/b")])
def test_a_path_that_is_file_and_folder_is_refused(paths: tuple[str, str]) -> None:
    with pytest.raises(BadInput, match="file and a folder"):
        job_parcel(job(overlay=dict.fromkeys(paths, b"1")))


def test_the_command_is_quoted_and_home_is_not_the_job_s_to_choose() -> None:
    hostile = Job("x", ("sh", "-c", "echo 'a'; $(b)\n"), env={"A": "it's $HOME", "HOME": "/root", "QV_OUT": "/src"})
    assert content(job_parcel(hostile), "tmp/qverify-command").decode() == (
        "export A='it'\"'\"'s $HOME'\nset -- sh -c 'echo '\"'\"'a'\"'\"'; $(b)\n'\n"
    )


def test_a_variable_s_name_can_t_smuggle_a_command() -> None:
    with pytest.raises(BadInput, match="no name of an environment variable"):
        job_parcel(job(env={"A;rm -rf /;B": "x"}))


def test_certificates_come_only_where_they_are_given() -> None:
    assert "tmp/qverify-ca.pem" not in members(job_parcel(job()))
    with_them = job_parcel(job(), b"a certificate")
    assert content(with_them, "tmp/qverify-ca.pem") == b"a certificate"
    assert b"PIP_CERT=/tmp/qverify-ca.pem" in content(with_them, "tmp/qverify-command")


def test_a_frame_is_a_length_so_many_bytes_and_a_line_feed() -> None:
    assert framed(b"abc") == b"3\nabc\n"


def test_a_packed_tree_names_nobody_and_keeps_links_modes_and_odd_names(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "run").write_text("x")
    (tmp_path / "folder" / "run").chmod(0o755)
    (tmp_path / "link").symlink_to("/etc/passwd")
    (tmp_path / "latin\udce9").write_text("y")
    target = io.BytesIO()
    pack_tree(tmp_path, target)
    found = members(target.getvalue())
    assert found["./folder/run"].mode == 0o755
    assert found["./link"].linkname == "/etc/passwd"
    assert "./latin\udce9" in found
    assert {(member.uid, member.gid, member.uname) for member in found.values()} == {(0, 0, "")}


def test_a_tree_a_thousand_folders_deep_is_packed(tmp_path: Path) -> None:
    depth = 1500
    deep = tmp_path / "tree"
    deep.mkdir()
    for _ in range(depth):
        os.mkdir(deep / "d")
        deep /= "d"
    (deep / "file").write_text("x")
    target = io.BytesIO()
    pack_tree(tmp_path / "tree", target)
    assert f"./{'d/' * depth}file" in members(target.getvalue())
    remove_tree(tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
