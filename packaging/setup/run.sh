#!/usr/bin/env bash
# Start the application: the window where there is a display, otherwise the sample repository's way from drop to proof.
#
# usage: packaging/setup/run.sh [ARGUMENT...]      (arguments go to the window, or replace those of the headless run)
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    say "Opening the window."
    exec .venv/bin/python main.py "$@"
fi
say "No display: analysing the sample repository without a model."
status=0
if [ $# -gt 0 ]; then
    .venv/bin/qverify "$@" || status=$?
else
    .venv/bin/qverify analyze resources/sample --model none || status=$?
    # Suspected defects are an answer, and the sample has one.
    [ "$status" -ne 1 ] || status=0
fi
say "Finished."
exit "$status"
