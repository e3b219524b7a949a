#!/bin/sh
# install.sh install|install-strip|uninstall: the built library and all that goes with it.
#
# Environment, as in the GNU conventions; each folder is absolute:
#   DESTDIR        put before every path: for packages
#   PREFIX         /usr/local
#   LIBDIR         PREFIX/lib; on Debian's multiarch PREFIX/lib/x86_64-linux-gnu
#   INCLUDEDIR     PREFIX/include
#   PKGCONFIGDIR   LIBDIR/pkgconfig
#   CMAKEDIR       LIBDIR/cmake/consul_ffi
#   LUADIR         PREFIX/share/lua/5.1
#   DOCDIR         PREFIX/share/doc/consul-ffi
#   WITH_PYTHON    a Python (1: python3) to install the Python package for; none when empty
#   PYTHONDIR      that Python's own folder when it lies below PREFIX, else
#                  PREFIX/lib/pythonX.Y/site-packages
#   BUILT          the folder that the library was built in: target/release
#   RELOCATABLE    1: consul_ffi.pc finds its prefix by where it lies itself
#
# `uninstall`, with the same environment, removes what `install` would put there.
set -eu

cd "$(dirname -- "$0")/.."
. deploy/versions.sh

say() { echo "install: $*" >&2; }
die() { say "$*"; exit 1; }

verb=${1:-}
case $#$verb in
    1install | 1install-strip | 1uninstall) ;;
    *) echo "usage: [PREFIX=...] install.sh install|install-strip|uninstall" >&2; exit 2 ;;
esac

DESTDIR=${DESTDIR:-}
PREFIX=${PREFIX:-/usr/local}
LIBDIR=${LIBDIR:-$PREFIX/lib}
INCLUDEDIR=${INCLUDEDIR:-$PREFIX/include}
PKGCONFIGDIR=${PKGCONFIGDIR:-$LIBDIR/pkgconfig}
CMAKEDIR=${CMAKEDIR:-$LIBDIR/cmake/consul_ffi}
LUADIR=${LUADIR:-$PREFIX/share/lua/5.1}
DOCDIR=${DOCDIR:-$PREFIX/share/doc/consul-ffi}
BUILT=${BUILT:-${CARGO_TARGET_DIR:-target}/release}

# The folder in which the Python $1 looks, below PREFIX.
python_folder() {
    "$1" -c 'import sys, sysconfig
own, prefix = sysconfig.get_path("purelib"), sys.argv[1]
print(own if own.startswith(prefix + "/") else
      "%s/lib/python%d.%d/site-packages" % ((prefix,) + sys.version_info[:2]))' "$PREFIX"
}

case ${WITH_PYTHON:-} in
    '') PYTHONDIR= ;;
    *)
        [ -d python/consul_ffi ] || die "WITH_PYTHON: this source has no Python package"
        [ "$WITH_PYTHON" != 1 ] || WITH_PYTHON=python3
        PYTHONDIR=${PYTHONDIR:-$(python_folder "$WITH_PYTHON")} || die "WITH_PYTHON: $WITH_PYTHON does not run"
        ;;
esac

