#!/usr/bin/env bash
# Stand-in base image from Debian packages, for machines where no container registry answers.
#
# usage: debian_trixie.sh REFERENCE [--after SCRIPT] [PACKAGE[/SUITE]...]      (as root; needs mmdebstrap and Docker)
#
# Makes a minimal Debian 13 (trixie) root file system with the given packages and imports it as REFERENCE. The mirror,
# its options and the fetching options of apt come from this machine's own apt configuration while the script runs;
# the finished image holds no address, no apt list and no key of a proxy. A package named with a suite comes from there
# (golang-1.25-go/trixie-backports). SCRIPT is run on this machine with the root's path once the packages are in it: it
# brings the root into the shape of the official image.
set -euo pipefail

suite=trixie
reference=$1
shift
after=
if [ "${1:-}" = --after ]; then
    after=$2
    shift 2
fi
names=()
suites=()
for package in "$@"; do
    names+=("${package%%/*}")
    case $package in */*) suites+=("${package#*/}") ;; esac
done
packages=$(IFS=,; printf '%s' "${names[*]}")
docker=${DOCKER:-docker}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The mirror is the first source of this machine that serves the Debian archive itself, not the security archive.
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 2>/dev/null | awk '!/security/ && !found++')
if [ -z "$mirror" ]; then
    echo "This machine's apt has no Debian mirror configured (/etc/apt/sources.list), so no base image can be made." >&2
    exit 3
fi
sources=("deb $mirror $suite main" "deb $mirror $suite-updates main")
if [ ${#suites[@]} -gt 0 ]; then
    mapfile -t suites < <(printf '%s\n' "${suites[@]}" | sort -u)
    # Backports never win over trixie by themselves: apt takes from there only what trixie lacks.
    for name in "${suites[@]}"; do sources+=("deb $mirror $name main"); done
fi
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
apt-config dump | grep -E '^Acquire::(http|https|Retries|ForceIPv4|ForceIPv6|Check-Valid-Until|Check-Date)' \
    >"$work/apt.conf" || true
printf 'Acquire::Languages "none";\nAPT::Install-Recommends "0";\n' >>"$work/apt.conf"

# Everything of this machine that mmdebstrap leaves behind is taken out again, together with documentation.
cat >"$work/strip.sh" <<'STRIP'
set -eu
root=$1
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/var/cache/debconf/*-old
rm -rf "$root"/etc/apt/sources.list* "$root"/etc/apt/apt.conf.d/99mmdebstrap "$root"/etc/apt/auth.conf*
find "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/info "$root"/usr/share/locale \
    -mindepth 1 -maxdepth 1 ! -name 'C*' -exec rm -rf {} + 2>/dev/null || true
for file in hostname resolv.conf machine-id; do rm -f "$root/etc/$file"; : >"$root/etc/$file"; done
STRIP
hooks=()
[ -z "$after" ] || hooks+=(--customize-hook="bash '$after' \"\$1\"")

# Its mounts go with the namespace, however it ends (a chroot that is no mount point has none to offer).
isolated=()
if unshare --mount true 2>/dev/null; then
    isolated=(unshare --mount)
fi
# Java's packages register manual pages as alternatives and fail where the folder of those is missing.
"${isolated[@]}" mmdebstrap --quiet --mode=root --variant=minbase --format=tar \
    --keyring="$keyring" --aptopt="$work/apt.conf" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    --setup-hook='mkdir -p "$1/usr/share/man/man1"' \
    --include="$packages" "${hooks[@]}" --customize-hook="sh $work/strip.sh \"\$1\"" \
    "$suite" "$work/root.tar" "${sources[@]}"

"$docker" import --change 'ENV LANG=C.UTF-8' --change 'CMD ["/bin/sh"]' "$work/root.tar" "$reference"
