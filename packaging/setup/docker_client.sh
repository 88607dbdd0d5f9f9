#!/usr/bin/env bash
# Print the path of a docker client that talks to a running engine; exit status 3 with a sentence when there is none.
#
# A machine may hold more than one client, and a newer engine refuses an older client: the first that gets an answer wins.
set -euo pipefail

found=
while read -r client; do
    found=$client
    if timeout 10 "$client" version --format '{{.Server.Version}}' >/dev/null 2>&1; then
        printf '%s\n' "$client"
        exit 0
    fi
done < <(type -ap docker | awk '!seen[$0]++')

if [ -z "$found" ]; then
    echo "Docker is not installed. Type: apt-get install -y --no-install-recommends docker.io iptables" >&2
else
    echo "No Docker Engine answers. Type: make setup (or: systemctl start docker)" >&2
fi
exit 3
