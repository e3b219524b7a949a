#!/bin/sh
# cluster.sh: three Consul servers on this machine, as they run in production: HTTPS with client
# certificates, ACLs that deny by default, encrypted gossip. For trying things out.
#
#   cluster.sh start DIR [--raft-multiplier K]   start them, all in the new folder DIR; says how to use them
#   cluster.sh consul DIR ARGUMENT...            Consul's own command line, with all rights
#   cluster.sh run DIR serverN                   start a server again that ended
#   cluster.sh stop DIR                          end them; DIR stays
#
# Server N listens on 127.0.0.N. The Consul is $CONSUL_BIN, else the one on PATH. K is Consul's
# raft_multiplier, 5 as in Consul itself unless said otherwise: with 1 a new leader is elected in 3 s
# instead of 15. Needs openssl. Nothing outside DIR is written.
set -eu
LC_ALL=C; export LC_ALL
umask 077

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
consul=${CONSUL_BIN:-consul}
servers='server1 server2 server3'
say() { echo "cluster: $*" >&2; }
die() { say "$*"; exit 1; }
usage() { sed -n '4,8s/^# *//p' "$0" >&2; exit 2; }

# shellcheck source=examples/cluster/certificates.sh
. "$here/certificates.sh"

# What the environment says is for other Consuls.
unset CONSUL_HTTP_ADDR CONSUL_HTTP_TOKEN CONSUL_HTTP_TOKEN_FILE CONSUL_HTTP_SSL CONSUL_HTTP_AUTH \
    CONSUL_NAMESPACE CONSUL_PARTITION CONSUL_CACERT CONSUL_CAPATH CONSUL_CLIENT_CERT \
    CONSUL_CLIENT_KEY CONSUL_TLS_SERVER_NAME CONSUL_HTTP_SSL_VERIFY

# --- one server ----------------------------------------------------------------

# The process of a server, when it lives and is ours: its arguments name our folder.
process_of() {
    [ -s "$dir/$1/pid" ] || return 1
    pid=$(cat "$dir/$1/pid")
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "-config-file=$dir/$1/" || return 1
    echo "$pid"
}

run() {
    ! process_of "$1" >/dev/null || return 0
    # Apart from this script's streams, so that who reads them sees their end.
    nohup "$consul" agent -config-file="$dir/$1/config.json" >>"$dir/$1/log" 2>&1 </dev/null &
    echo $! >"$dir/$1/pid"
}

# The command line, asked of the first server, with the management token.
cli() { cli_as management 1 "$@"; }

cli_as() { # TOKEN N ARGUMENT...
    who=$1
    where=$2
    shift 2
    CONSUL_HTTP_ADDR="https://127.0.0.$where:$(cat "$dir/port")" \
    CONSUL_HTTP_TOKEN=$(cat "$dir/tokens/$who") CONSUL_CACERT="$dir/tls/ca.pem" \
    CONSUL_CLIENT_CERT="$dir/tls/client.pem" CONSUL_CLIENT_KEY="$dir/tls/client-key.pem" \
        "$consul" "$@"
}

# --- start -----------------------------------------------------------------------

# Three ports that nothing uses now, below those that Linux gives to outgoing connections.
free_ports() {
    cat /proc/net/tcp /proc/net/tcp6 /proc/net/udp /proc/net/udp6 2>/dev/null |
        awk '{ n = split($2, a, ":"); print a[n] }' >"$dir/used"
    seed=$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')
    awk -v n=3 -v seed="$seed" '
        { used[$1] = 1 }
        END { srand(seed % 2147483647)     # some awks clip larger seeds
              while (n > 0) { p = 15000 + int(rand() * 15000); h = sprintf("%04X", p)
                              if (h in used) continue
                              used[h] = 1; print p; n-- } }' "$dir/used"
    rm "$dir/used"
}

token() { # NAME: made and kept
    openssl rand -hex 16 | sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{4\}\)\(.\{4\}\)/\1-\2-\3-\4-/' >"$dir/tokens/$1"
}

configuration() { # N HTTPS RPC SERF
    name=server$1
    mkdir -p "$dir/$name/data"
    cat >"$dir/$name/config.json" <<END
{
  "node_name": "$name", "datacenter": "dc1", "data_dir": "$dir/$name/data",
  "server": true, "bootstrap_expect": 3,
  "bind_addr": "127.0.0.$1", "client_addr": "127.0.0.$1",
  "ports": { "http": -1, "https": $2, "server": $3, "serf_lan": $4, "serf_wan": -1, "dns": -1, "grpc": -1 },
  "retry_join": ["127.0.0.1:$4", "127.0.0.2:$4", "127.0.0.3:$4"], "retry_interval": "250ms",

  "ca_file": "$dir/tls/ca.pem",
  "cert_file": "$dir/tls/$name.pem", "key_file": "$dir/tls/$name-key.pem",
  "verify_incoming": true, "verify_outgoing": true, "verify_server_hostname": true,

  "encrypt": "$gossip",

  "acl": {
    "enabled": true, "default_policy": "deny",
    "tokens": { "master": "$(cat "$dir/tokens/management")", "agent": "$(cat "$dir/tokens/agent")" }
  },

  "performance": { "raft_multiplier": $multiplier },
  "autopilot": { "cleanup_dead_servers": false },
  "limits": { "http_max_conns_per_client": 1000 },
  "log_level": "info", "disable_update_check": true
}
END
}

