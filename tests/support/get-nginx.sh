#!/bin/sh
# get-nginx.sh [DIR]: print a folder with Debian's nginx and its Lua module, unpacked, for the tests.
#
# The packages are downloaded and unpacked into DIR (the project's .cache/nginx when not given), never
# installed: in Debian 12 the Lua module's own LuaJIT takes the place of luajit. apt says by
# a simulated installation which packages there are; what the machine has already is used from there.
# Apt checks the packages' hashes and signatures as ever.
#
# The folder holds `run`, a program that is nginx with its libraries, modules and Lua files:
#   DIR/run -p PREFIX -c FILE
#
# Exit: 0 path printed; 3 no such nginx can be had here (skip the tests that need it).
set -eu
LC_ALL=C; export LC_ALL

die() { echo "get-nginx: $*" >&2; exit 3; }

folder=${1:-$(dirname "$0")/../../.cache/nginx}
mkdir -p "$folder"
dir=$(CDPATH='' cd -- "$folder" && pwd)
runs() { [ -x "$dir/run" ] && "$dir/run" -v 2>/dev/null; }
if runs; then
    echo "$dir"
    exit 0
fi

for tool in apt-get dpkg dpkg-deb; do
    command -v "$tool" >/dev/null 2>&1 || die "no $tool here"
done
log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -rf "$dir/run" "$dir/root" "$dir/packages"
mkdir -p "$dir/root" "$dir/packages"

simulate() {
    apt-get -s -o Debug::NoLocking=1 install --no-install-recommends \
        nginx libnginx-mod-http-lua lua-resty-core >"$log" 2>&1
}
# A fresh machine has no package lists.
simulate || { [ "$(id -u)" = 0 ] && apt-get -q update >/dev/null 2>&1 && simulate; } ||
    { cat "$log" >&2; die "apt knows no nginx with the Lua module"; }
packages=$(awk '$1 == "Inst" { print $2 }' "$log")

# As who runs this, whose folder apt's own user may be unable to enter.
# shellcheck disable=SC2086     # one word a package
[ -z "$packages" ] || (cd "$dir/packages" && apt-get -q -o APT::Sandbox::User=root download $packages) \
    >"$log" 2>&1 || { cat "$log" >&2; die "the packages cannot be downloaded"; }
for package in "$dir/packages"/*.deb; do
    [ ! -e "$package" ] || dpkg-deb -x "$package" "$dir/root"
done
rm -r "$dir/packages"

# What was unpacked, else what is installed.
find_file() {
    for root in "$dir/root" ""; do
        for place in "$root"/usr/sbin "$root"/usr/lib/nginx/modules "$root"/usr/share/lua/5.1; do
            [ ! -e "$place/$1" ] || { echo "$place/$1"; return; }
        done
    done
}
nginx=$(find_file nginx)
modules=
for name in ndk_http_module ngx_http_lua_module; do
    module=$(find_file $name.so)
    [ -z "$module" ] || modules="$modules load_module $module;"
done
core=$(find_file resty/core.lua)
if [ -z "$nginx" ] || [ -z "$core" ]; then die "the packages hold no nginx or no lua-resty-core"; fi
triplet=$(dpkg-architecture -qDEB_HOST_MULTIARCH 2>/dev/null || echo "$(uname -m)-linux-gnu")

cat >"$dir/run" <<END
#!/bin/sh
LD_LIBRARY_PATH=$dir/root/usr/lib/$triplet:$dir/root/lib/$triplet\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}
LUA_PATH="${core%/resty/core.lua}/?.lua;\${LUA_PATH:-;}"
export LD_LIBRARY_PATH LUA_PATH
exec $nginx -g "$modules" "\$@"
END
chmod +x "$dir/run"
runs || die "the unpacked nginx does not run: $("$dir/run" -v 2>&1)"
echo "$dir"
