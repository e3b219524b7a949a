"""The library's log, one for the process: silent until a level is set.

    consul_ffi.log.set_level("warning")
    for record in consul_ffi.log.take():
        print(record.level, record.area, record.message)
"""

from __future__ import annotations

import os
from ctypes import byref, c_void_p
from typing import TYPE_CHECKING, Optional, Union

from . import _abi
from ._convert import optional_text, uint32, uint64
from ._library import lib
from ._memory import text
from ._outcome import check, done
from .results import LogRecord

if TYPE_CHECKING:
    from typing import Literal

    from .queue import Queue, Ticket

    Level = Literal["error", "warning", "info", "debug"]

__all__ = ["dropped", "set_file", "set_level", "set_queue", "set_rotation", "take"]


def set_level(level: Optional[Level]) -> None:
    """Records what matters as much as this level or more; None means silence."""
    check(lib.consul_log_set_level(optional_text(level, "level")))


def set_file(path: Union[str, os.PathLike[str], None]) -> None:
    """Writes the records to the end of this file from now on instead of keeping them; None ends
    that."""
    name = None if path is None else os.fspath(path)
    check(lib.consul_log_set_file(optional_text(name, "path")))


def set_rotation(max_bytes: int = 0, max_files: int = 0, max_age_days: int = 0) -> None:
    """Has the log file make room by renaming it to `FILE.1`, what was that to `FILE.2`, and so on: at
    so many bytes, keeping so many old ones, for so many days (a new file begins each day then). 0 is no
    bound."""
    bytes_, files = uint64(max_bytes, "max_bytes"), uint32(max_files, "max_files")
    days = uint32(max_age_days, "max_age_days")
    check(lib.consul_log_set_rotation(bytes_, files, days))


def set_queue(queue: Optional[Queue]) -> Optional[Ticket[list[LogRecord]]]:
    """Has the records arrive in this queue from now on, and in no other: the ticket comes each time
    that there are some, which are its `result()`, until it is cancelled. None ends that."""
    if queue is None:
        check(lib.consul_log_set_queue(None, 0))
        return None
    return queue.follow(_take, lambda tag: check(lib.consul_log_set_queue(queue.handle, tag)))


def take(most: int = 1024) -> list[LogRecord]:
    """The records that nobody has taken yet, the oldest first. The log keeps 1024."""
    out = c_void_p()
    done(lib.consul_log_take(uint64(most, "most"), byref(out)), _abi.CONSUL_NO_CHANGE)
    return _take(0, out.value)


def _take(_status: int, handle: Optional[int]) -> list[LogRecord]:
    """The records of an answer; none where somebody was faster."""
    try:
        places = range(lib.consul_log_records_count(handle))
        return [_record(lib.consul_log_records_at(handle, place)) for place in places]
    finally:
        lib.consul_log_records_free(handle)


def dropped() -> int:
    """How many records were lost: nobody took them in time, or the file could not be written."""
    return lib.consul_log_dropped()


def _record(address: int) -> LogRecord:
    row = _abi.LOG_RECORD.read(address)
    return LogRecord(
        level=text(row.level_name, row.level_name_len),
        area=text(row.area, row.area_len),
        time_ms=row.time_ms,
        message=text(row.message, row.message_len),
    )
