"""How strongly the engine at hand shuts a container in, and the strongest way that it really offers.

Read off the engine's own description (Docker Engine API, ``GET /info``: ``SecurityOptions``, ``Runtimes``). A runtime that is
registered may still fail to start, so gVisor counts only after a container ran under it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import docker
from docker.errors import DockerException

from qverify_desktop.domain.execution import Limits
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, words_of
from qverify_desktop.sandbox.limits import DOCKER, USER, Dialect, host_config
from qverify_desktop.sandbox.owner import DEADLINE, OWNER, RUN, Owner, Process

#: Names under which gVisor's runtime is registered (gVisor's installation guide; the second keeps the first free).
GVISOR = ("runsc", "gvisor")
PODMAN = "Podman"
PROBE_TIMEOUT_S = 30
#: Exit status of the container that is tried, where gVisor was not between it and the kernel.
SAME_KERNEL = 77


@dataclass(frozen=True)
class Isolation:
    """What stands between a container and this machine beyond the sandbox's own flags.

    ``runtime`` is the engine's runtime to ask for, empty for its default; ``problem`` says why gVisor, though registered, is
    not used.
    """

    engine: str = "Docker"
    rootless: bool = False
    user_namespaces: bool = False
    seccomp: bool = False
    mandatory: str = ""
    runtime: str = ""
    problem: str = ""

    @property
    def label(self) -> str:
        """A few words for the evidence, for example ``container, gVisor, rootless engine``."""
        words = ["container"]
        words += ["gVisor"] if self.runtime else []
        words += ["rootless engine"] if self.rootless else []
        words += ["user namespaces"] if self.user_namespaces else []
        return ", ".join(words)

    @property
    def sentences(self) -> str:
        """What is on and what is not, for a person."""
        on = ["gVisor, a kernel of its own in user space"] if self.runtime else []
        on += ["a rootless engine"] if self.rootless else []
        on += ["user-namespace remapping"] if self.user_namespaces else []
        on += ["the engine's seccomp profile"] if self.seccomp else []
        on += [self.mandatory] if self.mandatory else []
        said = f"Containers of {self.engine} with {', '.join(on)}." if on else f"Containers of {self.engine}."
        if not self.seccomp:
            said += " Its seccomp profile is off."
        if self.problem:
            said += f" gVisor is registered, but does not work: {self.problem}."
        return said

    @property
    def stronger(self) -> str:
        """What would make it stronger, empty where it is strong already."""
        if self.runtime or self.rootless or self.user_namespaces:
            return ""
        return "Stronger: gVisor (package runsc, registered with the engine), a rootless engine, or user-namespace remapping."


def find_isolation(client: docker.APIClient, image: str, owner: Owner, *, gvisor: bool = True) -> Isolation:
    """The isolation of the engine behind ``client``, with gVisor where it is registered and a container of ``image`` (an id,
    empty: none at hand, so it is not tried) starts under it, unless ``gvisor`` is off. Raises one of ``ENGINE_ERRORS``;
    blocks for a second."""
    info = client.info()
    found = read_isolation(info)
    registered = [name for name in GVISOR if name in _runtimes(info)]
    if not registered or not image or not gvisor:
        return found
    dialect = Dialect("", full_tmpfs=False) if found.engine == PODMAN else DOCKER
    problem = _try(client, registered[0], image, owner, dialect, str(info.get("KernelVersion", "")))
    words = vars(found) | ({"problem": problem} if problem else {"runtime": registered[0]})
    return Isolation(**words)


def read_isolation(info: Mapping[str, Any]) -> Isolation:
    """What an engine's description says, whatever it holds; gVisor is left to ``find_isolation``."""
    options = [str(option) for option in info.get("SecurityOptions") or []]
    names = {word.removeprefix("name=") for option in options for word in option.split(",")}
    seccomp = next((option for option in options if "seccomp" in option), "")
    return Isolation(
        engine=PODMAN if _is_podman(info) else "Docker",
        rootless="rootless" in names,
        user_namespaces="userns" in names,
        seccomp=bool(seccomp) and "unconfined" not in seccomp,
        mandatory="AppArmor" if "apparmor" in names else "SELinux" if "selinux" in names else "",
    )


def _is_podman(info: Mapping[str, Any]) -> bool:
    # Podman's answer to Docker's question names its own build tool and its store's folder.
    return "BuildahVersion" in info or "containers/storage" in str(info.get("DockerRootDir", ""))


def _runtimes(info: Mapping[str, Any]) -> Mapping[str, Any]:
    runtimes = info.get("Runtimes")
    return runtimes if isinstance(runtimes, Mapping) else {}


def _try(client: docker.APIClient, runtime: str, image: str, owner: Owner, dialect: Dialect, kernel: str) -> str:
    """Start a container under ``runtime`` that looks at its kernel: empty where that is another than the machine's, which
    is ``kernel``; otherwise what is wrong. An engine may know the name and pass over it."""
    config = {
        "Image": image,
        "Entrypoint": ["/bin/sh", "-c", f'test "$(uname -r)" != "$1" || exit {SAME_KERNEL}', "qverify", kernel],
        "Cmd": [],
        "User": f"{USER}:{USER}",
        "Labels": {
            OWNER: owner.id,
            RUN: "isolation",
            DEADLINE: str(int(time.monotonic()) + 2 * PROBE_TIMEOUT_S),
            **Process.current().labels(),
        },
        # With every flag of a job: what can't hold them is of no use.
        "HostConfig": {**host_config(Limits(), {}, dialect=dialect), "Runtime": runtime},
    }
    container = ""
    try:
        container = client.create_container_from_config(config)["Id"]  # type: ignore[no-untyped-call]
        client.start(container)
        status = int(client.wait(container, timeout=PROBE_TIMEOUT_S)["StatusCode"])
        if status == SAME_KERNEL:
            return "its container ran on this machine's own kernel"
        return "" if status == 0 else f"its container ended with status {status}"
    except ENGINE_ERRORS as error:
        return words_of(error)
    finally:
        if container:
            with contextlib.suppress(*ENGINE_ERRORS, DockerException):
                client.remove_container(container, v=True, force=True)
