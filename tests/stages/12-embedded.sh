#!/bin/sh
# The behaviour tests once more, with the embedded agent for their Consul: all but those that
# tests/behaviour/real-only names, each with the reason why it needs a real one.
set -eu

export CONSUL_TEST_AGENT=embedded
names=$(cargo test --locked --test behaviour -- --list)

# A name that no test has any more would hide that its test now runs, or is gone.
skips=
while read -r name; do
    case $name in [a-z]*::*) ;; *) continue ;; esac
    echo "$names" | grep -q "^$name" || { echo "real-only: there is no test $name" >&2; exit 1; }
    skips="$skips --skip $name"
done <tests/behaviour/real-only

# Most of them wait for something, and none for a processor.
# shellcheck disable=SC2086     # several words
exec tests/support/cargo-test.sh --no-fail-fast --test behaviour -- --test-threads=8 $skips
