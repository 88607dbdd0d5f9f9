"""A file of saved runtimes: written by one engine's state, checked byte by byte, loaded after the image was gone."""

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import BadInput, Cancelled, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.archive import INDEX, load_images, read_saved, save_images

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def small(client: docker.APIClient) -> Iterator[RuntimeImage]:
    """An image of one small layer under a name of its own."""
    tag = uuid.uuid4().hex[:12]
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        member = tarfile.TarInfo("word")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"hello"))
    client.import_image_from_data(layer.getvalue(), repository="qverify/small", tag=tag)
    reference = f"qverify/small:{tag}"
    yield RuntimeImage("small", reference, client.inspect_image(reference)["Id"], tools={"word": "1"})
    client.remove_image(reference, force=True)


@pytest.fixture
def saved(client: docker.APIClient, small: RuntimeImage, tmp_path: Path) -> Path:
    path = tmp_path / "runtimes.qvr"
    save_images(client, [small], path, print)
    return path


def test_a_saved_image_comes_back_after_it_was_removed(
    client: docker.APIClient, small: RuntimeImage, saved: Path
) -> None:
    client.remove_image(small.reference, force=True)
    with pytest.raises(docker.errors.ImageNotFound):
        client.inspect_image(small.reference)
    loaded = load_images(client, saved, print)
    assert client.inspect_image(small.reference)["Id"] == small.digest
    (image,) = loaded.images
    assert (image.runtime, image.reference, image.tools) == ("small", small.reference, {"word": "1"})
    assert f"sha256:{image.config}" == small.digest


def test_the_file_is_a_plain_tar_archive(saved: Path) -> None:
    with tarfile.open(saved) as archive:
        assert archive.getnames() == ["images.tar", "runtimes.json"]
        reader = archive.extractfile("images.tar")
        assert reader is not None
        assert hashlib.sha256(reader.read()).hexdigest() == read_saved(saved, print).digest


def test_images_that_share_layers_cost_them_once(
    client: docker.APIClient, image: RuntimeImage, small: RuntimeImage, tmp_path: Path
) -> None:
    # An image is one layer's difference to itself under another name: the archive must hardly grow.
    other = f"qverify/small:{uuid.uuid4().hex[:12]}"
    made = client.create_container(small.digest, ["x"])["Id"]
    client.commit(made, *other.split(":"), changes=["LABEL different=yes"])
    client.remove_container(made)
    try:
        second = RuntimeImage("small", other, client.inspect_image(other)["Id"])
        one = save_images(client, [small], tmp_path / "one", print)
        both = save_images(client, [small, second], tmp_path / "both", print)
    finally:
        client.remove_image(other)
    assert [saved.reference for saved in both.images] == [small.reference, other]
    assert both.size < one.size + 16 * 1024
    assert read_saved(tmp_path / "both", print) == both


def test_any_flipped_byte_is_noticed(saved: Path, tmp_path: Path) -> None:
    whole = saved.read_bytes()
    used = [position for position, byte in enumerate(whole) if byte]
    for position in used[:: max(1, len(used) // 150)]:
        changed = tmp_path / "changed"
        changed.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            read = read_saved(changed, lambda _: None)
        except BadInput as error:
            assert "damaged" in error.sentence
            continue
        # What the digests do not cover: names of tools for a person to read, and the outer archive's own dates.
        assert (read.digest, read.size) == (hashlib.sha256(whole[512 : 512 + read.size]).hexdigest(), read.size)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 5000])
def test_a_file_cut_off_is_noticed(saved: Path, length: int) -> None:
    with saved.open("r+b") as file:
        file.truncate(length)
    with pytest.raises(BadInput, match="damaged"):
        read_saved(saved, print)


def rewritten(saved: Path, change: Callable[[dict], None]) -> Path:
    """The file with another index, whose own digests are right where ``change`` leaves them."""
    with tarfile.open(saved) as archive:
        images = archive.extractfile("images.tar").read()  # type: ignore[union-attr]
        index = json.loads(archive.extractfile(INDEX).read())  # type: ignore[union-attr]
    change(index)
    target = saved.with_name("rewritten")
    with tarfile.open(target, "w") as archive:
        for name, content in (("images.tar", images), (INDEX, json.dumps(index).encode())):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target


@pytest.mark.parametrize(
    "change",
    [
        lambda index: index["images"][0].update(reference="debian:latest"),
        lambda index: index["images"][0].update(reference="qverify/python:000000000000"),
        lambda index: index["images"][0].update(runtime="python"),
        lambda index: index["images"][0].update(config="0" * 64),
        lambda index: index["images"].clear(),
        lambda index: index["images"].append(index["images"][0] | {"reference": "qverify/small:000000000000"}),
        lambda index: index.update(digest="0" * 64),
        lambda index: index.update(size=index["size"] - 512),
        lambda index: index.update(size="many"),
        lambda index: index.update(kind="qverify-runtimes/2"),
        lambda index: index.pop("images"),
    ],
)
def test_an_index_that_does_not_fit_is_refused(saved: Path, change: Callable[[dict], None]) -> None:
    assert read_saved(rewritten(saved, lambda index: None), print)
    with pytest.raises(BadInput, match="damaged"):
        read_saved(rewritten(saved, change), print)


