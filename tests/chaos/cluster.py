"""The servers: started, asked, hurt and brought back. Nothing here goes through the library."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Optional

HERE = Path(__file__).resolve().parent
SCRIPT = HERE.parents[1] / "examples" / "cluster" / "cluster.sh"
NAMES = ("server1", "server2", "server3")

#: How long all may take to be well again.
PATIENCE_S = 120.0


class Cluster:
    """Three servers of examples/cluster, each behind a door of the proxy."""

    def __init__(self, folder: Path, raft_multiplier: int, cores: int = 0) -> None:
        self.folder = folder
        #: How many a server uses at most, 0 for all.
        self.cores = cores
        self._run("start", str(folder), "--raft-multiplier", str(raft_multiplier))
        self.port = int((folder / "port").read_text())
        self._tls = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
        self._tls.load_cert_chain(folder / "tls" / "client.pem", folder / "tls" / "client-key.pem")
        self._doors = subprocess.Popen(
            [sys.executable, str(HERE / "proxy.py")]
            + [f"{self.host(name)}:{self.port}" for name in NAMES],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Ctrl-C is for us, who end it then.
            start_new_session=True,
        )
        assert self._doors.stdout
        self._door_ports = self._doors.stdout.readline().split()

    # --- where it is --------------------------------------------------------

    @staticmethod
    def host(name: str) -> str:
        """Where a server listens."""
        return f"127.0.0.{NAMES.index(name) + 1}"

    def settings(self, first: int = 0, direct: bool = False) -> dict[str, Any]:
        """The settings of a client, which begins with this server: through the doors, or not."""
        if direct:
            addresses = [f"https://{self.host(name)}:{self.port}" for name in NAMES]
        else:
            addresses = [f"https://127.0.0.1:{port}" for port in self._door_ports]
        tls = self.folder / "tls"
        return {
            "address": ",".join(addresses[first:] + addresses[:first]),
            "token": self.token("program"),
            "tls_ca_file": str(tls / "ca.pem"),
            "tls_cert_file": str(tls / "client.pem"),
            "tls_key_file": str(tls / "client-key.pem"),
        }

    def token(self, name: str) -> str:
        """A token of the cluster's."""
        return (self.folder / "tokens" / name).read_text().strip()

    # --- asked by plain HTTP ------------------------------------------------

    def ask(
        self, name: str, method: str, path: str, body: Optional[str] = None, timeout: float = 3.0
    ) -> Optional[bytes]:
        """The answer of one server over a connection of its own; None when there is no good one."""
        connection = http.client.HTTPSConnection(
            self.host(name), self.port, timeout=timeout, context=self._tls
        )
        headers = {"X-Consul-Token": self.token("management")}
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            return content if answer.status == 200 else None
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def writes(self, name: str, timeout: float = 3.0) -> bool:
        """Whether a write succeeds at this server."""
        path = f"/v1/kv/chaos/probe/{name}"
        return self.ask(name, "PUT", path, str(time.monotonic()), timeout) == b"true"

    def leader(self) -> str:
        """The name of the leader, once there is one that all who answer agree on."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            told = {
                answer for name in NAMES if (answer := self.ask(name, "GET", "/v1/status/leader"))
            }
            if len(told) == 1:
                host = json.loads(told.pop()).rpartition(":")[0]
                for name in NAMES:
                    if self.host(name) == host:
                        return name
            time.sleep(0.1)
        raise TimeoutError("no leader")

    def await_well(self) -> None:
        """Waits until a write succeeds at each server."""
        end = time.monotonic() + PATIENCE_S
        for name in NAMES:
            while not self.writes(name):
                if time.monotonic() > end:
                    raise TimeoutError(f"{name} does not serve")
                time.sleep(0.05)

    def indexes(self, prefix: str) -> Optional[dict[str, int]]:
        """The modify index of each key that begins so; None when no server can tell."""
        for name in NAMES:
            answer = self.ask(name, "GET", f"/v1/kv/{prefix}?recurse&consistent")
            if answer is not None:
                return {row["Key"]: row["ModifyIndex"] for row in json.loads(answer)}
        return None

    def sessions(self) -> list[Any]:
        """All sessions there are, once a server can tell."""
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            for name in NAMES:
                answer = self.ask(name, "GET", "/v1/session/list?consistent")
                if answer is not None:
                    found: list[Any] = json.loads(answer)
                    return found
        raise TimeoutError("the sessions cannot be read")

    # --- hurt, and brought back ----------------------------------------------

    def signal(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to a server; of one that ends it, waits for the end."""
        process = int((self.folder / name / "pid").read_text())
        os.kill(process, number)
        if number in (signal.SIGKILL, signal.SIGTERM):
            while self._lives(process):
                time.sleep(0.01)

    def start(self, name: str) -> None:
        """Starts a server again that ended."""
        self._run("run", str(self.folder), name)

    def door(self, name: str, mode: str, number: float = 0) -> None:
        """Sets how the way from the clients to a server is."""
        assert self._doors.stdin and self._doors.stdout
        self._doors.stdin.write(f"{NAMES.index(name)} {mode} {number}\n")
        self._doors.stdin.flush()
        self._doors.stdout.readline()

    def part(self, name: str) -> None:
        """Cuts a server off from the other two; clients still reach it."""
        host = self.host(name)
        # Clients have the address of the first server, so their ways come first.
        for side in ("--dport", "--sport"):
            _iptables("-A", "OUTPUT", "-p", "tcp", side, str(self.port), "-j", "ACCEPT")
        _iptables("-A", "OUTPUT", "-s", host, "!", "-d", host, "-j", "DROP")
        _iptables("-A", "OUTPUT", "-d", host, "!", "-s", host, "-j", "DROP")

    def join(self) -> None:
        """Ends that."""
        _iptables("-F", "OUTPUT")

    def stop(self) -> None:
        """Ends all of it."""
        self._doors.terminate()
        self._doors.wait()
        for stream in (self._doors.stdin, self._doors.stdout):
            if stream:
                stream.close()
        self._run("stop", str(self.folder))

    def _run(self, *arguments: str) -> None:
        limit = {"GOMAXPROCS": str(self.cores)} if self.cores else {}
        subprocess.run(
            [str(SCRIPT), *arguments], check=True, stdout=subprocess.DEVNULL, env=os.environ | limit
        )

    @staticmethod
    def _lives(process: int) -> bool:
        # What has ended is a zombie until its parent has heard of it.
        with suppress(OSError):
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
            return state not in "ZX"
        return False


def _iptables(*arguments: str) -> None:
    subprocess.run(["iptables", "-w", *arguments], check=True, capture_output=True)


def why_not_parted() -> Optional[str]:
    """Why servers cannot be cut off from each other here; None when they can."""
    if not os.environ.get("CHAOS_NAMESPACE"):
        return "no network namespace could be made"
    try:
        _iptables("-L", "OUTPUT")
    except FileNotFoundError:
        return "there is no iptables"
    except subprocess.CalledProcessError as error:
        return f"iptables: {error.stderr.decode().strip()}"
    return None
