#!/usr/bin/env bash
# Put LLVM's coverage tools and the program `cargo-lcov` into the build's context. Environment: BASE, DOCKER (set by image.sh).
#
# usage: fetch.sh CONTEXT
#
# The official image has rustup and no coverage tools: rustup fetches those of its own toolchain and checks them against the
# hashes of the release. A base made of Debian packages has them already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../packaging/setup/progress.sh"
context=$1

install -D -m 755 "$here/cargo-lcov" "$context/root/usr/local/bin/cargo-lcov"
has() { "$DOCKER" run --rm --network none --entrypoint /bin/sh "$BASE" -c "command -v $1" >/dev/null 2>&1; }
if has llvm-cov || ! has rustup; then exit 0; fi

lent=()
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$authorities" ] || lent+=(--volume "$(realpath "$authorities"):/etc/ssl/certs/ca-certificates.crt:ro")
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy RUSTUP_DIST_SERVER; do
    [ -z "${!name:-}" ] || lent+=(--env "$name")
done
say "Fetching LLVM's coverage tools."
# What the component adds is taken in its place, because the tools look for their library beside them.
if ! "$DOCKER" run --rm --network host "${lent[@]}" --env "OWNER=$(id -u):$(id -g)" --volume "$context/root:/target" \
    --entrypoint /bin/sh "$BASE" -ec '
    touch /tmp/mark && sleep 1
    rustup component add llvm-tools
    cd "$(rustc --print sysroot)"
    find "$PWD" -cnewer /tmp/mark \( -type f -o -type l \) | tar -C / -cf - -T - | tar -C /target -xf -
    for tool in llvm-cov llvm-profdata; do ln -s "$(echo "$PWD"/lib/rustlib/*/bin/$tool)" /target/usr/local/bin/$tool; done
    chown -R "$OWNER" /target' >"$context/rustup.log" 2>&1; then
    tail -n 5 "$context/rustup.log" >&2
    missing "LLVM's coverage tools could not be fetched (see above): no network, or no Rust server that answers. Type: qverify runtimes build rust"
fi
