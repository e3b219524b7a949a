#!/bin/sh
# What is installed and released: make install, the archive and the packages of this machine's
# architecture, each used as a stranger would, in a bare system where that matters.
set -eu
. tests/c/common.sh

# What it is made of is checked, not how fast it is: it is built without optimisation.
export CARGO_PROFILE_DIST_LTO=off CARGO_PROFILE_DIST_OPT_LEVEL=0
architecture=$(uname -m)
prefix=$out/packages/prefix
archive=$out/packages/archive
ways='pkg-config static fully-static cmake luajit'
python=
if [ -d python/consul_ffi ]; then
    python=1
    ways="$ways python"
fi

if [ "$part" = build ]; then
    deploy/build.sh "$architecture"
    exit
fi
if [ "${1:-}" != beside-consul ]; then
    make -s
    rm -rf "$out/packages"
    mkdir -p "$archive"
    # One waits for the network, the other for the processor.
    [ "$(id -u)" != 0 ] || tests/packages/chroot.sh base &
    deploy/dist.sh "$architecture"
    deploy/deb.sh "$architecture"
    wait "$!"
    tar -C "$archive" --strip-components=1 -xf "$target"/dist/consul-ffi-*-linux-"$architecture".tar.xz
    make -s install-strip PREFIX="$prefix" WITH_PYTHON="$python"
    beside_consul "$0"
fi

limit=240
run "files" tests/packages/files.sh
for way in $ways; do
    run "installed: $way" tests/packages/use.sh "$way" "$prefix"
    run "archive: $way" tests/packages/use.sh "$way" "$archive"
done
if [ "$(id -u)" = 0 ] || [ -n "${CI:-}" ]; then
    run "in a bare system: debs" tests/packages/chroot.sh debs \
        "$target"/deb/*_"$(dpkg --print-architecture)".deb "$target"/deb/*_all.deb
    run "in a bare system: /usr/local" tests/packages/chroot.sh local
else
    echo "skipped in a bare system: only root can make one"
fi
run "a newer libc is noticed" tests/packages/notices.sh "$architecture"
finish
