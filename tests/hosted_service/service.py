"""The whole hosted service for the time of a test. ``hosted_service()`` starts it; what it gives has all that a test needs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx
import psycopg

from tests.hosted_service import issuer as issuing
from tests.hosted_service.balancer import Balancer, balancing
from tests.hosted_service.bundles import Bundles
from tests.hosted_service.certificates import Certificates
from tests.hosted_service.checkpoints import Cosigner
from tests.hosted_service.issuer import Issuer, Person
from tests.hosted_service.listening import bound, serving
from tests.hosted_service.postgres import postgres
from tests.hosted_service.store import TABLE_NAMES, TABLES

ROOT = Path(__file__).parents[2]
REPLICAS = 2
COSIGNER = Cosigner("hosted.test/cosigner", hashlib.sha256(b"a test's cosigner").digest())


@dataclass
class Replica:
    """One process. ``port`` stays the same when it is started again."""

    name: str
    port: int
    process: subprocess.Popen[bytes] | None = None


@dataclass
class HostedService:
    """A running service. ``url`` is its entry (the balancer), ``ca`` the authority that a client has to trust."""

    certificates: Certificates
    issuer: Issuer
    dsn: str
    storage: str
    log: IO[bytes]
    heard: int = 0
    replicas: list[Replica] = field(default_factory=list)
    balancer: Balancer | None = None

    @property
    def url(self) -> str:
        assert self.balancer is not None
        return f"https://127.0.0.1:{self.balancer.port}"

    @property
    def ca(self) -> Path:
        return self.certificates.ca

    @property
    def cosigner(self) -> str:
        """Verifier key of the countersignatures."""
        return str(COSIGNER)

    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.ca))

    def http(self, person: Person | None = None, replica: int | None = None, **token: Any) -> httpx.Client:
        """A bare client, signed in unless ``person`` is a string; at the balancer, or at one replica."""
        base = self.url if replica is None else f"https://127.0.0.1:{self.replicas[replica].port}"
        headers = {"Authorization": f"Bearer {self.issuer.token(person, **token)}"}
        # A connection for each request: the balancer takes turns by connection.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.Client(
            base_url=base, headers=headers, verify=self.tls(), trust_env=False, timeout=20, limits=limits
        )

    def set(self, **settings: Any) -> None:
        """Settings of ``house.DEFAULTS``; None sets one back."""
        with self.http() as client:
            client.put("/_test/settings", json=settings).raise_for_status()

    def fault(self, method: str, path: str, times: int = 1, **action: Any) -> None:
        """Plan a fault, see ``faults.py``."""
        with self.http() as client:
            plan = {"method": method, "path": path, "times": times, "action": action}
            client.post("/_test/faults", json=plan).raise_for_status()

    def storage_faults(self, *faults: dict[str, Any]) -> dict[str, int]:
        """Replace the faults of the object store, see ``object_storage.py``; what it was asked since is counted anew."""
        with httpx.Client(verify=self.tls(), trust_env=False) as client:
            counts: dict[str, int] = client.post(f"{self.storage}/_test/faults", json=list(faults)).json()
        return counts

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Look into the database."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(sql, values).fetchall()

    def said(self) -> str:
        """What the processes said on their standard errors since the last question."""
        self.log.seek(self.heard)
        new = self.log.read()
        self.heard += len(new)
        return new.decode("utf-8", "replace")

    def reset(self) -> None:
        """Forget everything that tests made and planned; killed replicas come back."""
        for number in range(len(self.replicas)):
            self.start(number)
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            for table in TABLE_NAMES:  # one by one: a worker may be in the middle of something
                connection.execute(f"delete from {table}")
        self.storage_faults()
        self.issuer.__dict__.update(Issuer(self.issuer.url).__dict__)

    def kill(self, number: int) -> None:
        """``kill -9`` of one replica."""
        process = self.replicas[number].process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        self.replicas[number].process = None

    def pause(self, number: int) -> None:
        """Stop one replica, as a machine that hangs; ``resume`` lets it go on."""
        process = self.replicas[number].process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)

    def resume(self, number: int) -> None:
        process = self.replicas[number].process
        assert process is not None
        os.kill(process.pid, signal.SIGCONT)

    def start(self, number: int) -> None:
        """Start one replica, unless it runs."""
        replica = self.replicas[number]
        if replica.process is not None and replica.process.poll() is None:
            return
        listener = bound(replica.port)
        replica.port = listener.getsockname()[1]
        regions = [
            {"id": "eu-test", "title": "Tests, first entry", "endpoint": self.url},
            {
                "id": "us-test",
                "title": "Tests, second entry",
                "endpoint": f"https://localhost:{self.url.rpartition(':')[2]}",
            },
        ]
        given = {
            "name": replica.name,
            "fd": listener.fileno(),
            "dsn": self.dsn,
            "storage": self.storage,
            "issuer": self.issuer.url,
            "audience": issuing.AUDIENCE,
            "client_id": issuing.CLIENT_ID,
            "ca": str(self.ca),
            "cert": str(self.certificates.cert),
            "key": str(self.certificates.key),
            "cosigner": COSIGNER.name,
            "seed": COSIGNER.seed.hex(),
            "region": "eu-test",
            "regions": regions,
        }
        replica.process = self.child("replica", [], pass_fds=[listener.fileno()], stdin=subprocess.PIPE)
        listener.close()  # the child's alone: when it dies, connections are refused
        assert replica.process.stdin is not None
        replica.process.stdin.write(json.dumps(given).encode())
        replica.process.stdin.close()
        self.wait(replica)

    def wait(self, replica: Replica) -> None:
        """Until it answers."""
        with httpx.Client(verify=self.tls(), trust_env=False, timeout=60) as client:
            client.get(f"https://127.0.0.1:{replica.port}/v1/regions").raise_for_status()

    def child(self, module: str, words: list[str], **options: Any) -> subprocess.Popen[bytes]:
        return child(module, words, self.log, **options)


def child(module: str, words: list[str], log: IO[bytes], **options: Any) -> subprocess.Popen[bytes]:
    """A process of this package; it has no proxy and no key of the person who runs the tests."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": str(ROOT),
        "LC_ALL": "C.UTF-8",
        "HOME": "/nonexistent",
    }
    command = [sys.executable, "-m", f"tests.hosted_service.{module}", *words]
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=log, **options)


