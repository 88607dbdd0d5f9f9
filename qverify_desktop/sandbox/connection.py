"""Connections to the Docker Engine, and the sentence for each way in which it can fail."""

from __future__ import annotations

import os
import re
import threading
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException, NotFound
from docker.utils import kwargs_from_env, parse_host

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError, SandboxFailure, SandboxGone
from qverify_desktop.domain.network import is_loopback
from qverify_desktop.sandbox.tunnel import SCHEME, Tunnel

#: Seconds until an answer of the engine is given up; a busy machine takes tens of seconds to start a container.
ANSWER_TIMEOUT_S = 120.0
PROBE_TIMEOUT_S = 10.0

#: What comes of reading an answer that is not what the engine's API promises.
NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
#: Everything that docker-py lets through when the engine refuses, stops or speaks nonsense.
ENGINE_ERRORS = (DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError, *NONSENSE)

#: The engine of this machine, which is meant where nobody names another.
LOCAL = "unix://"
# To a local socket docker-py has a pool of connections for every address, path and all, so that it hardly uses one again; 25 of
# them idle in every thread come near the open files that a process may have.
_LOCAL = "http+docker://"

START_DOCKER = "Start Docker (as root: `systemctl start docker`, or `dockerd &`)"

#: What a note of an error begins with that says which engine did not answer.
_AT = "engine "


class _Client(docker.APIClient):
    """A client that follows ``DOCKER_HOST`` and its like only. ``requests`` would put ``REQUESTS_CA_BUNDLE`` above the
    authority that signed the engine's certificate, and a proxy between this machine and the engine."""

    @property
    def trust_env(self) -> bool:
        return False

    @trust_env.setter
    def trust_env(self, value: bool) -> None:
        """``requests`` sets it at its start, before anybody else could."""


class Connections:
    """One low-level client per thread, to the engine that ``DOCKER_HOST`` names or the local default.

    docker-py's client is a ``requests`` session and must not be shared between threads. The API version is asked for
    once and remembered, so that a further connection costs no round trip. ``gate`` says whether this engine may be asked.
    """

    def __init__(self, base_url: str | None = None, gate: Gate | None = None) -> None:
        self._base_url = base_url
        self._gate = gate or Gate()
        self._tunnel: Tunnel | None = None
        self._version: str | None = None
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[docker.APIClient] = []
        self._closed = False

    @property
    def remote(self) -> bool:
        """Whether the engine may be on another machine, where it can't mount folders of this one."""
        return not self._url.startswith(("unix://", "npipe://"))

    @property
    def _url(self) -> str:
        return self._base_url or os.environ.get("DOCKER_HOST") or LOCAL

    @property
    def engine(self) -> str:
        """The engine's address as the docker command takes it."""
        return f"{LOCAL}/var/run/docker.sock" if self._url == LOCAL else self._url

    def check(self) -> None:
        """Raises ``MissingPrerequisite`` where this engine may not be asked now. What already runs there may still be ended."""
        host = host_of(self._url)
        here = not host or is_loopback(host)
        refusal = self._gate.refusal(Purpose.ENGINE if here else Purpose.REMOTE_ENGINE, host)
        if refusal is not None:
            raise MissingPrerequisite(refusal.sentence, refusal.remedy)

    def client(self) -> docker.APIClient:
        """This thread's client. Raises one of ``ENGINE_ERRORS`` where the engine does not answer."""
        client: docker.APIClient | None = getattr(self._local, "client", None)
        if client is not None and self._url.startswith(SCHEME):
            # A connection that broke off is made again under the same address.
            self._through_ssh()
        if client is None:
            client = self._local.client = self.fresh()
        return client

    def fresh(self, timeout: float = ANSWER_TIMEOUT_S) -> docker.APIClient:
        """A client of its own, for a call that must not queue behind another one. The caller closes it."""
        if self._version is None:
            # Nothing of ours runs there yet that would have to be ended.
            self.check()
        settings: dict[str, Any] = dict(kwargs_from_env())
        if self._base_url is not None:
            settings["base_url"] = self._base_url
        try:
            if self._url.startswith(SCHEME):
                settings["base_url"] = self._through_ssh()
            client = _Client(version=self._version or "auto", timeout=timeout, **settings)  # type: ignore[arg-type]
        except ENGINE_ERRORS as error:
            if self._url != LOCAL:
                error.add_note(f"{_AT}{_named(self._url)}")
            raise
        if client.base_url.startswith(_LOCAL):
            client.headers["Connection"] = "close"
        self._version = client.api_version
        with self._lock:
            if not self._closed:
                self._opened.append(client)
                return client
        client.close()
        raise _closed()

    def _through_ssh(self) -> str:
        with self._lock:
            if self._closed:
                # Whoever comes late must not begin what nobody would end.
                raise _closed()
            if self._tunnel is None:
                self._tunnel = Tunnel(self._url, literal=self._gate.policy.air_gap)
            tunnel = self._tunnel
        return tunnel.address()

    def discard(self, client: docker.APIClient) -> None:
        """Close a client of ``fresh``."""
        client.close()
        with self._lock:
            if client in self._opened:
                self._opened.remove(client)

    def close(self) -> None:
        """Close every connection; who asks for another one afterwards hears ``ConnectionError``."""
        with self._lock:
            self._closed = True
            opened, self._opened = self._opened, []
            tunnel, self._tunnel = self._tunnel, None
            self._local = threading.local()
        for client in opened:
            client.close()
        if tunnel is not None:
            tunnel.close()


