"""A runtime of its own for these tests: the Python image with one more library, so that it can be missing, or changed, elsewhere."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import docker

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.images import RECIPE, find_image, load_recipes, resources_root

LIBRARY = "houselib"


@dataclass(frozen=True)
class Machine:
    """A resources root whose recipe of the Python runtime is its own, and the image of it."""

    resources: Path
    image: RuntimeImage

    @property
    def environment(self) -> dict[str, str]:
        return {"QVERIFY_RESOURCES": str(self.resources)}


@contextmanager
def machine(client: docker.APIClient, base: RuntimeImage, folder: Path, step: int) -> Iterator[Machine]:
    """A machine whose Python image has a library ``houselib`` with this ``STEP``; the image is gone afterwards."""
    root = resources_root()
    for name in ("resources", "packaging", "docs"):
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to(root / name, target_is_directory=True)
    shutil.copytree(root / "runtimes", folder / "runtimes")
    (folder / "runtimes" / "python" / "house.txt").write_text(f"with a library, STEP {step}\n")
    (recipe,) = (one for one in load_recipes(folder) if one.runtime == "python")
    container = client.create_container(base.digest, command=["true"])["Id"]
    try:
        client.put_archive(container, "/", _library(base, step))
        config = client.inspect_image(base.digest)["Config"]
        labels = {**config["Labels"], RECIPE: recipe.digest}
        name, _, tag = recipe.reference.partition(":")
        client.commit(container, repository=name, tag=tag, conf={"Labels": labels, "Cmd": config.get("Cmd")})
    finally:
        client.remove_container(container, force=True)
    try:
        yield Machine(folder, find_image(client, recipe))
    finally:
        remove(client, recipe.reference)


def remove(client: docker.APIClient, reference: str) -> None:
    if client.images(name=reference):
        client.remove_image(reference, force=True)


def _library(base: RuntimeImage, step: int) -> bytes:
    """An archive with the library where the image's Python has its packages."""
    version = ".".join(base.tools["python"].split(".")[:2])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        content = f"STEP = {step}\n".encode()
        info = tarfile.TarInfo(f"opt/venv/lib/python{version}/site-packages/{LIBRARY}.py")
        info.size, info.mode = len(content), 0o644
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
