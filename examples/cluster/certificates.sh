# certificates DIR: a certificate authority of our own, one certificate for each server and one for
# clients. Certificate and key of NAME: DIR/NAME.pem, DIR/NAME-key.pem.
# shellcheck shell=sh

# Quiet unless it fails.
ssl() { openssl "$@" >"$tls/log" 2>&1 || { cat "$tls/log" >&2; exit 1; }; }

key() { ssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$tls/$1-key.pem"; }

certificate() { # NAME COMMON-NAME EXTENSION...
    name=$1
    common=$2
    shift 2
    key "$name"
    printf '%s\n' "$@" >"$tls/extensions"
    ssl req -new -key "$tls/$name-key.pem" -subj "/CN=$common" -out "$tls/request"
    ssl x509 -req -in "$tls/request" -CA "$tls/ca.pem" -CAkey "$tls/ca-key.pem" -CAcreateserial \
        -days 365 -extfile "$tls/extensions" -out "$tls/$name.pem"
}

certificates() {
    tls=$1
    mkdir -p "$tls"
    key ca
    ssl req -new -x509 -key "$tls/ca-key.pem" -subj '/CN=CA of an example cluster' -days 365 \
        -out "$tls/ca.pem"
    for n in 1 2 3; do
        # By this name servers know each other (verify_server_hostname), by the address programs do.
        certificate "server$n" server.dc1.consul \
            "subjectAltName=DNS:server.dc1.consul,DNS:localhost,IP:127.0.0.1,IP:127.0.0.$n" \
            'extendedKeyUsage=serverAuth,clientAuth'
    done
    certificate client client.dc1.consul 'extendedKeyUsage=clientAuth'
    rm -f "$tls/log" "$tls/request" "$tls/extensions"
}
