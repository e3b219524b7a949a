#!/bin/sh
# build.sh x86_64|aarch64: the library as it is released, and the name of its folder on the last line.
#
# zig links it against the symbols of glibc 2.17, whatever this machine has; cargo-zigbuild hands
# it to cargo. Both come from PyPI into .cache/zig and are pinned.
set -eu

cd "$(dirname -- "$0")/.."
glibc=2.17
tools='ziglang==0.15.2 cargo-zigbuild==0.23.4'

say() { echo "build: $*" >&2; }
die() { say "$*"; exit 1; }

case ${1:-} in
    x86_64 | aarch64) triple=$1-unknown-linux-gnu ;;
    *) echo "usage: build.sh x86_64|aarch64" >&2; exit 2 ;;
esac

mkdir -p .cache
cache=$PWD/.cache/zig
get_tools() {
    [ "$(cat "$cache/tools" 2>/dev/null)" != "$tools" ] || return 0
    say "fetching $tools"
    rm -rf "$cache/venv"
    python3 -m venv "$cache/venv"
    # shellcheck disable=SC2086     # several words
    "$cache/venv/bin/pip" -q --disable-pip-version-check install $tools
    echo "$tools" >"$cache/tools"
}

# Rust's standard library for the other architecture.
get_target() {
    [ ! -d "$(rustc --print sysroot)/lib/rustlib/$triple" ] || return 0
    command -v rustup >/dev/null || die "this toolchain has no $triple, and there is no rustup to add it"
    rustup target add "$triple" >&2
}

# Panic messages name source files. They are to name those of crates, not this machine's folders.
remapped() {
    cargo fetch --locked --quiet --target "$triple"
    set -- "--remap-path-prefix=$PWD=."
    for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
        set -- "$@" "--remap-path-prefix=$registry=crates"
    done
    # cargo's own way to hand over words with blanks in them.
    printf '%s\037' "$@" | sed 's/\x1f$//'
}

get_tools
get_target
# Seen by what compiles ring's C, which would be compiled anew for every commit.
unset SOURCE_DATE_EPOCH
PATH=$cache/venv/bin:$PATH
CARGO_ZIGBUILD_CACHE_DIR=$cache/wrappers
ZIG_GLOBAL_CACHE_DIR=$cache/objects
CARGO_ENCODED_RUSTFLAGS=$(remapped)
export PATH CARGO_ZIGBUILD_CACHE_DIR ZIG_GLOBAL_CACHE_DIR CARGO_ENCODED_RUSTFLAGS

folder=${CARGO_TARGET_DIR:-$PWD/target}/zig
# Its kinds are named, for of a library that is an rlib as well cargo optimises no whole program (lto).
cargo-zigbuild rustc --locked --lib --crate-type cdylib --crate-type staticlib --profile dist \
    --target "$triple.$glibc" --target-dir "$folder" >&2

built=$folder/$triple/dist
# cargo strips what it links, which an archive is not.
mkdir -p "$built/stripped"
cp "$built/libconsul_ffi.so" "$built/libconsul_ffi.a" "$built/stripped/"
llvm-strip --strip-debug "$built/stripped/libconsul_ffi.a"
echo "$built/stripped"
