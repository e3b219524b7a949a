#!/bin/sh
# deb.sh [x86_64|aarch64]...: Debian packages of the release library in target/deb, for this machine's
# architecture when none is named.
#
# deploy/deb/PACKAGE has the package's control file, what belongs to it (files, shell patterns), and its
# scripts. Every installed file must belong to one.
#
# Environment: DEB_MAINTAINER, "Name <address>".
set -eu

cd "$(dirname -- "$0")/.."
. deploy/versions.sh
[ $# -gt 0 ] || set -- "$(uname -m)"

say() { echo "deb: $*" >&2; }
die() { say "$*"; exit 1; }

maintainer=${DEB_MAINTAINER:-The consul-ffi authors <consul-ffi@localhost>}
# 1.0.0-rc.1 comes before 1.0.0, which Debian writes with a tilde.
deb_version=$(echo "$version" | tr - '~')-1
out=${CARGO_TARGET_DIR:-target}/deb
mkdir -p "$out"
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

fill() { # FILE: with its words of the form @NAME@ replaced
    sed -e "s|@VERSION@|$deb_version|" -e "s|@UPSTREAM@|$version|" -e "s|@MAINTAINER@|$maintainer|" \
        -e "s|@GLIBC@|${glibc:-}|" -e "s|@SIZE@|${size:-}|" -e "s|@COPYRIGHT@|$copyright|" \
        -e "s|@DATE@|$(date -R -u -d "@$SOURCE_DATE_EPOCH")|" "$1"
}

# Debian's form of it: a blank before each line, a dot for an empty one.
copyright=$(sed -n 's/^Copyright (c) //p' LICENSE)
copyright_file() {
    fill deploy/deb/copyright | sed '/^@LICENSE@$/d'
    sed '1,/^Copyright/d; /./,$!d; s/^$/./; s/^/ /' LICENSE | sed '1{/^ \.$/d}'
}

# What each package has beside its files.
documentation() { # PACKAGE ROOT
    doc=$2/usr/share/doc/$1
    mkdir -p "$doc"
    rm -f "$doc/LICENSE" "$doc/CHANGELOG.md"
    copyright_file >"$doc/copyright"
    gzip -9n <CHANGELOG.md >"$doc/changelog.gz"
    fill deploy/deb/changelog | gzip -9n >"$doc/changelog.Debian.gz"
    ! grep -q '^Architecture: all' "deploy/deb/$1/control" || return 0
    gzip -9n <"$tmp/third-party" >"$doc/THIRD-PARTY.gz"
}

# Takes what belongs to a package out of $tmp/all.
take() { # PACKAGE ROOT
    while IFS= read -r pattern; do
        (cd "$tmp/all" && for path in $pattern; do
            # A link may lead to what was taken before.
            if [ -e "$path" ] || [ -L "$path" ]; then echo "$path"; fi
        done) >"$tmp/taken"
        [ -s "$tmp/taken" ] || die "$1: nothing is $pattern"
        while IFS= read -r path; do
            mkdir -p "$2/$(dirname "$path")"
            mv "$tmp/all/$path" "$2/$path"
        done <"$tmp/taken"
    done <"deploy/deb/$1/files"
}

package() { # PACKAGE
    root=$tmp/$1
    take "$1" "$root"
    documentation "$1" "$root"
    size=$(du -k -s --apparent-size "$root" | cut -f1)
    mkdir "$root/DEBIAN"
    for part in control triggers shlibs postinst prerm; do
        [ ! -e "deploy/deb/$1/$part" ] || fill "deploy/deb/$1/$part" >"$root/DEBIAN/$part"
    done
    sed -i "s|^Architecture: @ARCHITECTURE@|Architecture: $debian|" "$root/DEBIAN/control"
    (cd "$root" && find . -type f ! -path './DEBIAN/*' | sort | sed 's|^\./||' | xargs md5sum) \
        >"$tmp/md5sums"
    mv "$tmp/md5sums" "$root/DEBIAN/"
    chmod -R u=rwX,go=rX "$root"
    for script in postinst prerm; do
        [ ! -e "$root/DEBIAN/$script" ] || chmod 755 "$root/DEBIAN/$script"
    done
    rm -f "$out/$1"_*_"$(sed -n 's/^Architecture: //p' "$root/DEBIAN/control")".deb
    dpkg-deb --root-owner-group -Zxz --build "$root" "$out" | sed 's/^dpkg-deb: //'
    rm -rf "$root"
}

for architecture; do
    case $architecture in
        x86_64) debian=amd64 ;;
        aarch64) debian=arm64 ;;
        *) die "x86_64 or aarch64, not $architecture" ;;
    esac
    built=$(deploy/build.sh "$architecture" | tail -n 1)
    needs=$(deploy/check.sh "$architecture" "$built/libconsul_ffi.so")
    glibc=$(echo "$needs" | sed -n 's/.*: glibc \([0-9.]*\) .*/\1/p')
    deploy/licenses.sh >"$tmp/third-party"

    packages='libconsul-ffi1 libconsul-ffi-dev lua-consul-ffi'
    python=
    if [ -d python/consul_ffi ]; then
        packages="$packages python3-consul-ffi"
        python=1
    fi
    rm -rf "$tmp/all"
    DESTDIR=$tmp/all PREFIX=/usr LIBDIR=/usr/lib/$architecture-linux-gnu \
        DOCDIR=/usr/share/doc/libconsul-ffi-dev WITH_PYTHON=$python \
        PYTHONDIR=/usr/lib/python3/dist-packages BUILT=$built deploy/install.sh install
    # The package is the same for every architecture, and the system's loader finds the library.
    rm -f "$tmp/all/usr/lib/python3/dist-packages/consul_ffi/$soname"
    for name in $packages; do package "$name"; done
    left=$(find "$tmp/all" ! -type d)
    [ -z "$left" ] || die "in no package: $left"
done
