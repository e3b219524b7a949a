#!/bin/sh
# The Python package, on the built library and a real Consul: by the oldest and the newest Python that
# is installed; then its types, what pip makes of it, and gunicorn, by python3.
set -eu

if ! python3 -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 9))' 2>/dev/null; then
    [ -z "${CI:-}" ] || { echo "python: no python3 from 3.9 on with venv" >&2; exit 1; }
    echo "python: skipped, no python3 from 3.9 on with venv"
    exit 0
fi

# With a test, the smallest: that makes it the library that the tests of cargo have built.
cargo build --locked --lib --test house
export CONSUL_FFI_LIBRARY="${CARGO_TARGET_DIR:-$PWD/target}/debug/libconsul_ffi.so"
export PYTHONPATH="$PWD/python:$PWD/tests/python" PYTHONDONTWRITEBYTECODE=1

# Without a Consul, the tests that need none.
beside=
if [ -n "${CONSUL_BIN:-}" ]; then
    beside=tests/support/with-consul.sh
else
    unset CONSUL_HTTP_ADDR
fi

log=$(mktemp)
failed=
trap 'rm -f "$log" "$log.failed"' EXIT

run_tests() { # PYTHON FOLDER
    "$1" --version
    # shellcheck disable=SC2086     # several words
    { $beside "$1" -W error -m unittest discover -s "$2" 2>&1 || : >"$log.failed"; } | tee -a "$log"
    [ ! -e "$log.failed" ] || failed=yes
}

version_of() { "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null; }

# Every Python from 3.9 on that runs, on PATH or of pyenv: "VERSION COMMAND", the oldest first.
pythons() {
    for each in python3 $(for minor in 9 10 11 12 13 14 15; do echo "python3.$minor"; done) \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3; do
        version=$(version_of "$each") || continue
        [ "${version#3.}" -lt 9 ] || echo "$version $each"
    done | sort -t. -k2n | sort -u -t. -k2,2n
}

for python in $(pythons | sed -n '1p;$p' | uniq | cut -d' ' -f2); do
    run_tests "$python" tests/python
done

# mypy, hatchling and gunicorn, of the versions that the list names.
tools=$PWD/.cache/python
wanted=tests/python/package/requirements.txt
if ! cmp -s "$wanted" "$tools/requirements.txt"; then
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check -r "$wanted"
    cp "$wanted" "$tools/requirements.txt"
fi
run_tests "$tools/bin/python" tests/python/package

awk '
    /^Ran [0-9]+ tests?/ { ran += $2 }
    /^FAILED \(/ {
        gsub(/[^0-9a-z=]/, " ")
        for (i = 1; i <= NF; i++)
            if (split($i, part, "=") == 2 && part[1] ~ /^(failures|errors)$/) bad += part[2]
    }
    /skipped=[0-9]+/ { match($0, /skipped=[0-9]+/); ran -= substr($0, RSTART + 8, RLENGTH - 8) }
    END { print ran - bad, bad + 0 }' "$log" >"${STAGE_RESULT:-/dev/null}"
[ -z "$failed" ]
