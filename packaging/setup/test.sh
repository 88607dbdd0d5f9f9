#!/usr/bin/env bash
# Run the tests on a virtual display.
#
# usage: packaging/setup/test.sh [PYTEST ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh

say "Running the tests."
# A display and a home of the person who types this are no part of the tests.
unset DISPLAY WAYLAND_DISPLAY QVERIFY_HOME
export LC_ALL=C.UTF-8
exec xvfb-run -a -s '-screen 0 1600x1000x24' .venv/bin/python -m pytest "$@" </dev/null
