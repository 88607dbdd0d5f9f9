#!/usr/bin/env bash
# Install the operating system's packages that are missing.
#
# usage: packaging/setup/packages.sh PACKAGE...
#
# As root through apt-get; for anyone else it prints the one line to type and stops with exit status 3. On a system
# without dpkg it says what is expected and goes on: later steps name what they miss.
set -euo pipefail
. "$(dirname "$0")/progress.sh"

if ! command -v dpkg-query >/dev/null; then
    say "Not a Debian system: expecting these, or their like, to be installed: $*"
    exit 0
fi
installed=$(dpkg-query --show --showformat '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null || true)
wanted=()
for package in "$@"; do
    grep -qx "installed $package" <<<"$installed" || wanted+=("$package")
done
if [ ${#wanted[@]} -eq 0 ]; then
    say "System packages are there."
    exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
    missing "System packages are missing. Type: sudo apt-get install -y --no-install-recommends ${wanted[*]}"
fi

log=$(mktemp)
policy=
trap 'rm -f "$log" $policy' EXIT
# Where no init runs (container, chroot), a package must not start its service: engine.sh starts what is needed.
if [ ! -d /run/systemd/system ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    policy=/usr/sbin/policy-rc.d
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod +x $policy
fi

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${wanted[@]}" >"$log" 2>&1 </dev/null
}
say "Installing ${#wanted[@]} system packages: ${wanted[*]}"
# Package lists may be missing or out of date: then one update, and once more.
if ! install; then
    say "Updating the package lists."
    apt-get update >"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2; missing "The package lists could not be fetched (see above). Type: apt-get update"; }
    if ! install; then
        tail -n 15 "$log" >&2
        missing "System packages could not be installed (see above). Type: apt-get install -y --no-install-recommends ${wanted[*]}"
    fi
fi
say "System packages are installed."