def host_of(url: str) -> str:
    """The host that an engine's address names, empty for a socket of this machine. An address without a scheme is TCP's."""
    if url.startswith(SCHEME):
        return urlsplit(url).hostname or "nobody"
    try:
        parsed = str(parse_host(url, tls=True))
    except DockerException:
        parsed = url if "://" in url else f"tcp://{url}"
    parts = urlsplit(parsed)
    return "" if parts.scheme in ("unix", "http+unix", "npipe") else parts.hostname or "nobody"


def _closed() -> ConnectionError:
    return ConnectionError("the connections of this process to it are closed")


def is_read_timeout(error: BaseException) -> bool:
    """Whether a call ended only because its own time-out passed (the connection itself was whole)."""
    if isinstance(error, requests.ReadTimeout):
        return True
    # The engine sends the headers of a wait at once; requests then reports a late body as a broken connection.
    return isinstance(error, requests.ConnectionError) and any(
        isinstance(cause, urllib3.exceptions.ReadTimeoutError) for cause in error.args
    )


def words_of(error: BaseException) -> str:
    """The engine's own words for an error, on one line, at most 300 characters."""
    text = error.explanation if isinstance(error, APIError) and error.explanation else str(error)
    return " ".join(str(text).split())[:300].rstrip(" .")


def unavailable(error: BaseException) -> str:
    """Why Docker does not answer, as a sentence; with the address where a person named another engine than the local."""
    words = words_of(error).removeprefix("Error while fetching server API version: ")
    notes = getattr(error, "__notes__", ())
    where = next((f" at {note.removeprefix(_AT)}" for note in notes if note.startswith(_AT)), "")
    if "Invalid bind address" in words or "is no address of an engine" in words:
        # These errors quote the address whole, with whatever secret is in it.
        return f"Docker does not answer (this is no address of an engine){where}."
    if "ssh: " in words:
        return f"Docker can't be reached over ssh ({words.partition('ssh: ')[2]}){where}."
    if "Permission denied" in words or "PermissionError" in words:
        return f"Docker is there, but this user may not use it (permission denied on its socket){where}."
    if "FileNotFoundError" in words or "No such file" in words:
        return f"Docker does not run on this machine (its socket is missing){where}."
    if "refused" in words:
        return f"Docker does not answer (connection refused){where}."
    return f"Docker does not answer ({words}){where}."


def mending(base_url: str | None) -> str:
    """What to do where the engine of ``Connections(base_url)`` does not answer; goes on with "and …"."""
    named = base_url or os.environ.get("DOCKER_HOST")
    if not named or named == LOCAL:
        return START_DOCKER
    return f"Start Docker there, or correct the address in {_place(named)},"


def _named(url: str) -> str:
    # A password or a token in an address is nobody's business.
    return f"{re.sub('[^/]*@', '', url)}, the address in {_place(url)}"


def _place(url: str) -> str:
    return "DOCKER_HOST" if os.environ.get("DOCKER_HOST") == url else "the settings"


def failure(error: BaseException, run: str, reference: str) -> QVerifyError:
    """The person's sentence for an engine failure during run ``run`` on the image ``reference``."""
    if isinstance(error, QVerifyError):
        return error
    words = words_of(error)
    resume = f"run `qverify resume {run}`."
    safe = "Nothing that was recorded is lost."
    if "no space left on device" in words.lower():
        return MissingPrerequisite(
            f"The disk is full, so no sandbox could be started ({words}). {safe}", f"Free some space and {resume}"
        )
    if isinstance(error, NotFound) and "image" in words.lower():
        return MissingPrerequisite(
            f"The sandbox image {reference} is no longer there. {safe}",
            f"Type `qverify runtimes build` and {resume}",
        )
    if isinstance(error, APIError):
        return SandboxFailure(f"Docker refused to run the sandbox: {words}. {safe}", f"When that is mended, {resume}")
    if isinstance(error, NONSENSE) and not isinstance(error, requests.RequestException):
        return SandboxFailure(
            f"Docker gave an answer that can't be understood ({type(error).__name__}: {words}). {safe}",
            f"Check its version with `docker version` and {resume}",
        )
    return SandboxGone(f"Docker stopped answering ({words}). {safe}", f"{mending(None)} and {resume}")
