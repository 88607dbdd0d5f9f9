"""Root file systems out of files: images whose digests are checked, plain archives, and what an import leaves when it fails."""

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.sandbox.owner import Process
from qverify_desktop.sandbox.roots import find_roots, import_root, sweep_roots


def layer(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name.replace("__", "/"))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def saved(folder: Path, *layers: bytes, stored: tuple[bytes, ...] = (), **config: Any) -> tuple[Path, str]:
    """A file as ``docker save`` writes it, and the image's id. ``stored`` are layers as they lie in the file."""
    digests = [f"sha256:{hashlib.sha256(content).hexdigest()}" for content in layers]
    text = json.dumps({"config": config, "rootfs": {"type": "layers", "diff_ids": digests}}).encode()
    members = {f"{n}/layer.tar": content for n, content in enumerate(stored or layers)}
    manifest = [{"Config": "config.json", "RepoTags": ["qverify/python:abc"], "Layers": list(members)}]
    file = folder / "image.tar"
    with tarfile.open(file, "w") as tar:
        for name, content in {**members, "config.json": text, "manifest.json": json.dumps(manifest).encode()}.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file, hashlib.sha256(text).hexdigest()


BASE = layer(bin__sh=b"shell", etc__passwd=b"root")


def test_an_image_is_unpacked_once_and_found_again(tmp_path: Path) -> None:
    labels = {
        "qverify.recipe": "r1",
        "qverify.tools": '{"python": "3.13"}',
        "qverify.differences": '["Another one."]',
    }
    second = layer(etc__passwd=b"sandbox")
    file, digest = saved(tmp_path, BASE, second, Env=["PATH=/opt/bin", "X=a=b"], Labels=labels)
    told: list[str] = []
    root = import_root(file, "python", tmp_path / "roots", told.append, languages=("python",))
    assert (root.folder / "etc/passwd").read_bytes() == b"sandbox"
    assert {p.name for p in root.folder.iterdir()} == {
        "bin",
        "etc",
        "proc",
        "dev",
        "tmp",
        "work",
        "src",
        "in",
        "deps",
    }
    assert (root.image.reference, root.image.digest) == ("qverify/python:abc", f"sha256:{digest}")
    assert root.image.tools == {"python": "3.13"} and root.image.differences == ("Another one.",)
    assert root.env == {"PATH": "/opt/bin", "X": "a=b"} and root.recipe == "r1"
    assert told == ["Unpacking layer 1 of 2.", "Unpacking layer 2 of 2."]
    assert find_roots(tmp_path / "roots") == [root]
    assert import_root(file, "python", tmp_path / "roots", told.append) == root
    assert len(told) == 2
    assert (tmp_path / "roots").stat().st_mode & 0o077 == 0


def test_compressed_layers_are_checked_by_their_content(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, BASE, stored=(gzip.compress(BASE),))
    assert (import_root(file, "python", tmp_path / "roots").folder / "bin/sh").read_bytes() == b"shell"


def test_the_runtimes_image_is_taken_out_of_several_also_where_they_lie_in_a_file_of_their_own(
    tmp_path: Path,
) -> None:
    other, wanted = layer(bin__sh=b"other"), BASE
    members: dict[str, bytes] = {}
    manifest = []
    for name, content in (("node", other), ("python", wanted)):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        members[f"{name}.json"] = json.dumps({"config": {}, "rootfs": {"diff_ids": [digest]}}).encode()
        members[f"{name}/layer.tar"] = content
        manifest.append(
            {"Config": f"{name}.json", "RepoTags": [f"qverify/{name}:1"], "Layers": [f"{name}/layer.tar"]}
        )
    images = packed({**members, "manifest.json": json.dumps(manifest).encode()})
    (tmp_path / "images.tar").write_bytes(images)
    (tmp_path / "all.tar").write_bytes(packed({"runtimes.json": b"{}", "images.tar": images}))
    for number, name in enumerate(("images.tar", "all.tar")):
        root = import_root(tmp_path / name, "python", tmp_path / f"roots{number}")
        assert (root.folder / "bin/sh").read_bytes() == b"shell"
        assert root.image.reference == "qverify/python:1"
        with pytest.raises(BadInput, match="none of them for the runtime 'go'"):
            import_root(tmp_path / name, "go", tmp_path / f"roots{number}")


