#!/usr/bin/env bash
# Prove that the frozen application works where nothing of it is installed: a bare Debian 12 container.
#
# usage: packaging/prove/freeze.sh [--no-build]      (as root; needs mmdebstrap and a running Docker Engine)
#
# The container has an X server, the X and GL libraries that a desktop has, xdotool to look at the window, and nothing
# else: no Python, no git, no network. It gets dist/qverify read-only, the Docker socket, and a folder on the same path as
# outside, since the sandboxes' mounts are resolved by the engine on this machine. In it: the window comes up and its
# engine answers a second process; the sample is analysed without a model; its bundle is verified; and a model is asked
# through a scripted server in the same network namespace, which makes the frozen litellm work for its living. Every form of
# export is written, the stand-alone verifier handed out, the bundle reproduced, and the same server asked for a time stamp.
# The result is docs/measurements/freeze.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh
[ "$(id -u)" -eq 0 ] || missing "This proof makes a root file system. Type: sudo packaging/prove/freeze.sh"
[ "${1:-}" = --no-build ] || packaging/freeze/build.sh
[ -x dist/qverify/qverify ] || missing "There is no dist/qverify. Type: make freeze"
packaging/setup/packages.sh mmdebstrap python3
docker=$(packaging/setup/docker_client.sh)
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
case $socket in
    unix://*) socket=$(readlink -f "${socket#unix://}") ;;
    *) missing "This proof mounts the engine's socket, and DOCKER_HOST names none. Type: unset DOCKER_HOST" ;;
esac

report=docs/measurements/freeze.md
state=$(mktemp -d "${QVERIFY_PROVE_DIR:-/var/tmp}/qverify-freeze.XXXXXX")
name=$(basename "$state")
cleanup() {
    "$docker" rm --force "$name" "$name-model" >/dev/null 2>&1 || true
    mkdir -p build/freeze-proof
    cp -r "$state"/{*.json,*.log,results,screen.xwd,home/crashes} build/freeze-proof/ 2>/dev/null || true
    rm -rf --one-file-system "$state"
}
trap cleanup EXIT

packages=(xvfb xdotool libgl1 libegl1 libgl1-mesa-dri libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1
    libxcb-image0 libxcb-render-util0 libxcb-shape0 libfontconfig1 libdbus-1-3 libglib2.0-0)
image=qverify/bare-desktop:$( (printf '%s\n' bookworm "${packages[@]}"; date +%Y-%V) | sha256sum | cut -c 1-12)

make_image() {
    local mirror
    mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | awk '!/security/ && !found++')
    [ -n "$mirror" ] || missing "This machine's apt has no Debian mirror configured (/etc/apt/sources.list)."
    apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until|Check-Date)' >"$state/apt.conf" || true
    printf 'Acquire::Languages "none";\nAPT::Install-Recommends "0";\n' >>"$state/apt.conf"
    # Nothing of this machine's stays in it: no address, no apt list.
    printf 'rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/etc/apt/sources.list* "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/resolv.conf "$1"/etc/hostname\n' \
        >"$state/strip.sh"
    if ! unshare --mount mmdebstrap --quiet --mode=root --variant=minbase --format=tar --aptopt="$state/apt.conf" \
        --keyring=/usr/share/keyrings/debian-archive-keyring.gpg --include="$(IFS=,; echo "${packages[*]}")" \
        --customize-hook="sh $state/strip.sh \"\$1\"" bookworm "$state/root.tar" \
        "deb $mirror bookworm main" "deb $mirror bookworm-updates main" >"$state/root.log" 2>&1; then
        tail -n 15 "$state/root.log" >&2
        exit 1
    fi
    "$docker" import --change 'ENV LANG=C.UTF-8' "$state/root.tar" "$image" >/dev/null
    rm "$state/root.tar"
}

