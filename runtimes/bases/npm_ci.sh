#!/usr/bin/env bash
# Fetch the npm packages of a lock file, each checked against its hash, with the npm of a base image.
#
# usage: npm_ci.sh IMAGE FOLDER TARGET      (FOLDER holds package.json and package-lock.json; TARGET gets node_modules)
#
# The npm runs in a container, so that this machine needs none; it runs no script of any package. Which registry is asked
# and how, is this machine's own: its npmrc, certificate authorities and proxies are lent to the container read-only while
# it runs, and are in no layer of any image. Environment: DOCKER.
set -euo pipefail
image=$1
folder=$(cd "$2" && pwd)
target=$(cd "$3" && pwd)

lent=(--volume "$folder:/lock:ro" --volume "$target:/target")
settings=${NPM_CONFIG_USERCONFIG:-${npm_config_userconfig:-$HOME/.npmrc}}
[ ! -f "$settings" ] || lent+=(--volume "$(realpath "$settings"):/lent/npmrc:ro" --env NPM_CONFIG_USERCONFIG=/lent/npmrc)
for settings in "${NPM_CONFIG_GLOBALCONFIG:-}" "$(dirname "$(dirname "$(command -v npm || echo /usr/bin/npm)")")/etc/npmrc" /etc/npmrc; do
    if [ -n "$settings" ] && [ -f "$settings" ]; then
        lent+=(--volume "$(realpath "$settings"):/lent/npmrc-of-all:ro" --env NPM_CONFIG_GLOBALCONFIG=/lent/npmrc-of-all)
        break
    fi
done
for authorities in "${NODE_EXTRA_CA_CERTS:-}" "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt; do
    if [ -n "$authorities" ] && [ -f "$authorities" ]; then
        lent+=(--volume "$(realpath "$authorities"):/lent/authorities.pem:ro" --env NPM_CONFIG_CAFILE=/lent/authorities.pem
            --env NODE_EXTRA_CA_CERTS=/lent/authorities.pem)
        break
    fi
done
# By name only: the values are not on a command line that others can read.
for name in HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy; do
    [ -z "${!name:-}" ] || lent+=(--env "$name")
done

"$DOCKER" run --rm --network host --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp:exec \
    --user "$(id -u):$(id -g)" --env HOME=/tmp --env NPM_CONFIG_OFFLINE=false --workdir /target "${lent[@]}" --entrypoint /bin/sh "$image" -ec '
        cp /lock/package.json /lock/package-lock.json /target/
        npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --omit-lockfile-registry-resolved \
            --cache /tmp/npm --loglevel error
        rm -f /target/package.json /target/package-lock.json /target/node_modules/.package-lock.json'
