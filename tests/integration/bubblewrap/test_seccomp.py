"""The filter of system calls, run for real: each refused call is made inside a sandbox and its answer read."""

import errno
import json
import platform
import re
import struct
from pathlib import Path

import pytest

from qverify_desktop.sandbox.seccomp import ABSENT, DENIED, program
from qverify_desktop.sandbox.syscalls import ARCHITECTURES, LAST_KNOWN
from tests.integration.bubblewrap.conftest import Run

pytestmark = pytest.mark.docker

NUMBERS = ARCHITECTURES[platform.machine()].numbers

CALLS = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *words):
    ctypes.set_errno(0)
    answer = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(word) for word in words))
    return errno.errorcode[ctypes.get_errno()] if answer == -1 else "made"
"""


async def test_every_denied_call_is_refused_whatever_its_arguments(python: Run) -> None:
    wanted = {name: NUMBERS[name] for name in DENIED if name in NUMBERS}
    code = (
        CALLS + f"print(json.dumps({{name: call(number, 0, 0, 0, 0, 0, 0) for name, number in {wanted!r}.items()}}))"
    )
    answers = json.loads((await python(code)).output)
    assert set(answers) == set(wanted) and len(answers) > 60
    assert {name: answer for name, answer in answers.items() if answer != "EPERM"} == {}


async def test_what_looks_into_arguments(python: Run) -> None:
    numbers = {name: NUMBERS[name] for name in ("clone", "clone3", "socket", "socketpair", "personality", "ioctl")}
    code = (
        CALLS
        + f"n = {numbers!r}\nnext_number = {LAST_KNOWN + 1}"
        + """
answers = {}
for name, flag in dict(mnt=0x20000, cgroup=0x2000000, uts=0x4000000, ipc=0x8000000, user=0x10000000, pid=0x20000000,
                       net=0x40000000).items():
    answers[name] = call(n["clone"], flag | 17, 0, 0, 0, 0)
# The kernel takes the low 32 bits of a number of 64; those above don't hide a flag.
answers["high"] = call(n["clone"], 0x7F00000010000011, 0, 0, 0, 0)
answers["clone3"] = call(n["clone3"], 0, 0)
for family in (1, 2, 10, 16, 17, 38, 40):
    answers[f"family{family}"] = call(n["socket"], family, 2 if family != 16 else 3, 0)
answers["personality"] = call(n["personality"], 0xFFFFFFFF)
answers["no_randomize"] = call(n["personality"], 0x40000)
answers["tiocsti"] = call(n["ioctl"], 0, 0x5412, 0)
answers["tiocsti_high"] = call(n["ioctl"], 0, 0x100005412, 0)
answers["tioclinux"] = call(n["ioctl"], 0, 0x541C, 0)
answers["tcgets"] = call(n["ioctl"], 0, 0x5401, 0)
answers["future"] = call(next_number, 0)
answers["fork"] = os.waitpid(os.fork() or os._exit(3), 0)[1] >> 8
print(json.dumps(answers))
"""
    )
    answers = json.loads((await python(code)).output)
    for name in ("mnt", "cgroup", "uts", "ipc", "user", "pid", "net", "high"):
        assert answers.pop(name) == "EPERM", name
    for family in (1, 2, 10):
        assert answers.pop(f"family{family}") == "made"
    for family in (16, 17, 38, 40):
        assert answers.pop(f"family{family}") == "EAFNOSUPPORT"
    assert answers == {
        "clone3": "ENOSYS", "personality": "made", "no_randomize": "EPERM", "tiocsti": "EPERM", "tiocsti_high": "EPERM",
        "tioclinux": "EPERM", "tcgets": "ENOTTY", "future": "ENOSYS", "fork": 3,
    }  # fmt: skip


@pytest.mark.skipif(platform.machine() != "x86_64", reason="machine code of x86_64")
async def test_other_abis_are_closed(python: Run) -> None:
    code = (
        CALLS
        + """
import mmap
print(call(0x40000000 + 39), call(0x40000000 + 165, 0, 0, 0, 0, 0), flush=True)
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(bytes.fromhex("b814000000cd80c3"))  # mov eax, 20; int 0x80; ret: getpid of the 32-bit table
if os.fork() == 0:
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    os._exit(0)
print(os.wait()[1] & 127)
"""
    )
    result = await python(code)
    assert result.output.splitlines() == ["EPERM EPERM", "31"]


async def test_capabilities_user_and_filter_as_the_kernel_shows_them(python: Run) -> None:
    code = """
