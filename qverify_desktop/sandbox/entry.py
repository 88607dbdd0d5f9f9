"""What runs inside the container around the command, and the protocol between it and the host.

The container's standard output carries nothing but ``READY`` followed by one tar archive (GNU format) of the folder
``QV_OUT``; the command's own standard output and error both go to the container's standard error, in their order. The
command has the same user as the entry, so it can disturb all of this: whatever arrives is read as hostile
(``artefacts.py``). ``READY`` is written before any code of the repository runs and can't be forged.
"""

from __future__ import annotations

from collections.abc import Mapping

WORK = "/work"
SOURCE = "/src"
OVERLAY = "/in"
DEPENDENCIES = "/deps"
HOME = "/tmp/home"  # noqa: S108
OUT = "/tmp/qv-out"  # noqa: S108

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


def environment(job_env: Mapping[str, str]) -> list[str]:
    """The container's whole environment beyond the image's own: the job's words and three fixed ones."""
    env = {"LANG": "C.UTF-8", **job_env, "HOME": HOME, "QV_OUT": OUT}
    return [f"{name}={value}" for name, value in env.items()]