@contextlib.contextmanager
def hosted_service() -> Iterator[HostedService]:
    """The service for the time of a ``with``: about three seconds until it stands, mostly side by side."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="qv-hosted-")))
        certificates = Certificates(folder / "certificates")
        log = stack.enter_context((folder / "log").open("w+b"))
        pem = [str(certificates.cert), str(certificates.key)]
        store = child("object_storage", pem, log, stdout=subprocess.PIPE)
        stack.callback(ended, store)
        dsn = stack.enter_context(postgres())
        with psycopg.connect(dsn) as connection:
            connection.execute(TABLES)
        listener = bound()
        issuer = Issuer(f"https://127.0.0.1:{listener.getsockname()[1]}")
        stack.enter_context(serving(issuing.application(issuer), certificates, listener))
        assert store.stdout is not None
        storage = f"https://127.0.0.1:{int(store.stdout.readline())}"
        Bundles(storage, str(certificates.ca)).make_bucket()
        service = HostedService(certificates, issuer, dsn, storage, log)
        service.balancer = stack.enter_context(balancing([]))
        service.replicas = [Replica(f"replica-{number}", 0) for number in range(REPLICAS)]
        stack.callback(lambda: [ended(replica.process) for replica in service.replicas])
        with ThreadPoolExecutor(REPLICAS) as starters:
            list(starters.map(service.start, range(REPLICAS)))
        service.balancer.ports.extend(replica.port for replica in service.replicas)
        yield service


def ended(process: subprocess.Popen[bytes] | None) -> None:
    if process is not None:
        process.kill()
        process.wait(10)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
