#!/usr/bin/env bash
# Build a sandbox runtime's image on this machine's Docker Engine, unless an image of the same recipe is there.
#
# usage: packaging/setup/image.sh RUNTIME [--force|--base]
#
# --force builds it again; --base stops when the base image is there.
# The one build path: `make setup`, `qverify runtimes build` and the application's first analysis all come here.
# The image is tagged qverify/RUNTIME:FIRST_12_OF_RECIPE and labelled with recipe, tools and differences. Environment:
# QVERIFY_PYTHON (an interpreter with pip, default .venv or python3), DOCKER_HOST. Exit status 3: something is missing,
# with the line that mends it on standard error.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/packaging/setup/progress.sh"
runtime=${1:?usage: image.sh RUNTIME [--force|--base]}
mode=${2:-}
recipes=$root/runtimes
folder=$recipes/$runtime
[ -f "$folder/runtime.toml" ] || missing "There is no runtime called '$runtime' in $recipes."

python=${QVERIFY_PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=$(command -v python3) || missing "Python 3.11 is missing. Type: apt-get install -y python3"
docker=$("$root/packaging/setup/docker_client.sh")

recipe_value() { # KEY: a string, or a list with one element a line
    "$python" - "$folder/runtime.toml" "$1" <<'PYTHON'
import sys
import tomllib

with open(sys.argv[1], "rb") as file:
    value = tomllib.load(file)[sys.argv[2]]
print(value if isinstance(value, str) else "\n".join(value))
PYTHON
}

# The recipe's digest: SHA-256 over `sha256sum` lines of the runtime's folder and of the bases, as recipes.py computes it.
recipe=$(cd "$recipes" && find "$runtime" bases -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z \
    | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
reference=qverify/$runtime:${recipe:0:12}
if [ "$mode" != --force ] && "$docker" image inspect "$reference" >/dev/null 2>&1; then
    say "Sandbox image $reference is there."
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Pull an image, but give up after 20 seconds without an answer: a network that swallows packets looks like a slow one.
pull() {
    "$docker" pull "$1" >"$work/pull.log" 2>&1 </dev/null &
    local pid=$! waited=0
    while kill -0 "$pid" 2>/dev/null && ! grep -qs 'Pulling from' "$work/pull.log"; do
        if [ "$waited" -ge 40 ]; then
            kill "$pid" 2>/dev/null || true
            break
        fi
        waited=$((waited + 1))
        sleep 0.5
    done
    wait "$pid" 2>/dev/null
}

base=$(recipe_value base)
wanted=$(recipe_value version)
stand_in=$(recipe_value stand_in)
mapfile -t packages < <(recipe_value stand_in_packages)
if "$docker" image inspect "$base" >/dev/null 2>&1 || pull "$base"; then
    say "Base image: $base."
else
    say "No container registry answers for $base; making a base from Debian packages instead."
    command -v mmdebstrap >/dev/null \
        || missing "mmdebstrap is missing, so no base image can be made without a container registry. Type: apt-get install -y mmdebstrap"
    [ "$(id -u)" -eq 0 ] \
        || missing "Only root can make a base image from Debian packages. Type: sudo $root/packaging/setup/image.sh $runtime"
    stand_in_digest=$( (cat "$recipes/$stand_in"; printf '%s\n' "${packages[@]}"; date +%Y-%V) | sha256sum | cut -c 1-12)
    base=qverify/base-$runtime:$stand_in_digest
    if ! "$docker" image inspect "$base" >/dev/null 2>&1; then
        if ! DOCKER=$docker bash "$recipes/$stand_in" "$base" "${packages[@]}" >"$work/base.log" 2>&1; then
            tail -n 15 "$work/base.log" >&2
            missing "The base image could not be made from Debian packages (see above). Type: apt-get update (it shows whether the mirror answers)"
        fi
    fi
    say "Base image: $base."
fi

[ "$mode" != --base ] || exit 0

facts=$("$docker" run --rm --network none --entrypoint python3 "$base" -c \
    'import platform; print(platform.python_version(), platform.machine(), *platform.python_version_tuple()[:2])')
read -r version machine major minor <<<"$facts"
differences='[]'
if [ "$major.$minor" != "$wanted" ]; then
    differences="[\"CPython $version from Debian instead of CPython $wanted: no container registry answered when the image was built.\"]"
fi

cp "$folder/Dockerfile" "$folder/requirements.txt" "$work/"
say "Fetching the image's Python packages, each checked against its hash."
if ! "$python" -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes --only-binary=:all: \
    --implementation cp --python-version "$major.$minor" \
    --platform "manylinux_2_28_$machine" --platform "manylinux_2_17_$machine" --platform "manylinux2014_$machine" \
    --dest "$work/wheels" --requirement "$folder/requirements.txt" >"$work/pip.log" 2>&1; then
    tail -n 5 "$work/pip.log" >&2
    missing "The image's Python packages could not be fetched (see above): no network, or no pip. Type: $python -m pip --version"
fi

tools=$("$python" - "$folder/requirements.txt" "$version" <<'PYTHON'
import json
import re
import sys

with open(sys.argv[1]) as file:
    locked = dict(re.findall(r"^([\w.-]+)==([\w.]+)", file.read(), re.MULTILINE))
shown = ("pytest", "coverage", "hypothesis", "pytest-timeout", "pytest-asyncio", "pip")
print(json.dumps({"python": sys.argv[2]} | {name: locked[name] for name in shown if name in locked}))
PYTHON
)
say "Building $reference (CPython $version)."
if ! DOCKER_BUILDKIT=0 "$docker" build --rm --force-rm --network none --build-arg "BASE=$base" --tag "$reference" \
    --tag "qverify/$runtime:latest" \
    --label "qverify.runtime=$runtime" --label "qverify.recipe=$recipe" --label "qverify.tools=$tools" \
    --label "qverify.differences=$differences" --label "qverify.base=$base" "$work" >"$work/build.log" 2>&1; then
    tail -n 25 "$work/build.log" >&2
    echo "The image $reference could not be built (see above)." >&2
    exit 1
fi
# The builder keeps its first stage as an image without a name.
"$docker" image ls --quiet --filter dangling=true --filter label=qverify.stage=tools \
    | xargs --no-run-if-empty "$docker" image rm >/dev/null 2>&1 || true
say "Sandbox image $reference is built."
