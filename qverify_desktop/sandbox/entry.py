"""What runs inside the container around the command, and the protocol between it and the host.

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
OVERLAY = "/in"
DEPENDENCIES = "/deps"
HOME = "/tmp/home"  # noqa: S108
OUT = "/tmp/qv-out"  # noqa: S108
#: Where a job with network finds the certificate authorities that the host trusts.
CERTIFICATES = "/qverify-ca.pem"

_NAMES_CERTIFICATES = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

#: First bytes on the container's standard output once the work folder is laid out.
READY = b"qverify-ready\n"

#: Exit code of the entry where the snapshot could not be laid out (the command did not run).
NOT_LAID_OUT = 125

# A destination is removed first, so that an overlay neither fails on a read-only file nor is written through a
# symlink of the repository. Folders that the repository holds read-only would refuse an overlay: hence the retry.
ENTRY = r"""
copy() { /bin/cp -dR --preserve=mode,timestamps --remove-destination "$1/." /work/; }
{
    if [ -d /src ]; then copy /src || exit 125; fi
    if [ -d /in ]; then copy /in 2>/dev/null || { /bin/chmod -R u+rwX /work; copy /in || exit 125; }; fi
    /bin/mkdir -p "$HOME" "$QV_OUT" && cd /work && unset OLDPWD || exit 125
} </dev/null >&2
echo qverify-ready
"$@" </dev/null >&2
code=$?
/bin/tar -C "$QV_OUT" --format=gnu --sort=name --hard-dereference --numeric-owner -cf - . </dev/null 2>/dev/null
exit "$code"
"""


def entrypoint() -> list[str]:
    """Fixed words before a job's own ``argv``."""
    return ["/bin/sh", "-c", ENTRY, "qverify"]


def environment(job_env: Mapping[str, str], *, certificates: bool = False) -> list[str]:
    """The container's whole environment beyond the image's own: the job's words, three fixed ones, and where
    ``certificates`` says so the path of the mounted certificate authorities."""
    trusted = dict.fromkeys(_NAMES_CERTIFICATES, CERTIFICATES) if certificates else {}
    env = {"LANG": "C.UTF-8", **trusted, **job_env, "HOME": HOME, "QV_OUT": OUT}
    return [f"{name}={value}" for name, value in env.items()]


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
