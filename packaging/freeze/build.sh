#!/usr/bin/env bash
# Freeze the application with PyInstaller: dist/qverify, one folder that needs no Python.
#
# usage: packaging/freeze/build.sh      (after packaging/setup/venv.sh)
#
# What is committed is what goes in (QVERIFY_FREEZE_REF, default HEAD), never half of somebody's edit. The result runs on
# this machine's glibc or a newer one.
set -euo pipefail
cd "$(dirname "$0")/../.."
. packaging/setup/progress.sh
reference=${QVERIFY_FREEZE_REF:-HEAD}
work=build/freeze
stage=$work/stage

packaging/setup/packages.sh fonts-inter fonts-jetbrains-mono binutils libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 \
    libxcb-image0 libxcb-render-util0 libxcb-shape0 libxkbcommon-x11-0
[ -x .venv/bin/pyinstaller ] || missing "PyInstaller is missing. Type: make setup"

commit=$(git rev-parse --verify "$reference^{commit}")
say "Laying out commit ${commit:0:12}."
rm -rf "$work" dist/qverify
mkdir -p "$stage/app" "$stage/data/resources/fonts"
git archive "$commit" main.py qverify_desktop | tar -x -C "$stage/app"
git archive "$commit" resources runtimes packaging/setup/image.sh packaging/setup/docker_client.sh packaging/setup/recipe.py \
    packaging/setup/progress.sh | tar -x -C "$stage/data"
fonts=/usr/share/fonts
cp "$fonts"/opentype/inter/Inter-{Regular,Medium,SemiBold}.otf \
    "$fonts"/truetype/jetbrains-mono/JetBrainsMono-{Regular,SemiBold,Italic}.ttf "$stage/data/resources/fonts/"
cp /usr/share/doc/fonts-inter/copyright "$stage/data/resources/fonts/Inter.copyright"
cp /usr/share/doc/fonts-jetbrains-mono/copyright "$stage/data/resources/fonts/JetBrainsMono.copyright"
printf '%s\n' "$commit" >"$work/commit"

say "Freezing (minutes; log: $work/pyinstaller.log)."
if ! PYTHONDONTWRITEBYTECODE=1 PYTHONNOUSERSITE=1 .venv/bin/pyinstaller --noconfirm --clean --log-level INFO \
    --workpath "$work/work" --distpath dist packaging/freeze/qverify.spec >"$work/pyinstaller.log" 2>&1; then
    tail -n 15 "$work/pyinstaller.log" >&2
    echo "The application could not be frozen (see above)." >&2
    exit 1
fi
cp "$work/NOTICES.txt" dist/qverify/NOTICES.txt
# Outside of the folder that it was made in, with nothing of Python's in the environment: a first sign of life.
(cd / && env -i PATH=/usr/bin:/bin "$OLDPWD/dist/qverify/qverify" --version) >/dev/null
say "Frozen: dist/qverify, $(du -s --apparent-size --block-size=MB dist/qverify | cut -f 1)."
