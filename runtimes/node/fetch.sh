#!/usr/bin/env bash
# Put the image's npm packages into the build's context. Environment: BASE, DOCKER (set by image.sh).
#
# usage: fetch.sh CONTEXT
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../packaging/setup/progress.sh"
context=$1

say "Fetching the image's npm packages, each checked against its hash."
if ! bash "$here/../bases/npm_ci.sh" "$BASE" "$here" "$context" >"$context/npm.log" 2>&1; then
    tail -n 5 "$context/npm.log" >&2
    missing "The image's npm packages could not be fetched (see above): no network, or no npm registry that answers. Type: npm config list"
fi
