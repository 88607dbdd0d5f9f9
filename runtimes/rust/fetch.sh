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

mkdir "$context/bin"
install -m 755 "$here/cargo-lcov" "$context/bin/"
has() { "$DOCKER" run --rm --network none --entrypoint /bin/sh "$BASE" -c "command -v $1" >/dev/null 2>&1; }
if has llvm-cov || ! has rustup; then exit 0; fi

lent=()
authorities=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
[ ! -f "$authorities" ] || lent+=(--volume "$(realpath "$authorities"):/etc/ssl/certs/ca-certificates.crt:ro")
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy RUSTUP_DIST_SERVER; do
    [ -z "${!name:-}" ] || lent+=(--env "$name")
done
say "Fetching LLVM's coverage tools."
if ! "$DOCKER" run --rm --network host "${lent[@]}" --volume "$context/bin:/target" --entrypoint /bin/sh "$BASE" -ec '
    rustup component add llvm-tools
    cp "$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-cov "$(rustc --print sysroot)"/lib/rustlib/*/bin/llvm-profdata /target/
    chmod 755 /target/llvm-*' >"$context/rustup.log" 2>&1; then
    tail -n 5 "$context/rustup.log" >&2
    missing "LLVM's coverage tools could not be fetched (see above): no network, or no Rust server that answers. Type: qverify runtimes build rust"
fi
