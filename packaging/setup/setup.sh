#!/usr/bin/env bash
# Everything between a bare clone and a working application, each step skipped where it has been done.
#
# usage: packaging/setup/setup.sh run|test
#
# System packages, virtual environment, Docker Engine, Python sandbox image. `test` adds what the tests need: a virtual
# display, the window's libraries, bubblewrap and what other engines need, and the images of all sandbox runtimes but those
# that are made on demand.
set -euo pipefail
cd "$(dirname "$0")/../.."
# In a bare chroot nobody has mounted this; bash's process substitution and Docker stand on it.
[ -e /proc/self/fd ] || [ "$(id -u)" -ne 0 ] || mount -t proc proc /proc
. packaging/setup/progress.sh
profile=${1:?usage: setup.sh run|test}

packages=(python3 python3-venv git ca-certificates)
window=(libgl1 libegl1 libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-image0 libxcb-render-util0
    libxcb-shape0 libfontconfig1 libdbus-1-3 libglib2.0-0 fonts-inter fonts-jetbrains-mono)
if [ "$profile" = test ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    packages+=("${window[@]}")
fi
if [ "$profile" = test ]; then
    packages+=(xvfb xauth xdotool imagemagick dbus at-spi2-core gir1.2-atspi-2.0 python3-gi openssh-server openssl socat runsc bubblewrap podman catatonit runc strace iproute2 postgresql zip)
fi
if ! command -v docker >/dev/null || { [ -z "${DOCKER_HOST:-}" ] && ! command -v dockerd >/dev/null && ! packaging/setup/docker_client.sh >/dev/null 2>&1; }; then
    packages+=(docker.io iptables)
fi
command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)

packaging/setup/packages.sh "${packages[@]}"
packaging/setup/engine.sh
# The slowest step waits for the network and the next slowest for the processor, so they go side by side. Should the base
# fail here, the last line tries again and says why.
QVERIFY_PYTHON=python3 setsid packaging/setup/image.sh python --base >/dev/null 2>&1 </dev/null &
base=$!
trap 'kill -- -$base 2>/dev/null || true' EXIT
packaging/setup/venv.sh "$profile"
wait "$base" || true
trap - EXIT
packaging/setup/image.sh python
if [ "$profile" = test ]; then
    for recipe in runtimes/*/runtime.toml; do
        runtime=$(basename "$(dirname "$recipe")")
        [ -n "$(.venv/bin/python packaging/setup/recipe.py value "$recipe" on_demand)" ] || packaging/setup/image.sh "$runtime"
    done
fi
