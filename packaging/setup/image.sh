#!/usr/bin/env bash
# Build a sandbox runtime's image on this machine's Docker Engine, unless an image of the same recipe is there.
#
# usage: packaging/setup/image.sh RUNTIME [--force|--base]
#
# --force builds it again; --base stops when the base image is there (its name is the last word of the last line).
# The one build path: `make setup`, `qverify runtimes build` and the application's first analysis all come here.
# What a runtime is made of is in runtimes/RUNTIME: runtime.toml, Dockerfile, and where they are needed fetch.sh (puts what
# the image needs into the build's context, each file checked against a hash: the build itself has no network) and
# stand_in.sh (shapes a base made of Debian packages). A runtime with `parts` is made of other runtimes' images, built first.
# The image is tagged qverify/RUNTIME:FIRST_12_OF_RECIPE and labelled with recipe, tools and differences. Environment:
# QVERIFY_PYTHON (an interpreter with pip, default .venv or python3), DOCKER_HOST, QVERIFY_NO_NETWORK (nothing may be fetched;
# its value is the sentence that says why, and what to do). Exit status 3: something is missing,
# with the line that mends it on standard error.
set -euo pipefail
# Modes of what is copied into an image become the image's.
umask 022

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/packaging/setup/progress.sh"
runtime=${1:?usage: image.sh RUNTIME [--force|--base]}
mode=${2:-}
recipes=$root/runtimes
folder=$recipes/$runtime
[ -f "$folder/runtime.toml" ] || missing "There is no runtime called '$runtime' in $recipes."

python=${QVERIFY_PYTHON:-$root/.venv/bin/python}
[ -x "$python" ] || python=$(command -v "$python") || python=$(command -v python3) \
    || missing "Python 3.11 is missing. Type: apt-get install -y python3"
docker=$("$root/packaging/setup/docker_client.sh")
export QVERIFY_PYTHON=$python DOCKER=$docker

recipe_value() { # KEY [RUNTIME]: a string, or a list with one element a line
    "$python" "$root/packaging/setup/recipe.py" value "$recipes/${2:-$runtime}/runtime.toml" "$1"
}

# The recipe's digest: SHA-256 over `sha256sum` lines of the runtime's folder, its parts' and the bases', as recipes.py
# computes it.
digest_of_recipe() { # RUNTIME
    (cd "$recipes" && find "$1" $(recipe_value parts "$1") bases -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z \
        | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1)
}

reference_of() { # RUNTIME
    local digest
    digest=$(digest_of_recipe "$1")
    printf 'qverify/%s:%s' "$1" "${digest:0:12}"
}

label_of() { # IMAGE LABEL
    "$docker" image inspect --format "{{index .Config.Labels \"$2\"}}" "$1"
}

recipe=$(digest_of_recipe "$runtime")
reference=$(reference_of "$runtime")
if [ -z "$mode" ] && "$docker" image inspect "$reference" >/dev/null 2>&1; then
    say "Sandbox image $reference is there."
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
context=$work/context
mkdir "$context" "$work/last"

# Stop where nothing may be fetched.
fetches() { [ -z "${QVERIFY_NO_NETWORK:-}" ] || missing "$QVERIFY_NO_NETWORK"; }

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

stand_in() { # sets `base`
    local script packages after=() made_of
    script=$recipes/$(recipe_value stand_in)
    mapfile -t packages < <(recipe_value stand_in_packages)
    [ ! -f "$folder/stand_in.sh" ] || after=(--after "$folder/stand_in.sh")
    made_of=$( (cat "$script"; [ ${#after[@]} -eq 0 ] || cat "$folder"/stand_in.*; printf '%s\n' "${packages[@]}"; date +%Y-%V) \
        | sha256sum | cut -c 1-12)
    base=qverify/base-$runtime:$made_of
    if "$docker" image inspect "$base" >/dev/null 2>&1; then return; fi
    fetches
    command -v mmdebstrap >/dev/null \
        || missing "mmdebstrap is missing, so no base image can be made without a container registry. Type: apt-get install -y mmdebstrap"
    [ "$(id -u)" -eq 0 ] \
        || missing "Only root can make a base image from Debian packages. Type: sudo $root/packaging/setup/image.sh $runtime"
    if ! bash "$script" "$base" "${after[@]}" "${packages[@]}" >"$work/base.log" 2>&1; then
        tail -n 15 "$work/base.log" >&2
        missing "The base image could not be made from Debian packages (see above). Type: apt-get update (it shows whether the mirror answers)"
    fi
}

arguments=()
origin=
mapfile -t parts < <(recipe_value parts)
if [ ${#parts[@]} -gt 0 ]; then
    for part in "${parts[@]}"; do
        [ "$mode" = --base ] || bash "$0" "$part"
        image=$(reference_of "$part")
        arguments+=(--build-arg "${part^^}=$image")
        [ "$mode" = --base ] || [ -n "$origin" ] || origin=$(label_of "$image" qverify.origin)
    done
    base=$(reference_of "${parts[0]}")
else
    base=$(recipe_value base)
    if ! "$docker" image inspect "$base" >/dev/null 2>&1 && { [ -n "${QVERIFY_NO_NETWORK:-}" ] || ! pull "$base"; }; then
        [ -n "${QVERIFY_NO_NETWORK:-}" ] || say "No container registry answers for $base; making a base from Debian packages instead."
        origin=Debian
        stand_in
    fi
    say "Base image: $base"
    arguments+=(--build-arg "BASE=$base")
fi

[ "$mode" != --base ] || exit 0

cp "$folder/Dockerfile" "$context/"
if [ -f "$folder/fetch.sh" ]; then
    fetches
    BASE=$base bash "$folder/fetch.sh" "$context"
fi

# The classic builder tells the image's id only through a file.
build() { # LOG ARGUMENT...
    local log=$1
    shift
    if ! DOCKER_BUILDKIT=0 "$docker" build --rm --force-rm --network none --iidfile "$work/id" "$@" >"$log" 2>&1; then
        tail -n 25 "$log" >&2
        echo "The image $reference could not be built (see above)." >&2
        exit 1
    fi
}

say "Building $reference."
build "$work/build.log" "${arguments[@]}" "$context"
built=$(cat "$work/id")
# The builder keeps its first stage as an image without a name. An engine with a stuck container may never answer a removal.
"$docker" image ls --quiet --filter dangling=true --filter label=qverify.stage=tools \
    | xargs --no-run-if-empty timeout 60 "$docker" image rm >/dev/null 2>&1 || true

# The tools themselves say which versions they are; the last layer holds the environment and what was found.
if ! "$python" "$root/packaging/setup/recipe.py" probe "$folder/runtime.toml" "$docker" "$built" "$origin" "$work/last"; then
    "$docker" image rm "$built" >/dev/null 2>&1 || true
    echo "The image $reference was built, but does not work (see above)." >&2
    exit 1
fi
build "$work/last.log" --tag "$reference" --tag "qverify/$runtime:latest" \
    --label "qverify.runtime=$runtime" --label "qverify.recipe=$recipe" --label "qverify.tools=$(cat "$work/last/tools.json")" \
    --label "qverify.differences=$(cat "$work/last/differences.json")" --label "qverify.base=$base" \
    --label "qverify.origin=$origin" --file "$work/last/Dockerfile" "$work/last"
said=$("$python" -c 'import json, sys; print("".join(" " + one for one in json.load(sys.stdin)), end="")' <"$work/last/differences.json")
say "Sandbox image $reference is built.$said"
