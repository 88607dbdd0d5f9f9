"""The content-addressed store."""

import errno
import hashlib
import os
import threading
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.storage.artefacts import ArtefactStore


def test_what_is_put_can_be_got(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path / "artefacts")
    for content in (b"", b"hello", os.urandom(100_000)):
        digest = store.put(content)
        assert digest == hashlib.sha256(content).hexdigest()
        assert store.get(digest) == content
        assert store.has(digest)
        assert store.path(digest).stat().st_mode & 0o777 == 0o600


def test_equal_contents_are_one_file(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    digest = store.put(b"same")
    before = store.path(digest).stat().st_mtime_ns
    assert store.put(b"same") == digest
    assert store.path(digest).stat().st_mtime_ns == before
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [store.path(digest)]


def test_what_was_deleted_is_gone(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    digest = store.put(b"short-lived")
    store.delete(digest)
    store.delete(digest)
    assert not store.has(digest)
    with pytest.raises(QVerifyError, match="not in the store"):
        store.get(digest)


def test_a_content_that_was_changed_is_not_handed_out_and_can_be_put_again(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    digest = store.put(b"right")
    store.path(digest).write_bytes(b"wrong")
    with pytest.raises(QVerifyError, match="changed on the disk"):
        store.get(digest)
    assert store.put(b"right") == digest
    assert store.get(digest) == b"right"


@pytest.mark.parametrize("digest", ["", "abc", "../" * 10 + "etc/passwd", "A" * 64, "0" * 63 + "\n", "0" * 65])
def test_only_digests_are_names(tmp_path: Path, digest: str) -> None:
    with pytest.raises(BadInput, match="no SHA-256"):
        ArtefactStore(tmp_path).get(digest)


def test_the_cap_holds(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path, largest=10)
    store.put(b"x" * 10)
    with pytest.raises(QVerifyError, match="over the limit"):
        store.put(b"x" * 11)


@pytest.mark.parametrize(("code", "words"), [(errno.ENOSPC, "is full"), (errno.EROFS, "can't keep its records")])
def test_a_disk_that_refuses_is_a_sentence_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    store = ArtefactStore(tmp_path)

    def refuse(_descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(MissingPrerequisite, match=words):
        store.put(b"too much")
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


def test_a_folder_that_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MissingPrerequisite, match="QVERIFY_HOME"):
        ArtefactStore(tmp_path / "file").put(b"x")


def test_threads_may_put_the_same(tmp_path: Path) -> None:
    store = ArtefactStore(tmp_path)
    digests: list[str] = []
    contents = [bytes([number]) * 1000 for number in range(20)]
    threads = [
        threading.Thread(target=lambda: digests.extend(store.put(content) for content in contents)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(digests) == 80
    assert [store.get(hashlib.sha256(content).hexdigest()) for content in contents] == contents
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 20
