#!/bin/sh
# certs.sh DIR: make certificates of every kind for tests into DIR, with openssl.
#
#   ca.pem, ca-key.pem           the CA of all that is good
#   server.pem, client.pem       version 3; the server's for localhost and 127.0.0.1
#   other-name.pem               a server's, for other.example only
#   common-name.pem              a server's, version 3 without subject alternative name
#   expired.pem                  a server's, whose time is over
#   old-ca.pem, old-server.pem,  as the older deployment guides make them by
#   old-client.pem               `openssl x509 -req`: version 1, no subject alternative name
#   other-ca.pem, other-client.pem, other-server.pem     of a CA that nobody trusts
#   any-ca.pem                   both CAs in one file; ca-folder/ has them in two
#   client-bundle.pem            certificate, then key
#   client-key-{rsa,pkcs1,sec1,encrypted}.pem    other forms of keys; rsa and pkcs1
#                                belong to client-rsa.pem, the others to client.pem
#   client.der, garbage.pem, empty.pem, broken.pem       nothing that a PEM reader can use
# Every X.pem of a server or client has its key in X-key.pem.
set -eu
[ $# -eq 1 ] || { echo "usage: certs.sh DIR" >&2; exit 2; }
mkdir -p "$1"
cd "$1"
umask 077

# Quiet unless it fails.
ssl() {
    openssl "$@" >openssl.log 2>&1 && return
    cat openssl.log >&2
    exit 1
}

ec_key() { ssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }
rsa_key() { ssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1"; }

# authority NAME
authority() {
    ec_key "$1-key.pem"
    ssl req -new -x509 -key "$1-key.pem" -subj "/CN=$1 of tests" -days 3650 -out "$1.pem"
}

# issue NAME CA COMMON-NAME EXTENSIONS...: version 3, signed by CA, for NAME-key.pem
issue() {
    name=$1; ca=$2; common=$3
    shift 3
    printf '%s\n' "$@" >"$name.ext"
    ssl req -new -key "$name-key.pem" -subj "/CN=$common" -out "$name.csr"
    ssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca-key.pem" -CAcreateserial \
        -days 3650 -extfile "$name.ext" -out "$name.pem"
    rm "$name.ext" "$name.csr"
}

# issue_old NAME COMMON-NAME: version 1, as `openssl x509 -req` did it for decades
issue_old() {
    rsa_key "$1-key.pem"
    ssl req -new -key "$1-key.pem" -subj "/CN=$2" -out "$1.csr"
    ssl x509 -req -in "$1.csr" -CA old-ca.pem -CAkey old-ca-key.pem -CAcreateserial \
        -days 3650 -out "$1.pem"
    # Newer openssl makes version 3 unless told otherwise, and unless a configuration asks for
    # extensions, as the system's does.
    if ! openssl x509 -in "$1.pem" -noout -text | grep -q 'Version: 1 '; then
        printf '%s\n' '[req]' 'distinguished_name = name' '[name]' >"$1.cnf"
        ssl req -x509v1 -config "$1.cnf" -in "$1.csr" -CA old-ca.pem -CAkey old-ca-key.pem \
            -days 3650 -out "$1.pem"
        rm "$1.cnf"
    fi
    openssl x509 -in "$1.pem" -noout -text | grep -q 'Version: 1 ' ||
        { echo "certs.sh: this openssl makes no certificate of version 1" >&2; exit 1; }
    rm "$1.csr"
}

for ca in ca old-ca other-ca; do authority "$ca"; done

server_use='extendedKeyUsage=serverAuth,clientAuth'
client_use='extendedKeyUsage=clientAuth'
local_names='subjectAltName=DNS:localhost,DNS:server.dc1.consul,IP:127.0.0.1,IP:::1'

for name in server client other-name common-name expired other-server other-client; do
    ec_key "$name-key.pem"
done
rsa_key client-rsa-key.pem
issue server ca server.dc1.consul "$local_names" "$server_use"
issue client ca client.dc1.consul "$client_use"
issue client-rsa ca client.dc1.consul "$client_use"
issue other-name ca other.example 'subjectAltName=DNS:other.example' "$server_use"
issue common-name ca localhost "$server_use"
issue other-server other-ca server.dc1.consul "$local_names" "$server_use"
issue other-client other-ca client.dc1.consul "$client_use"

# `openssl ca` is the only verb that sets both ends of the validity in every version.
: >index.txt
echo 01 >serial
cat >expired.cnf <<CONF
[ca]
default_ca = tests
[tests]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any
x509_extensions = server
[any]
commonName = supplied
[server]
$local_names
$server_use
CONF
ssl req -new -key expired-key.pem -subj /CN=server.dc1.consul -out expired.csr
ssl ca -batch -notext -config expired.cnf -cert ca.pem -keyfile ca-key.pem -in expired.csr \
    -startdate 20200101000000Z -enddate 20210101000000Z -out expired.pem
rm -f expired.cnf expired.csr index.txt* serial serial.old 01.pem

issue_old old-server server.dc1.consul
issue_old old-client client.dc1.consul

cat ca.pem old-ca.pem >any-ca.pem
mkdir -p ca-folder
cp ca.pem old-ca.pem ca-folder/
cat client.pem client-key.pem >client-bundle.pem
cp client-rsa-key.pem client-key-rsa.pem
ssl rsa -traditional -in client-rsa-key.pem -out client-key-pkcs1.pem
ssl ec -in client-key.pem -out client-key-sec1.pem
ssl pkcs8 -topk8 -in client-key.pem -passout pass:secret -out client-key-encrypted.pem
ssl x509 -in client.pem -outform DER -out client.der
echo 'no certificate here' >garbage.pem
: >empty.pem
printf '%s\n' '-----BEGIN CERTIFICATE-----' 'bm90IGEgY2VydGlmaWNhdGU=' '-----END CERTIFICATE-----' >broken.pem
rm -f openssl.log ./*.srl
