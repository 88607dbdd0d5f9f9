"""What a run leaves in a folder that belongs to a person."""

import os
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.engine.delivery import MANIFEST, Outbox, check_out


def write(folder: Path, files: dict[str, bytes], run: str = "r1") -> list[str]:
    outbox = Outbox(folder, run)
    for path, content in files.items():
        outbox.write(path, content)
    outbox.close()
    return outbox.notices


def test_own_files_are_replaced_by_the_next_run(tmp_path: Path) -> None:
    assert write(tmp_path, {"tests/test_a.py": b"one"}) == []
    assert write(tmp_path, {"tests/test_a.py": b"two"}, "r2") == []
    assert (tmp_path / "tests/test_a.py").read_bytes() == b"two"
    assert sorted(p.name for p in tmp_path.rglob("*")) == [MANIFEST, "test_a.py", "tests"]


def test_a_foreign_file_stays_and_the_new_one_goes_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests/test_a.py").write_bytes(b"mine")
    (notice,) = write(tmp_path, {"tests/test_a.py": b"generated"})
    assert (tmp_path / "tests/test_a.py").read_bytes() == b"mine"
    assert (tmp_path / "r1/tests/test_a.py").read_bytes() == b"generated"
    assert "r1/tests/test_a.py" in notice


def test_a_file_of_ours_that_a_person_changed_is_theirs_now(tmp_path: Path) -> None:
    write(tmp_path, {"report.html": b"one"})
    (tmp_path / "report.html").write_bytes(b"with my notes")
    assert write(tmp_path, {"report.html": b"two"}, "r2") != []
    assert (tmp_path / "report.html").read_bytes() == b"with my notes"
    assert (tmp_path / "r2/report.html").read_bytes() == b"two"


def test_a_manifest_of_somebody_else_is_no_licence(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_bytes(b"mine")
    for text in ("", "{", "[]", '{"files": 3}', '{"files": {"a.py": null}}'):
        (tmp_path / MANIFEST).write_text(text)
        write(tmp_path, {"a.py": b"generated"})
        assert (tmp_path / "a.py").read_bytes() == b"mine"


@pytest.mark.parametrize("name", ["../escape.py", "/etc/escape.py", "a/../../escape.py", "", "a\0b", "./../x"])
def test_names_that_leave_the_folder_are_not_written(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    assert write(folder, {name: b"x"}) != []
    assert [p.name for p in tmp_path.rglob("*")] in (["out", MANIFEST], ["out"], [MANIFEST, "out"])


def test_links_are_not_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "report.html").write_bytes(b"mine")
    out = tmp_path / "out"
    out.mkdir()
    (out / "tests").symlink_to(elsewhere)
    (out / "report.html").symlink_to(elsewhere / "report.html")
    assert len(write(out, {"tests/test_a.py": b"x", "report.html": b"y"})) == 2
    assert [p.name for p in elsewhere.iterdir()] == ["report.html"]
    assert (elsewhere / "report.html").read_bytes() == b"mine"
    assert (out / "r1/tests/test_a.py").read_bytes() == b"x"


def test_a_name_with_odd_characters_is_written_as_it_is(tmp_path: Path) -> None:
    assert write(tmp_path, {"tests/t \n✓ é.py": b"x"}) == []
    assert os.listdir(tmp_path / "tests") == ["t \n✓ é.py"]


def test_an_out_that_can_not_be_a_folder_is_refused_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for out in (str(tmp_path / "file"), str(tmp_path / "file" / "below"), "relative"):
        with pytest.raises(BadInput):
            check_out(out)
    check_out(str(tmp_path / "new" / "deep"))
    check_out("")
    assert not (tmp_path / "new").exists()
