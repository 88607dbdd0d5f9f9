"""Install packages into a folder and hand it over as ``deps.tar``. Runs inside the sandbox: with network, or with none from
a folder of wheels at ``/deps``.

Only wheels, so that installing runs no code of a package. What another run had is tried first, each wheel by its digest. What can't
be had together is tried one by one, so that one package without a wheel does not cost the others. Asked by ``install.json``;
answers with the wheels that were taken, each with its digest.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile

HERE = __file__.rpartition("/")[0] or "."
PIP = [
    *(sys.executable, "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-cache-dir"),
    *("--progress-bar", "off", "--no-compile", "--only-binary=:all:"),
]
FROM_INDEX = ["--retries", "2", "--timeout", "20"]
FROM_FOLDER = ["--no-index", "--find-links", "/deps"]
#: Name, version and SHA-256 of each wheel. Nothing else of pip's report is told: an address may carry a password.
WHEELS = []


def main():
    with open(os.path.join(HERE, "install.json"), encoding="utf-8") as file:
        request = json.load(file)
    folder, out = os.path.join(HERE, "packages"), os.environ["QV_OUT"]
    constraints = os.path.join(HERE, "constraints.txt")
    wanted, failed, exact = request["requirements"], [], os.path.join(HERE, "exact.txt")
    origin = FROM_FOLDER if request["offline"] else FROM_INDEX
    pinned = [*origin, "--constraint", constraints] if os.path.exists(constraints) else []
    exactly = [*origin, "--no-deps", "--require-hashes", "--requirement", exact] if os.path.exists(exact) else []
    if not (
        (exactly and install(folder, exactly, []))
        or (pinned and install(folder, pinned, wanted))
        or install(folder, origin, wanted)
    ):
        failed = [
            one
            for one in wanted
            if not ((pinned and install(folder, pinned, [one])) or install(folder, origin, [one]))
        ]
    with open(os.path.join(out, "install.json"), "w", encoding="utf-8") as file:
        json.dump({"failed": failed, "wheels": WHEELS}, file)
    if len(failed) == len(wanted):
        sys.exit("None of the packages could be installed.")
    with tarfile.open(os.path.join(out, "deps.tar"), "w") as tar:
        for name in sorted(os.listdir(folder)):
            if name != "bin":
                tar.add(os.path.join(folder, name), arcname=name, filter=plain)


def install(folder, options, requirements):
    """Answers whether pip could; a folder that was there before is kept, and added to."""
    fresh = folder + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    report = os.path.join(HERE, "report.json")
    told = ["--report", report, "--target", fresh]
    done = subprocess.run([*PIP, *options, *told, "--", *requirements], stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        note_wheels(report)
        shutil.copytree(fresh, folder, dirs_exist_ok=True, symlinks=True)
    shutil.rmtree(fresh, ignore_errors=True)
    return done.returncode == 0


def note_wheels(report):
    """Take what pip installed into ``WHEELS`` (pip documentation, "Installation Report")."""
    with open(report, encoding="utf-8") as file:
        installed = json.load(file)["install"]
    for one in installed:
        digest = one["download_info"].get("archive_info", {}).get("hashes", {}).get("sha256", "")
        WHEELS.append([one["metadata"]["name"], one["metadata"]["version"], digest])


def plain(member):
    """The same archive for the same packages, whoever installs them whenever."""
    if not (member.isdir() or member.isreg()) or "__pycache__" in member.name:
        return None
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    return member


main()
