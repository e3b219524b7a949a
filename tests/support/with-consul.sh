#!/bin/sh
# with-consul.sh [--acl POLICY] [--hcl TEXT]... COMMAND [ARGUMENT]...: run a command beside a Consul of
# its own.
#
# With --acl deny (or allow) it has access control, and the command a management token in
# CONSUL_HTTP_TOKEN. The command finds the agent's address in CONSUL_HTTP_ADDR, and the agent's
# process in CONSUL_PID. The agent runs in development mode on free ports, and
# ends with the command, whatever ends that.
# Exit: the command's own status; without a Consul, that of get-consul.sh.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
say() { echo "with-consul: $*" >&2; }

hcl=
acl=
while :; do
    case ${1:-} in
        --hcl) hcl="$hcl${2:?}
" ;;
        --acl) acl=${2:?} ;;
        *) break ;;
    esac
    shift 2
done
[ $# -gt 0 ] ||
    { say "usage: with-consul.sh [--acl POLICY] [--hcl TEXT]... COMMAND [ARGUMENT]..."; exit 2; }

consul=$("$here/get-consul.sh")
tmp=$(mktemp -d)
agent=
end() {
    [ -z "$agent" ] || { kill -KILL "$agent" && wait "$agent"; } 2>/dev/null || :
    rm -rf "$tmp"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# Below those that Linux gives to outgoing connections, and of no socket now.
free_ports() {
    cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
        awk '{ n = split($2, a, ":"); print a[n] }' >"$tmp/used"
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    awk -v n="$1" -v seed="$seed" '
        { used[$1] = 1 }
        END { srand(seed % 2147483647)     # some awks clip larger seeds
              while (n > 0) { p = 15000 + int(rand() * 15000); h = sprintf("%04X", p)
                              if (h in used) continue
                              used[h] = 1; print p; n-- } }' "$tmp/used"
}

# The kernel ends the agent when this shell dies, even when nothing is trapped.
leash=
! command -v setpriv >/dev/null || leash='setpriv --pdeathsig KILL --'

start() {
    # shellcheck disable=SC2046     # three words
    set -- $(free_ports 3)
    export CONSUL_HTTP_ADDR="http://127.0.0.1:$1"
    printf '%s' "$hcl" >"$tmp/more.hcl"
    # shellcheck disable=SC2086     # several words
    $leash "$consul" agent -dev -bind=127.0.0.1 -client=127.0.0.1 -log-level=warn \
        -node="node-$$" -http-port="$1" -server-port="$2" -serf-lan-port="$3" \
        -serf-wan-port=-1 -dns-port=-1 -grpc-port=-1 -config-file="$tmp/more.hcl" \
        >"$tmp/log" 2>&1 &
    agent=$!
}

# Writes are held until the agent has made itself leader. An agent of another
# run that holds the port by chance makes ours end.
ready() {
    for _ in $(seq 300); do
        kill -0 "$agent" 2>/dev/null || return 1
        "$consul" kv put ready >/dev/null 2>&1 && kill -0 "$agent" 2>/dev/null &&
            "$consul" kv delete ready >/dev/null 2>&1 &&
            # Sessions belong to a node, which is registered a moment later.
            "$consul" catalog nodes 2>/dev/null | grep -q "^node-$$ " && return
        sleep 0.1
    done
    return 1
}

# Not for the agent and its command line, which read the same variables.
unset CONSUL_HTTP_TOKEN CONSUL_HTTP_TOKEN_FILE CONSUL_HTTP_SSL CONSUL_HTTP_AUTH \
    CONSUL_NAMESPACE CONSUL_PARTITION CONSUL_CACERT CONSUL_CAPATH CONSUL_CLIENT_CERT \
    CONSUL_CLIENT_KEY CONSUL_TLS_SERVER_NAME CONSUL_HTTP_SSL_VERIFY

if [ -n "$acl" ]; then
    CONSUL_HTTP_TOKEN=$(cat /proc/sys/kernel/random/uuid)
    export CONSUL_HTTP_TOKEN
    # Consul 1.11 renamed tokens.master.
    case $("$consul" version) in
        "Consul v1."[0-9].* | "Consul v1.10."*) management=master ;;
        *) management=initial_management ;;
    esac
    hcl="${hcl}acl {
    enabled = true
    default_policy = \"$acl\"
    tokens { $management = \"$CONSUL_HTTP_TOKEN\" agent = \"$CONSUL_HTTP_TOKEN\" }
}
"
fi

for attempt in 1 2 3 4 5; do
    start
    ! ready || break
    if [ "$attempt" = 5 ] || ! grep -q 'address already in use' "$tmp/log"; then
        tail -n 20 "$tmp/log" >&2
        say "the agent did not start"
        exit 1
    fi
done
export CONSUL_PID="$agent"
"$@"
