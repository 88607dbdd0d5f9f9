"""ASGI applications behind TLS, in a thread of the test, and sockets whose ports nobody else can take meanwhile."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import uvicorn

from tests.hosted_service.certificates import Certificates


def bound(port: int = 0) -> socket.socket:
    """A listening socket on loopback."""
    return socket.create_server(("127.0.0.1", port), backlog=128)


def server(app: Any, cert: str, key: str, lifespan: bool = True) -> uvicorn.Server:
    """A server that hangs up on what is left of clients when it ends. h11, because ``faults.py`` knows its transport."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="auto" if lifespan else "off",
        ssl_certfile=cert,
        ssl_keyfile=key,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        timeout_keep_alive=30,
    )
    return uvicorn.Server(config)


@contextlib.contextmanager
def serving(app: Any, certificates: Certificates, listener: socket.socket) -> Iterator[None]:
    """``app`` on ``listener`` for the time of a ``with``, in a thread with a loop of its own."""
    running = server(app, str(certificates.cert), str(certificates.key), lifespan=False)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started and thread.is_alive():
        time.sleep(0.01)
    try:
        yield
    finally:
        running.should_exit = running.force_exit = True
        thread.join(10)
        listener.close()
