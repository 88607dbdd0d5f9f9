"""What a command hands back: things that are no files, names that mean elsewhere, forged archives, more than was asked for."""

import pytest

from qverify_desktop.domain.execution import GIB, MIB
from qverify_desktop.sandbox.artefacts import MAX_FILES
from tests.integration.conftest import Run

pytestmark = pytest.mark.docker

SIGKILLED = 128 + 9
#: Seconds that an overfull folder may hold a run beyond its time limit.
KILL_S = 15


@pytest.mark.parametrize(
    ("attack", "word"),
    [
        ("ln -s /etc/passwd $QV_OUT/x", "is a symbolic link"),
        ("ln -s / $QV_OUT/x", "is a symbolic link"),
        ("ln -s ../../../../etc $QV_OUT/x", "is a symbolic link"),
        ("mkfifo $QV_OUT/x", "is a FIFO"),
        ("printf 1 >\"$QV_OUT/$(printf 'x\\377')\"", "is not UTF-8"),
        (
            "cd $QV_OUT; for i in 1 2 3 4 5 6; do d=$(printf %0200d 0); mkdir $d; cd $d; done; echo >x",
            "has too long a name",
        ),
        ("python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"/tmp/qv-out/x\")'", ""),
    ],
)
async def test_what_is_no_regular_file_is_left_out(shell: Run, attack: str, word: str) -> None:
    """Attack: links, FIFOs and odd names among the artefacts. Limit: ``read_artefacts`` takes regular files with plain names
    and says what it left out; the good file beside them comes back. A socket never gets into an archive of tar's."""
    result = await shell(f"printf good >$QV_OUT/good; {attack}")
    assert result.execution.exit_code == 0
    assert result.artefacts == {"good": b"good"}
    assert word in result.problem and ("was left out" in result.problem or not word)
    assert "\n" not in result.problem


async def test_names_come_back_as_they_are_and_reach_nothing(python: Run) -> None:
    """Attack: names with line feeds, control characters, backslashes, a drive's letter, a leading dash or bidirectional marks.

    Limit: a name is only a key of a mapping, never a path that is opened; whoever shows or writes it guards that itself.
    """
    names = [
        "new\nline",
        "tab\there",
        "\x1b[31mred",
        "back\\..\\slash",
        "C:\\x",
        "-rf",
        "\u202egnp.exe",
        "~",
        "$(id)",
        "a b",
    ]
    code = f"""
import os
for name in {names!r}:
    open(os.environ["QV_OUT"] + "/" + name, "w").write("1")
"""
    result = await python(code)
    assert (result.artefacts, result.problem) == (dict.fromkeys(names, b"1"), "")


async def test_a_hard_link_reaches_no_file_of_another_user(shell: Run) -> None:
    """Attack: a hard link to a file of the image or of the repository. Limit: another file system (EXDEV). Links among the
    artefacts themselves come back as the same content."""
    result = await shell(
        "cd $QV_OUT; echo 1 >good; ln good second; for f in /etc/passwd /src/module.py; do ln $f stolen; done"
    )
    assert result.output.count("Invalid cross-device link") == 2
    assert (result.artefacts, result.problem) == ({"good": b"1\n", "second": b"1\n"}, "")


