"""The stand-alone verifier where an auditor would run it: a container with nothing but Python and ``cryptography``, and no network."""

import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.evidence import verify
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import OTHER_KEY, House, members, packed, whole_analysis
from tests.evidence.test_reproduced import record_of

PROJECT = Path(__file__).parents[2]
#: What ``cryptography`` needs, at the versions and digests that the application itself has.
NEEDED = ("cryptography", "cffi", "pycparser")


def run(
    image: RuntimeImage, folder: Path, *command: str, packages: tuple[Path, str] | None = None
) -> tuple[int, str]:
    """Exit code and output of a command in a container whose file system can't be written, with ``folder`` at ``/audit``."""
    client = docker.from_env()
    volumes = {str(folder): {"bind": "/audit", "mode": "ro"}}
    if packages:
        volumes[str(packages[0])] = {"bind": packages[1], "mode": "ro"}
    container: Container = client.containers.create(
        image.digest,
        list(command),
        network_mode="none",
        read_only=True,
        cap_drop=["ALL"],
        volumes=volumes,
        user="10001",
    )
    try:
        container.start()
        code = container.wait(timeout=120)["StatusCode"]
        return code, container.logs().decode()
    finally:
        container.remove(force=True)
        client.close()


def fetched(version: str, folder: Path) -> Path:
    """The packages for the container's Python, unpacked."""
    locked = (PROJECT / "requirements.txt").read_text()
    wanted = [re.search(rf"^{name}==(?:.*\\\n)*.*$", locked, re.MULTILINE) for name in NEEDED]
    (folder / "wanted.txt").write_text("\n".join(match[0] for match in wanted if match))
    pip = (
        sys.executable,
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--no-input",
        "download",
        "--quiet",
        "--no-deps",
    )
    chosen = (
        "--require-hashes",
        "--only-binary=:all:",
        "--python-version",
        version,
        "-r",
        str(folder / "wanted.txt"),
    )
    subprocess.run([*pip, *chosen, "-d", str(folder / "wheels")], check=True, timeout=300)
    for wheel in (folder / "wheels").iterdir():
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.timeout(600)
def test_the_verifier_alone_in_a_bare_container(image: RuntimeImage, tmp_path: Path) -> None:
    house = House(tmp_path / "house")
    house.whole_run("r1")
    whole_analysis(house, "r2", verdict="defects_suspected")
    bundle, key = house.bundle("r2"), house.journal.verifier_key
    house.close()
    audit = tmp_path / "audit"
    audit.mkdir()
    shutil.copy(verify.__file__, audit / "verify.py")
    shutil.copy(bundle, audit / "whole.zip")
    files = members(bundle)
    entries = files["entries.jsonl"].replace(b'"verdict":"suspected"', b'"verdict":"accepted"')
    (audit / "changed.zip").write_bytes(packed({**files, "entries.jsonl": entries}))
    (audit / "kept").write_bytes(files["checkpoints/4"])
    auditor = House(tmp_path / "auditor", key=OTHER_KEY)
    shutil.copy(record_of(auditor, bundle), audit / "record.zip")
    theirs = auditor.journal.verifier_key
    auditor.close()
    for path in (tmp_path, audit, *audit.iterdir()):
        path.chmod(0o755)

    code, where = run(
        image,
        audit,
        "python",
        "-c",
        "import sys, sysconfig; print(sys.version_info[:2]); print(sysconfig.get_path('purelib'))",
    )
    assert code == 0, where
    version, site = where.splitlines()
    packages = (fetched(".".join(re.findall(r"\d+", version)), tmp_path), site)

    def verified(*words: str) -> tuple[int, str]:
        return run(image, audit, "python", "-I", "/audit/verify.py", *words, packages=packages)

    code, told = verified("/audit/whole.zip", "--public-key", key, "--known-checkpoint", "/audit/kept", "--json")
    assert code == 0, told
    assert json.loads(told) == verify_bundle(bundle, public_key=key, known_checkpoint=audit / "kept")
    assert json.loads(told)["attestations"] == 2
    code, told = verified("/audit/changed.zip", "--public-key", key)
    assert code == 1 and told.startswith("INVALID. ")
    handed = ("--reproduction", "/audit/record.zip", "--reproduction-key")
    code, told = verified("/audit/whole.zip", "--public-key", key, *handed, theirs)
    assert code == 0 and told.startswith("UNANCHORED, REPRODUCED. ") and "3 tests were executed again" in told, told
    code, told = verified("/audit/whole.zip", "--public-key", key, *handed, key)
    assert code == 1 and "The record of the reproduction is INVALID" in told, told
    code, told = verified("/audit/verify.py")
    assert code == 2 and "no zip archive" in told
