#!/bin/sh
# What a get costs, counted: system calls and instructions. And the benchmark, which must not rot: each
# row for a moment, by what needs no downloads.
set -eu
. tests/c/common.sh
mkdir -p "$out"
make -s

run counts benches/run.sh --own --no-views --rounds 1 --seconds 0.02
cat "$out/log"
finish
