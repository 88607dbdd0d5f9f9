#!/usr/bin/env bash
# Put the Kotlin compiler, the programs beside this file and, for the official image, an offline Maven repository into the
# build's context. Environment: BASE, DOCKER (set by image.sh).
#
# usage: fetch.sh CONTEXT
#
# The compiler is an npm package, checked against its hash; npm comes from the base of the runtime `node`. Maven checks
# every artefact against its repository's checksums (-C). This machine's own ~/.m2 is never a source: another machine lacks it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../packaging/setup/progress.sh"
context=$1

mkdir -p "$context/bin" "$context/opt/kotlinc/lib" "$context/npm"
install -m 755 "$here/kotlinc" "$here/junit" "$here/jacoco-report" "$context/bin/"
cp "$here/JacocoReport.java" "$context/"

said=$(bash "$here/../../packaging/setup/image.sh" node --base)
say "Fetching the Kotlin compiler, checked against its hash."
if ! bash "$here/../bases/npm_ci.sh" "${said##* }" "$here" "$context/npm" >"$context/npm.log" 2>&1; then
    tail -n 5 "$context/npm.log" >&2
    missing "The Kotlin compiler could not be fetched (see above): no network, or no npm registry that answers. Type: npm config list"
fi
compiler=$context/npm/node_modules/kotlin-compiler
cp "$compiler/build.txt" "$context/opt/kotlinc/"
find "$compiler/lib" -name '*.jar' ! -name '*-sources.jar' ! -name 'kotlin-main-kts*' ! -name '*-js*' \
    -exec cp -t "$context/opt/kotlinc/lib" {} +
rm -rf "$context/npm"

if "$DOCKER" run --rm --network none --entrypoint /bin/sh "$BASE" -c 'test -e /opt/m2' >/dev/null 2>&1; then exit 0; fi
say "Resolving the image's offline Maven repository."
mkdir "$context/opt/m2"
lent=(--volume "$here/seed.xml:/seed/pom.xml:ro" --volume "$here/../samples/java:/sample:ro" --volume "$context/opt/m2:/m2")
[ ! -f "$HOME/.m2/settings.xml" ] || lent+=(--volume "$HOME/.m2/settings.xml:/root/.m2/settings.xml:ro")
# The provider for JUnit 5 is asked for only when tests run, so one does.
if ! "$DOCKER" run --rm --network host "${lent[@]}" --env "OWNER=$(id -u):$(id -g)" --entrypoint /bin/sh "$BASE" -ec '
    mvn -B -C -Dmaven.repo.local=/m2 -f /seed/pom.xml dependency:resolve
    cp -R /sample /tmp/sample && cd /tmp/sample
    mvn -B -C -Dmaven.repo.local=/m2 -Dtest="TideTest#highestOfNothingIsRefused" test
    find /m2 -name _remote.repositories -delete && chmod -R u=rwX,go=rX /m2
    chown -R "$OWNER" /m2' >"$context/maven.log" 2>&1; then
    tail -n 5 "$context/maven.log" >&2
    missing "The image's Maven artefacts could not be resolved (see above): no network, or Maven Central does not answer. Type: qverify runtimes build java"
fi
