"""The example: requests go to the instances of a service that are registered in Consul. One is killed
and comes back under load, and no GET fails."""

import collections
import http.client
import subprocess
import sys
import threading

import rig

THREADS = 4
# Requests of each thread between two events.
ROUND = 100

# It answers in one piece: of an answer that has begun nobody can give the rest.
INSTANCE = """
import http.server, sys
class Instance(http.server.BaseHTTPRequestHandler):
    wbufsize = -1
    def do_GET(self):
        body = sys.argv[1].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words):
        pass
http.server.ThreadingHTTPServer.request_queue_size = 128
http.server.ThreadingHTTPServer((sys.argv[2], int(sys.argv[3])), Instance).serve_forever()
"""


def start(name, port):
    return subprocess.Popen([sys.executable, "-c", INSTANCE, name, rig.HOST, str(port)])


def passing():
    entries = rig.consul("GET", "/health/service/web?passing")
    return {entry["Service"]["ID"] for entry in entries}


def load(nginx, total):
    """GETs from several threads: how many each instance has answered, and what went wrong."""
    answered, wrong = collections.Counter(), []

    def work():
        for _ in range(total):
            try:
                status, body = nginx.get("/")
            except (OSError, http.client.HTTPException) as error:
                status, body = 0, repr(error)
            if status == 200:
                answered[body] += 1
            else:
                wrong.append((status, body))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    return threads, answered, wrong


def loaded(nginx, total=ROUND, meanwhile=lambda: None):
    threads, answered, wrong = load(nginx, total)
    rig.until(lambda: sum(answered.values()) > total // 4 or wrong, "the load has begun")
    meanwhile()
    for thread in threads:
        thread.join()
    assert not wrong, wrong[:3]
    assert sum(answered.values()) == THREADS * total
    return answered


def loaded_or_none(nginx):
    """As a short load, before every worker has its view."""
    threads, answered, wrong = load(nginx, 10)
    for thread in threads:
        thread.join()
    return () if wrong else answered


def main():
    ports = {name: rig.free_port() for name in ("one", "two", "three")}
    instances = {name: start(name, port) for name, port in ports.items()}
    try:
        nginx = rig.Nginx("nginx.conf", rig.ROOT / "examples/nginx")
        assert nginx.get("/")[0] == 503, "nobody is registered"

        for name, port in ports.items():
            check = {"TCP": f"{rig.HOST}:{port}", "Interval": "200ms", "Timeout": "30s"}
            service = {"Name": "web", "ID": name, "Address": rig.HOST, "Port": port, "Check": check}
            rig.consul("PUT", "/agent/service/register", service)
        rig.until(lambda: passing() == set(ports), "every instance passes")
        rig.consul("PUT", "/kv/app/greeting", "hello")

        rig.until(lambda: set(loaded_or_none(nginx)) == set(ports), "both workers have them all")
        assert nginx.get("/greeting") == (200, '"hello"\n'), nginx.get("/greeting")
        rig.consul("DELETE", "/kv/app/greeting")
        status, body = nginx.get("/greeting")
        assert status == 404 and "NOT_FOUND" in body, (status, body)

        def kill():
            instances["two"].kill()
            instances["two"].wait()

        def bring_back():
            instances["two"] = start("two", ports["two"])

        assert set(loaded(nginx)) == set(ports)
        loaded(nginx, meanwhile=kill)
        rig.until(lambda: passing() == {"one", "three"}, "Consul misses it")
        rig.until(lambda: set(loaded(nginx, 10)) == {"one", "three"}, "nginx misses it")
        loaded(nginx, meanwhile=bring_back)
        rig.until(lambda: passing() == set(ports), "it is back")
        rig.until(lambda: set(loaded(nginx, 10)) == set(ports), "nginx has it back")
        assert nginx.quit() == 0
    finally:
        for process in instances.values():
            process.kill()


main()
