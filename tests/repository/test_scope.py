"""Changed lines against a revision, and patches of new files."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import Repositories, patch_of
from qverify_desktop.repository.patch import quoted, unquoted
from tests.repository.conftest import Taker, Work


def test_changed_lines(work: Work, take: Taker) -> None:
    work.write("a.py", "".join(f"line {n}\n" for n in range(1, 21)))
    work.write("same.py", "same\n")
    work.write("shrinks.py", "1\n2\n3\n")
    work.write("moved.py", "".join(f"moved {n}\n" for n in range(30)))
    work.commit()
    work.git("tag", "v1")
    text = (
        (work.path / "a.py")
        .read_text()
        .replace("line 3\n", "+++ b/fake\n")
        .replace("line 15\n", "@@ -1 +99 @@\nmore\n")
    )
    work.write("a.py", text)
    work.commit("two")
    work.write("new file.py", "x\ny\n")
    work.write("ünï.py", "z\n")
    work.write("shrinks.py", "1\n3\n")
    work.git("mv", "moved.py", "renamed.py")
    snapshot = take(work.path)
    wanted = {"a.py": {3, 15, 16}, "new file.py": {1, 2}, "ünï.py": {1}}
    for revision in ("v1", "HEAD~1", "main~1"):
        assert Repositories().changed_lines(snapshot, take.workspace, revision) == wanted
    del wanted["a.py"]
    assert Repositories().changed_lines(snapshot, take.workspace, "HEAD") == wanted


def test_changed_lines_survive_that_the_folder_changes_later(work: Work, take: Taker) -> None:
    work.write("a.py", "one\n")
    work.commit()
    work.write("a.py", "one\ntwo\n")
    snapshot = take(work.path)
    work.write("a.py", "something else\n" * 5)
    assert Repositories().changed_lines(snapshot, take.workspace, "main") == {"a.py": {2}}


@pytest.mark.parametrize("revision", ["nope", "-p", "--output=/tmp/x", "a b", "HEAD:a.py", "", "\n", "HEAD\nmain"])
def test_unknown_revisions_are_refused_and_known_ones_named(work: Work, take: Taker, revision: str) -> None:
    work.write("a.py", "x\n")
    work.commit()
    work.git("branch", "feature/one")
    work.git("tag", "v1")
    snapshot = take(work.path)
    with pytest.raises(BadInput, match="main") as caught:
        Repositories().changed_lines(snapshot, take.workspace, revision)
    assert "feature/one" in caught.value.remedy
    assert "v1" in caught.value.remedy


def test_a_plain_folder_has_nothing_to_compare_with(tmp_path: Path, take: Taker) -> None:
    plain = Work(tmp_path / "plain")
    plain.write("a.py", "x\n")
    with pytest.raises(BadInput, match="not a git repository"):
        Repositories().changed_lines(take(plain.path), take.workspace, "main")


def test_bundle_keeps_its_history_for_the_scope(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "one\n")
    work.commit()
    work.write("a.py", "one\ntwo\n")
    commit = work.commit()
    work.git("bundle", "create", "-q", str(tmp_path / "it.bundle"), "HEAD", "main")
    snapshot = take(str(tmp_path / "it.bundle"))
    assert (snapshot.commit, snapshot.name, snapshot.files) == (commit, "it", ("a.py",))
    assert Repositories().changed_lines(snapshot, take.workspace, "HEAD~1") == {"a.py": {2}}


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.text(st.characters(exclude_characters="/\0", exclude_categories=("Cs",)), min_size=1, max_size=20)
        .map(lambda name: f"tests/{name}")
        .filter(
            lambda name: name.split("/")[1] not in (".", "..") and name.split("/")[1].lower().rstrip(". ") != ".git"
        ),
        st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=60),
        min_size=1,
        max_size=4,
    )
)
def test_git_applies_the_patch_of_new_files(tmp_path_factory: pytest.TempPathFactory, files: dict[str, str]) -> None:
    folder = tmp_path_factory.mktemp("patch")
    work = Work(folder)
    work.git("init", "-q")
    work.git("apply", "--index", "-", stdin=patch_of(files).encode())
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=folder, capture_output=True, check=True).stdout
    assert {name.decode() for name in listed.split(b"\0") if name} == set(files)
    for name, text in files.items():
        assert (folder / name).read_bytes() == text.encode()


@given(st.text(min_size=1))
def test_quoting_is_undone_by_unquoting(path: str) -> None:
    written = quoted(path)
    if written != path:
        assert unquoted(written.encode("ascii")) == path.encode()


def test_the_form_of_a_patch() -> None:
    assert patch_of({}) == ""
    assert patch_of({"tests/test a.py": "x\n"}).splitlines()[3:] == [
        "--- /dev/null",
        "+++ b/tests/test a.py\t",
        "@@ -0,0 +1 @@",
        "+x",
    ]
    assert patch_of({'t/ü".py': "x"}).endswith(
        '+++ "b/t/\\303\\274\\".py"\n@@ -0,0 +1 @@\n+x\n\\ No newline at end of file\n'
    )
