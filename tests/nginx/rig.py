"""What the tests with a real nginx have in common: nginx, Consul's API, requests."""

import atexit
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30

CONSUL = os.environ["CONSUL_HTTP_ADDR"].removeprefix("http://")


# An address of the loopback that is nobody else's: connections begin at 127.0.0.1, whose ports the
# kernel gives away to anybody meanwhile.
HOST = "127.%d.%d.%d" % (77, os.getpid() >> 8 & 255, max(1, os.getpid() & 255))


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def until(true, what, patience=PATIENCE):
    """Waits until something is true, and returns what it is."""
    end = time.monotonic() + patience
    while not (result := true()):
        if time.monotonic() > end:
            sys.exit(f"{what}: not within {patience} s")
        time.sleep(0.02)
    return result


def request(address, method, path, body=None, timeout=PATIENCE):
    """A request on a connection of its own: status and body."""
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def consul(method, path, body=None):
    status, text = request(CONSUL, method, "/v1" + path, body and json.dumps(body))
    assert status == 200, (method, path, status, text)
    return json.loads(text) if text.startswith(("[", "{", "t", "f", '"')) else text


class Nginx:
    """An nginx of one configuration, on a free port, that ends with this process."""

    def __init__(self, conf, folder, **variables):
        self.port = free_port()
        self.address = f"{HOST}:{self.port}"
        self.prefix = Path(tempfile.mkdtemp(prefix="consul-nginx-"))
        text = (folder / conf).read_text().replace("127.0.0.1:8080", self.address)
        (self.prefix / "nginx.conf").write_text(text)
        environment = dict(
            os.environ,
            LUA_PATH=f"{folder}/?.lua;{ROOT}/lua/?.lua;;",
            TMPDIR=str(self.prefix),
        )
        environment.update(variables)
        self.log = self.prefix / "log"
        command = [os.environ["NGINX_RUN"], "-p", f"{self.prefix}/", "-c", f"{self.prefix}/nginx.conf"]
        if os.getuid() == 0:
            (self.prefix / "nginx.conf").write_text("user root;\n" + text)
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "-e", "stderr"], env=environment, stdout=log, stderr=log
            )
        atexit.register(self.end)
        until(self.answers, "nginx answers")

    def answers(self):
        if self.process.poll() is not None:
            sys.exit("nginx ended")
        try:
            request(self.address, "GET", "/ready")
        except OSError:
            return False
        return True

    def get(self, path, timeout=PATIENCE):
        return request(self.address, "GET", path, timeout=timeout)

    def master(self):
        return int((self.prefix / "nginx.pid").read_text())

    def workers(self):
        """The processes whose parent is the master, and are not dead."""
        found = set()
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] != "Z" and int(fields[1]) == self.master():
                found.add(int(folder.name))
        return found

    def reload(self):
        """Reloads, and returns the workers that were there before."""
        before = self.workers()
        os.kill(self.master(), signal.SIGHUP)
        until(lambda: self.workers() - before, "new workers")
        return before

    def problems(self):
        """The lines of the log that tell of something wrong."""
        lines = self.log.read_text().splitlines()
        return [line for line in lines if re.search(r"\[(warn|error|crit|alert|emerg)\]", line)]

    def quit(self):
        """Ends it gracefully: its exit status."""
        self.process.send_signal(signal.SIGQUIT)
        return self.process.wait(PATIENCE)

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        print(self.log.read_text())
        shutil.rmtree(self.prefix, ignore_errors=True)
