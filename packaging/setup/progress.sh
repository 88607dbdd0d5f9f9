# shellcheck shell=bash
# Sourced by the set-up scripts: one line for each step, with the seconds since the first script started, and one
# sentence where something is missing (exit status 3, as everywhere in the application).

: "${QVERIFY_SETUP_STARTED:=$(date +%s%N)}"
export QVERIFY_SETUP_STARTED

say() {
    local elapsed=$((($(date +%s%N) - QVERIFY_SETUP_STARTED) / 100000000))
    printf '[%4d.%d s] %s\n' $((elapsed / 10)) $((elapsed % 10)) "$*"
}

missing() {
    printf '%s\n' "$*" >&2
    exit 3
}

digest_of() {
    # One digest for the content of files, in the order given; a file that is not there counts as empty.
    cat -- "$@" 2>/dev/null | sha256sum | cut -d ' ' -f 1
}
