#!/usr/bin/env bash
# Run a proof by its name: packaging/prove/NAME.sh or NAME.py, dashes written as underscores.
#
# usage: packaging/prove/run.sh NAME [ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/../.."
name=${1:?usage: run.sh NAME}
shift
file=packaging/prove/${name//-/_}
if [ -x "$file.sh" ]; then
    exec "$file.sh" "$@"
elif [ -f "$file.py" ]; then
    exec .venv/bin/python "$file.py" "$@"
fi
echo "There is no proof called '$name'. There are:" >&2
find packaging/prove -maxdepth 1 -type f \( -name '*.sh' -o -name '*.py' \) ! -name 'run.sh' -printf '  %f\n' | sort >&2
exit 2
