#!/bin/sh
# get-consul.sh [DIR]: print the path of a real Consul executable for the tests.
#
# In this order: $CONSUL_BIN, `consul` on PATH, DIR/consul from an earlier run,
# else Debian's package, unpacked into DIR (the project's .cache/consul when
# not given) without installing anything.
# The package is in Debian 11 "bullseye" only (Consul 1.8.7, MPL-2.0), which is
# still served by the mirror that a Debian 11..13 machine already uses: the
# mirror is read from apt's own configuration. A machine of another kind
# (Ubuntu) knows no Debian mirror, so there Debian's public name is asked.
# Either way apt checks the archive's signature with debian-archive-keyring and
# the package's hash, and all of apt's state lies in a scratch folder. Runs as
# root and as a plain user.
#
# Environment (all optional):
#   CONSUL_BIN           a Consul of yours; wins over everything
#   CONSUL_ARCHIVE_URI   the Debian archive to ask instead, for example when
#                        bullseye has left the mirror
#   CONSUL_DEB_ARCH      amd64 or arm64, when not this machine's own
#
# Exit: 0 path printed; 2 wrong use; 3 no Consul can be had here (skip the
# tests that need it); 4 what was fetched does not run or was refused.
set -eu
LC_ALL=C; export LC_ALL

suite=bullseye
say() { echo "get-consul: $*" >&2; }
die() { rc=$1; shift; say "$*"; exit "$rc"; }

if [ $# -gt 1 ]; then die 2 "usage: get-consul.sh [DIR]"; fi
folder=${1:-$(dirname "$0")/../../.cache/consul}

if [ -n "${CONSUL_BIN:-}" ]; then
    "$CONSUL_BIN" version >/dev/null 2>&1 || die 2 "CONSUL_BIN does not run: $CONSUL_BIN"
    printf '%s\n' "$CONSUL_BIN"
    exit 0
fi
if [ -z "${CONSUL_DEB_ARCH:-}" ] && bin=$(command -v consul) && "$bin" version >/dev/null 2>&1; then
    printf '%s\n' "$bin"
    exit 0
fi

mkdir -p "$folder"
dir=$(CDPATH='' cd -- "$folder" && pwd)
runs() { [ -n "${CONSUL_DEB_ARCH:-}" ] || "$dir/consul" version >/dev/null 2>&1; }
if [ -x "$dir/consul" ] && [ "$(cat "$dir/consul.arch" 2>/dev/null)" = "${CONSUL_DEB_ARCH:-native}" ] && runs; then
    printf '%s\n' "$dir/consul"
    exit 0
fi

for tool in apt-get dpkg dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 ||
        die 3 "no $tool here: install Consul yourself and set CONSUL_BIN"
done
# The keyring by the package that owns it: .gpg, or .pgp from Debian 13 on.
keyring=$(dpkg -L debian-archive-keyring 2>/dev/null |
    grep -E '/debian-archive-keyring\.(gpg|pgp)$' | head -n 1) || :
if [ -z "$keyring" ] || [ ! -r "$keyring" ]; then
    die 3 "no debian-archive-keyring here: install that package, or Consul yourself and set CONSUL_BIN"
fi
arch=${CONSUL_DEB_ARCH:-$(dpkg --print-architecture)}

distribution=$(sed -n 's/^ID=//p' /etc/os-release 2>/dev/null | tr -d '"') || :
if [ -n "${CONSUL_ARCHIVE_URI:-}" ]; then
    uris=$CONSUL_ARCHIVE_URI
elif [ "$distribution" != debian ]; then
    uris=http://deb.debian.org/debian
else
    # The archives that apt already uses, security archives left out.
    # shellcheck disable=SC2016     # the words in $( ) are apt's, not the shell's
    uris=$(apt-get -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
        indextargets --no-release-info --format '$(REPO_URI) $(COMPONENT)' \
        'Created-By: Packages' 2>/dev/null |
        awk '$2 == "main" && $1 !~ /security/ && !seen[$1]++ { print $1 }')
fi
[ -n "$uris" ] || die 3 "apt knows no archive here: set CONSUL_ARCHIVE_URI or CONSUL_BIN"

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP
chmod 755 "$tmp"        # as root, apt downloads as its own unprivileged user
mkdir -p "$tmp/lists/partial" "$tmp/archives/partial" "$tmp/parts" "$tmp/deb" "$tmp/x"
: >"$tmp/status"; : >"$tmp/prefs"; : >"$tmp/log"

# Read by apt after the machine's own configuration, so proxies and credentials
# stay as they are, and the hooks that touch the system are dropped.
cat >"$tmp/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Post-Invoke;
#clear APT::Architectures;
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::Languages "none";
Acquire::Retries "2";
Dir::Etc::sourcelist "$tmp/consul.sources";
Dir::Etc::sourceparts "$tmp/parts";
Dir::Etc::preferences "$tmp/prefs";
Dir::Etc::preferencesparts "$tmp/parts";
Dir::State "$tmp";
Dir::State::lists "$tmp/lists";
Dir::State::status "$tmp/status";
Dir::Cache "$tmp";
Dir::Cache::archives "$tmp/archives";
CONF

got=
for uri in $uris; do
    cat >"$tmp/consul.sources" <<SOURCES
Types: deb
URIs: $uri
Suites: $suite
Components: main
Targets: Packages
Signed-By: $keyring
SOURCES
    if (cd "$tmp/deb" && { [ "$(id -u)" != 0 ] || chown _apt . 2>/dev/null || :; } &&
        apt-get -q -c "$tmp/apt.conf" update &&
        apt-get -q -c "$tmp/apt.conf" download consul) >>"$tmp/log" 2>&1; then
        got=$(find "$tmp/deb" -name 'consul_*.deb' | head -n 1)
        [ -z "$got" ] || break
    fi
done
if [ -z "$got" ]; then
    grep -E '^(E|W|Err)' "$tmp/log" | head -n 8 >&2 || :
    if grep -qE 'not signed|NO_PUBKEY|BADSIG|Hash Sum mismatch|unexpected size|signature verification failed' "$tmp/log"; then
        die 4 "what the archive gave was refused"
    fi
    die 3 "no Consul for $arch in Debian $suite here: set CONSUL_ARCHIVE_URI or CONSUL_BIN"
fi

dpkg-deb -x "$got" "$tmp/x"
if [ -z "${CONSUL_DEB_ARCH:-}" ] && ! "$tmp/x/usr/bin/consul" version >/dev/null 2>&1; then
    die 4 "the packaged Consul does not run here"
fi
# Into the folder under a private name, then renamed: safe beside another run.
cp "$tmp/x/usr/bin/consul" "$dir/.consul.$$"
printf '%s\n' "${CONSUL_DEB_ARCH:-native}" >"$dir/.arch.$$"
mv -f "$dir/.arch.$$" "$dir/consul.arch"
mv -f "$dir/.consul.$$" "$dir/consul"
say "$(basename "$got") from $uri"
printf '%s\n' "$dir/consul"
