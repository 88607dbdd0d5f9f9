"""Shell scripts that install a set of locked packages in the sandbox, and that show a test run where the set is.

Every installer runs in a folder that holds nothing of the repository but its lock file and manifests, and reads no settings
of the repository: with network, these could choose a program or an address. What is installed is never run here, with one
exception: Maven loads the build extensions that a ``pom.xml`` names.

Arguments of ``INSTALL``: ``online`` or ``offline``, the set's folder below the work folder, a name for the set. Offline,
``/deps`` holds the packages as their ecosystem keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping

_BEGIN = r"""
set -eu
how=$1 folder=$2 name=$3
here=/work/.qverify project=/tmp/project set=/tmp/set
mkdir -p "$project" "$set"
tar -C "/work/$folder" --verbatim-files-from --no-recursion -T "$here/manifests" -cf - | tar -C "$project" -xf -
give() {
    [ -n "$(find "$set" -type f -print -quit)" ] || { echo "Nothing was installed." >&2; exit 1; }
    tar -C "$set" --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 --mode=u+rw,go-w -cf "$QV_OUT/deps.tar" .
}
"""

# The cache is written while it is read, so it becomes links to the files of the read-only one. Links to workspaces lead into
# the repository: they are noted, and made again where it is.
_NPM = (
    _BEGIN
    + r"""
cp "$here/package-lock.json" "$project/package-lock.json"
cd "$project"
export NPM_CONFIG_USERCONFIG=/dev/null
options="--ignore-scripts --no-audit --no-fund --no-update-notifier --replace-registry-host=always --cache /tmp/npm --loglevel error"
if [ "$how" = offline ]; then
    mkdir -p /tmp/npm
    [ ! -d /deps/_cacache ] || cp -rs /deps/_cacache /tmp/npm/
    npm ci --offline $options
else
    NPM_CONFIG_OFFLINE=false npm ci --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 \
        --fetch-timeout=20000 $options
fi
mkdir -p "$set/.npm/$name"
find . -name node_modules -prune -type d | sort >/tmp/folders
while read -r modules; do
    find "$modules" -type l ! -path '*/.bin/*' -printf '%p\t%l\n' >>"$set/.npm/$name/links"
    find "$modules" -type l ! -path '*/.bin/*' -delete
    mkdir -p "$set/.npm/$name/${modules%/*}"
    mv "$modules" "$set/.npm/$name/$modules"
done </tmp/folders
give
"""
)

# The default proxy without the step behind it, which would ask each module's own address and run its version control.
_GO = (
    _BEGIN
    + r"""
cd "$project"
export GOENV=off GOMODCACHE=$set/.go/mod GOFLAGS=-modcacherw GOTOOLCHAIN=local GOVCS='*:off' GOWORK=off
if [ "$how" = offline ] && [ -f /deps/modules.txt ]; then
    mkdir -p "$set/.go/vendor/$name"
    cp -dR /deps/. "$set/.go/vendor/$name/"
    give
    exit
fi
if [ "$how" = offline ]; then
    export GOPROXY=file:///deps GOSUMDB=off
else
    GOPROXY=$(GOPROXY= go env GOPROXY)
    export GOPROXY="${GOPROXY%,direct}" GOSUMDB=
fi
find . -name go.mod | sort >/tmp/modules
while read -r module; do
    (cd "${module%/*}" && go mod download)
done </tmp/modules
rm -rf "$set/.go/mod/cache/vcs" "$set/.go/mod/cache/lock"
give
"""
)

_MAVEN = (
    _BEGIN
    + r"""
cd "$project"
if [ "$how" = offline ]; then
    mkdir -p "$set/.maven"
    cd /deps
    find . -type f \( -name '*.pom' -o -name '*.jar' -o -name '*.module' -o -name 'maven-metadata*.xml' \) >/tmp/files
    tar --verbatim-files-from -T /tmp/files -cf - | tar -C "$set/.maven" -xf -
else
    MAVEN_ARGS=$(echo " ${MAVEN_ARGS:-} " | sed 's/ -o / /; s#-Dmaven.repo.local=[^ ]*##')
    export MAVEN_ARGS="$MAVEN_ARGS -Dmaven.repo.local=$set/.maven"
    mvn -q dependency:go-offline
    find "$set/.maven" \( -name '*.lastUpdated' -o -name '_remote.repositories' \) -delete
fi
give
"""
)

# Cargo takes its settings from where it stands, not from where the manifest is.
_CARGO = (
    _BEGIN
    + r"""
mkdir -p "$set/.cargo" /tmp/elsewhere
cd /tmp/elsewhere
if [ "$how" = offline ]; then
    cp -dR /deps/. "$set/.cargo/"
else
    export CARGO_NET_OFFLINE=false CARGO_HOME=/tmp/cargo
    cargo vendor --quiet --locked --versioned-dirs --manifest-path "/work/$folder/Cargo.toml" "$set/.cargo" >/dev/null
fi
give
"""
)

#: By the value of ``Ecosystem``. Python has a driver of its own.
INSTALL: Mapping[str, str] = {"npm": _NPM, "go": _GO, "maven": _MAVEN, "cargo": _CARGO}

# Where a tool writes beside the packages (Vite does), the folder is the run's own and only its entries are links. What the
# repository brings itself stays.
USE = r"""
use_python() {
    export PYTHONPATH="${PYTHONPATH:+$PYTHONPATH:}/deps"
}
link() {
    [ -e "$2" ] || [ -L "$2" ] || ln -s "$1" "$2"
}
use_npm() {
    set_of=/deps/.npm/$2
    [ -d "$set_of" ] || return 0
    find "$set_of" -name node_modules -prune -type d >/tmp/qverify-npm
    while read -r from; do
        to="/work/$1/${from#"$set_of"/}"
        mkdir -p "$to"
        for entry in "$from"/* "$from"/.bin; do
            [ -e "$entry" ] || continue
            case ${entry##*/} in
            @*)
                mkdir -p "$to/${entry##*/}"
                for inner in "$entry"/*; do link "$inner" "$to/${entry##*/}/${inner##*/}"; done
                ;;
            *) link "$entry" "$to/${entry##*/}" ;;
            esac
        done
    done </tmp/qverify-npm
    [ ! -f "$set_of/links" ] || while IFS="$(printf '\t')" read -r path target; do
        mkdir -p "/work/$1/${path%/*}"
        link "$target" "/work/$1/$path"
    done <"$set_of/links"
    rm -f /tmp/qverify-npm
    export PATH="/work/$1/node_modules/.bin:$PATH"
}
use_go() {
    [ ! -d /deps/.go/mod ] || export GOMODCACHE=/deps/.go/mod
    [ ! -d "/deps/.go/vendor/$2" ] || link "/deps/.go/vendor/$2" "/work/$1/vendor"
}
use_maven() {
    case ${MAVEN_ARGS:-} in
    *tail=/opt/m2,/deps/.maven*) ;;
    *) export MAVEN_ARGS="${MAVEN_ARGS:-} -Dmaven.repo.local.tail=/opt/m2,/deps/.maven" ;;
    esac
}
use_cargo() {
    [ -d /deps/.cargo ] || return 0
    mkdir -p "${CARGO_HOME:=/tmp/cargo}"
    printf '[source.crates-io]\nreplace-with = "qverify"\n\n[source.qverify]\ndirectory = "/deps/.cargo"\n' >"$CARGO_HOME/config.toml"
}
"""
