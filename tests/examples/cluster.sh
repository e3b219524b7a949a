#!/bin/sh
# cluster.sh: the program of examples/cluster on its three servers, and on the two that are left.
set -eu

folder=$(mktemp -d)
cluster="examples/cluster/cluster.sh"
end() {
    [ ! -e "$folder/cluster/port" ] || "$cluster" stop "$folder/cluster"
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# As a shell that has read the file does.
ticks() {
    # shellcheck disable=SC1091     # is written by the script
    (. "$folder/cluster/env" && luajit examples/cluster/ticks.lua) | sed 's/:[0-9]* is/ is/'
}

"$cluster" start "$folder/cluster" --raft-multiplier 1 >/dev/null
ticks >"$folder/printed"
diff "$folder/printed" - <<END
the leader is node-1
600519 at 1704067200: 1725.50, 1200 shares
600519 at 1704067203: 1726.00, 800 shares
1 node is healthy
https://127.0.0.1 is up, in use
https://127.0.0.2 is up
https://127.0.0.3 is up
END

kill -KILL "$(cat "$folder/cluster/server1/pid")"
ticks >"$folder/printed"
grep -qx 'the leader is node-1' "$folder/printed"
grep -qx 'https://127.0.0.1 is down' "$folder/printed"
