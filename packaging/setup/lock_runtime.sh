#!/usr/bin/env bash
# Renew a runtime's lock file: requirements.txt from requirements.in, package-lock.json from package.json.
#
# usage: packaging/setup/lock_runtime.sh [python|node|node-browser|java]      (the last three need npm on this machine)
#
# A package-lock.json holds names, versions and hashes, no address. requirements.txt holds names, versions and hashes only, and only of wheels that the image can use: CPython 3.12 (the recipe)
# and 3.13 (the stand-in base) on Linux x86_64 and aarch64. uv finds the versions, pip fetches and proves the hashes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh
runtime=runtimes/${1:-python}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -f "$runtime/package.json" ]; then
    command -v npm >/dev/null || missing "npm is missing. Type: apt-get install -y npm"
    cp "$runtime/package.json" "$work/"
    (cd "$work" && npm install --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved --no-audit --no-fund >/dev/null)
    # Where to give money is no part of a lock.
    python3 - "$work/package-lock.json" >"$runtime/package-lock.json" <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as file:
    lock = json.load(file)
for package in lock["packages"].values():
    for key in ("funding", "resolved"):
        package.pop(key, None)
print(json.dumps(lock, indent=2, ensure_ascii=False))
PYTHON
    exit 0
fi

.venv/bin/uv pip compile --quiet --universal --python-version 3.12 --generate-hashes --no-annotate --no-header \
    "$runtime/requirements.in" --output-file "$work/all.txt"
for version in 3.12 3.13; do
    for machine in x86_64 aarch64; do
        .venv/bin/python -m pip download --quiet --disable-pip-version-check --require-hashes --only-binary=:all: \
            --python-version "$version" --implementation cp \
            --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
            --dest "$work/wheels" -r "$work/all.txt"
    done
done

.venv/bin/python - "$work" >"$runtime/requirements.txt" <<'PYTHON'
import hashlib
import pathlib
import re
import sys

work = pathlib.Path(sys.argv[1])
fetched = {hashlib.sha256(wheel.read_bytes()).hexdigest() for wheel in (work / "wheels").iterdir()}
print("# Made by packaging/setup/lock_runtime.sh: wheels for CPython 3.12 and 3.13 on Linux x86_64 and aarch64.")
for entry in re.split(r"\n(?=\S)", (work / "all.txt").read_text().strip()):
    kept = sorted(set(re.findall(r"--hash=sha256:([0-9a-f]{64})", entry)) & fetched)
    if kept:
        name = entry.split("\\")[0].split(";")[0].strip()
        print(name, *(f"    --hash=sha256:{digest}" for digest in kept), sep=" \\\n")
PYTHON
