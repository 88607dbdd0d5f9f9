"""What the containers of a state folder send over the engine's default bridge, packet by packet, and which names they look up."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import docker

from qverify_desktop.sandbox.owner import OWNER, Owner

#: Any image with Python; it listens on the engine's side of the bridge.
IMAGE = "qverify/python:latest"
#: Runs in the name space of the engine's machine and prints, for each packet, sender, receiver, the receiver's port, and for DNS
#: (RFC 1035, section 4.1) the name asked for or, in an answer, the addresses.
LISTENER = r"""
import os, signal, socket, struct
# The first process of a container has no default for signals.
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
s.bind(("docker0", 0))
print("listening", flush=True)

def name(d, at):
    labels, end, hops = [], 0, 0
    while d[at] and hops < 50:
        hops += 1
        if d[at] >= 192:
            end, at = end or at + 2, (d[at] & 63) << 8 | d[at + 1]
        else:
            labels.append(d[at + 1 : at + 1 + d[at]].decode("ascii", "replace"))
            at += 1 + d[at]
    return ".".join(labels), end or at + 1

while True:
    packet, (_, kind, *_) = s.recvfrom(65535)
    if kind == 0x0800 and len(packet) >= 24:
        head, protocol = (packet[0] & 15) * 4, packet[9]
        source, target = socket.inet_ntoa(packet[12:16]), socket.inet_ntoa(packet[16:20])
    elif kind == 0x86DD and len(packet) >= 44:
        head, protocol = 40, packet[6]
        source, target = (socket.inet_ntop(socket.AF_INET6, packet[at : at + 16]) for at in (8, 24))
    else:
        continue
    if protocol not in (6, 17):
        print(source, target, 0, "protocol-%d" % protocol, flush=True)
        continue
    sender, port = struct.unpack("!HH", packet[head : head + 4])
    words = []
    try:
        if protocol == 17 and 53 in (sender, port):
            d = packet[head + 8 :]
            asked, at = name(d, 12)
            words, at = [asked], at + 4
            for _ in range(struct.unpack("!H", d[6:8])[0]):
                _, at = name(d, at)
                what, _, _, size = struct.unpack("!HHIH", d[at : at + 10])
                at += 10
                if what in (1, 28):
                    words.append(socket.inet_ntop(socket.AF_INET if what == 1 else socket.AF_INET6, d[at : at + size]))
                at += size
    except (IndexError, ValueError, struct.error):
        words.append("unreadable")
    print(source, target, port, *words, flush=True)
"""


@dataclass
class Bridge:
    """Receiver and port of all packets that the folder's containers sent, the names they asked for, the addresses they were told."""

    sent: set[tuple[str, int]] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)


@contextlib.contextmanager
def listening(home: Path) -> Iterator[Bridge]:
    """What is found stands in the answer when the ``with`` has ended."""
    client, ours, ended = docker.APIClient(version="auto"), set[str](), threading.Event()
    label = f"{OWNER}={Owner.of(home).id}"

    def look() -> None:
        while not ended.wait(0.1):
            for one in client.containers(filters={"label": [label]}):
                networks = one["NetworkSettings"]["Networks"].values()
                ours.update(net[key] for net in networks for key in ("IPAddress", "GlobalIPv6Address") if net[key])

    line = ["docker", "run", "--rm", "--network=host", "--cap-drop=ALL", "--cap-add=NET_RAW", "--user=0", IMAGE]
    found = Bridge()
    with subprocess.Popen([*line, "python3", "-c", LISTENER], stdout=subprocess.PIPE, text=True) as listener:
        assert listener.stdout is not None and listener.stdout.readline() == "listening\n"
        lines: list[str] = []
        reading = threading.Thread(target=lambda: lines.extend(listener.stdout or ()))
        looking = threading.Thread(target=look)
        reading.start()
        looking.start()
        try:
            yield found
        finally:
            ended.set()
            looking.join()
            listener.terminate()
            reading.join()
            client.close()
    for words in (line.split() for line in lines):
        if words[0] in ours:
            found.sent.add((words[1], int(words[2])))
            found.names.update(words[3:4] if words[2] == "53" else ())
        elif words[1] in ours:
            found.told.update(words[4:])
