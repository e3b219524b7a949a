# For the stages that run C and C++ programs: [suite=FOLDER OF tests] . tests/c/common.sh
# shellcheck shell=sh

# What the stage was asked for.
part=${1:-}

# Where cargo builds, and what is built from here.
target=${CARGO_TARGET_DIR:-$PWD/target}
suite=${suite:-c}
out=$target/$suite

if ! CONSUL_BIN=$(tests/support/get-consul.sh); then
    [ -z "${CI:-}" ] || exit 1
    echo "no Consul: skipped"
    exit 0
fi
export CONSUL_BIN

# A folder in which the linker and the loader find the library of the folder $1; printed.
library() {
    folder=$out/lib/$(echo "${1#"$target"/}" | tr / -)
    mkdir -p "$folder"
    for name in libconsul_ffi.so libconsul_ffi.so.1; do
        ln -sf "$1/libconsul_ffi.so" "$folder/$name"
    done
    echo "$folder"
}

# Builds the programs: programs NAME COMPILER STANDARD LIBRARY [FLAGS]; into $out/NAME
programs() {
    mkdir -p "$out/$1"
    make -s -C "tests/$suite" -j2 OUT="$out/$1" CC="$2" STD="$3" LIB="$4" FLAGS="${5:-}"
}

# The certificates of tests/support/certs.sh, made once.
certificates() {
    [ -e "$out/certs/done" ] || { tests/support/certs.sh "$out/certs" && touch "$out/certs/done"; }
    echo "$out/certs"
}

# A client that is freed while it watches a lock leaves Consul with a connection that it does not miss
# for a while; two hundred of them, and Consul takes no more.
many_connections='limits { http_max_conns_per_client = 5000 }'

# Runs the stage $1 again, beside a Consul of its own. For the stage that shall only build this is its
# end.
beside_consul() {
    [ "$part" != build ] || exit 0
    exec tests/support/with-consul.sh --hcl "$many_connections" "$1" beside-consul
}

passed=0
failed=0

# One test: run NAME COMMAND...; what it prints is shown when it fails.
run() {
    name=$1
    shift
    began=$(date +%s)
    if timeout -k 5 "${limit:-120}" "$@" >"$out/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name ($(($(date +%s) - began)) s)"
        return
    else
        status=$?
    fi
    failed=$((failed + 1))
    echo "FAILED  $name (exit status $status)"
    sed 's/^/    /' "$out/log"
}

# One test beside a Consul that no other sees: run_alone NAME COMMAND... The random calls need it: they
# register a check of the name of Consul's own, serfHealth; when it goes, the node's health goes with
# it, and for the minute until Consul notices nobody gets a session.
run_alone() {
    name=$1
    shift
    run "$name" tests/support/with-consul.sh --hcl "$many_connections" "$@"
}

# The stage's last line.
finish() {
    echo "$passed $failed" >"${STAGE_RESULT:-/dev/null}"
    [ "$failed" = 0 ]
}
