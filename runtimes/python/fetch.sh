#!/usr/bin/env bash
# Put the image's Python packages into the build's context. Environment: BASE, DOCKER, QVERIFY_PYTHON (set by image.sh).
#
# usage: fetch.sh CONTEXT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../packaging/setup/progress.sh"
context=$1

facts=$("$DOCKER" run --rm --network none --entrypoint python3 "$BASE" -c \
    'import platform; print(platform.machine(), *platform.python_version_tuple()[:2])')
read -r machine major minor <<<"$facts"
say "Fetching the image's Python packages, each checked against its hash."
if ! "$QVERIFY_PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --implementation cp --python-version "$major.$minor" \
    --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
    --dest "$context/wheels" --requirement "$here/requirements.txt" >"$context/pip.log" 2>&1; then
    tail -n 5 "$context/pip.log" >&2
    missing "The image's Python packages could not be fetched (see above): no network, or no pip. Type: $QVERIFY_PYTHON -m pip --version"
fi
cp "$here/requirements.txt" "$context/"
