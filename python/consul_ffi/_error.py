"""The base of all exceptions of this package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .results import TxnError


class ConsulError(Exception):
    """A call to Consul failed. `str(error)` is one line for people, without secrets."""

    #: The number of the status, as in the C header.
    status: int
    #: The name of the status, such as `"ERR_TIMEOUT"`.
    name: str
    #: The HTTP status that came with it, 0 where there was none.
    http_status: int
    #: The same call may succeed later.
    retryable: bool
    #: A change was sent and may have been applied, now or within minutes.
    outcome_unknown: bool
    #: The address of the agent it concerns, `""` where there is none.
    endpoint: str
    #: Which operations of a transaction failed, and why; empty for all else.
    errors: tuple[TxnError, ...] = ()

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        name: str = "",
        http_status: int = 0,
        retryable: bool = False,
        outcome_unknown: bool = False,
        endpoint: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.http_status = http_status
        self.retryable = retryable
        self.outcome_unknown = outcome_unknown
        self.endpoint = endpoint

    def __reduce__(self) -> tuple[Any, ...]:
        # So that a pool of processes can hand it on.
        return type(self), self.args, self.__dict__
