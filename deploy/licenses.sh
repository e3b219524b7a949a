#!/bin/sh
# licenses.sh: the licenses of what the released library contains, each text once, to standard output.
set -eu
LC_ALL=C; export LC_ALL

cd "$(dirname -- "$0")/.."
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM HUP

cargo fetch --locked --quiet
# Both architectures are built from the same crates.
cargo tree --locked --offline --edges normal --prefix none --format '{p}|{l}' --target x86_64-unknown-linux-gnu |
    grep -v -e '(/' -e '(proc-macro)' -e '(\*)$' | sort -u >"$tmp/crates"

mkdir "$tmp/texts"
while IFS='|' read -r crate license; do
    name=${crate% v*}-${crate##* v}
    found=
    for text in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$name"/[LCU][IONn][CPYl]*; do
        case $(basename "$text") in LICEN[SC]E* | COPYING* | COPYRIGHT* | UNLICENSE*) ;; *) continue ;; esac
        [ -f "$text" ] || continue
        sum=$(sha256sum <"$text" | cut -c1-64)
        cp "$text" "$tmp/texts/$sum"
        echo "$name" >>"$tmp/texts/$sum.users"
        found=1
    done
    [ -n "$found" ] || echo "licenses: $name brings no text of its license, $license" >&2
done <"$tmp/crates"

cat <<'HEAD'
libconsul_ffi contains the Rust crates below, the Rust standard library (MIT OR Apache-2.0) and
LLVM's libunwind (Apache-2.0 WITH LLVM-exception). The texts of the crates' licenses follow.

HEAD
sed 's/|/  /' "$tmp/crates"
for users in "$tmp"/texts/*.users; do
    printf '\n==== %s\n\n' "$(paste -sd' ' "$users")"
    cat "${users%.users}"
done
