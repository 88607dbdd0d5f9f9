"""What runs inside a bubblewrap sandbox around the command; what it hands back is what a container's entry hands back.

A sandbox is begun when its job is, so the snapshot and the generated files are mounted and nothing comes over standard input.
The first bytes, the archive and the exit codes are those of ``entry.py``, and so is the way in which they are read.
"""

from __future__ import annotations

from collections.abc import Mapping

from qverify_desktop.sandbox import entry

#: Where the generated files of a job are.
OVERLAY = "/in"

# A destination is removed first, so that an overlay neither fails on a read-only file nor is written through a
# symlink of the repository. Folders that the repository holds read-only would refuse an overlay: hence the retry.
ENTRY = r"""
copy() { /bin/cp -dR --preserve=mode,timestamps --remove-destination "$1/." /work/; }
{
    copy /src || exit 125
    if [ "$(/bin/ls -A /in)" ]; then copy /in 2>/dev/null || { /bin/chmod -R u+rwX /work; copy /in || exit 125; }; fi
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


def environment(image_env: Mapping[str, str], job_env: Mapping[str, str]) -> dict[str, str]:
    """The sandbox's whole environment: what the image sets, the job's words, and the fixed ones."""
    fixed = {"HOME": entry.HOME, "QV_OUT": entry.OUT, "HOSTNAME": "sandbox"}
    return {**image_env, "LANG": "C.UTF-8", **job_env, **fixed}
