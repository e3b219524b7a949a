"""The library is found, or the error says where it was looked for; and what it has in use."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

import consul_ffi
from consul_ffi import _abi, _library, _search
from helper import PATIENCE, ROOT, client_of, finish, missing, python, server


def fake_library(path: Path, source: str) -> None:
    """Builds a library that has nothing but this."""
    if not shutil.which("cc"):
        missing("cc")
    command = ["cc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)]
    subprocess.run(command, input=source.encode(), check=True)


def with_abi(major: int, minor: int) -> str:
    return f"unsigned consul_abi_version(void) {{ return {major}u << 16 | {minor}u; }}"


class Places(unittest.TestCase):
    def test_what_the_environment_says_is_the_only_place(self) -> None:
        self.assertEqual(_search.places(Path("/p"), {"CONSUL_FFI_LIBRARY": "/x.so"}), ["/x.so"])

    def test_otherwise_beside_the_package_then_the_build_then_the_system(self) -> None:
        places = _search.places(ROOT / "python" / "consul_ffi", {})
        root = str(ROOT)
        self.assertEqual(
            places,
            [
                f"{root}/python/consul_ffi/libconsul_ffi.so.1",
                f"{root}/python/consul_ffi/libconsul_ffi.so",
                f"{root}/target/release/libconsul_ffi.so",
                f"{root}/target/debug/libconsul_ffi.so",
                "libconsul_ffi.so.1",
                "libconsul_ffi.so",
            ],
        )

    def test_an_installed_package_looks_in_no_build_folder(self) -> None:
        places = _search.places(Path("/usr/lib/python3/dist-packages/consul_ffi"), {})
        self.assertFalse([place for place in places if "target" in place])

    def test_the_build_folder_may_be_elsewhere(self) -> None:
        places = _search.places(ROOT / "python" / "consul_ffi", {"CARGO_TARGET_DIR": "/build"})
        self.assertIn("/build/release/libconsul_ffi.so", places)


class Loading(unittest.TestCase):
    def test_the_error_lists_every_place_with_its_reason(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            other, older, newer = (Path(folder) / f"{n}.so" for n in ("other", "older", "newer"))
            fake_library(other, "int nothing;")
            fake_library(older, with_abi(0, 9))
            fake_library(newer, with_abi(2, 0))
            with self.assertRaises(ImportError) as caught:
                _library.find([f"{folder}/none.so", str(other), str(older), str(newer)])
        lines = str(caught.exception).splitlines()
        self.assertIn("none.so: cannot open shared object file", lines[1])
        self.assertIn("other.so: is no libconsul_ffi", lines[2])
        needed = f"{_abi.CONSUL_ABI_MAJOR}.{_abi.CONSUL_ABI_MINOR}"
        self.assertIn(f"older.so: has ABI 0.9, this package needs {needed} or a later", lines[3])
        self.assertIn("newer.so: has ABI 2.0", lines[4])

    def test_a_later_minor_version_fits(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            later = Path(folder) / "later.so"
            fake_library(later, with_abi(1, 60000))
            self.assertEqual(_library.find([f"{folder}/none.so", str(later)]), str(later))

    def test_importing_with_a_wrong_library_is_an_import_error(self) -> None:
        process = python("import consul_ffi", CONSUL_FFI_LIBRARY="/no/such/library.so")
        status, _, errors = finish(process)
        self.assertEqual(status, 1)
        self.assertIn("ImportError: libconsul_ffi could not be loaded; tried", errors)
        self.assertIn("/no/such/library.so: cannot open", errors)

    def test_package_and_library_are_of_one_version_here(self) -> None:
        self.assertEqual(consul_ffi.library_version(), consul_ffi.__version__)


class Usage(unittest.TestCase):
    def test_what_is_on_at_an_address_is_told_while_it_is(self) -> None:
        asked, go = threading.Event(), threading.Event()

        def answer(connection: socket.socket) -> None:
            connection.recv(65536)
            asked.set()
            go.wait(PATIENCE)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue")
            connection.recv(1)  # until the client closes it

        with server(answer) as address, client_of(address) as client:

            def usage() -> tuple[int, int]:
                (endpoint,) = client.endpoints()
                return endpoint.in_flight, endpoint.connections

            self.assertEqual(usage(), (0, 0))
            puts = threading.Thread(target=client.kv.put, args=("a", "b"))
            puts.start()
            self.assertTrue(asked.wait(PATIENCE))
            self.assertEqual(usage(), (1, 1))
            go.set()
            puts.join()
            self.assertEqual(usage(), (0, 1))

    def test_threads_are_there_while_a_client_needs_them(self) -> None:
        program = """
import consul_ffi
assert consul_ffi.library_threads() == 0
with consul_ffi.Client(address="embedded:", environment=False) as client:
    queue = consul_ffi.Queue()
    client.on(queue).kv.get("a")
    assert consul_ffi.library_threads() == 1
assert consul_ffi.library_threads() == 0
"""
        self.assertEqual(finish(python(program)), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