def test_another_s_name_inside_the_engine_s_archive_is_refused(
    client: docker.APIClient, small: RuntimeImage, tmp_path: Path
) -> None:
    client.tag(small.reference, "somebody/else", "latest")
    try:
        foreign = tmp_path / "foreign"
        with pytest.raises((BadInput, KeyError)):
            save_images(client, [RuntimeImage("small", "somebody/else:latest", small.digest)], foreign, print)
            load_images(client, foreign, print)
    finally:
        client.remove_image("somebody/else:latest")


def test_a_file_that_is_there_is_left_as_it_was(client: docker.APIClient, small: RuntimeImage, saved: Path) -> None:
    before = saved.read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        save_images(client, [small], saved, print)
    assert saved.read_bytes() == before
    with pytest.raises(BadInput, match="can't be written"):
        save_images(client, [small], saved.parent / "no" / "folder", print)


def test_what_could_not_be_saved_whole_is_removed(client: docker.APIClient, tmp_path: Path) -> None:
    gone = RuntimeImage("small", "qverify/small:ffffffffffff", "sha256:" + "0" * 64)
    with pytest.raises(SandboxFailure, match=r"did not give the images \(reference does not exist\)"):
        save_images(client, [gone], tmp_path / "file", print)
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("after", [0, 1])
def test_a_save_that_is_called_off_leaves_no_file(
    client: docker.APIClient, image: RuntimeImage, tmp_path: Path, after: int
) -> None:
    seen: list[bool] = []

    def stopped() -> bool:
        seen.append((tmp_path / "file").exists())
        return len(seen) > after

    with pytest.raises(Cancelled):
        save_images(client, [image], tmp_path / "file", print, stopped)
    # No file is made before the first word of the engine, and the one made then is gone.
    assert seen == [False, True][: after + 1]
    assert not (tmp_path / "file").exists()


@pytest.mark.parametrize("after", [0, 1])
def test_a_load_that_is_called_off_loads_nothing(
    client: docker.APIClient, small: RuntimeImage, saved: Path, after: int
) -> None:
    client.remove_image(small.reference, force=True)
    asked: list[None] = []

    def stopped() -> bool:
        asked.append(None)
        return len(asked) > after

    try:
        with pytest.raises(Cancelled):
            load_images(client, saved, print, stopped)
        with pytest.raises(docker.errors.ImageNotFound):
            client.inspect_image(small.reference)
    finally:
        load_images(client, saved, print)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system")
def test_a_full_disk_is_said_and_leaves_no_file(
    client: docker.APIClient, image: RuntimeImage, tmp_path: Path
) -> None:
    target = tmp_path / "full"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(target)], check=True)
    try:
        with pytest.raises(MissingPrerequisite) as caught:
            save_images(client, [image], target / "file", print)
        assert caught.value.sentence == "The disk is full. Nothing was saved."
        assert list(target.iterdir()) == []
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_no_file_and_no_archive(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="can't be read"):
        read_saved(tmp_path / "nowhere", print)
    shutil.copy(__file__, tmp_path / "text")
    with pytest.raises(BadInput, match="no file of saved runtimes"):
        read_saved(tmp_path / "text", print)


def test_what_docker_s_own_save_wrote_is_called_that(
    client: docker.APIClient, small: RuntimeImage, tmp_path: Path
) -> None:
    with (tmp_path / "plain.tar").open("wb") as file:
        file.writelines(client.get_image(small.reference))
    with pytest.raises(BadInput, match="Docker's own save"):
        read_saved(tmp_path / "plain.tar", print)


@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.LNKTYPE])
def test_an_index_that_is_no_file_is_refused(saved: Path, tmp_path: Path, kind: bytes) -> None:
    odd = tmp_path / "odd"
    with tarfile.open(saved) as archive, tarfile.open(odd, "w") as written:
        images = archive.getmember("images.tar")
        written.addfile(images, archive.extractfile(images))
        index = tarfile.TarInfo(INDEX)
        index.type, index.linkname = kind, INDEX
        written.addfile(index)
    with pytest.raises(BadInput, match="damaged"):
        read_saved(odd, print)


@pytest.mark.parametrize(("name", "good"), [(None, True), ("", True), ("docker.io/library/debian:latest", False)])
def test_the_names_of_an_oci_layout_beside_the_manifest_are_checked_too(
    saved: Path, small: RuntimeImage, name: str | None, good: bool
) -> None:
    named = {"io.containerd.image.name": name or f"docker.io/{small.reference}"} if name is not None else None
    layout = json.dumps({"schemaVersion": 2, "manifests": [{"annotations": named}]}).encode()
    with tarfile.open(saved) as archive:
        images = io.BytesIO(archive.extractfile("images.tar").read())  # type: ignore[union-attr]
        index = json.loads(archive.extractfile(INDEX).read())  # type: ignore[union-attr]
    with tarfile.open(fileobj=images, mode="a") as inner:
        member = tarfile.TarInfo("index.json")
        member.size = len(layout)
        inner.addfile(member, io.BytesIO(layout))
    whole = images.getvalue()
    index |= {"digest": hashlib.sha256(whole).hexdigest(), "size": len(whole)}
    target = saved.with_name("with_layout")
    with tarfile.open(target, "w") as archive:
        for title, content in (("images.tar", whole), (INDEX, json.dumps(index).encode())):
            member = tarfile.TarInfo(title)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    if good:
        assert read_saved(target, print).images
    else:
        with pytest.raises(BadInput, match="damaged"):
            read_saved(target, print)
