"""lossy.py CONSUL: a proxy before Consul that passes the first payment on and ends the connection when
it has the answer.

Prints its address. Ends when it is told to.
"""

import http.client
import http.server
import sys
import threading
import urllib.parse

consul = urllib.parse.urlsplit(sys.argv[1]).netloc
kept = threading.Event()


class Proxy(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def pass_on(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        connection = http.client.HTTPConnection(consul)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        text = answer.read()
        if self.command == "PUT" and "payment" in self.path and not kept.is_set():
            kept.set()
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_DELETE = pass_on

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print("http://127.0.0.1:%d" % server.server_port, flush=True)
server.serve_forever()