quiet() { "$@" >/dev/null 2>&1; }

# A leader that answers, three servers that vote, and ACLs, which take a moment longer.
is_ready() {
    [ "$(cli operator raft list-peers 2>/dev/null | grep -c ' true ')" = 3 ] &&
        [ "$(cli members 2>/dev/null | grep -c ' alive ')" = 3 ] &&
        cli acl policy list >/dev/null 2>&1
}

await() { # CONDITION
    for _ in $(seq 600); do
        ! "$1" || return 0
        for name in $servers; do
            process_of "$name" >/dev/null || { tail -n 5 "$dir/$name/log" >&2; die "$name ended"; }
        done
        sleep 0.1
    done
    tail -n 5 "$dir/server1/log" >&2
    die "not ready in time"
}

# What the servers' agents and the programs may do. On a busy machine the leader may change meanwhile:
# what has been made by then is not made again.
grant() {
    for name in agent program; do
        quiet cli acl policy read -name "$name" ||
            quiet cli acl policy create -name "$name" -rules "@$here/$name-policy.hcl" || return 1
        quiet cli_as "$name" 1 acl token read -self ||
            quiet cli acl token create -description "$name" -policy-name "$name" \
                -secret "$(cat "$dir/tokens/$name")" || return 1
    done
}

# Whether each server has heard of the tokens.
is_granted() {
    for n in 1 2 3; do
        cli_as program "$n" acl token read -self >/dev/null 2>&1 || return 1
    done
}

# For the shell that programs are started from.
environment() { # HTTPS
    cat >"$dir/env" <<END
export CONSUL_HTTP_ADDR=https://127.0.0.1:$1,https://127.0.0.2:$1,https://127.0.0.3:$1
export CONSUL_CACERT='$dir/tls/ca.pem'
export CONSUL_CLIENT_CERT='$dir/tls/client.pem'
export CONSUL_CLIENT_KEY='$dir/tls/client-key.pem'
export CONSUL_HTTP_TOKEN_FILE='$dir/tokens/program'
END
}

start() {
    multiplier=5
    if [ "${1:-}" = --raft-multiplier ]; then multiplier=${2:-}; fi
    case $multiplier in [1-9] | 10) ;; *) usage ;; esac
    "$consul" version >/dev/null 2>&1 || die "no Consul: $consul (set CONSUL_BIN)"
    command -v openssl >/dev/null || die "openssl is missing"
    [ ! -e "$dir/port" ] || die "$dir has a cluster already: take a new folder"

    certificates "$dir/tls"
    gossip=$(openssl rand -base64 32)
    mkdir "$dir/tokens"
    for who in management agent program; do token "$who"; done
    # shellcheck disable=SC2046     # three words
    set -- $(free_ports)
    echo "$1" >"$dir/port"
    environment "$1"
    for n in 1 2 3; do configuration "$n" "$@"; done

    trap 'stop' EXIT
    for name in $servers; do run "$name"; done
    await is_ready
    await grant
    await is_granted
    trap - EXIT
    cat <<END
Three servers run, all they have is in $dir

  . '$dir/env'                 for programs: addresses, certificates, the token of a program
  luajit examples/cluster/ticks.lua     one of them
  $0 consul '$dir' members     Consul's own command line, with all rights
  $0 stop '$dir'               the end of it
END
}

# --- stop ------------------------------------------------------------------------

stop() {
    for name in $servers; do
        # What is stopped by a signal does not see another.
        ! pid=$(process_of "$name") || { kill -TERM "$pid" && kill -CONT "$pid"; } 2>/dev/null || :
    done
    for name in $servers; do
        tries=0
        while pid=$(process_of "$name"); do
            tries=$((tries + 1))
            [ "$tries" -lt 80 ] || kill -KILL "$pid" 2>/dev/null || :
            sleep 0.1
        done
        rm -f "$dir/$name/pid"
    done
}

[ $# -ge 2 ] || usage
verb=$1
case $verb in
    start) mkdir -p "$2" ;;
    consul | run | stop) [ -e "$2/port" ] || die "no cluster in $2" ;;
    *) usage ;;
esac
dir=$(CDPATH='' cd -- "$2" && pwd)
shift 2
case $verb in
    start) start "$@" ;;
    consul) cli "$@" ;;
    run) case ${1:-} in server[123]) run "$1" ;; *) usage ;; esac ;;
    stop) stop ;;
esac
