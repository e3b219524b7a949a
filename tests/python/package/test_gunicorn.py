"""gunicorn with --preload: what was made before the fork works in every worker, and all of it stops
cleanly."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from typing import Any

import consul_ffi

#: How long something that must happen may take on a busy machine.
PATIENCE = 30
WORKERS = 3
KEY = f"python-gunicorn-{os.getpid()}"

#: Makes a client and a view, uses both, and is forked then.
APPLICATION = f"""
import json, os
import consul_ffi

client = consul_ffi.Client()
watch = client.watch.key("{KEY}").wait_ready(30_000)
view = watch.view()
made_by = os.getpid()

def application(environ, start_response):
    view.refresh()
    answer = {{
        "worker": os.getpid(),
        "forked": os.getpid() != made_by,
        "read": client.kv.get("{KEY}").text,
        "seen": view.pair.text,
    }}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(answer).encode()]
"""


class Preload(unittest.TestCase):
    def setUp(self) -> None:
        if "CONSUL_HTTP_ADDR" not in os.environ:
            raise unittest.SkipTest("Consul is missing")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        (self.folder / "application.py").write_text(APPLICATION)
        self.client = consul_ffi.Client()
        self.addCleanup(self.client.close)
        self.client.kv.put(KEY, "before")
        self.log = (self.folder / "log").open("w+")
        self.addCleanup(self.log.close)
        command = [sys.executable, "-W", "error::ResourceWarning", "-m", "gunicorn", "--preload", "-t", "300"]
        self.server = subprocess.Popen(
            [*command, "-w", str(WORKERS), "-b", "unix:socket", "application:application"],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
        )
        self.addCleanup(self.end)

    def end(self) -> None:
        if self.server.poll() is None:
            self.server.kill()
        self.server.wait()

    def ask(self) -> Any:
        """What a worker answers; None while there is none."""
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(PATIENCE)
        try:
            connection.sock.connect(str(self.folder / "socket"))
            connection.request("GET", "/")
            response = connection.getresponse()
            self.assertEqual(response.status, 200)
            return json.loads(response.read())
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        finally:
            connection.close()

    def every_worker(self, seen: str) -> set[int]:
        """The workers, once each of them has seen this in its view."""
        end, workers = time.monotonic() + PATIENCE, set()
        while len(workers) < WORKERS:
            self.assertLess(time.monotonic(), end, self.written())
            self.assertIsNone(self.server.poll(), self.written())
            answer = self.ask()
            if answer is None:
                time.sleep(0.05)
                continue
            self.assertTrue(answer["forked"])
            self.assertEqual(answer["read"], seen)
            if answer["seen"] == seen:
                workers.add(answer["worker"])
        return workers

    def written(self) -> str:
        self.log.seek(0)
        return self.log.read()

    def test_workers_answer_and_all_stop_cleanly(self) -> None:
        workers = self.every_worker("before")
        self.client.kv.put(KEY, "after")
        self.assertEqual(self.every_worker("after"), workers)
        self.server.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.wait(PATIENCE), 0, self.written())
        for worker in workers:
            self.assertFalse(Path(f"/proc/{worker}").exists())
        for complaint in ("Traceback", "TIMEOUT", "SIGKILL", "ERROR"):
            self.assertNotIn(complaint, self.written())


if __name__ == "__main__":
    unittest.main()
