"""Snapshots: the whole state of the servers in one file. `client.snapshot`."""

from __future__ import annotations

from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Optional

from ._answers import take_json
from ._convert import FileName, file_name
from ._core import Core
from ._library import lib
from ._outcome import check
from .results import Snapshot

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._settings import CallOptions


class Snapshots:
    """Saves and restores. Where `timeout_ms` does not say how long it may take, it is ten minutes."""

    def __init__(self, core: Core) -> None:
        self._core = core

    def save(self, path: FileName, **options: Unpack[CallOptions]) -> Snapshot:
        """Saves the state of the servers in a file, which is there whole and with right checksums,
        or not at all. Only its owner can read it: the tokens of the ACL system are in it. It goes
        straight to the file, whatever its size."""
        return self._core.ask(_take, lib.consul_snapshot_save, options, file_name(path, "path"))

    def restore(self, path: FileName, **options: Unpack[CallOptions]) -> Snapshot:
        """Replaces the state of the servers by what a file holds: what was written since it was
        saved is gone. Nothing is sent when the file is not a whole snapshot."""
        return self._core.ask(_take, lib.consul_snapshot_restore, options, file_name(path, "path"))


def inspect_snapshot(path: FileName) -> Snapshot:
    """Reads a snapshot from its first byte to its last and compares all checksums; asks no Consul.
    Raises CryptoError when one is wrong, DecodeError when it is not a whole snapshot."""
    out = c_void_p()
    status = lib.consul_snapshot_inspect(file_name(path, "path"), byref(out))
    check(status)
    return _take(status, out.value)


def _take(status: int, handle: Optional[int]) -> Snapshot:
    about = take_json(status, handle)
    return Snapshot(about["ID"], about["Index"], about["Term"], about["Version"], about["Size"])
