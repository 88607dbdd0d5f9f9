"""Ways out of a sandbox that has no network, and ways to the engine that runs it."""

import pytest

from tests.integration.hostile.conftest import Facts

pytestmark = pytest.mark.docker

#: Seconds in which every attempt together must fail: nothing waits for an answer that can't come.
AT_ONCE_S = 2


async def test_there_is_no_network_but_the_loopback(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Attack: talk to anybody. Limit: ``NetworkMode`` none: the network namespace holds ``lo`` and no route (ENETUNREACH).

    192.0.2.1 and 2001:db8::1 are documentation addresses (RFC 5737, RFC 3849), 169.254.169.254 is where clouds hand out keys.
    """
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.1:3128")
    found = await facts(
        """
import os, socket, time
from probe import attempt, hand_back

def tcp(family, host):
    return lambda: socket.socket(family, socket.SOCK_STREAM).connect((host, 80))

def udp(family, host):
    return lambda: socket.socket(family, socket.SOCK_DGRAM).sendto(b"x", (host, 53))

begun = time.monotonic()
refused = {
    "TCP": attempt(tcp(socket.AF_INET, "192.0.2.1")),
    "TCP to the cloud's metadata": attempt(tcp(socket.AF_INET, "169.254.169.254")),
    "TCP to the engine's bridge": attempt(tcp(socket.AF_INET, "172.17.0.1")),
    "UDP": attempt(udp(socket.AF_INET, "192.0.2.1")),
    "UDP broadcast": attempt(udp(socket.AF_INET, "255.255.255.255")),
    "UDP multicast": attempt(udp(socket.AF_INET, "224.0.0.251")),
    "TCP over IPv6": attempt(tcp(socket.AF_INET6, "2001:db8::1")),
    "UDP over IPv6": attempt(udp(socket.AF_INET6, "2001:db8::1")),
    "ping": attempt(lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(b"\\x08" + bytes(7), ("192.0.2.1", 0))),
}
hand_back({
    "refused": refused,
    "seconds": time.monotonic() - begun,
    "interfaces": os.listdir("/sys/class/net"),
    "by index": [name for _, name in socket.if_nameindex()],
    "routes": open("/proc/net/route").read().splitlines()[1:],
    "proxies": [name for name in os.environ if "proxy" in name.lower()],
})
"""
    )
    refused = found["refused"]
    # Broadcasts and pings are refused for want of a permission or of a route; which of them depends on the kernel.
    assert refused.pop("UDP broadcast") in ("EACCES", "ENETUNREACH")
    assert refused.pop("ping") in ("EACCES", "EPERM", "ENETUNREACH")
    # EADDRNOTAVAIL: IPv6 is switched off on the loopback.
    assert {refused.pop("TCP over IPv6"), refused.pop("UDP over IPv6")} <= {"ENETUNREACH", "EADDRNOTAVAIL"}
    assert refused == dict.fromkeys(refused, "ENETUNREACH")
    assert found["seconds"] < AT_ONCE_S
    assert (found["interfaces"], found["by index"], found["routes"], found["proxies"]) == (["lo"], ["lo"], [], [])


async def test_names_are_not_looked_up_and_the_host_s_name_servers_do_not_show(facts: Facts) -> None:
    """Attack: let a lookup carry data out, or learn the network from ``resolv.conf``. Limit: no network, and ``Dns`` names
    nobody (EAI_AGAIN at once)."""
    found = await facts(
        """
import socket, time
from probe import hand_back
begun = time.monotonic()
answers = {}
for name in ("example.invalid", "secret.example.com", "host.docker.internal", "gateway.docker.internal"):
    try:
        answers[name] = str(socket.getaddrinfo(name, 80))
    except socket.gaierror as error:
        answers[name] = {getattr(socket, word): word for word in ("EAI_AGAIN", "EAI_NONAME", "EAI_FAIL")}[error.errno]
hand_back({"answers": answers, "seconds": time.monotonic() - begun, "resolv": open("/etc/resolv.conf").read(),
           "hosts": [line.split()[0] for line in open("/etc/hosts") if line.strip() and line[0] != "#"]})
"""
    )
    assert found["answers"] == dict.fromkeys(found["answers"], "EAI_AGAIN")
    assert found["seconds"] < AT_ONCE_S
    named = [line for line in found["resolv"].splitlines() if line.strip() and line[0] not in "#;"]
    assert [line for line in named if line.split()[0] in ("nameserver", "search", "domain")] == [
        "nameserver 127.0.0.1"
    ]
    assert set(found["hosts"]) <= {"127.0.0.1", "::1", "fe00::0", "fe00::", "ff00::0", "ff00::", "ff02::1", "ff02::2"}


async def test_sockets_below_and_beside_the_network_are_refused(facts: Facts) -> None:
    """Attack: raw and packet sockets. Limit: no capability ``CAP_NET_RAW`` (EPERM)."""
    found = await facts(
        """
import socket
from probe import attempt, hand_back
def of(family, kind, protocol):
    return attempt(lambda: socket.socket(family, kind, protocol))
hand_back({
    "raw ICMP": of(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "raw IP": of(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW),
    "raw ICMPv6": of(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    "packets": of(socket.AF_PACKET, socket.SOCK_RAW, 3),
})
"""
    )
    assert found == dict.fromkeys(found, "EPERM")


async def test_sockets_that_no_network_namespace_holds_are_refused(facts: Facts) -> None:
    """Attack: ``AF_VSOCK`` talks to the hypervisor or its host from any namespace; ``AF_ALG`` opens the kernel's ciphers;
    ``io_uring`` opens sockets unseen by a filter. Limit: our own seccomp profile names the four families that may be (EPERM), also
    where the upper half of the number, which the kernel drops, is not zero.
    """
    found = await facts(
        """
from probe import hand_back, system_call
families = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16, "AF_VSOCK": 40, "AF_ALG": 38, "AF_BLUETOOTH": 31,
            "AF_KEY": 15, "AF_RDS": 21, "AF_TIPC": 30, "AF_XDP": 44, "AF_CAN": 29, "AF_QIPCRTR": 42, "AF_NFC": 39}
hand_back({
    "families": {name: system_call("socket", number, 2 if name in ("AF_NETLINK", "AF_RDS") else 1, 0)
                 for name, number in families.items()},
    "upper half": system_call("socket", 1 << 32 | 40, 1, 0),
    "io_uring": system_call("io_uring_setup", 1, bytes(120)),
})
"""
    )
    families = found["families"]
    assert {name for name, answer in families.items() if answer == "allowed"} == {
        "AF_UNIX",
        "AF_INET",
        "AF_INET6",
        "AF_NETLINK",
    }
    assert {answer for answer in families.values() if answer != "allowed"} == {"EPERM"}
    assert (found["upper half"], found["io_uring"]) == ("EPERM", "EPERM")


async def test_the_engine_is_out_of_reach(facts: Facts) -> None:
    """Attack: order the Docker Engine about. Limit: no mount carries its socket, no abstract socket is shared."""
    found = await facts(
        """
import os, socket
from probe import attempt, hand_back
paths = ["/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock"]
sockets = []
for folder, folders, files in os.walk("/"):
    if folder == "/proc":
        folders.clear()
        continue
    sockets += [folder + "/" + name for name in files if (os.lstat(folder + "/" + name).st_mode & 0o170000) == 0o140000]
hand_back({
    "connects": [attempt(lambda: socket.socket(socket.AF_UNIX).connect(path)) for path in paths],
    "sockets": sockets,
    "abstract": open("/proc/net/unix").read().splitlines()[1:],
    "names": [name for name in os.environ if "DOCKER" in name],
})
"""
    )
    assert found == {"connects": ["ENOENT"] * 4, "sockets": [], "abstract": [], "names": []}
