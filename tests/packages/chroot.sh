#!/bin/sh
# chroot.sh base: fetch a bare system of this machine's release, once, into .cache/chroot.
# chroot.sh debs DEB...: install the packages there, use them, remove them.
# chroot.sh local: the same with `make install` under /usr/local, and `make uninstall`.
#
# A bare system is what debootstrap calls minbase, from the archive that apt uses here. Needs root,
# and beside the latter two a Consul at CONSUL_HTTP_ADDR: a chroot shares the loopback.
set -eu
LC_ALL=C; export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

cd "$(dirname -- "$0")/../.."
# shellcheck source=/dev/null
release=$(. /etc/os-release && echo "$ID $VERSION_CODENAME")
name=.cache/chroot/$(echo "$release" | tr ' ' -)-$(dpkg --print-architecture)
die() { echo "chroot: $*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || die "needs root"

root=
end() { [ -z "$root" ] || rm -rf "$root"; }
trap end EXIT
trap 'exit 130' INT TERM HUP

fetch() {
    [ ! -e "$name.tar" ] || return 0
    components=main
    [ "${release% *}" != ubuntu ] || components=main,universe
    # shellcheck disable=SC2016     # the words in $( ) are apt's, not the shell's
    uri=$(apt-get indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT) $(RELEASE)' \
        'Created-By: Packages' | awk -v name="${release#* }" '$2 == "main" && $3 == name { print $1; exit }')
    [ -n "$uri" ] || die "apt knows no archive of ${release#* } here"
    mkdir -p .cache/chroot
    root=$(mktemp -d "$PWD/.cache/chroot/root.XXXXXX")
    chmod 755 "$root"
    debootstrap --variant=minbase --components="$components" "${release#* }" "$root" "$uri" \
        >"$name.log" 2>&1 || { tail -n 20 "$name.log"; die "debootstrap failed"; }
    # Under a private name, then renamed: safe beside another run.
    tar -C "$root" -cf "$root.tar" .
    mv "$root.tar" "$name.tar"
}

unpack() {
    fetch
    end
    root=$(mktemp -d "$PWD/.cache/chroot/root.XXXXXX")
    chmod 755 "$root"
    tar -C "$root" -xf "$name.tar"
    cp /etc/resolv.conf "$root/etc/"
    cp -r tests/packages "$root/smoke"
}

inside() {
    chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
        DEBIAN_FRONTEND=noninteractive CONSUL_HTTP_ADDR="$CONSUL_HTTP_ADDR" "$@"
}

apt() { inside apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-unsafe-io --no-install-recommends "$@"; }

# All of the system but what apt and dpkg keep of their own work.
listing() { (cd "$root" && find . -path ./var -prune -o -path ./proc -prune -o -print | sort); }

debs() {
    mkdir "$root/debs"
    cp "$@" "$root/debs/"
    # The library alone, where nothing else is: what it needs is in the bare system.
    inside sh -c 'dpkg -i /debs/libconsul-ffi1_*.deb'
    inside perl -MDynaLoader -e 'DynaLoader::dl_load_file("libconsul_ffi.so.1") or die DynaLoader::dl_error()'
    inside dpkg -P libconsul-ffi1

    apt update
    apt install gcc libc6-dev pkg-config luajit python3
    # What the packages name, and no more, comes with them.
    listing >"$root.before"
    inside sh -c 'apt-get -q -y --no-install-recommends install /debs/*.deb'
    # shellcheck disable=SC2016     # ${Package} is dpkg-query's
    ours=$(inside dpkg-query -W -f '${Package} ' '*consul-ffi*')
    # shellcheck disable=SC2086     # several words
    inside dpkg --verify $ours
    inside /smoke/use.sh pkg-config /usr
    inside /smoke/use.sh as-it-is /usr
    [ ! -d "$root/usr/lib/python3/dist-packages/consul_ffi" ] || inside python3 /smoke/smoke.py
    # shellcheck disable=SC2086
    apt purge $ours
    listing >"$root.after"
    same
}

installed() {
    apt update
    apt install luajit
    listing >"$root.before"
    make -s install PREFIX=/usr/local DESTDIR="$root"
    # As `make install` does it where it is root in the system itself.
    inside ldconfig
    inside /smoke/use.sh as-it-is /usr/local
    make -s uninstall PREFIX=/usr/local DESTDIR="$root"
    inside ldconfig
    listing >"$root.after"
    same
}

# Nothing was left behind but folders that others may use too.
same() {
    diff "$root.before" "$root.after" >"$root.diff" || :
    left=$(sed -n 's/^> \.//p' "$root.diff" | while IFS= read -r path; do
        [ -d "$root$path" ] || echo "$path"
    done)
    gone=$(sed -n 's/^< //p' "$root.diff")
    rm "$root.before" "$root.after" "$root.diff"
    [ -z "$left$gone" ] || die "left behind: $left; gone: $gone"
}

verb=${1:-}
[ $# -eq 0 ] || shift
case $verb in
    base) fetch ;;
    debs) unpack; debs "$@" ;;
    local) unpack; installed ;;
    *) echo "usage: chroot.sh base | debs DEB... | local" >&2; exit 2 ;;
esac
