"""TLS of the library and of Python's OpenSSL in one process: neither knows of the other."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from pathlib import Path

import consul_ffi
from helper import server

BODY = b'["10.0.0.1:8300"]'

CONFIGURATION = """
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = python
[extensions]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1
"""


@unittest.skipUnless(shutil.which("openssl"), "openssl makes the certificate")
class BesideOpenSsl(unittest.TestCase):
    def setUp(self) -> None:
        """A certificate that whoever trusts it knows, for both sides."""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "configuration").write_text(CONFIGURATION)
        made = "req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:P-256 -days 2"
        files = "-config configuration -keyout key.pem -out certificate.pem"
        subprocess.run(
            ["openssl", *made.split(), *files.split()],
            cwd=self.folder,
            check=True,
            stderr=subprocess.DEVNULL,
        )

    def test_a_server_by_pythons_ssl_and_a_client_know_each_others_certificate(self) -> None:
        certificate, digest = self.folder / "certificate.pem", hashlib.sha256(b"a").hexdigest()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self.folder / "key.pem")
        context.load_verify_locations(certificate)
        context.verify_mode = ssl.CERT_REQUIRED
        asked = []

        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secured:
                while b"\r\n\r\n" in (request := secured.recv(65536)):
                    asked.append((request.split()[1], secured.version()))
                    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(BODY)}\r\n\r\n"
                    secured.sendall(head.encode() + BODY)

        with server(serve) as address, consul_ffi.Client(
            environment=False,
            address=address.replace("http:", "https:"),
            tls_ca_file=certificate,
            tls_cert_file=certificate,
            tls_key_file=self.folder / "key.pem",
            timeout_ms=30000,
        ) as client:
            for _ in range(3):
                self.assertEqual(client.status.peers(), ["10.0.0.1:8300"])
                self.assertEqual(hashlib.sha256(b"a").hexdigest(), digest)
        self.assertEqual(asked, [(b"/v1/status/peers", "TLSv1.3")] * 3)
