from typing import Any

import pytest

from qverify_desktop.sandbox.isolation import Isolation, read_isolation

SECCOMP = "name=seccomp,profile=default"


@pytest.mark.parametrize(
    ("info", "label"),
    [
        ({"SecurityOptions": [SECCOMP]}, "container"),
        ({"SecurityOptions": [SECCOMP, "name=rootless", "name=cgroupns"]}, "container, rootless engine"),
        ({"SecurityOptions": ["name=apparmor", SECCOMP, "name=userns"]}, "container, user namespaces"),
        ({"SecurityOptions": None}, "container"),
        ({}, "container"),
    ],
)
def test_an_engine_s_description_is_read(info: dict[str, Any], label: str) -> None:
    assert read_isolation(info).label == label


def test_a_seccomp_profile_that_is_off_is_said() -> None:
    assert read_isolation({"SecurityOptions": [SECCOMP]}).seccomp
    assert read_isolation({"SecurityOptions": ["name=seccomp,profile=builtin"]}).seccomp
    off = read_isolation({"SecurityOptions": ["name=seccomp,profile=unconfined"]})
    assert not off.seccomp and "seccomp profile is off" in off.sentences
    assert not read_isolation({}).seccomp


def test_podman_is_told_from_docker() -> None:
    assert read_isolation({"DockerRootDir": "/var/lib/containers/storage"}).engine == "Podman"
    assert read_isolation({"DockerRootDir": "/var/lib/docker"}).engine == "Docker"


def test_what_would_be_stronger_is_said_only_where_nothing_is() -> None:
    assert "gVisor" in Isolation().stronger
    assert Isolation(rootless=True).stronger == Isolation(runtime="runsc").stronger == ""
    assert Isolation(runtime="runsc", rootless=True).label == "container, gVisor, rootless engine"
    assert "does not work: no permission." in Isolation(problem="no permission").sentences