# Runs in the container. Every finding is a line `NAME VALUE` of results; a failed step ends it.
cat >"$state/inside.sh" <<'INSIDE'
set -euo pipefail
state=$1
qverify=/opt/qverify/qverify
sample=/opt/qverify/_internal/resources/sample
cd "$state"
found() { echo "$1 ${*:2}" >>results; }
now() { echo $(($(date +%s%N) / 1000000)); }
fail() { echo "$*" >&2; exit 1; }
until_true() { # SECONDS COMMAND...
    local deadline=$(($(now) + $1 * 1000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(now)" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

! command -v python3 python git docker || fail "The container is not bare."
[ -z "$(find / -xdev \( -path /proc -o -path /opt -o -path "$state" \) -prune -o \( -name 'libpython*' -o -name 'python3*' \) -print)" ] \
    || fail "There is a Python in the container."
found interfaces "$(ls /sys/class/net | tr '\n' ' ')"
[ "$(ls /sys/class/net | grep -vxcE 'lo|tunl0|sit0|ip6tnl0')" -eq 0 ] || fail "The container has a network."
found version "$($qverify --version)"

echo "The window."
mkdir fb
Xvfb :7 -screen 0 1440x900x24 -nolisten tcp -fbdir fb >xvfb.log 2>&1 &
x=$!
export DISPLAY=:7
# Its socket is there a moment before it listens.
until_true 20 xdotool getdisplaygeometry || fail "The X server did not start."
started=$(now)
$qverify >window.log 2>&1 &
window=$!
until_true 60 xdotool search --onlyvisible --name QVerify || { cat window.log >&2; fail "No window came up."; }
found window_ms $(($(now) - started))
until_true 60 test -S "$QVERIFY_HOME/control/socket" || { cat window.log >&2; fail "The window's engine did not open."; }
found engine_ms $(($(now) - started))
$qverify runs --json >runs.json || fail "The window's engine does not answer a second process."
# A window that only stands there has few colours; text with smooth edges, icons and a theme have many.
painted() { [ "$(tail -c +4000 fb/Xvfb_screen0 | od -An -v -tx4 -w4 | sort -u | wc -l)" -gt 60 ]; }
until_true 60 painted || fail "The window stays empty."
cp fb/Xvfb_screen0 screen.xwd
found title "$(xdotool getwindowname "$(xdotool search --onlyvisible --name QVerify | head -n 1)")"
kill -0 $window || { cat window.log >&2; fail "The window ended by itself."; }
for shown in $(xdotool search --onlyvisible --name QVerify); do
    xdotool windowfocus "$shown" key --clearmodifiers ctrl+q || true
done
until_true 30 eval "! kill -0 $window" || fail "The window did not close at Ctrl+Q."
status=0
wait $window || status=$?
found window_exit $status
[ ! -s window.log ] || found window_said "$(head -n 1 window.log)"
kill $x

echo "The analysis."
started=$(now)
status=0
$qverify analyze $sample --model none --json --out out >analyze.json 2>analyze.log || status=$?
found analyze_ms $(($(now) - started))
found analyze_exit $status
[ $status -eq 1 ] || { cat analyze.log >&2; fail "analyze ended with $status instead of 1."; }
status=0
$qverify verify out/*.qvevidence.zip --json >verify.json || status=$?
found verify_exit $status

echo "The evidence for others."
run=$(basename out/*.qvevidence.zip .qvevidence.zip)
$qverify verifier -o verify.py --json >verifier.json || fail "The verifier is not handed out."
cmp verify.py verify.source >&2 || fail "The verifier that is handed out is not the one of the source."
for format in html sarif junit markdown csv patch evidence; do
    $qverify export "$run" --format $format -o "given.$format" >/dev/null || fail "The format $format can't be written."
done
$qverify checkpoint "$run" --qr given.svg >/dev/null || fail "The checkpoint can't be drawn."
$qverify hosted status --json >hosted.json || [ $? -eq 3 ] || fail "The hosted service's client does not answer."
started=$(now)
status=0
$qverify reproduce out/*.qvevidence.zip --source $sample --out back.qvevidence.zip --report back.html --json \
    >reproduce.json 2>reproduce.log || status=$?
found reproduce_ms $(($(now) - started))
found reproduce_exit $status
status=0
key=$(sed -n 's/.*"verifier_key": "\(.*\)".*/\1/p' reproduce.json | head -n 1)
$qverify verify out/*.qvevidence.zip --reproduction back.qvevidence.zip --reproduction-key "$key" --json >handed-back.json || status=$?
found handed_back_exit $status

echo "A model."
until_true 60 test -s model-ready || fail "The scripted model server did not start."
status=0
$qverify analyze $sample --model probe --api-base http://127.0.0.1:8099/v1 --json >model.json 2>model.log || status=$?
found model_exit $status

echo "A time-stamp authority."
# It gives no stamp, which the library for time stamps has to find out.
export QVERIFY_TIME_STAMP_AUTHORITY=http://127.0.0.1:8099/tsa
# It is asked beside the command, which only says how far that is.
answered() { $qverify checkpoint "$run" --ask-again --json >anchors.json && grep -q 'time stamp' anchors.json; }
until_true 60 answered || { cat anchors.json >&2; fail "The authority was not asked, or its answer not understood."; }
INSIDE

# A model that answers every question with the same useless words.
cat >"$state/model.py" <<'MODEL'
import http.server
import json
import pathlib
import sys

state = pathlib.Path(sys.argv[1])


class Model(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, document):
        body = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "probe", "object": "model"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        with (state / "asked").open("a") as file:
            file.write(self.path + "\n")
        message = {"role": "assistant", "content": "I would rather not."}
        self.answer({
            "id": "1", "object": "chat.completion", "created": 1, "model": "probe",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
        })


server = http.server.ThreadingHTTPServer(("127.0.0.1", 8099), Model)
(state / "model-ready").write_text("yes\n")
server.serve_forever()
MODEL

git show "$(cat build/freeze/commit)":qverify_desktop/evidence/verify.py >"$state/verify.source"
if ! "$docker" image inspect "$image" >/dev/null 2>&1; then
    say "Making a bare Debian 12 with an X server."
    make_image
fi
sandbox=$("$docker" image ls --quiet qverify/python:latest | head -n 1)
[ -n "$sandbox" ] || missing "There is no Python sandbox image. Type: make image"

say "Running dist/qverify in it, without a network."
mkdir "$state/user"
status=0
"$docker" run --detach --init --name "$name" --network none --log-driver json-file \
    --volume "$PWD/dist/qverify:/opt/qverify:ro" --volume "$socket:/var/run/docker.sock" --volume "$state:$state" \
    --env HOME="$state/user" --env QVERIFY_HOME="$state/home" "$image" bash "$state/inside.sh" "$state" >/dev/null
"$docker" run --detach --name "$name-model" --network "container:$name" --volume "$state:$state" --user 0 \
    --entrypoint python3 "$sandbox" "$state/model.py" "$state" >/dev/null
"$docker" logs --follow "$name" || true
status=$("$docker" wait "$name")
[ "$status" -eq 0 ] || { echo "The frozen application failed in the bare container (see above, and build/freeze-proof)." >&2; exit 1; }

python3 packaging/prove/freeze_report.py "$state" dist/qverify build/freeze/commit >"$state/report.log"
cp "$state/report.log" "$report"
cat "$report"