def test_a_layer_that_is_a_link_to_itself_or_no_gzip_is_refused(tmp_path: Path) -> None:
    text = json.dumps({"config": {}, "rootfs": {"diff_ids": ["sha256:0"]}}).encode()
    manifest = json.dumps([{"Config": "c.json", "Layers": ["layer.tar"]}]).encode()
    for kind in ("link", "gzip"):
        buffer = io.BytesIO(packed({"c.json": text, "manifest.json": manifest}))
        with tarfile.open(fileobj=buffer, mode="a") as tar:
            info = tarfile.TarInfo("layer.tar")
            if kind == "link":
                info.type, info.linkname = tarfile.SYMTYPE, "layer.tar"
                tar.addfile(info)
            else:
                broken = gzip.compress(BASE)[:200]
                info.size = len(broken)
                tar.addfile(info, io.BytesIO(broken))
        (tmp_path / "x.tar").write_bytes(buffer.getvalue())
        with pytest.raises(BadInput):
            import_root(tmp_path / "x.tar", "python", tmp_path / "roots")


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def test_a_layer_that_is_not_the_images_own_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, BASE, stored=(layer(bin__sh=b"evil"),))
    with pytest.raises(BadInput, match="not the one that its image names"):
        import_root(file, "python", tmp_path / "roots")
    assert list((tmp_path / "roots").iterdir()) == []


def test_a_plain_archive_is_taken_with_its_own_digest_and_says_so(tmp_path: Path) -> None:
    file = tmp_path / "rootfs.tar"
    file.write_bytes(BASE)
    root = import_root(file, "python", tmp_path / "roots")
    assert root.image.digest == f"sha256:{hashlib.sha256(BASE).hexdigest()}"
    assert "was given as a file (rootfs.tar)" in root.image.differences[0]
    assert root.recipe == "" and "/usr/bin" in root.env["PATH"]


@pytest.mark.parametrize("name", ["src", "work", "proc"])
def test_a_mount_point_that_is_a_link_is_replaced(tmp_path: Path, name: str) -> None:
    buffer = io.BytesIO(BASE)
    with tarfile.open(fileobj=buffer, mode="a") as tar:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path)
        tar.addfile(info)
    (tmp_path / "rootfs.tar").write_bytes(buffer.getvalue())
    root = import_root(tmp_path / "rootfs.tar", "python", tmp_path / "roots")
    assert (root.folder / name).is_dir() and not (root.folder / name).is_symlink()


def test_an_image_of_another_runtime_is_not_taken_for_this_one(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, BASE)
    with pytest.raises(BadInput, match="holds the runtime 'python', not 'go'") as caught:
        import_root(file, "go", tmp_path / "roots")
    assert caught.value.remedy == f"Type: qverify runtimes import {file} python"
    assert list((tmp_path / "roots").iterdir()) == []


def test_what_is_no_root_file_system(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, layer(readme=b"hello"))
    with pytest.raises(BadInput, match="no folder /bin"):
        import_root(file, "python", tmp_path / "roots")
    with pytest.raises(BadInput, match="There is no file"):
        import_root(tmp_path / "nowhere", "python", tmp_path / "roots")
    with pytest.raises(MissingPrerequisite, match="no engine"):
        import_root("qverify/python:x", "python", tmp_path / "roots")
    assert list((tmp_path / "roots").iterdir()) == []


@pytest.mark.parametrize("manifest", [b"[]", b"{}", b"[1, 2]", b'[{"Config": "config.json"}]', b"no json", b"\xff"])
def test_a_manifest_that_makes_no_sense(tmp_path: Path, manifest: bytes) -> None:
    with tarfile.open(tmp_path / "x.tar", "w") as tar:
        info = tarfile.TarInfo("manifest.json")
        info.size = len(manifest)
        tar.addfile(info, io.BytesIO(manifest))
    with pytest.raises(BadInput):
        import_root(tmp_path / "x.tar", "python", tmp_path / "roots")


def test_a_stopped_import_leaves_nothing(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, BASE)

    def stop() -> None:
        raise SandboxFailure("stopped")

    with pytest.raises(SandboxFailure):
        import_root(file, "python", tmp_path / "roots", checkpoint=stop)
    assert list((tmp_path / "roots").iterdir()) == []


def test_a_sweep_takes_what_dead_processes_began_and_leaves_the_rest(tmp_path: Path) -> None:
    file, _ = saved(tmp_path, BASE)
    root = import_root(file, "python", tmp_path / "roots")
    now = Process.current()
    alive = tmp_path / "roots" / f".new-{now.pid}_{now.born}_{now.boot}_abc"
    dead = tmp_path / "roots" / f".new-{now.pid}_1_{now.boot}_abc"
    for folder in (alive, dead / "deep"):
        folder.mkdir(parents=True)
    (dead / "deep").chmod(0o500)
    assert sweep_roots(tmp_path / "roots") == 1
    assert alive.exists() and not dead.exists() and root.folder.exists()


@pytest.mark.parametrize("last", ["../out", ".wh.d", "d"])
def test_an_archive_a_thousand_folders_deep_leaves_nothing(tmp_path: Path, last: str) -> None:
    with tarfile.open(tmp_path / "deep.tar", "w") as tar:
        info = tarfile.TarInfo("d/" * 1500 + "x")
        tar.addfile(info)
        tar.addfile(tarfile.TarInfo(last))
    with pytest.raises(BadInput):
        import_root(tmp_path / "deep.tar", "python", tmp_path / "roots")
    assert list((tmp_path / "roots").iterdir()) == []
