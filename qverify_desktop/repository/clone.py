"""Fetches a repository into the private store: objects and references only, nothing is checked out, nothing of it runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import GIB
from qverify_desktop.repository.git_safety import FILES_ONLY, REMOTE_TRANSPORTS, GitOutput, run_git
from qverify_desktop.repository.source import Remote

_TIMEOUT_S = 1800
_MOST_STORE_BYTES = 8 * GIB

#: Answers git's question for the one address from the environment, so that no secret stands on a command line or in a file.
_ANSWER_FROM_ENVIRONMENT = (
    "credential.helper=",
    'credential.helper=!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$QVERIFY_GIT_USER" "$QVERIFY_GIT_PASSWORD"; }; f',
)

_EXPLANATIONS = (
    (
        r"could not resolve host|name or service not known|temporary failure in name resolution",
        "its host is not known from here",
        "Check the address and the network.",
    ),
    (
        r"host key verification failed",
        "the host's ssh key is not known on this machine",
        "Connect to the host once with ssh and confirm its key.",
    ),
    (
        r"permission denied|authentication failed|could not read (username|password)|terminal prompts disabled|access denied",
        "the host refused the credentials, or wants some",
        "Load the key into the ssh agent, or store the credentials in git's credential helper.",
    ),
    (
        r"not found|does not exist|not appear to be a git repository",
        "there is no such repository, or it is not visible to you",
        "Check the address; a private one needs the ssh agent or git's credential helper.",
    ),
    (
        r"connection refused|timed out|unable to connect|unreachable|couldn't connect|failed to connect|connection reset|hung up",
        "its host does not answer",
        "Check the address and the network, then try again.",
    ),
    (r"transport '.*' not allowed", "it asks for a transport that is not allowed", "Use an https or ssh address."),
)


def fetch(remote: Remote, store: Path, gate: Gate) -> None:
    """Clone ``remote`` bare into ``store``. Raises ``BadInput`` with the reason, which never holds a credential."""

    def check() -> None:
        refusal = gate.refusal(Purpose.CLONE, remote.host) if remote.host else None
        if refusal is not None:
            raise BadInput(refusal.sentence, refusal.remedy)

    check()
    configuration: list[str] = [
        "http.lowSpeedLimit=1000",
        "http.lowSpeedTime=60",
        "init.templateDir=",
        "clone.rejectShallow=false",
    ]
    variables = {"GIT_SSH_COMMAND": _ssh_command()}
    if remote.user or remote.password:
        configuration += _ANSWER_FROM_ENVIRONMENT
        variables |= {"QVERIFY_GIT_USER": remote.user, "QVERIFY_GIT_PASSWORD": remote.password}
    answer = run_git(
        ["clone", "--bare", "--quiet", "--template=", "--no-recurse-submodules", "--", remote.address, str(store)],
        cwd=store.parent,
        personal=True,
        configuration=configuration,
        extra_environment=variables,
        timeout_s=_TIMEOUT_S,
        watch=_watch(store, check),
        transports=REMOTE_TRANSPORTS if remote.host else FILES_ONLY,
    )
    if answer.code != 0:
        raise _failure(remote, answer)


def _ssh_command() -> str:
    """The user's own ssh command (their global configuration is theirs) in a mode that never waits for a key press."""
    answer = run_git(["config", "--global", "--includes", "--get", "core.sshCommand"], cwd=Path("/"), personal=True)
    own = answer.output.decode("utf-8", "replace").strip() if answer.code == 0 else ""
    return f"{own or 'ssh'} -o BatchMode=yes -o ConnectTimeout=20"


def _watch(store: Path, check: Callable[[], None]) -> Callable[[], None]:
    """What ends a fetch that is under way: ``check`` (it was switched off meanwhile), or more than may be stored."""
    state = {"next": 0.0}

    def watch() -> None:
        check()
        if time.monotonic() < state["next"]:
            return
        state["next"] = time.monotonic() + 2
        total = 0
        for path in (store / "objects" / "pack").glob("*"):
            try:
                total += path.stat().st_size
            except OSError:
                continue
        if total > _MOST_STORE_BYTES:
            raise BadInput(
                f"The repository's history is larger than {_MOST_STORE_BYTES // GIB} GiB, so fetching it was stopped.",
                "Clone the part you need yourself (git clone --depth 1) and give the folder.",
            )

    return watch


def _failure(remote: Remote, answer: GitOutput) -> BadInput:
    said = _redact(answer.errors, remote)
    for pattern, reason, remedy in _EXPLANATIONS:
        if re.search(pattern, said, re.IGNORECASE):
            return BadInput(
                f"The repository {remote.address} could not be fetched: {reason}. Nothing was changed.", remedy
            )
    lines = (
        [line for line in said.splitlines() if line.startswith(("fatal:", "error:"))]
        or said.splitlines()
        or ["no reason given"]
    )
    return BadInput(
        f"The repository {remote.address} could not be fetched; git says: {lines[-1][:300]} Nothing was changed.",
        "Check the address, or clone it yourself and give the folder.",
    )


def _redact(text: str, remote: Remote) -> str:
    for secret in sorted(remote.secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return re.sub(r"://[^/@\s]*@", "://", text)
