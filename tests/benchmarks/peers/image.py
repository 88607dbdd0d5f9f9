"""The peers' image: our Python image with their wheels beside it, made without a registry and without network."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import docker

from qverify_desktop.domain.execution import RuntimeImage

#: Where the peers' packages lie in the image; not on its search path, so ours runs in it as in its own.
PEERS = "/opt/peers"
PYTHON = "3.13"
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_DOCKERFILE = f"""\
ARG BASE
FROM ${{BASE}} AS wheels
USER 0
COPY wheels /wheels
COPY requirements.txt /requirements.txt
RUN python -m pip install --no-cache-dir --no-index --no-deps --no-compile --require-hashes --find-links /wheels \\
    --target {PEERS} --requirement /requirements.txt
FROM ${{BASE}}
COPY --from=wheels {PEERS} {PEERS}
"""


def peers_image(base: RuntimeImage) -> RuntimeImage:
    """The image on top of ``base``, built where it is missing: pip fetches the wheels here, the build has no network."""
    recipe = hashlib.sha256(f"{base.digest}{_DOCKERFILE}".encode() + REQUIREMENTS.read_bytes()).hexdigest()[:12]
    reference = f"qverify-bench-peers:{recipe}"
    client = docker.from_env(timeout=600)
    found = client.images.list(name=reference)
    if not found:
        with tempfile.TemporaryDirectory(prefix="qverify-peers-image-") as folder:
            context = Path(folder)
            (context / "Dockerfile").write_text(_DOCKERFILE)
            shutil.copy(REQUIREMENTS, context)
            _fetch(context / "wheels")
            client.images.build(
                path=folder,
                tag=reference,
                buildargs={"BASE": base.digest},
                network_mode="none",
                pull=False,
                rm=True,
                forcerm=True,
            )
        found = client.images.list(name=reference)
    return RuntimeImage(base.runtime, reference, str(found[0].id), base.languages)


def _fetch(folder: Path) -> None:
    platforms = [f"manylinux{suffix}_x86_64" for suffix in ("_2_28", "_2_17", "2014")]
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--require-hashes", "--only-binary=:all:"),
            *("--implementation", "cp", "--python-version", PYTHON),
            *(word for platform in platforms for word in ("--platform", platform)),
            *("--dest", folder, "--requirement", REQUIREMENTS),
        ],
        check=True,
    )
