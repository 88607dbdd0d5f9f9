"""The air gap holds for whatever code opens a connection. In processes of their own, because a hook can't be taken back."""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import asyncio, os, socket, subprocess, sys, threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from qverify_desktop.settings.air_gap import AirGap, AirGapRefused

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("content-length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *a): pass

server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
port = server.server_address[1]
AirGap.set(True)
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.create_connection(('192.0.2.1', 80), 2)",
        "socket.create_connection(('2001:db8::1', 80), 2)",
        "socket.create_connection(('::ffff:192.0.2.1', 80), 2)",
        "socket.getaddrinfo('example.org', 443)",
        "socket.gethostbyname('example.org')",
        "socket.gethostbyaddr('192.0.2.1')",
        "socket.socket().connect(('192.0.2.1', 80))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket().connect_ex(('192.0.2.1', 80))",
        "__import__('urllib.request').request.urlopen('http://192.0.2.1/', timeout=2)",
        "__import__('httpx').get('https://example.org/', timeout=2)",
        "asyncio.run(asyncio.open_connection('192.0.2.1', 80))",
        "socket.getnameinfo(('192.0.2.1', 80), 0)",
        "socket.gethostbyname_ex('example.org')",
        "socket.getfqdn('192.0.2.1') == '192.0.2.1' and socket.gethostbyaddr('192.0.2.1')",
        "socket.socket(type=socket.SOCK_DGRAM).connect(('192.0.2.1', 53))",
        "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('192.0.2.1', 53))",
        "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', 0, ('192.0.2.1', 53))",
        "socket.socket().sendto(b'x', socket.MSG_FASTOPEN, ('192.0.2.1', 80))",
        "socket.socket(socket.AF_INET6, socket.SOCK_DGRAM).sendto(b'x', ('2001:db8::1', 53, 0, 0))",
        "socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM).connect((2, 1024))",
        "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
        "socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)",
        "socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)",
        "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
        "subprocess.run(['git', 'ls-remote', 'https://192.0.2.1/x'])",
        "subprocess.run('git ls-remote https://192.0.2.1/x'.split(), env={'PATH': os.environ['PATH'], 'GIT_ALLOW_PROTOCOL': 'https:file'})",
        "subprocess.run(['ssh', '-F', 'none', '--', '192.0.2.1'])",
        "subprocess.run(['ssh', '--', 'localhost'])",
        "subprocess.run(['ssh', '-F', 'none', 'localhost'])",
        "os.posix_spawn('/usr/bin/ssh', ['ssh', '192.0.2.1'], os.environ)",
        "os.execv('/usr/bin/ssh', ['ssh', '192.0.2.1'])",
    ],
)
def test_nothing_leaves_by_any_library(attempt: str) -> None:
    said = run(f"""
try:
    {attempt}
except Exception as error:
    seen, chain = error, []
    while seen is not None:
        chain.append(str(seen)); seen = getattr(seen, "reason", None) or seen.__cause__ or seen.__context__
        if not isinstance(seen, BaseException): break
    print("refused" if any("air gap" in one for one in chain) else chain)
else:
    print("it went out")
""")
    assert said.strip() == "refused"


def test_this_machine_is_reached_and_local_sockets_are() -> None:
    said = run("""
import httpx, os, tempfile
print(httpx.get(f"http://127.0.0.1:{port}/").text)
print(httpx.get(f"http://localhost:{port}/").text)
path = os.path.join(tempfile.mkdtemp(), "s")
listening = socket.socket(socket.AF_UNIX); listening.bind(path); listening.listen()
socket.socket(socket.AF_UNIX).connect(path); print("unix")
async def there():
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    print("asyncio")
asyncio.run(there())
""")
    assert said.split() == ["ok", "ok", "unix", "asyncio"]


def test_what_is_allowed_is_let_through_and_the_switch_goes_off() -> None:
    said = run("""
AirGap.set(True, ("10.9.0.0/16", "192.0.2.7"))
print(AirGap.refuses("10.9.1.2"), AirGap.refuses("192.0.2.7"), AirGap.refuses("192.0.2.8"), AirGap.refuses("example.org"))
AirGap.set(False)
print(AirGap.refuses("192.0.2.8"))
try:
    socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 9)); print("sent")
except AirGapRefused:
    print("refused")
""")
    assert said.split("\n")[:3] == ["False False True True", "False", "sent"]


def test_git_over_files_and_ssh_to_an_allowed_address_are_started() -> None:
    said = run("""
AirGap.set(True, ("192.0.2.7",))
held = {**os.environ, "GIT_ALLOW_PROTOCOL": "file"}
print(subprocess.run(["git", "--version"], env=held, capture_output=True).returncode)
for host in ("127.0.0.1", "192.0.2.7"):
    # Where it is let through, ssh itself says that the port or the host does not answer; here it only says its usage.
    line = ["ssh", "-F", "none", "-o", "NoSuchOption=yes", "--", host]
    print(subprocess.run(line, capture_output=True).returncode)
pair = socket.socketpair(); pair[0].sendmsg([b"x"]); print(pair[1].recv(1).decode())
""")
    assert said.split() == ["0", "255", "255", "x"]


def test_a_network_that_is_none_is_refused() -> None:
    with pytest.raises(AssertionError, match="not appear to be"):
        run("AirGap.set(True, ('nonsense',))")
