#!/usr/bin/env bash
# Make Debian's own Maven repository the image's offline one, and leave out what no run needs. Run by bases/debian_trixie.sh.
#
# usage: stand_in.sh ROOT
set -euo pipefail
root=$1

ln -s ../usr/share/maven-repo "$root/opt/m2"
# Of use to jlink only.
rm -rf "$root"/usr/lib/jvm/java-21-openjdk-*/jmods
ln -s "$(basename "$(echo "$root"/usr/lib/jvm/java-21-openjdk-*)")" "$root/usr/lib/jvm/java-21"
