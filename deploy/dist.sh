#!/bin/sh
# dist.sh [x86_64|aarch64]...: release archives, both when none is named, in target/dist.
#
# An archive is a tree as `make install` makes it, which can lie anywhere or be unpacked over
# /usr/local. Each library is checked, and loaded where that can be done here.
set -eu

cd "$(dirname -- "$0")/.."
. deploy/versions.sh
[ $# -gt 0 ] || set -- x86_64 aarch64

out=${CARGO_TARGET_DIR:-target}/dist
mkdir -p "$out"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

pack() { # ARCHITECTURE FOLDER-OF-THE-LIBRARY
    name=consul-ffi-$version-linux-$1
    python=
    [ ! -d python/consul_ffi ] || python=1
    DESTDIR=$tmp PREFIX=/$name LIBDIR=/$name/lib PYTHONDIR=/$name/share/python \
        WITH_PYTHON=$python RELOCATABLE=1 BUILT=$2 deploy/install.sh install
    rm -f "$out"/consul-ffi-*-linux-"$1".tar.xz*
    deploy/licenses.sh >"$tmp/$name/share/doc/consul-ffi/THIRD-PARTY"
    tar -C "$tmp" --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" \
        -cf - "$name" | xz -T0 >"$out/$name.tar.xz"
    (cd "$out" && sha256sum "$name.tar.xz" >"$name.tar.xz.sha256")
    echo "$out/$name.tar.xz: $(stat -c %s "$out/$name.tar.xz") bytes"
}

for architecture; do
    built=$(deploy/build.sh "$architecture" | tail -n 1)
    deploy/check.sh "$architecture" "$built/libconsul_ffi.so"
    deploy/load.sh "$architecture" "$built/libconsul_ffi.so"
    pack "$architecture" "$built"
done