for folder in "$PREFIX" "$LIBDIR" "$INCLUDEDIR" "$PKGCONFIGDIR" "$CMAKEDIR" "$LUADIR" "$DOCDIR" \
    "${PYTHONDIR:-/}" "${DESTDIR:-/}"; do
    case $folder in /*) ;; *) die "not an absolute path: $folder" ;; esac
done
if [ "$verb" != uninstall ]; then
    for name in so a; do
        [ -e "$BUILT/libconsul_ffi.$name" ] || die "no $BUILT/libconsul_ffi.$name: run make first"
    done
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

# Where each file goes is said once, below; these put it there or take it away.

file() { # SOURCE DESTINATION
    if [ "$verb" = uninstall ]; then
        rm -f "$DESTDIR$2"
    else
        install -D -m 644 -- "$1" "$DESTDIR$2"
    fi
}

link() { # TARGET DESTINATION
    if [ "$verb" = uninstall ]; then
        rm -f "$DESTDIR$2"
    else
        ln -sfn "$1" "$DESTDIR$2"
    fi
}

# Every file of a folder, with the folders in it: tree SOURCE DESTINATION FIND-EXPRESSION...
tree() {
    source=$1 destination=$2
    shift 2
    (cd "$source" && find . -type f "$@") >"$tmp/files"
    while IFS= read -r name; do
        file "$source/$name" "$destination/${name#./}"
    done <"$tmp/files"
}

# A folder that is ours alone goes when nothing is left in it.
own() {
    [ "$verb" = uninstall ] && [ -d "$DESTDIR$1" ] || return 0
    find "$DESTDIR$1" -depth -type d -empty -delete
}

# A path as it is written into consul_ffi.pc.
below_prefix() {
    # shellcheck disable=SC2016     # ${prefix} is for pkg-config
    case $1 in
        "$PREFIX"/*) printf '${prefix}/%s' "${1#"$PREFIX"/}" ;;
        *) printf '%s' "$1" ;;
    esac
}

relative() { realpath -m --relative-to="$2" -- "$1"; }

# What the static library needs of the system. A test compares it with what rustc says.
private='util rt pthread m dl'

fill() { # TEMPLATE NAME=VALUE...
    template=$1
    shift
    for pair; do
        value=$(printf '%s' "${pair#*=}" | sed 's/[\\&|]/\\&/g')
        printf 's|@%s@|%s|g\n' "${pair%%=*}" "$value"
    done >"$tmp/script"
    sed -f "$tmp/script" "deploy/templates/$template.in" >"$tmp/$template"
}

pkg_config() {
    # shellcheck disable=SC2086     # a word each
    flags=$(printf -- '-l%s ' $private)
    prefix=$PREFIX
    # shellcheck disable=SC2016     # ${pcfiledir} is for pkg-config
    [ -z "${RELOCATABLE:-}" ] || prefix='${pcfiledir}'/$(relative "$PREFIX" "$PKGCONFIGDIR")
    fill consul_ffi.pc PREFIX="$prefix" LIBDIR="$(below_prefix "$LIBDIR")" \
        INCLUDEDIR="$(below_prefix "$INCLUDEDIR")" VERSION="$version" PRIVATE="${flags% }"
    file "$tmp/consul_ffi.pc" "$PKGCONFIGDIR/consul_ffi.pc"
}

cmake_package() {
    fill consul_ffi-config.cmake TO_LIBDIR="$(relative "$LIBDIR" "$CMAKEDIR")" \
        TO_INCLUDEDIR="$(relative "$INCLUDEDIR" "$CMAKEDIR")" SONAME="$soname" \
        SHARED_LIBRARY="$shared_library" PRIVATE="$(echo "$private" | tr ' ' ';')"
    fill consul_ffi-config-version.cmake VERSION="$version" MAJOR="${version%%.*}"
    for name in consul_ffi-config.cmake consul_ffi-config-version.cmake; do
        file "$tmp/$name" "$CMAKEDIR/$name"
    done
    own "$CMAKEDIR"
}

libraries() {
    file "$BUILT/libconsul_ffi.so" "$LIBDIR/$shared_library"
    link "$shared_library" "$LIBDIR/$soname"
    link "$soname" "$LIBDIR/libconsul_ffi.so"
    file "$BUILT/libconsul_ffi.a" "$LIBDIR/libconsul_ffi.a"
    [ "$verb" != install-strip ] || strip_libraries
}

strip_libraries() {
    "${STRIP:-strip}" --strip-unneeded "$DESTDIR$LIBDIR/$shared_library"
    archive=$DESTDIR$LIBDIR/libconsul_ffi.a
    # Beside each object lies its debugging information, which strip takes for a broken object.
    # The log is of no use unless it fails: the linker's plugin complains that it knows no Rust.
    "${AR:-ar}" t "$archive" 2>&1 | grep '\.dwo$' >"$tmp/members" || :
    {
        [ ! -s "$tmp/members" ] || xargs "${AR:-ar}" d "$archive" <"$tmp/members"
        "${STRIP:-strip}" --strip-debug "$archive"
    } >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; die "$archive could not be stripped"; }
}

python_package() {
    [ -n "$PYTHONDIR" ] || return 0
    tree python/consul_ffi "$PYTHONDIR/consul_ffi" \( -name '*.py' -o -name py.typed \)
    # Where the package looks first, so that it needs no help of the system's loader.
    link "$(relative "$LIBDIR" "$PYTHONDIR/consul_ffi")/$soname" "$PYTHONDIR/consul_ffi/$soname"
    # Python adds its byte code when the package is used.
    [ "$verb" != uninstall ] || [ ! -d "$DESTDIR$PYTHONDIR/consul_ffi" ] ||
        find "$DESTDIR$PYTHONDIR/consul_ffi" -name '*.pyc' -delete
    own "$PYTHONDIR/consul_ffi"
}

documentation() {
    for name in README.md README.zh-CN.md CHANGELOG.md LICENSE; do
        file "$name" "$DOCDIR/$name"
    done
    tree docs "$DOCDIR/docs" -name '*.md'
    own "$DOCDIR"
}

# The loader keeps a list of what lies in its folders.
tell_loader() {
    [ -z "$DESTDIR" ] || return 0
    [ "$(id -u)" != 0 ] || ldconfig
    [ "$verb" != uninstall ] || return 0
    ldconfig -p 2>/dev/null | grep -qF "$LIBDIR/$soname" ||
        say "programs find $LIBDIR/$soname by their rpath or LD_LIBRARY_PATH only: the system's loader does not look there"
}
PATH=$PATH:/sbin:/usr/sbin

libraries
tree include "$INCLUDEDIR" \( -name '*.h' -o -name '*.hpp' \)
own "$INCLUDEDIR/consul_ffi"
pkg_config
cmake_package
tree lua "$LUADIR" -name '*.lua'
own "$LUADIR/consul_ffi"
python_package
documentation
tell_loader
