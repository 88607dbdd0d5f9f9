#!/usr/bin/env bash
# Run the tests on a virtual display. What fails is run once more, alone; a test that passes only then is named.
#
# usage: packaging/setup/test.sh [PYTEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh

# A display and a home of the person who types this are no part of the tests.
unset DISPLAY WAYLAND_DISPLAY QVERIFY_HOME
export LC_ALL=C.UTF-8

# An empty cache, so that what failed in it failed now.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run_pytest() {
    xvfb-run -a -s '-screen 0 1600x1000x24' .venv/bin/python -m pytest "$@" </dev/null
}

say "Running the tests."
for word in "$@"; do
    case $word in
    -x | --exitfirst | --maxfail* | --lf | --last-failed* | --ff | --failed-first | --nf | --new-first | --sw* | --stepwise*)
        # Not every test is run, or the cache of earlier runs is asked for: what passed says nothing of the rest.
        run_pytest "$@"
        exit
        ;;
    esac
done

code=0
run_pytest "$@" -o cache_dir="$scratch/cache" || code=$?
failed=$scratch/cache/v/cache/lastfailed
# 1: all tests ran and some failed. Anything else (2: collection broke or somebody stopped it) gets no second chance.
if [ "$code" -ne 1 ] || [ ! -s "$failed" ]; then
    exit "$code"
fi
cp "$failed" "$scratch/first"
say "Some failed. Running those once more, alone."
export QVERIFY_FAILED_FIRST=$scratch/first
run_pytest "$@" -n 0 -p tests.second_chance -o cache_dir="$scratch/cache" --last-failed --last-failed-no-failures none
