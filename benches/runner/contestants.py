"""Who takes part: for each its name in the tables, its rows, and how its program is built and started."""

import math
import os
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

from tables import ROWS

ROOT = Path(__file__).resolve().parents[2]
BENCHES = ROOT / "benches"
CACHE = ROOT / ".cache" / "bench"
LIBRARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release" / "libconsul_ffi.so"
GO_PACKAGES = Path("/usr/share/gocode/src")
OFFICIAL, ANCESTOR = "github.com/hashicorp/consul/api", "github.com/armon/consul-api"


class Missing(Exception):
    """A contestant that cannot take part here, and why."""


class Program:
    """A started contestant: its command and what it needs in its environment."""

    def __init__(self, command, **environment):
        self.command = [str(word) for word in command]
        self.environment = environment

    def run(self, row, unit, amount):
        """The number of calls, the seconds they took, and the CPU seconds of the program."""
        done = subprocess.run(
            [*self.command, row, unit, str(amount)],
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            text=True,
            timeout=120,
            check=True,
        )
        calls, seconds, cpu = done.stdout.split()
        return int(calls), float(seconds), float(cpu)


def build(command, what, **options):
    """Runs a step of a build; its output is shown only when it fails."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options,
        )
    except FileNotFoundError:
        raise Missing(f"there is no {command[0]}") from None
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise Missing(f"{what} failed")


def c_program(name, *sources, flags=()):
    CACHE.mkdir(parents=True, exist_ok=True)
    out = CACHE / f"c-{name}"
    sources = [BENCHES / "c" / source for source in ("bench.c", f"{name}.c", *sources)]
    compiler = os.environ.get("CC", "cc")
    build([compiler, "-O2", "-Wall", "-pthread", "-o", out, *sources, *flags], f"compiling {name}.c")
    return Program([out])


def floor():
    return c_program("floor", "decode.c")


def ours_c():
    # Found by its soname.
    CACHE.mkdir(parents=True, exist_ok=True)
    link = CACHE / "libconsul_ffi.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(LIBRARY)
    return c_program(
        "ours", flags=[f"-I{ROOT}/include", LIBRARY, f"-Wl,-rpath,{CACHE}"]
    )


def libcurl_c():
    return c_program("libcurl", "decode.c", flags=["-lcurl"])


def lua_program(name):
    if not shutil.which("luajit"):
        raise Missing("there is no luajit")
    return Program(
        ["luajit", BENCHES / "lua" / "bench.lua", name],
        LUA_PATH=f"{ROOT}/lua/?.lua;{BENCHES}/lua/?.lua;;",
        CONSUL_FFI_LIBRARY=str(LIBRARY),
    )


def ours_lua():
    return lua_program("ours")


def libcurl_lua(name):
    build(["luajit", "-e", "require('cjson') require('ffi').load('libcurl.so.4')"], "loading lua-cjson or libcurl")
    return lua_program(name)


def ours_python():
    package = ROOT / "python"
    if not (package / "consul_ffi" / "__init__.py").exists():
        raise Missing("this checkout has no Python package")
    return Program(
        [sys.executable, BENCHES / "python" / "bench.py", "ours"],
        PYTHONPATH=str(package),
        CONSUL_FFI_LIBRARY=str(LIBRARY),
    )


def py_consul():
    venv = CACHE / "python"
    python = venv / "bin" / "python"
    if not python.exists():
        build([sys.executable, "-m", "venv", venv], "making a virtual environment")
    wanted = ["py-consul==1.8.0", "aiohttp==3.14.5"]
    build([python, "-m", "pip", "install", "-q", *wanted], f"pip install {' '.join(wanted)}")
    return Program([python, BENCHES / "python" / "bench.py", "py_consul"])


def rs_consul():
    build(
        ["cargo", "build", "--release", "--locked", "--quiet", "--target-dir", CACHE / "rust"],
        "building with rs-consul",
        cwd=BENCHES / "rust",
    )
    return Program([CACHE / "rust" / "release" / "bench-rs-consul"])


def node():
    folder = CACHE / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "bench.js"):
        shutil.copy(BENCHES / "node" / name, folder)
    if not (folder / "node_modules" / "consul").is_dir():
        build(["npm", "install", "--silent", "--no-audit", "--no-fund"], "npm install consul", cwd=folder)
    return Program(["node", folder / "bench.js"])


def go():
    known = [name for name in (OFFICIAL, ANCESTOR) if (GO_PACKAGES / name).is_dir()]
    if not known:
        raise Missing("this system has no package of the Go API client")
    folder = CACHE / "go"
    folder.mkdir(parents=True, exist_ok=True)
    source = (BENCHES / "go" / "bench.go").read_text().replace(OFFICIAL, known[0])
    (folder / "bench.go").write_text(source)
    build(
        ["go", "build", "-o", "bench", "bench.go"],
        "go build",
        cwd=folder,
        env={**os.environ, "GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOFLAGS": ""},
    )
    program = Program([folder / "bench"])
    program.label = f"Go: `{known[0]}`"
    return program


class Wrk(Program):
    """A generator of load that decodes nothing: what one thread with 32 connections gets from the agent."""

    def __init__(self):
        super().__init__(["wrk", "-t1", "-c32", "--timeout", "10s"])

    def run(self, row, unit, amount):
        url = f"{os.environ['CONSUL_HTTP_ADDR']}/v1/kv/bench/small"
        # It takes whole seconds.
        duration = f"-d{max(1, math.ceil(amount))}s"
        used = child_cpu()
        done = subprocess.run(
            [*self.command, duration, url], stdout=subprocess.PIPE, text=True, timeout=120, check=True
        )
        calls, seconds = re.search(r"(\d+) requests in ([\d.]+)s", done.stdout).groups()
        if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
            sys.exit(f"wrk: not every answer is good:\n{done.stdout}")
        return int(calls), float(seconds), child_cpu() - used


def child_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wrk():
    if not shutil.which("wrk"):
        raise Missing("there is no wrk")
    return Wrk()


class Contestant:
    """`peer`: what it is measured by needs downloads."""

    def __init__(self, name, label, prepare, peer=True, rows=tuple(ROWS)):
        self.name, self.label, self.prepare, self.peer, self.rows = name, label, prepare, peer, rows


IN_FLIGHT = ("flight",)
BLOCKING = tuple(row for row in ROWS if row not in IN_FLIGHT)


ALL = [
    Contestant("floor", "floor: raw socket, decoded", floor, peer=False),
    Contestant("c", "**consul_ffi from C**", ours_c, peer=False),
    Contestant("libcurl", "C, libcurl", libcurl_c),
    Contestant("lua", "**consul_ffi from LuaJIT**", ours_lua, peer=False),
    Contestant("lua-libcurl", "LuaJIT, libcurl, handle reused", lambda: libcurl_lua("libcurl_reused"), rows=BLOCKING),
    Contestant(
        "lua-libcurl-per-call", "LuaJIT, libcurl, handle per call", lambda: libcurl_lua("libcurl_per_call"),
        rows=BLOCKING,
    ),
    Contestant("python", "**consul_ffi from Python**", ours_python, peer=False),
    Contestant("py-consul", "Python: py-consul", py_consul),
    Contestant("rs-consul", "Rust: rs-consul, connections kept", rs_consul, rows=BLOCKING),
    Contestant("node", "Node.js: consul", node),
    Contestant("go", f"Go: `{OFFICIAL}`", go, rows=BLOCKING),
    Contestant("wrk", "wrk, nothing decoded", wrk, rows=IN_FLIGHT),
]
