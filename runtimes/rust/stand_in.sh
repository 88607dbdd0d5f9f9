#!/usr/bin/env bash
# Name the coverage tools as the official image's do, and leave out what no run needs. Run by bases/debian_trixie.sh.
#
# usage: stand_in.sh ROOT
set -euo pipefail
root=$1

for tool in llvm-cov llvm-profdata; do
    program=$(echo "$root"/usr/lib/llvm-*/bin/"$tool")
    install -D -m 755 "$program" "$root/usr/local/bin/$tool"
done
rm -rf "$root"/usr/lib/llvm-*/bin "$root"/usr/bin/*-19
# Link-time optimisation of C, and sanitizers.
find "$root/usr/libexec/gcc" -name lto1 -delete
find "$root/usr/lib" \( -name 'libasan.*' -o -name 'libtsan.*' -o -name 'libhwasan.*' -o -name 'liblsan.*' -o -name 'libgprofng*' \) -delete
