"""Fetching over real transports on loopback: git's own daemon, ssh by a stand-in program, https with credentials."""

from __future__ import annotations

import base64
import datetime
import functools
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.source import LocalFolder, Remote, classify
from tests.repository.conftest import Taker, Work

SECRET = "s3cr3t+token/x"


@pytest.fixture
def served(work: Work, tmp_path: Path) -> Path:
    """A bare repository, ready for the dumb protocol too."""
    work.write("a.py", "x = 1\n")
    work.write("sub dir/ü.py", "y = 2\n", 0o755)
    (work.path / "escape").symlink_to("/etc/passwd")
    work.commit()
    bare = tmp_path / "served" / "demo.git"
    work.git("clone", "-q", "--bare", str(work.path), str(bare))
    Work(bare).git("update-server-info")
    return bare


def check(snapshot: object, work: Work) -> None:
    assert snapshot.commit == work.git("rev-parse", "HEAD")  # type: ignore[attr-defined]
    assert snapshot.files == ("a.py", "sub dir/ü.py")  # type: ignore[attr-defined]
    assert [entry.path for entry in snapshot.skipped] == ["escape"]  # type: ignore[attr-defined]
    assert (snapshot.name, snapshot.branch, snapshot.dirty_patch) == ("demo", "main", "")  # type: ignore[attr-defined]


def test_git_protocol(served: Path, work: Work, take: Taker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    daemon = subprocess.Popen(
        [
            "git",
            "daemon",
            "--listen=127.0.0.1",
            f"--port={port}",
            "--export-all",
            f"--base-path={served.parent}",
            "--reuseaddr",
        ],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        for _ in range(100):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        check(take(f"git://127.0.0.1:{port}/demo.git"), work)
        with pytest.raises(BadInput, match="could not be fetched"):
            take(f"git://127.0.0.1:{port}/none.git")
    finally:
        os.killpg(daemon.pid, 15)
        daemon.wait()


@pytest.mark.parametrize(
    "address", ["me@demo-host:{path}", "ssh://me:geheim@demo-host{path}", "git+ssh://demo-host:22{path}"]
)
def test_ssh_uses_the_persons_own_ssh_and_never_waits_for_a_key(
    served: Path, work: Work, take: Taker, home: Path, address: str
) -> None:
    said = home / "arguments"
    program = home / "ssh"
    program.write_text(f'#!/bin/bash\necho "$@" >> \'{said}\'\nexec sh -c "${{@: -1}}"\n')
    program.chmod(0o755)
    (home / ".gitconfig").write_text(f"[core]\n\tsshCommand = {program} -i mykey\n[safe]\n\tdirectory = *\n")
    snapshot = take(address.format(path=served))
    check(snapshot, work)
    assert "-i mykey -o BatchMode=yes" in said.read_text()
    assert "geheim" not in snapshot.origin + said.read_text()


class Guarded(http.server.SimpleHTTPRequestHandler):
    """Files behind basic authentication."""

    wanted = "Basic " + base64.b64encode(f"me:{SECRET}".encode()).decode()

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == self.wanted:
            super().do_GET()
            return
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.fixture
def https(served: Path, home: Path) -> Iterator[int]:
    certificate = _certificate(home)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Guarded, directory=str(served.parent))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    (home / ".gitconfig").write_text(f"[http]\n\tsslCAInfo = {certificate}\n")
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_https_with_credentials_in_the_address_leaves_no_trace_of_them(
    https: int, work: Work, take: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = take(f"https://me:s3cr3t%2Btoken%2Fx@localhost:{https}/demo.git?private_token={SECRET}")
    check(snapshot, work)
    assert snapshot.origin == f"https://localhost:{https}/demo.git"
    for path in take.workspace.rglob("*"):
        if path.is_file():
            assert b"s3cr3t" not in path.read_bytes()


def test_https_uses_the_persons_own_credential_helper(https: int, work: Work, take: Taker, home: Path) -> None:
    with (home / ".gitconfig").open("a") as file:
        file.write(f'[credential]\n\thelper = "!f() {{ echo username=me; echo password={SECRET}; }}; f"\n')
    check(take(f"https://localhost:{https}/demo.git"), work)


@pytest.mark.parametrize("who", ["", "me:wrong-s3cr3t@", "s3cr3t@"])
def test_refused_credentials_end_in_a_sentence_without_them(https: int, take: Taker, who: str) -> None:
    with pytest.raises(BadInput, match="refused the credentials") as caught:
        take(f"https://{who}localhost:{https}/demo.git")
    assert "s3cr3t" not in str(caught.value)
    assert "credential helper" in caught.value.remedy


def test_unreachable_hosts_end_in_a_sentence_without_credentials(take: Taker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    for address in (f"https://me:s3cr3t@127.0.0.1:{port}/x.git", f"git://me:s3cr3t@127.0.0.1:{port}/x.git"):
        with pytest.raises(BadInput, match="does not answer") as caught:
            take(address)
        assert "s3cr3t" not in str(caught.value)


def test_an_address_that_is_rewritten_to_a_program_is_refused(take: Taker, home: Path, tmp_path: Path) -> None:
    (home / ".gitconfig").write_text(
        f'[url "ext::sh -c touch% {tmp_path}/ran% "]\n\tinsteadOf = https://short/\n[protocol "ext"]\n\tallow = always\n'
    )
    with pytest.raises(BadInput, match="transport that is not allowed"):
        take("https://short/x")
    assert not (tmp_path / "ran").exists()


def test_bare_folders_and_file_addresses(served: Path, work: Work, take: Taker) -> None:
    check(take(served), work)
    check(take(f"file://{served}"), work)


def test_what_an_address_is(tmp_path: Path) -> None:
    assert classify("git@example.org:group/name.git") == Remote(
        "git@example.org:group/name.git", "name", host="example.org"
    )
    assert classify("  https://example.org/a/b.git/ ") == Remote(
        "https://example.org/a/b.git/", "b", host="example.org"
    )
    assert classify("https://user:pa%40ss@[::1]:8443/a/b").address == "https://[::1]:8443/a/b"  # type: ignore[union-attr]
    assert classify("ssh://git@example.org:2222/a/b.git").address == "ssh://git@example.org:2222/a/b.git"  # type: ignore[union-attr]
    assert "pass" not in repr(classify("https://user:pass@example.org/a"))
    colon = tmp_path / "host:folder"
    colon.mkdir()
    assert classify(str(colon)) == LocalFolder(colon)
    assert classify(f"file://{tmp_path}/host%3Afolder") == LocalFolder(colon, committed=True)
