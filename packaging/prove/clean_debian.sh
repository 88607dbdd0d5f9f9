#!/usr/bin/env bash
# Prove that `make run` and `make test` do all of their set-up: in a bare Debian 12 that holds Python, make and git only.
#
# usage: packaging/prove/clean_debian.sh [--keep] [TARGET...]      (as root; default targets: run run test)
#
# A root file system made by mmdebstrap, a clone of this repository's HEAD in it, process, mount and network namespaces of
# its own (so its Docker Engine meets nothing of this machine's), a plain chroot, and each target timed. From this machine it
# gets, while the proof runs, what any machine would bring along: apt sources, pip settings, certificates, name servers.
# PYTEST narrows the tests, as in `make test`. QVERIFY_PROVE_DIR is where the root goes (default /var/tmp; about 9 GB). The result is docs/measurements/clean-debian.md.
set -euo pipefail

project=$(cd "$(dirname "$0")/../.." && pwd)
. "$project/packaging/setup/progress.sh"
keep=
if [ "${1:-}" = --keep ]; then keep=yes; shift; fi
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(run run test)
[ "$(id -u)" -eq 0 ] || missing "This proof makes a chroot. Type: sudo packaging/prove/clean_debian.sh"
for tool in mmdebstrap unshare nsenter ip iptables git; do
    command -v "$tool" >/dev/null || missing "$tool is missing. Type: apt-get install -y mmdebstrap util-linux iproute2 iptables git"
done

work=$(mktemp -d "${QVERIFY_PROVE_DIR:-/var/tmp}/qverify-clean.XXXXXX")
root=$work/root
log=$project/build/clean-debian.log
mkdir -p "$project/build" "$project/docs/measurements"
network=qvclean$$
outside=qvc${$}o
inside=qvc${$}i
subnet=10.213.77

forward=()
cleanup() {
    ip netns delete "$network" 2>/dev/null || true
    ip link delete "$outside" 2>/dev/null || true
    iptables -w -t nat -D POSTROUTING -s "$subnet.0/30" -j MASQUERADE 2>/dev/null || true
    iptables -w -D FORWARD -i "$outside" -j ACCEPT 2>/dev/null || true
    iptables -w -D FORWARD -o "$outside" -j ACCEPT 2>/dev/null || true
    [ ${#forward[@]} -eq 0 ] || sysctl -qw "${forward[@]}" || true
    if [ -n "$keep" ]; then
        echo "Kept: $root"
    elif ! grep -q " $root" /proc/mounts; then
        rm -rf --one-file-system "$work"
    fi
}
trap cleanup EXIT

make_root() {
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '!/security/ && !found++')
    [ -n "$mirror" ] || missing "This machine's apt has no Debian mirror configured (/etc/apt/sources.list)."
    apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until|Check-Date)' >"$work/apt.conf" || true
    mmdebstrap --quiet --variant=minbase --include=python3,make,git,ca-certificates --aptopt="$work/apt.conf" \
        bookworm "$root" "deb $mirror bookworm main" "deb $mirror bookworm-updates main" >"$work/root.log" 2>&1 \
        || { tail -n 15 "$work/root.log" >&2; exit 1; }
}

