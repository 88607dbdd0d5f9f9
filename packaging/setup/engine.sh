#!/usr/bin/env bash
# Have a Docker Engine that answers: the one there is, otherwise Debian's, started in the background.
#
# usage: packaging/setup/engine.sh
#
# An engine named by DOCKER_HOST is used as it is. QVERIFY_DOCKERD_ARGS are added to the command line of an engine that
# is started here; its log is /var/log/qverify-dockerd.log.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/progress.sh"
log=/var/log/qverify-dockerd.log
seconds=60

answers() { "$here/docker_client.sh" >/dev/null 2>&1; }

version() { "$("$here/docker_client.sh")" version --format '{{.Server.Version}}'; }

if answers; then
    say "Docker Engine $(version) answers."
    exit 0
fi
if [ -n "${DOCKER_HOST:-}" ] && [ -z "${QVERIFY_DOCKERD_ARGS:-}" ]; then
    missing "No Docker Engine answers at DOCKER_HOST. Type: unset DOCKER_HOST (or start the engine that it names)"
fi
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null && [ -z "${QVERIFY_DOCKERD_ARGS:-}" ]; then
    [ "$(id -u)" -eq 0 ] || missing "Docker does not run. Type: sudo systemctl start docker && sudo usermod -aG docker \$USER (then log in again)"
    say "Starting Docker with systemd."
    if systemctl start docker; then
        for _ in $(seq "$seconds"); do
            if answers; then say "Docker Engine $(version) answers."; exit 0; fi
            sleep 1
        done
    fi
    missing "Docker does not start. Type: journalctl -u docker -n 50"
fi
[ "$(id -u)" -eq 0 ] || missing "No Docker Engine answers. Type: sudo dockerd"
command -v dockerd >/dev/null || missing "dockerd is missing. Type: apt-get install -y --no-install-recommends docker.io iptables"

# In a bare chroot or container nobody has mounted what dockerd stands on.
prepare_mounts() {
    [ -d /sys/kernel ] || mount -t sysfs sysfs /sys
    if ! grep -qE ' /sys/fs/cgroup[ /]' /proc/self/mountinfo; then
        if ! grep -qE '^(memory|cpu|pids)\s+[1-9]' /proc/cgroups; then
            mount -t cgroup2 cgroup2 /sys/fs/cgroup
            return
        fi
        mount -t tmpfs -o mode=755 cgroup /sys/fs/cgroup
        local controllers name
        # Version 1: controllers with the same number share a hierarchy and can only be mounted together.
        while read -r controllers; do
            mkdir -p "/sys/fs/cgroup/$controllers"
            mount -t cgroup -o "$controllers" cgroup "/sys/fs/cgroup/$controllers" 2>/dev/null || rmdir "/sys/fs/cgroup/$controllers"
        done < <(awk '!/^#/ && $2 > 0 && $4 == 1 { of[$2] = of[$2] (of[$2] ? "," : "") $1 } END { for (n in of) print of[n] }' /proc/cgroups)
        # And hierarchies with a name only (systemd's): containerd misses the news of a container out of memory without.
        while read -r name; do
            mkdir -p "/sys/fs/cgroup/$name"
            mount -t cgroup -o "none,name=$name" cgroup "/sys/fs/cgroup/$name" 2>/dev/null || rmdir "/sys/fs/cgroup/$name"
        done < <(sed -n 's/^[0-9]*:name=\([A-Za-z0-9_-]*\):.*/\1/p' /proc/self/cgroup)
    fi
}

prepare_mounts

# In a chroot the root folder is no mount point, and then neither dockerd nor runc can change theirs. Such a dockerd gets
# a mount namespace in which it enters a bind mount of the same folder instead.
launch=()
if ! awk '$5 == "/" { found = 1 } END { exit !found }' /proc/self/mountinfo; then
    # This folder stays: removing it would take the mount away from under dockerd, in whatever namespace it is.
    entered=/run/qverify-root
    mkdir -p "$entered"
    # shellcheck disable=SC2016
    launch=(unshare --mount --propagation unchanged sh -c
        'mount --rbind / "$1" && mount --make-rprivate "$1" && new=$1 && shift && exec chroot "$new" "$@"' sh "$entered")
fi

# Where the folder around the chroot is a shared mount, the bind mount has come up outside of the namespace as well.
leave_no_mount() {
    if [ -n "${entered:-}" ]; then
        while grep -q " $entered " /proc/self/mountinfo; do umount --lazy "$entered" || break; done
    fi
}
trap leave_no_mount EXIT

# Start dockerd with further arguments and wait until it answers; fails when it ends or never answers.
start() {
    : >"$log"
    # shellcheck disable=SC2086
    setsid nohup "${launch[@]}" dockerd ${QVERIFY_DOCKERD_ARGS:-} "$@" >>"$log" 2>&1 </dev/null &
    local pid=$!
    for _ in $(seq $((seconds * 4))); do
        if answers; then return 0; fi
        kill -0 "$pid" 2>/dev/null || return 1
        sleep 0.25
    done
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
    return 1
}

say "Starting Docker; its log is $log."
# A pid file left over from a crash may name a process that is something else by now.
if [ -f /var/run/docker.pid ] && ! grep -qs '^dockerd$' "/proc/$(cat /var/run/docker.pid)/comm"; then
    rm -f /var/run/docker.pid
fi
if ! start; then
    # A kernel without nf_tables has the older tables; one without either can still run containers without a network.
    if grep -qiE 'iptables|nat|firewall|bridge' "$log" && command -v iptables-legacy >/dev/null; then
        say "The firewall's newer tables do not work here; trying the older ones."
        legacy=$(mktemp -d)
        for tool in iptables ip6tables iptables-save iptables-restore; do
            ln -s "$(command -v "${tool/tables/tables-legacy}")" "$legacy/$tool"
        done
        PATH=$legacy:$PATH start || say "Nor do these; starting without any container network."
    fi
    if ! answers && ! start --iptables=false --ip6tables=false --bridge=none; then
        tail -n 15 "$log" >&2
        missing "Docker does not start (see above, and $log). Type: make setup (after mending it)"
    fi
fi
say "Docker Engine $(version) answers."
