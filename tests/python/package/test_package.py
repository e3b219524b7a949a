"""Types are right, and what pip makes of the package works without the source tree."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]

#: Writes and reads a key, in an interpreter that knows nothing of the source tree.
PROGRAM = """
import pathlib
import consul_ffi
beside = pathlib.Path(consul_ffi.__file__).parent / "libconsul_ffi.so.1"
assert consul_ffi.library_path == str(beside), consul_ffi.library_path
with consul_ffi.Client() as client:
    client.kv.put("python-package", "works")
    print(client.kv.get("python-package").text, consul_ffi.__version__)
"""

#: Hands settings and options on, with their types.
HANDS_ON = """
from __future__ import annotations
from typing import TYPE_CHECKING
import consul_ffi
if TYPE_CHECKING:
    from typing_extensions import Unpack

def connect(name: str, **settings: Unpack[consul_ffi.Settings]) -> consul_ffi.Client:
    settings.setdefault("audit_actor", name)
    return consul_ffi.Client(**settings)

def limit(client: consul_ffi.Client, **options: Unpack[consul_ffi.CallOptions]) -> int:
    pair = client.kv.get("app/limit", **options)
    return int(pair.value) if pair else 10
"""


def run(command: list[str], cwd: Path, **variables: str) -> str:
    """Runs a command that must succeed, nothing of the source tree on its paths."""
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "CONSUL_FFI_LIBRARY")}
    result = subprocess.run(
        command,
        cwd=cwd,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode:
        raise AssertionError(f"{command}: {result.stdout}")
    return result.stdout


class Types(unittest.TestCase):
    def test_the_package_the_examples_and_what_hands_options_on_are_clean(self) -> None:
        examples = sorted((ROOT / "examples" / "python").glob("*.py"))
        checked = [ROOT / "python" / "consul_ffi", ROOT / "python" / "build_library.py", *examples]
        mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.devnull]
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "hands_on.py"
            program.write_text(HANDS_ON)
            checked.append(program)
            run([*mypy, *map(str, checked)], ROOT, MYPYPATH=str(ROOT / "python"))

    def test_a_wrong_call_is_found(self) -> None:
        wrong = {
            "Client(timeout_ms='5')": "Argument",
            "Client().kv.get('a', consistency='never')": "Literal",
            "Client().kv.get('a', tiemout_ms=5)": "Unexpected keyword",
            "Client().kv.get('a').text": 'Item "None"',
        }
        with tempfile.TemporaryDirectory() as folder:
            program = Path(folder) / "wrong.py"
            lines = ["from consul_ffi import Client", *wrong]
            program.write_text("\n".join(lines) + "\n")
            command = [sys.executable, "-m", "mypy", "--cache-dir", os.devnull, str(program)]
            environment = {**os.environ, "MYPYPATH": str(ROOT / "python")}
            result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True)
        for number, complaint in enumerate(wrong.values(), start=2):
            self.assertRegex(result.stdout, f"wrong.py:{number}: error: .*{complaint}")

    def test_it_says_that_it_is_typed(self) -> None:
        self.assertTrue((ROOT / "python" / "consul_ffi" / "py.typed").exists())


class Packages(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        # The libraries of other crates are not built anew.
        target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
        self.build = {"CONSUL_FFI_CARGO_PROFILE": "dev", "CARGO_TARGET_DIR": target}

    def works(self, package: Path, **variables: str) -> None:
        """Installs into a fresh environment and runs there."""
        environment = self.folder / "environment"
        run([sys.executable, "-m", "venv", str(environment)], self.folder)
        python = str(environment / "bin" / "python")
        run([python, "-m", "pip", "install", "--quiet", str(package)], self.folder, **variables)
        output = run([python, "-W", "error", "-c", PROGRAM], self.folder)
        version = re.findall(r'^version = "(.*)"', (ROOT / "Cargo.toml").read_text(), re.MULTILINE)
        self.assertEqual(output.split(), ["works", version[0]])

    def test_pip_install_builds_the_library_and_installs_it_beside_the_package(self) -> None:
        if "CONSUL_HTTP_ADDR" not in os.environ:
            raise unittest.SkipTest("Consul is missing")
        self.works(ROOT / "python", **self.build)

    def test_a_wheel_is_for_one_platform_and_every_python(self) -> None:
        library = Path(self.build["CARGO_TARGET_DIR"]) / "debug" / "libconsul_ffi.so"
        wheel = self.pack("wheel", CONSUL_FFI_WHEEL_LIBRARY=str(library))
        self.assertRegex(wheel.name, r"-py3-none-(many)?linux_[\w]+\.whl$")
        names = zipfile.ZipFile(wheel).namelist()
        self.assertIn("consul_ffi/libconsul_ffi.so.1", names)
        self.assertIn("consul_ffi/py.typed", names)
        needed = max(int(n) for n in re.findall(rb"GLIBC_2\.(\d+)", library.read_bytes()))
        self.assertIn(f"manylinux_2_{needed}_", wheel.name)

    def test_a_source_distribution_builds(self) -> None:
        source = self.pack("sdist")
        with tarfile.open(source) as archive:
            archive.extractall(self.folder)
        unpacked = self.folder / source.name.replace(".tar.gz", "")
        for path in ("rust/Cargo.lock", "rust/src/lib.rs", "LICENSE"):
            self.assertTrue((unpacked / path).exists(), path)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "built"]
        run(command, unpacked, **self.build)
        self.assertEqual(len(list((unpacked / "built").glob("*.whl"))), 1)

    def pack(self, target: str, **variables: str) -> Path:
        command = [sys.executable, "-m", "hatchling", "build", "-t", target]
        run([*command, "-d", str(self.folder / "packed")], ROOT / "python", **variables)
        (packed,) = (self.folder / "packed").iterdir()
        return packed


if __name__ == "__main__":
    unittest.main()
