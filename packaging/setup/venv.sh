#!/usr/bin/env bash
# Make the virtual environment .venv from hash-locked requirements.
#
# usage: packaging/setup/venv.sh run|test
#
# `run` installs requirements.txt, `test` requirements-dev.txt (which holds the former). A stamp with the digest of what
# went in makes the second time free. QVERIFY_BASE_PYTHON names the interpreter (3.11 or newer), default python3.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh
profile=${1:?usage: venv.sh run|test}

python=${QVERIFY_BASE_PYTHON:-python3}
stamp_of() { # FILE: what an environment made from it depends on
    { cat "$1"; sed '/^\[tool\.ruff/,$d' pyproject.toml; pwd; } | sha256sum | cut -d ' ' -f 1
}
run_stamp=$(stamp_of requirements.txt)
test_stamp=$(stamp_of requirements-dev.txt)
stamped() { # NAME DIGEST
    [ -x .venv/bin/python ] && [ "$(cat ".venv/.made-for-$1" 2>/dev/null)" = "$2" ] && .venv/bin/python -c '' 2>/dev/null
}
if stamped test "$test_stamp" || { [ "$profile" = run ] && stamped run "$run_stamp"; }; then
    say "Python packages are there."
    exit 0
fi

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
    || missing "Python 3.11 or newer is needed. Type: apt-get install -y python3 python3-venv"
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    say "Making .venv with $("$python" --version)."
    "$python" -m venv --clear .venv >/dev/null || missing "Python's venv module is missing. Type: apt-get install -y python3-venv"
fi
if [ "$profile" = run ]; then
    lock=requirements.txt stamp=$run_stamp
else
    lock=requirements-dev.txt stamp=$test_stamp
fi
rm -f .venv/.made-for-*
say "Installing $(grep -c '^[a-zA-Z]' "$lock") Python packages from $lock, each checked against its hash."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
pip=(.venv/bin/python -m pip --disable-pip-version-check --no-input)
if ! "${pip[@]}" install --quiet --require-hashes --only-binary=:all: -r "$lock" >"$log" 2>&1 </dev/null \
    || ! "${pip[@]}" install --quiet --no-deps --no-build-isolation -e . >"$log" 2>&1 </dev/null; then
    tail -n 15 "$log" >&2
    missing "The Python packages could not be installed (see above). Type: make setup"
fi
printf '%s\n' "$stamp" >".venv/.made-for-$profile"
say "Python packages are installed."
