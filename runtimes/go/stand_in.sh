#!/usr/bin/env bash
# Put Go where the official image has it (/usr/local/go). Run by bases/debian_trixie.sh.
#
# usage: stand_in.sh ROOT
set -euo pipefail
root=$1

# Debian keeps sources and programs of one release apart and joins them by links.
goroot=$(echo "$root"/usr/lib/go-1.*)
mkdir -p "$root/usr/local/go"
find "$goroot" -type l -delete
cp -R "$goroot"/. "$root/usr/local/go/"
cp -R "$root/usr/share/${goroot##*/}"/. "$root/usr/local/go/"
rm -rf "$goroot" "$root/usr/share/${goroot##*/}"
# No run reads these: Go's own tests and the list of its old interfaces.
rm -rf "$root"/usr/local/go/{api,doc,misc,test}
find "$root/usr/local/go/src" \( -name testdata -prune -o -name '*_test.go' \) -exec rm -rf {} +