FORGER = """
import io, os, signal, tarfile
def member(name, kind=tarfile.REGTYPE, content=b"evil", **fields):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(FORMAT) + content + bytes(-len(content) % 512)
FORMAT = tarfile.GNU_FORMAT
END = bytes(1024)
forged = {forged}
with open("/proc/1/fd/1", "wb") as stdout:
    stdout.write(forged)
os.kill(os.getppid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(
    ("forged", "word"),
    [
        ('member("../../evil") + END', "unsafe name"),
        ('member("/etc/evil") + END', "unsafe name"),
        ('member("a/./b") + END', "unsafe name"),
        ('member("a//b") + END', "unsafe name"),
        ('member("x", tarfile.LNKTYPE, b"", linkname="/etc/passwd") + END', "a hard link"),
        ('member("x", tarfile.CHRTYPE, b"", devmajor=1, devminor=5) + END', "a device"),
        ('member("x", tarfile.BLKTYPE, b"", devmajor=8) + END', "a device"),
        ('member("x", tarfile.GNUTYPE_SPARSE) + END', "a sparse file"),
        ('member("x", tarfile.XHDTYPE, b"30 path=../../evil\\n") + member("x") + END', "a kind that is not read"),
        ('member("x" * 2000) + END', "too long a name"),
        ('member("x") + member("x") + END', "names a file twice"),
        ('member("x") + END + member("y") + END', "tampered with after its end"),
        ('member("x", content=b"1" * 5000)[:-2000]', "cut off"),
        ('member("x")[:600] + b"noise" * 500', "not readable"),
        ('b"".join(member(str(n), content=b"") for n in range(5000)) + END', "more than 4096 artefacts"),
    ],
)
async def test_a_forged_archive_is_refused(python: Run, forged: str, word: str) -> None:
    """Attack: the command has the entry's user, so it writes an archive of its own to the entry's output and kills the entry.

    Limit: ``read_artefacts``: the archive is read header by header and never unpacked; what is no regular file under a plain
    name is refused by its own words, and status 137 tells that the entry was killed.
    """
    result = await python(FORGER.replace("{forged}", forged))
    assert result.execution.exit_code == SIGKILLED, result.output
    assert word in result.problem
    assert all(name in ("x",) for name in result.artefacts)
    assert b"root:" not in b"".join(result.artefacts.values())


async def test_noise_before_the_archive_is_a_problem(shell: Run) -> None:
    """Attack: break the entry's own archive by writing before it. Limit: a checksum for every header; no file is taken."""
    result = await shell("echo 1 >$QV_OUT/a; echo noise >/proc/1/fd/1")
    assert result.artefacts == {}
    assert "not readable" in result.problem or "cut off" in result.problem


@pytest.mark.parametrize("target", ["/nowhere", "/", "/proc"])
async def test_a_folder_of_artefacts_that_leads_elsewhere_brings_nothing_of_the_host(shell: Run, target: str) -> None:
    """Attack: turn the folder of artefacts into a link. Limit: the entry's tar reads inside the container, as its user, under
    the time limit and the cap. It hands back nothing that the command could not have copied there itself."""
    result = await shell(
        f"rm -rf $QV_OUT; ln -s {target} $QV_OUT", artefact_bytes=1 * MIB, timeout_s=3, output_bytes=1000
    )
    assert target == "/proc" or result.artefacts == {}
    assert not any(name.startswith("/") or ".." in name.split("/") for name in result.artefacts)
    assert result.problem or target == "/nowhere"
    assert result.execution.duration_ms < 1000 * (3 + KILL_S)


async def test_too_many_bytes_discard_all(shell: Run) -> None:
    """Attack: a little more than the cap. Limit: ``artefact_bytes``, counted over all files; none is taken."""
    cap = 1 * MIB
    slightly = await shell(f"head -c {cap} /dev/zero >$QV_OUT/a; echo >$QV_OUT/b", artefact_bytes=cap)
    assert slightly.artefacts == {}
    assert slightly.problem == f"The artefacts hold more than {cap} bytes, so none was taken."


async def test_too_many_files_discard_all(shell: Run) -> None:
    """Attack: one file more than may be. Limit: ``MAX_FILES``; none is taken."""
    result = await shell(f"cd $QV_OUT; seq {MAX_FILES + 1} | xargs touch")
    assert (result.execution.exit_code, result.artefacts) == (0, {})
    assert result.problem == f"There are more than {MAX_FILES} artefacts, so none was taken."


async def test_a_hole_of_ten_gigabytes_takes_neither_memory_nor_time(shell: Run) -> None:
    """Attack: a sparse file, which takes nothing in the container and ten gigabytes on the way back. Limits: ``fsize`` refuses
    it (EFBIG, or SIGXFSZ kills); where a job may write such files, the cap discards it or the time limit ends it."""
    refused = await shell("truncate -s 10G $QV_OUT/hole; echo $?; ls -A $QV_OUT | wc -l")
    assert "File too large" in refused.output or "153" in refused.output
    assert all(content == b"" for content in refused.artefacts.values())
    cap = 1 * MIB
    small = await shell("truncate -s 100M $QV_OUT/hole", artefact_bytes=cap)
    assert (small.artefacts, small.problem) == ({}, f"The artefacts hold more than {cap} bytes, so none was taken.")
    line = "truncate -s 10G $QV_OUT/hole"
    allowed = await shell(line, artefact_bytes=cap, timeout_s=2, memory_bytes=128 * MIB, file_bytes=16 * GIB)
    assert allowed.artefacts == {}
    assert allowed.execution.timed_out or "more than" in allowed.problem
    assert allowed.execution.duration_ms < 1000 * (2 + KILL_S)