# What a person's machine brings along: certificates, name servers, settings of the package clients.
hand_over() {
    local file
    for file in /etc/pip.conf "$HOME/.config/pip/pip.conf" "$HOME/.pip/pip.conf" "$HOME/.npmrc" /usr/etc/npmrc /etc/npmrc /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
        if [ -f "$file" ]; then
            mkdir -p "$root/$(dirname "${file/#$HOME//root}")"
            cp -L "$file" "$root/${file/#$HOME//root}"
        fi
    done
    env -0 | grep -zE '^(PIP_|NPM_CONFIG_|NODE_EXTRA_CA_CERTS|SSL_CERT_|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|[A-Za-z]+_(proxy|PROXY)=)' >"$root/root/environment" || true
}

make_network() {
    ip netns add "$network"
    ip link add "$outside" type veth peer name "$inside"
    ip link set "$inside" netns "$network"
    ip address add "$subnet.1/30" dev "$outside"
    ip link set "$outside" up
    ip -n "$network" address add "$subnet.2/30" dev "$inside"
    ip -n "$network" link set lo up
    ip -n "$network" link set "$inside" up
    ip -n "$network" route add default via "$subnet.1"
    if [ "$(sysctl -n net.ipv4.ip_forward)" = 0 ]; then
        forward=(net.ipv4.ip_forward=0)
        sysctl -qw net.ipv4.ip_forward=1
    fi
    iptables -w -t nat -A POSTROUTING -s "$subnet.0/30" -j MASQUERADE
    iptables -w -I FORWARD -i "$outside" -j ACCEPT
    iptables -w -I FORWARD -o "$outside" -j ACCEPT
}

# Runs inside the clone: the targets, one after the other, each with its seconds and exit status into a file.
cat >"$work/inside.sh" <<'INSIDE'
set -u
cd /root/project
: >/root/timings
for target in "$@"; do
    started=$(date +%s%N)
    status=0
    make "$target" </dev/null || status=$?
    printf '%s %d %d\n' "$target" $((($(date +%s%N) - started) / 1000000)) "$status" >>/root/timings
    [ "$status" -eq 0 ] || break
done
INSIDE

# The outer shell is process 1 of its namespace: when it ends, the kernel ends the Docker Engine in it as well.
cat >"$work/outside.sh" <<'OUTSIDE'
set -eu
root=$1
shift
mount --make-rprivate /
# The root folder becomes a mount point: what is mounted in the chroot later is then seen by its Docker Engine as well.
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
# Its root becomes this namespace's: in a mere chroot the kernel refuses user namespaces, which bubblewrap stands on.
cd "$root"
mkdir outside
pivot_root . outside
umount -l /outside
rmdir /outside
mapfile -d '' -t brought </root/environment
env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 PYTEST="${PYTEST:-}" \
    "${brought[@]}" \
    bash /root/inside.sh "$@"
OUTSIDE

say "Making a bare Debian 12 in $root."
make_root
hand_over
commit=$(git -C "$project" rev-parse HEAD)
git clone --quiet --no-hardlinks "file://$project" "$root/root/project"
git -C "$root/root/project" -c advice.detachedHead=false checkout --quiet "$commit"
cp "$work/inside.sh" "$root/root/inside.sh"
make_network
say "Running in it: ${targets[*]} (log: build/clean-debian.log)."
nsenter --net="/run/netns/$network" unshare --mount --pid --fork --kill-child \
    bash "$work/outside.sh" "$root" "${targets[@]}" 2>&1 | tee "$log" || true

failed=
{
    echo "# \`make run\` and \`make test\` in a clean Debian 12"
    echo
    echo "Made by \`make prove-clean\`: a chroot with Debian 12's minbase, python3, make, git and ca-certificates, a clone of"
    echo "commit \`$commit\`, no display, no model, an own Docker Engine."
    echo
    echo "Machine: $(nproc) cores, $(awk '/MemTotal/ { printf "%.0f", $2 / 1048576 }' /proc/meminfo) GB memory, Linux $(uname -r), $(uname -m). Date: $(date -u +%Y-%m-%d)."
    echo
    echo "| Target | Wall time | Exit status |"
    echo "|---|---|---|"
    while read -r target milliseconds status; do
        printf '| `make %s` | %d.%d s | %d |\n' "$target" $((milliseconds / 1000)) $((milliseconds % 1000 / 100)) "$status"
    done <"$root/root/timings"
    echo
    echo "Disk in use afterwards: $(du -xsh --apparent-size "$root" | cut -f 1). Last lines of the log:"
    echo
    tail -n 3 "$log" | cut -c 1-160 | sed 's/^/    /'
} >"$project/docs/measurements/clean-debian.md"
while read -r _ _ status; do [ "$status" -eq 0 ] || failed=yes; done <"$root/root/timings"
[ "$(wc -l <"$root/root/timings")" -eq ${#targets[@]} ] || failed=yes
cat "$project/docs/measurements/clean-debian.md"
[ -z "$failed" ]
