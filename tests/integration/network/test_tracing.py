"""The reader of traces finds every way to send, and refuses what it does not understand: otherwise the proofs would prove nothing."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.sandbox.owner import OWNER, Owner
from tests.integration.network.bridge import IMAGE, listening
from tests.integration.network.spaces import ELSEWHERE, alone
from tests.integration.network.tracing import NotUnderstood, Reached, reached, traced, wrapper

WAYS = {
    "connect": "s = socket.socket(); s.settimeout(2); s.connect_ex((HOST, 9))",
    "connected datagrams": "s = socket.socket(type=socket.SOCK_DGRAM); s.connect((HOST, 9)); s.send(b'x')",
    "sendto": "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (HOST, 9))",
    "sendmsg": "socket.socket(type=socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, (HOST, 9))",
    "fast open": "s = socket.socket(); s.settimeout(2)\ntry: s.sendto(b'x', socket.MSG_FASTOPEN, (HOST, 9))\nexcept OSError: pass",
    "mapped": "s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); s.sendto(b'x', ('::ffff:' + HOST, 9))",
    "threads": "import threading\nt = threading.Thread(target=lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', (HOST, 9)))\nt.start(); t.join()",
    "a child of a child": "import subprocess, sys\nsubprocess.run(['sh', '-c', sys.executable + ' -c \"import socket; "
    "socket.socket(type=socket.SOCK_DGRAM).sendto(bytes(1), (\\'' + HOST + '\\', 9))\" & wait'])",
    "native code": "import ctypes, struct\nc = ctypes.CDLL(None)\nf = c.socket(2, 2, 0)\n"
    "a = struct.pack('=HH4s8x', 2, socket.htons(9), socket.inet_aton(HOST))\nc.sendto(f, b'x', 1, 0, a, 16)",
    "a name server": "socket.setdefaulttimeout(1)\ntry: socket.getaddrinfo('nowhere.example', 80)\nexcept OSError: pass",
}


@pytest.mark.parametrize("way", WAYS)
def test_what_goes_elsewhere_is_seen(way: str, tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    code = f"import socket\nHOST = {ELSEWHERE!r}\n{WAYS[way]}\n"
    environment = os.environ | {"RES_OPTIONS": "timeout:1 attempts:1"}
    line = alone(traced([sys.executable, "-c", code], trace), ELSEWHERE)
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
    found = [one for one in reached(trace.read_text().splitlines()) if not one.loopback]
    if way == "a name server":
        servers = [
            line.split()[1]
            for line in Path("/etc/resolv.conf").read_text().splitlines()
            if line.startswith("nameserver")
        ]
        elsewhere = [one for one in servers if not one.startswith("127.")]
        assert {one.host for one in found} >= set(elsewhere[:1])
        return
    assert {one.host.removeprefix("::ffff:") for one in found} == {ELSEWHERE}
    assert {one.port for one in found} == {9}


def test_a_wrapped_interpreter_keeps_its_number_and_is_seen(tmp_path: Path) -> None:
    program = wrapper(sys.executable, tmp_path / "trace", tmp_path / "python")
    code = f"import os, socket; print(os.getpid()); socket.socket(type=socket.SOCK_DGRAM).connect(({ELSEWHERE!r}, 9))"
    with subprocess.Popen(alone([str(program), "-c", code], ELSEWHERE), stdout=subprocess.PIPE, text=True) as started:
        said, _ = started.communicate(timeout=60)
    assert int(said) == started.pid
    assert [one.host for one in reached((tmp_path / "trace").read_text().splitlines())] == [ELSEWHERE]


def test_local_sockets_and_the_kernel_are_no_address(tmp_path: Path) -> None:
    code = (
        "import socket\na = socket.socket(socket.AF_UNIX); a.bind('\\0x\\\"{sa_family=AF_INET'); a.listen()\n"
        "socket.socket(socket.AF_UNIX).connect('\\0x\\\"{sa_family=AF_INET')\n"
        "p = socket.socketpair(); p[0].sendmsg([b'x'])\nsocket.getaddrinfo('localhost', 1)\n"
    )
    done = subprocess.run(traced([sys.executable, "-c", code], tmp_path / "trace"), timeout=60)
    assert done.returncode == 0
    assert [one for one in reached((tmp_path / "trace").read_text().splitlines()) if not one.loopback] == []


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "1 write(3, ...)",
        "1 connect(3, 0x7ffd, 16) = 0",
        "1 connect(3, {sa_family=AF_VSOCK, svm_cid=0x2, svm_port=0x9}, 16) = 0",
        '1 sendto(3, ""..., 1, 0, {sa_family=AF_PACKET, sll_protocol=htons(ETH_P_ALL)}, 20) = 1',
        "1 sendmsg(3, {msg_name={sa_family=0x2a, sa_data=\"x\"}, msg_namelen=16}, 0) = 1",
        "1 io_uring_setup(8, {flags=0}) = 3",
        '1 connect(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("1.2.3.4")',
    ],
)  # fmt: skip
def test_what_is_not_understood_is_an_error(line: str) -> None:
    with pytest.raises(NotUnderstood):
        reached([line])


def test_a_call_that_another_one_cut_in_two_is_read() -> None:
    lines = (
        '7<a b> connect(3, {sa_family=AF_INET6, sin6_port=htons(443), sin6_flowinfo=htonl(0), inet_pton(AF_INET6, "2001:db8::1", '
        "&sin6_addr), sin6_scope_id=0}, 28 <unfinished ...>",
        "7<a b> <... connect resumed>) = -1 EINPROGRESS (Operation now in progress)",
        "7<a b> +++ exited with 0 +++",
    )
    assert reached(lines) == [Reached("2001:db8::1", 443, "a b", "connect")]


@pytest.mark.docker
def test_what_a_container_sends_over_the_bridge_is_seen(tmp_path: Path) -> None:
    code = (
        "import socket, time\ntime.sleep(1)\n"
        "try: socket.getaddrinfo('nowhere.example', 80)\nexcept OSError: pass\n"
        f"socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ({ELSEWHERE!r}, 9))\n"
    )
    ours = f"--label={OWNER}={Owner.of(tmp_path).id}"
    line = ["docker", "run", "--rm", "--network=bridge", "--dns-opt=timeout:1", ours, IMAGE, "python3", "-c", code]
    with listening(tmp_path) as bridge:
        subprocess.run(line, check=True, timeout=300)
    assert (ELSEWHERE, 9) in bridge.sent
    assert "nowhere.example" in {name.removesuffix(".") for name in bridge.names}


def test_the_machine_elsewhere_is_no_loopback_address() -> None:
    assert not Reached(ELSEWHERE, 1, "", "connect").loopback
    assert Reached("::ffff:127.0.0.1", 1, "", "connect").loopback
    assert socket.inet_aton(ELSEWHERE)