import json
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
first = dict(line.split(":", 1) for line in open("/proc/1/status").read().splitlines())
print(json.dumps([{name: of[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb", "NoNewPrivs",
                                                       "Seccomp", "Uid", "Gid")} for of in (status, first)]))
"""
    for facts in json.loads((await python(code)).output):
        assert {facts[name] for name in ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")} == {"0" * 16}
        assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
        assert facts["Uid"].split() == facts["Gid"].split() == ["10001"] * 4


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> str:
    """What the filter of ``machine`` answers: its program run here, instruction by instruction (classic BPF)."""
    words = (number, ARCHITECTURES[machine].audit if audit is None else audit)
    data = struct.pack("=iIQ6Q" if number < 0x80000000 else "=IIQ6Q", *words, 0, *(*arguments, *[0] * 6)[:6])
    code = list(struct.iter_unpack("=HBBI", program(ARCHITECTURES[machine])))
    place, loaded = 0, 0
    while True:
        operation, true, false, value = code[place]
        place += 1
        if operation == 0x20:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif operation == 0x06:
            kind, number = value & 0xFFFF0000, value & 0xFFFF
            return {0x7FFF0000: "allow", 0x80000000: "kill"}.get(kind, errno.errorcode.get(number, "?"))
        else:
            holds = {0x15: loaded == value, 0x25: loaded > value, 0x45: bool(loaded & value)}[operation]
            place += true if holds else false


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
def test_the_program_of_each_architecture_says_the_same(machine: str) -> None:
    """Also that of the processor that this machine does not have."""
    numbers = ARCHITECTURES[machine].numbers
    for name, number in numbers.items():
        if name in DENIED:
            assert verdict(machine, number) == "EPERM", name
    special = {"clone", "clone3", "personality", "socket", "socketpair", "ioctl"}
    for number in set(range(LAST_KNOWN + 1)) - set(numbers.values()):
        assert verdict(machine, number) == "allow", number
    assert special <= set(numbers)
    assert verdict(machine, LAST_KNOWN + 1) == verdict(machine, numbers["clone3"]) == "ENOSYS"
    assert verdict(machine, 1, audit=0x40000003) == verdict(machine, 1, audit=0x40000028) == "kill"
    assert verdict(machine, 0x40000001) == ("EPERM" if machine == "x86_64" else "ENOSYS")
    assert verdict(machine, numbers["clone"], 0x10000011) == verdict(machine, numbers["clone"], 0x20000) == "EPERM"
    assert verdict(machine, numbers["clone"], 0x003D0F00) == verdict(machine, numbers["clone"], 17) == "allow"
    assert [verdict(machine, numbers["socket"], family) for family in (0, 1, 2, 10, 16)] == [
        "EAFNOSUPPORT", "allow", "allow", "allow", "EAFNOSUPPORT"
    ]  # fmt: skip
    assert [verdict(machine, numbers["personality"], what) for what in (0, 8, 0xFFFFFFFF, 0x40000)] == [
        "allow", "allow", "allow", "EPERM"
    ]  # fmt: skip
    assert [verdict(machine, numbers["ioctl"], 0, what) for what in (0x5401, 0x5412, 0x541C)] == [
        "allow", "EPERM", "EPERM"
    ]  # fmt: skip


def test_the_numbers_are_those_of_this_machines_kernel_headers() -> None:
    """Debian's linux-libc-dev; one header for this processor, the generic one for aarch64."""
    headers = {
        "x86_64": Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        "aarch64": Path("/usr/include/asm-generic/unistd.h"),
    }
    compared = 0
    for machine, header in headers.items():
        if not header.is_file():
            continue
        defined = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text())
        known = {name: int(number) for name, number in defined}
        for name, number in ARCHITECTURES[machine].numbers.items():
            if name in known:
                assert number == known[name], f"{machine} {name}"
                compared += 1
            else:
                assert number > max(known.values()), f"{machine} {name} is in no table"
    if compared == 0:
        pytest.skip("no kernel headers on this machine")
    assert compared > 60


def test_every_name_of_the_filter_is_in_a_table() -> None:
    known = {name for architecture in ARCHITECTURES.values() for name in architecture.numbers}
    assert set(DENIED) | set(ABSENT) <= known
    assert known - set(DENIED) - set(ABSENT) == {"clone", "personality", "socket", "socketpair", "ioctl"}
