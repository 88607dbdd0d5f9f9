#!/usr/bin/env bash
# Put Playwright and the packages of Chromium into the build's context. Environment: BASE, DOCKER (set by image.sh).
#
# usage: fetch.sh CONTEXT
#
# npm checks Playwright against the lock file's hashes, apt the packages against the archive's signature. Chromium is the
# distribution's own: Playwright's download of a browser knows no hash. The distribution is the image's; where the image
# names no mirror (a base made of Debian packages), this machine's is used. Nothing is installed here, only fetched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../packaging/setup/progress.sh"
context=$1

say "Fetching Playwright, checked against its hash."
cp "$here/browsers.js" "$context/"
mkdir "$context/npm" "$context/debs" "$context/lent"
if ! bash "$here/../bases/npm_ci.sh" "$BASE" "$here" "$context/npm" >"$context/npm.log" 2>&1; then
    tail -n 5 "$context/npm.log" >&2
    missing "Playwright could not be fetched (see above): no network, or no npm registry that answers. Type: npm config list"
fi

say "Fetching Chromium and the packages that it needs."
apt-config dump 2>/dev/null | grep -E '^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6)' >"$context/lent/apt.conf" || true
apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | awk '!/security/ && !found++' >"$context/lent/mirror" || true
lent=(--volume "$context/lent:/lent:ro" --volume "$context/debs:/target" --env APT_CONFIG=/lent/apt.conf
    --env "OWNER=$(id -u):$(id -g)")
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$authorities" ] || lent+=(--volume "$(realpath "$authorities"):/etc/ssl/certs/ca-certificates.crt:ro")
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || lent+=(--env "$name")
done
if ! "$DOCKER" run --rm --network host --user 0:0 "${lent[@]}" --entrypoint /bin/sh "$BASE" -ec '
    . /etc/os-release
    if ! cat /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | grep -q "^[^#]"; then
        for suite in "$VERSION_CODENAME" "$VERSION_CODENAME-updates"; do
            echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(cat /lent/mirror) $suite main"
        done >/etc/apt/sources.list
    fi
    mkdir -p /var/lib/apt/lists/partial /var/cache/apt/archives/partial /var/log/apt
    apt-get -o APT::Sandbox::User=root update -q
    apt-get -o APT::Sandbox::User=root install -qy --no-install-recommends --download-only chromium fonts-dejavu-core
    cp /var/cache/apt/archives/*.deb /target/ && chmod 644 /target/* && chown -R "$OWNER" /target' >"$context/apt.log" 2>&1; then
    tail -n 5 "$context/apt.log" >&2
    missing "Chromium could not be fetched (see above): no network, or no Debian mirror that answers. Type: apt-get update"
fi
rm -rf "$context/lent"
