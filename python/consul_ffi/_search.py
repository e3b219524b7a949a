"""Where the native library may lie, in the order in which the places are tried.

1. What the environment says in `CONSUL_FFI_LIBRARY`. Nothing else is tried then.
2. Beside this package, where a wheel has it.
3. The build folders of the source tree that the package lies in.
4. The system's loader (`LD_LIBRARY_PATH`, `/etc/ld.so.conf`).
"""

from __future__ import annotations

import os
from pathlib import Path

NAMES = ("libconsul_ffi.so.1", "libconsul_ffi.so")


def places(package: Path, environment: os._Environ[str] | dict[str, str] = os.environ) -> list[str]:
    """The places to try; `package` is this package's folder."""
    explicit = environment.get("CONSUL_FFI_LIBRARY")
    if explicit:
        return [explicit]
    beside = [str(package / name) for name in NAMES]
    return beside + _builds(package, environment) + list(NAMES)


def _builds(package: Path, environment: os._Environ[str] | dict[str, str]) -> list[str]:
    """A source tree keeps the package in `python/`, beside `Cargo.toml`."""
    root = package.parent.parent
    if package.parent.name != "python" or not (root / "Cargo.toml").exists():
        return []
    target = root / environment.get("CARGO_TARGET_DIR", "target")
    return [str(target / profile / "libconsul_ffi.so") for profile in ("release", "debug")]
