#!/bin/sh
# Every test that cargo knows: units, behaviour on a real Consul, the ABI, the rules of the house.
exec tests/support/cargo-test.sh --no-fail-fast
