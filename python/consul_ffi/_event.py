"""What arrives in a queue."""

from __future__ import annotations

from ctypes import addressof, c_void_p
from typing import Callable, TypeVar

from . import _abi, _outcome
from ._core import take_up
from ._error import ConsulError
from ._library import lib

T = TypeVar("T")

#: How a result is taken out of an event, by the type of its handle.
_TAKE: dict[int, Callable[..., int]] = {
    number: getattr(lib, take)
    for name, number in vars(_abi).items()
    if name.startswith("CONSUL_HANDLE_")
    and hasattr(lib, take := f"consul_event_take_{name[len('CONSUL_HANDLE_') :].lower()}")
}

_status_of, _type_of = lib.consul_event_status, lib.consul_event_result_type

#: Makes the result of a call of its status and the handle of what it gave, if it gave something.
Read = Callable[[int, "int | None"], T]


def error(event: int, status: int) -> ConsulError:
    """What went wrong."""
    return _outcome.from_row(status, lib.consul_event_error(event))


def result(event: int, read: Read[T]) -> T:
    """What the blocking call would have returned; raises what it would have raised."""
    status = _status_of(event)
    if status < 0:
        failure = error(event, status)
        take_up(read, failure, _taken(event))
        raise failure
    return read(status, _taken(event))


def _taken(event: int) -> int | None:
    """The handle of what a call gave, None where it gave nothing."""
    take = _TAKE.get(_type_of(event))
    if take is None:
        return None
    out = c_void_p()
    _outcome.check(take(event, addressof(out)))
    return out.value
