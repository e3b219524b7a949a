"""Puts the native library into the wheel, and says which systems the wheel is for.

The library is built by cargo, in the profile that `CONSUL_FFI_CARGO_PROFILE` names (`release`), or
is the file that `CONSUL_FFI_WHEEL_LIBRARY` names, built before, for another machine for example.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

#: `e_machine` of the ELF header, and what wheels call it.
MACHINES = {62: "x86_64", 183: "aarch64"}


def source_of_library(here: Path) -> Path:
    """The crate's folder: within a source distribution, or above this folder in the project."""
    inside = here / "rust"
    return inside if inside.exists() else here.parent


def cargo_build(crate: Path) -> Path:
    """Builds the library, and gives the file."""
    profile = os.environ.get("CONSUL_FFI_CARGO_PROFILE", "release")
    command = ["cargo", "build", "--locked", "--lib", "--profile", profile]
    try:
        built = subprocess.run(
            [*command, "--message-format=json-render-diagnostics"],
            cwd=crate,
            check=True,
            stdout=subprocess.PIPE,
        )
    except FileNotFoundError:
        message = "consul-ffi: cargo is missing: install Rust from https://rustup.rs"
        raise SystemExit(message) from None
    messages = map(json.loads, built.stdout.splitlines())
    artifacts = [m for m in messages if m["reason"] == "compiler-artifact"]
    files = [Path(name) for m in artifacts for name in m["filenames"]]
    return next(file for file in files if file.name == "libconsul_ffi.so")


def strip(library: Path) -> None:
    """Leaves out what only a debugger reads, where there is a tool for it."""
    tool = shutil.which("strip")
    if tool and subprocess.run([tool, "--strip-unneeded", library]).returncode:
        print("consul-ffi: strip failed, the library keeps its symbols")


def platform_tag(library: Path) -> str:
    """The platform of a library: its machine, and the newest version of glibc that it asks for."""
    content = library.read_bytes()
    machine = MACHINES[int.from_bytes(content[18:20], "little")]
    versions = [int(minor) for minor in re.findall(rb"GLIBC_2\.(\d+)", content)]
    if not versions:
        return f"linux_{machine}"
    return f"manylinux_2_{max(versions)}_{machine}"


class LibraryHook(BuildHookInterface):  # type: ignore[type-arg]
    """Runs while hatchling makes a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds the library and the tag. An editable install finds the library in the build
        folder."""
        if version == "editable":
            return
        prebuilt = os.environ.get("CONSUL_FFI_WHEEL_LIBRARY")
        found = Path(prebuilt) if prebuilt else cargo_build(source_of_library(Path(self.root)))
        self.folder = tempfile.mkdtemp()
        library = Path(shutil.copy(found, self.folder))
        strip(library)
        build_data["tag"] = f"py3-none-{platform_tag(library)}"
        build_data["pure_python"] = False
        build_data["force_include"][str(library)] = "consul_ffi/libconsul_ffi.so.1"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes the copy."""
        shutil.rmtree(getattr(self, "folder", ""), ignore_errors=True)
