#!/bin/sh
# build-ahead.sh FOLDER STAGE...: builds what these stages of the tests will need, one after the other.
#
# In FOLDER a stage whose turn has come has a file STAGE.begun, and is left alone. While it is being
# built the file STAGE is locked.
set -eu

folder=$1
shift
for stage; do
    # shellcheck disable=SC2016     # for the inner shell
    flock "$folder/$stage" sh -c '[ -e "$1.begun" ] || "$2" build' - "$folder/$stage" \
        "tests/stages/$stage.sh" >"$folder/$stage.log" 2>&1 ||
        echo "build-ahead: $stage will say what is wrong" >&2
done
