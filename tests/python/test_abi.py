"""The signatures and rows are those of the library and of the C compiler."""

from __future__ import annotations

import ctypes
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

from consul_ffi import _abi, _library, _memory
from helper import ROOT, missing


def exported() -> set[str]:
    """The functions that the library in use exports."""
    if not shutil.which("nm"):
        missing("nm")
    command = ["nm", "-D", "--defined-only", _library.PATH]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return set(re.findall(r" T (consul_\w+)", lines)) - {"consul_test_panic"}


class Signatures(unittest.TestCase):
    def test_every_exported_function_has_argtypes_and_restype(self) -> None:
        self.assertEqual(exported(), set(_abi.SIGNATURES))
        for name, (restype, argtypes) in _abi.SIGNATURES.items():
            function = getattr(_library.lib, name)
            self.assertEqual(function.argtypes, argtypes, name)
            self.assertEqual(function.restype, restype, name)

    def test_no_function_returns_a_string_that_would_end_at_a_nul(self) -> None:
        for name, (restype, _) in _abi.SIGNATURES.items():
            self.assertIsNot(restype, ctypes.c_char_p, name)

    def test_the_library_is_never_given_a_function_to_call(self) -> None:
        code = re.sub(r"/\*.*?\*/", "", (ROOT / "include" / "consul_ffi.h").read_text(), flags=re.S)
        self.assertNotIn("(*", code)
        for file in (ROOT / "python" / "consul_ffi").rglob("*.py"):
            self.assertNotRegex(file.read_text(), r"FUNCTYPE\b|\bpy_object\b", str(file))

    def test_calls_that_may_wait_give_up_the_gil(self) -> None:
        for name, (restype, _) in _abi.SIGNATURES.items():
            keeps_it = bool(getattr(_library.lib, name)._flags_ & 0x4)  # FUNCFLAG_PYTHONAPI
            self.assertEqual(keeps_it, _library.keeps_gil(name), name)
            if keeps_it and restype in (None, ctypes.c_int32):
                self.assertIn(name, _library.LOOKING)
        self.assertFalse(_library.keeps_gil("consul_kv_get"))
        self.assertFalse(_library.keeps_gil("consul_view_wait"))
        self.assertTrue(_library.keeps_gil("consul_kv_at"))


class Rows(unittest.TestCase):
    def test_rows_lie_in_memory_as_the_c_compiler_puts_them(self) -> None:
        if not shutil.which("cc"):
            missing("cc")
        layouts = {n: v for n, v in vars(_abi).items() if isinstance(v, _memory.Layout)}
        self.assertGreater(len(layouts), 10)
        expected = {}
        for layout in layouts.values():
            row = layout._row
            name = re.findall(r"`(\w+)`", row.__doc__)[0]
            code = layout.codes
            for number, field in enumerate(row._fields):
                before = struct.calcsize(code[: number + 1] + "0" + code[number + 1])
                expected[f"{name}.{field}"] = before
        self.assertEqual(self.offsets(list(expected)), expected)

    def offsets(self, fields: list[str]) -> dict[str, int]:
        """Where the C compiler puts the fields of rows."""
        lines = [
            f'printf("{field} %zu\\n", offsetof({field.replace(".", ", ")}));' for field in fields
        ]
        program = "#include <consul_ffi.h>\n#include <stdio.h>\nint main(void) {\n%s\nreturn 0; }"
        with tempfile.TemporaryDirectory() as folder:
            binary = str(Path(folder) / "offsets")
            command = ["cc", "-I", str(ROOT / "include"), "-x", "c", "-", "-o", binary]
            subprocess.run(command, input=(program % "\n".join(lines)).encode(), check=True)
            output = subprocess.run([binary], check=True, stdout=subprocess.PIPE, text=True).stdout
        return {line.split()[0]: int(line.split()[1]) for line in output.splitlines()}


if __name__ == "__main__":
    unittest.main()
