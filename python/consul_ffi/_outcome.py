"""From the status of a call to an exception."""

from __future__ import annotations

import re
from typing import Callable

from . import _abi, errors
from ._error import ConsulError
from ._library import lib
from ._memory import c_text, text


def _class_of(status: int) -> type[ConsulError]:
    # A newer library may have statuses that this package does not know.
    return errors.BY_STATUS.get(status, ConsulError)


def name_of(status: int) -> str:
    """The name of a status, such as `"ERR_TIMEOUT"`."""
    return c_text(lib.consul_status_name(status)).replace("CONSUL_", "", 1)


def new(status: int, message: str) -> ConsulError:
    """An error that was found on this side; nothing was sent."""
    return _class_of(status)(message, status=status, name=name_of(status))


def from_status(status: int) -> ConsulError:
    """The error behind a status that a call of this thread has just returned."""
    if status > 0:
        return new(status, c_text(lib.consul_status_message(status)))
    return from_row(status, lib.consul_last_error())


#: What a program knows by other words than C.
_CALLED = {"kept_service": "service"}


def _of_handle(message: str) -> str:
    """What is wrong with a handle, in a program's words: an object that was closed has none."""
    found = re.fullmatch(r"expected a consul_(\w+) handle, got NULL", message)
    if not found:
        return message
    kind = found[1]
    return f"the {_CALLED.get(kind, kind.replace('_', ' '))} was closed"


def from_row(status: int, address: int) -> ConsulError:
    """The error behind a status, of the row that tells of it."""
    row = _abi.ERROR.read(address)
    message = text(row.message, row.message_len)
    return _class_of(status)(
        _of_handle(message) if status == _abi.CONSUL_ERR_HANDLE else message,
        status=status,
        name=name_of(status),
        http_status=row.http_status,
        retryable=row.retryable,
        outcome_unknown=row.outcome_unknown,
        endpoint=text(row.endpoint, row.endpoint_len),
    )


def check(status: int) -> None:
    """Raises unless a call is done."""
    if status:
        raise from_status(status)


def nothing(_status: int) -> None:
    """For calls whose end is all that they tell."""


def answered(answer: int) -> Callable[[int], bool]:
    """`done` for this answer."""
    return lambda status: done(status, answer)


def done(status: int, answer: int) -> bool:
    """True when a call is done, False when it ended with this honest answer; raises for others."""
    if status == _abi.CONSUL_OK:
        return True
    if status == answer:
        return False
    raise from_status(status)
