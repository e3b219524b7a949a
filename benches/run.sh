#!/bin/sh
# run.sh [--write] [--rounds N] [--seconds S] [--only NAME...] [--own] [--no-views]: this library beside
# its peers, on one real Consul, in interleaved rounds; live views and watches after them. `make bench` is
# `run.sh --write`.
#
# What the peers need is fetched into .cache/bench; a peer that cannot be had is named in the output.
set -eu

cd "$(dirname -- "$0")/.."
case " $* " in
    *" --own "*) ;;
    *) tests/support/setup.sh bench ;;
esac
make -s
# Every connection is from one address, and some peers open one for each call.
exec tests/support/with-consul.sh --hcl 'limits { http_max_conns_per_client = 4096 }' \
    python3 -B benches/runner/main.py "$@"
