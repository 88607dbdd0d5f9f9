"""What runs inside the container around the command, and the protocol between it and the host.

A started container lays out the work folder and then waits on its standard input for one parcel (``parcel.py``): a line
with a length in bytes, so many bytes of tar, and a line feed. The parcel brings the generated files and the command, so a container can
be made and started before its job's turn has come. Where the engine is on another machine, the snapshot and the installed
packages come the same way before it.

The container's standard output carries nothing but ``READY`` followed by one tar archive (GNU format) of the folder
``QV_OUT``; the command's own standard output and error both go to the container's standard error, in their order. The
command has the same user as the entry, so it can disturb all of this: whatever arrives is read as hostile
(``artefacts.py``). ``READY`` is written before any code of the repository runs and can't be forged.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

WORK = "/work"
SOURCE = "/src"
DEPENDENCIES = "/deps"
HOME = "/tmp/home"  # noqa: S108
OUT = "/tmp/qv-out"  # noqa: S108
#: Where a job with network finds the certificate authorities that the host trusts.
CERTIFICATES = "/tmp/qverify-ca.pem"  # noqa: S108
#: Where the parcel holds the command: a script that sets the environment and the positional parameters.
COMMAND = "/tmp/qverify-command"  # noqa: S108

#: Read by pip and OpenSSL (Go reads it too), requests, curl, Node.js, cargo.
_NAMES_CERTIFICATES = (
    "PIP_CERT",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "CARGO_HTTP_CAINFO",
)

#: First bytes on the container's standard output once the work folder is laid out.
READY = b"qverify-ready\n"

#: Exit code of the entry where the snapshot could not be laid out (the command did not run).
NOT_LAID_OUT = 125
#: Exit code of the entry where its standard input ended before the parcel was whole: the connection broke off.
NOT_DELIVERED = 124

#: The snapshot is mounted at ``/src``, or comes over standard input.
MOUNTED = "mounted"
STREAMED = "streamed"

# A symlink of the repository where a folder of the parcel should be is replaced, and a file is removed before it is
# written, so that nothing is written through a link. Folders that the repository holds read-only would refuse a file:
# hence the second try. What the copying says is bounded: nobody reads it before the parcel is sent. A part that was cut off
# can look like one that can't be laid out; the byte after it tells them apart.
ENTRY = r"""
take() { read -r size && [ "$size" -gt 0 ] && /usr/bin/head -c "$size"; }
whole() { laid=$?; [ "$(/usr/bin/head -c 1 | /usr/bin/wc -c)" -eq 1 ] || exit 124; return "$laid"; }
unpack() { take | /bin/tar -C "$1" -xpf -; whole; }
lay() { /bin/tar -C / --no-overwrite-dir -xf /tmp/qverify-parcel; }
give_up() { /usr/bin/head -c 4096 /tmp/qverify-said >&2; exit 125; }
{
    if [ "$1" = streamed ]; then
        unpack /work && { [ ! -d /deps ] || unpack /deps; }
    elif [ -d /src ]; then
        /bin/cp -dR --preserve=mode,timestamps /src/. /work/
    fi
} >/tmp/qverify-said 2>&1 || give_up
{
    { take >/tmp/qverify-parcel; whole; } && { lay 2>/dev/null || { /bin/chmod -R u+rwX /work; lay; }; } \
        && /bin/mkdir -p "$HOME" "$QV_OUT" && cd /work && . /tmp/qverify-command
} >/tmp/qverify-said 2>&1 || give_up
/bin/rm -f /tmp/qverify-parcel /tmp/qverify-command /tmp/qverify-said
unset OLDPWD size laid
echo qverify-ready
"$@" </dev/null >&2
code=$?
/bin/tar -C "$QV_OUT" --format=gnu --sort=name --hard-dereference --numeric-owner -cf - . </dev/null 2>/dev/null
exit "$code"
"""


def entrypoint(how: str) -> list[str]:
    """The container's whole command line; ``how`` is ``MOUNTED`` or ``STREAMED``."""
    return ["/bin/sh", "-c", ENTRY, "qverify", how]


def environment() -> dict[str, str]:
    """The container's environment beyond the image's own."""
    return {"LANG": "C.UTF-8", "HOME": HOME, "QV_OUT": OUT}


def command_environment(job_env: Mapping[str, str], *, certificates: bool = False) -> dict[str, str]:
    """What the command has beyond it: the job's words, and where ``certificates`` says so the path of the certificate
    authorities. Home and artefact folder are not the job's to choose."""
    trusted = dict.fromkeys(_NAMES_CERTIFICATES, CERTIFICATES) if certificates else {}
    return {name: value for name, value in {**trusted, **job_env}.items() if name not in ("HOME", "QV_OUT")}


def host_certificates(host_env: Mapping[str, str]) -> Path | None:
    """The bundle of certificate authorities that the person's environment names, ``None`` where it names none.

    Behind a proxy or mirror with a certificate of its own, an install inside the container fails without it. It is public
    data, and only a job with network gets it.
    """
    for name in _NAMES_CERTIFICATES:
        path = Path(host_env.get(name) or "/nonexistent")
        if path.is_absolute() and path.is_file():
            return path.resolve()
    return None
